"""The body of an answer as parsers read it: one decoder and one judge for live answers, stored and imported ones.

What a body is, and what is wrong with it, follows from its bytes and headers alone. So a visit and a rebuild give the
same items, or the same problem in the same words.
"""

from __future__ import annotations

from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from archive.warc import CutShort, TooLarge, Undecodable, decode
from scraper.items import Problem
from scraper.settings import DOWNLOAD_MAXSIZE

AGAIN = "not stored, the next run requests it again"


def decoded(response: Response) -> tuple[Response, Problem | None]:
    """Return a response with its Content-Encoding undone, and the problem of a body that cannot be decoded.

    Such a body is empty afterwards. Only a success (2xx) has the problem: any other answer means what its status says.
    Kinds of problems: cut-short, undecodable; bomb, too-large (more than `DOWNLOAD_MAXSIZE` bytes).
    """
    encoding = b", ".join(response.headers.getlist("Content-Encoding")).decode("latin-1").strip()
    if not encoding and len(response.body) <= DOWNLOAD_MAXSIZE:
        return response, None
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
    fault: Problem | None = None
    try:
        body = decode(response.body, encoding, DOWNLOAD_MAXSIZE, content_type)
    except (CutShort, Undecodable, TooLarge) as error:
        body = b""
        if 200 <= response.status < 300:
            fault = _problem(error, encoding, response.url)
    headers = response.headers.copy()
    if fault is None:
        headers.pop(b"Content-Encoding", None)
    kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
    names = [name for name in Response.attributes if name not in ("headers", "body")]
    return kind(headers=headers, body=body, **{name: getattr(response, name) for name in names}), fault


def _problem(error: CutShort | Undecodable | TooLarge, encoding: str, url: str) -> Problem:
    if isinstance(error, CutShort):
        return Problem(kind="cut-short", message=f"{url}: {error}; {AGAIN}", url=url)
    if isinstance(error, Undecodable):
        return Problem(kind="undecodable", message=f"{url}: {error}; {AGAIN}", url=url)
    if encoding:
        message = f"{url}: larger than the size limit when decompressed; not stored"
        return Problem(kind="bomb", message=message, url=url)
    return Problem(kind="too-large", message=f"{url}: larger than the size limit; not stored", url=url)
