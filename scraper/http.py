"""Requests and responses: the state attached to a request, a response as an `Exchange`, and failures in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from scrapy.http import Request, Response
from w3lib.encoding import read_bom

from scraper.config.clinics import Clinic
from scraper.guard import RequestRefused
from scraper.items import Exchange, Problem

FETCH = "fetch"  # key of `Request.meta`


@dataclass(slots=True, kw_only=True)
class Fetch:
    """The state attached to a request of a visit, in `request.meta["fetch"]`: its rules first, then its results."""

    clinic: Clinic
    secret: bool = False  # the answer contains tokens, which are blanked before it is recorded
    conditional: bool = False  # ETag and Last-Modified of the last capture may be sent
    allow_private: bool = False  # the address may be on a private network
    # The newest complete answer to the same request, a row of `captures`; None: there is none, or it was not looked up.
    last_answer: Mapping[str, Any] | None = None
    is_looked_up: bool = False  # `last_answer` was looked up
    capture: Any = None  # the record of the exchange, `archive.warc.Capture`; None: it was not recorded
    fault: Problem | None = None  # why the body of the answer cannot be decoded
    is_emptied: bool = False  # a takedown removed the whole body, before it was recorded
    blanked_body: bytes | None = None  # the body as recorded, where its tokens are blanked
    sighted: tuple[str, ...] = ()  # posts that an unchanged list (304) named before


def fetch_of(request: Request | None) -> Fetch | None:
    """Return the state attached to the request; None for a request that no visit made (`scrapy shell`)."""
    fetch = request.meta.get(FETCH) if request is not None else None
    return fetch if isinstance(fetch, Fetch) else None


def capture_of(request: Request | None) -> Any:
    """Return the `archive.warc.Capture` of the request's exchange; None where it was not recorded."""
    fetch = fetch_of(request)
    return fetch.capture if fetch is not None else None


def exchange_of(response: Response, fetched_at: datetime | None = None) -> Exchange:
    """Return a Scrapy response as an `Exchange`: decoded body, headers, absolute redirect target.

    `fetched_at`: the capture's date; by default that of the capture attached to the request, else the current time.
    """
    request = response.request
    assert request is not None
    location = response.headers.get("Location")
    fetch, captured = fetch_of(request), capture_of(request)
    body, content_type = response.body, (response.headers.get("Content-Type") or b"").decode("latin-1")
    as_utf8 = _from_utf16(body)
    if as_utf8 is not None:
        body, content_type = as_utf8, content_type.partition(";")[0]
    return Exchange(
        url=response.url,
        body=body,
        content_type=content_type,
        status=response.status,
        fetched_at=fetched_at or getattr(captured, "fetched_at", None) or datetime.now(UTC),
        headers=lower_headers((name, value) for name, values in response.headers.items() for value in values),
        method=request.method,
        request_body=request.body,
        location=redirect_target(response.url, location),
        fault=fetch.fault if fetch is not None else None,
        is_emptied=fetch is not None and fetch.is_emptied,
    )


# The declaration of an XML document up to its encoding: <?xml version="1.0" encoding="UTF-16"
_DECLARED = re.compile(rb"(<\?xml[^>]{0,100}?)\s+encoding\s*=\s*[\"'][^\"'>]*[\"']")


def _from_utf16(body: bytes) -> bytes | None:
    """Return a body in UTF-16 or UTF-32 as UTF-8, which all parsers search by bytes; None without a byte order mark."""
    name, mark = read_bom(body[:4])
    if name is None or mark is None or not name.startswith(("utf-16", "utf-32")):
        return None
    return _DECLARED.sub(rb"\1", body[len(mark) :].decode(name, "replace").encode(), count=1)


def lower_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers for `Exchange.headers`: names in lower case, repeated headers joined by ", "."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def origin_of(url: str) -> tuple[str, str]:
    """Return (scheme, host with port): the scope of a token and of a robots.txt."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def requestable(url: str) -> str | None:
    r"""Return the address as Scrapy will request it; None where Scrapy cannot request it ("mailto:a@b.example").

    Without user name and password ("http://user:secret@a.example/"): they are sent to nobody, and recorded nowhere.
    Check this spelling, not the original: the host of `http://a.example\@b.example/` is a.example here, but b.example
    to `urlsplit`.
    """
    try:
        return _without_userinfo(Request(url).url)
    except ValueError:
        return None


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc or "\\" in parts.netloc:  # readers of addresses differ about the host before a backslash
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def redirect_target(url: str, location: bytes | None) -> str | None:
    """Return the absolute address of a Location header, without its userinfo; None without one, or where it is invalid ("http://x:99999").

    The header should be ASCII; servers that send other letters mean UTF-8, old ones Latin-1.
    """
    try:
        target = urljoin(url, _text(location)) if location else None
        return (
            _without_userinfo(target) if target and urlsplit(target).port != 0 else None
        )  # `port` raises where it is out of range
    except ValueError:
        return None


def _text(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def describe_failure(error: BaseException, url: str) -> tuple[str, str]:
    """Return a failed fetch in words: the `kind` of the problem, and a one-line message."""
    if isinstance(error, RequestRefused):
        return error.kind, str(error)
    name = type(error).__name__
    host = urlsplit(url).hostname
    known = {
        "DNSLookupError": ("dns", f"{host}: no such host; check the address"),
        "CannotResolveHostError": ("dns", f"{host}: no such host; check the address"),
        "TimeoutError": ("timeout", f"{url}: no answer in time"),
        "TCPTimedOutError": ("timeout", f"{url}: no answer in time"),
        "DownloadTimeoutError": ("timeout", f"{url}: no answer in time"),
        "ConnectionRefusedError": ("refused", f"{url}: connection refused; no server listens there"),
        "DownloadConnectionRefusedError": ("refused", f"{url}: connection refused; no server listens there"),
        "DownloadCancelledError": ("too-large", f"{url}: larger than the size limit; download cancelled"),
        "ResponseDataLossError": ("cut-short", f"{url}: the answer ended early"),
        "ResponseFailed": ("broken-connection", f"{url}: the connection was lost"),
        "ResponseNeverReceived": ("broken-connection", f"{url}: the connection was lost"),
        "DownloadFailedError": ("broken-connection", f"{url}: the connection was lost"),
        "ConnectionLost": ("broken-connection", f"{url}: the connection was lost"),
        "NoBrowser": ("no-browser", str(error)),
        "BrowserCrashed": ("browser-crashed", str(error)),
        "BrowserFailure": ("render-failed", str(error)),
        "PageUnreachable": ("page-unreachable", str(error)),
        "IgnoreRequest": ("ignored", f"{url}: {error}"),
    }
    return known.get(
        name, ("fetch-failed", f"{url}: {name}: {str(error).splitlines()[0] if str(error) else 'no details'}")
    )
