"""How bytes leave the clinic: compression, entity tags, and the headers of the platform (reference 4.5)."""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

_COMMON = {"server": "Pepyaka", "x-seen-by": "yvSunuo/8ld62ehjr5B7kA==", "vary": "Accept-Encoding"}


@dataclass
class Body:
    """A body that is compressed at most once."""

    raw: bytes
    _packed: bytes = field(default=b"", repr=False)
    _tag: str = field(default="", repr=False)

    @property
    def packed(self) -> bytes:
        """The compressed bytes; equal bodies give equal bytes."""
        if not self._packed:
            self._packed = gzip.compress(self.raw, compresslevel=6, mtime=0)
        return self._packed

    @property
    def tag(self) -> str:
        """The weak entity tag."""
        if not self._tag:
            self._tag = f'W/"{hashlib.md5(self.raw).hexdigest()}"'
        return self._tag


def _accepts_gzip(request: Request) -> bool:
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = part.strip().partition(";q=")
        if name in ("gzip", "*"):
            return quality.strip() not in ("0", "0.0", "0.000")
    return False


def unchanged(request: Request, tag: str) -> bool:
    """Whether the reader already holds what it would get. Weak comparison."""
    requests = request.headers.get("if-none-match", "")
    held = [part.strip().removeprefix("W/") for part in requests.split(",")]
    return "*" in held or tag.removeprefix("W/") in held


def answer(
    request: Request, body: Body, media_type: str, status: int = 200, caching: str = "", cookies: bool = False
) -> Response:
    """The response for a body: 304 when the reader holds it, compressed when the reader can read that."""
    headers = {
        **_COMMON,
        "x-wix-request-id": f"{uuid.uuid4().int % 10**20}.{uuid.uuid4().int % 10**18}",
        "etag": body.tag,
        "cache-control": caching or "public,max-age=0,must-revalidate",
    }
    if status == 200 and unchanged(request, body.tag):
        return Response(status_code=304, headers=headers)
    content = body.raw
    if _accepts_gzip(request):
        content = body.packed
        headers["content-encoding"] = "gzip"
    headers["content-type"] = media_type
    response = Response(b"" if request.method == "HEAD" else content, status_code=status, headers=headers)
    response.headers["content-length"] = str(len(content))
    if cookies:
        response.set_cookie("ssr-caching", "cache#desc=hit#varnish=miss#dc#desc=42", max_age=20)
        response.set_cookie("XSRF-TOKEN", f"{uuid.uuid4().int}|{uuid.uuid4().hex[:12]}", samesite="none")
        response.set_cookie("svSession", uuid.uuid4().hex * 4, max_age=63_072_000, httponly=True)
        response.set_cookie("hs", str(-(uuid.uuid4().int % 2**31)), httponly=True)
    return response


def html_answer(request: Request, body: Body, status: int = 200) -> Response:
    """A page, with the cookies every page sets."""
    return answer(request, body, "text/html; charset=UTF-8", status, cookies=True)


def text_answer(request: Request, text: str, media_type: str) -> Response:
    """Plain text, XML or script."""
    return answer(request, Body(text.encode()), media_type)


def json_answer(request: Request, value: object, status: int = 200) -> Response:
    """JSON is never cached, though it carries a weak entity tag all the same."""
    body = Body(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    return answer(request, body, "application/json; charset=utf-8", status, caching="no-store, no-cache")
