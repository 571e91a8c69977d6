"""Requests and responses: what travels with a request, a response as parsers see it, and failures in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy.http import Request, Response

from scraper.config.clinics import Clinic
from scraper.guard import Refused
from scraper.items import Exchange

FETCH = "fetch"  # key of `Request.meta`


@dataclass(slots=True, kw_only=True)
class Fetch:
    """What travels with a request of a visit, in `request.meta["fetch"]`: its rules, then what became of it."""

    clinic: Clinic
    secret: bool = False  # the answer holds tokens: they are blanked before it is recorded
    conditional: bool = False  # ETag and Last-Modified of the last capture may be sent
    allow_private: bool = False  # the address may be on a private network
    # The newest whole answer to the same request, a row of `captures`; None: there is none, or nobody looked.
    last_answer: Mapping[str, Any] | None = None
    is_looked_up: bool = False  # somebody looked for `last_answer`
    capture: Any = None  # the record of the exchange, `archive.warc.Capture`; None: it was not recorded
    wire_body: bytes = b""  # the body as served, still encoded
    wire_encoding: str = ""  # its Content-Encoding, lower case
    blanked_body: bytes | None = None  # the body as recorded, where its tokens are blanked
    sighted: tuple[str, ...] = ()  # posts that a list named which has not changed since


def fetch_of(request: Request | None) -> Fetch | None:
    """What travels with the request; None for a request that no visit made (`scrapy shell`)."""
    fetch = request.meta.get(FETCH) if request is not None else None
    return fetch if isinstance(fetch, Fetch) else None


def capture_of(request: Request | None) -> Any:
    """The record of the request's exchange; None where it was not recorded."""
    fetch = fetch_of(request)
    return fetch.capture if fetch is not None else None


def exchange_of(response: Response, fetched_at: datetime | None = None) -> Exchange:
    """A Scrapy response as parsers see it: decoded body, headers, absolute redirect target.

    `fetched_at`: the capture's date; by default that of the record which the request carries, else now.
    """
    request = response.request
    assert request is not None
    location = response.headers.get("Location")
    captured = capture_of(request)
    return Exchange(
        url=response.url,
        body=response.body,
        content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
        status=response.status,
        fetched_at=fetched_at or getattr(captured, "fetched_at", None) or datetime.now(UTC),
        headers=lower_headers((name, value) for name, values in response.headers.items() for value in values),
        method=request.method,
        request_body=request.body,
        location=redirect_target(response.url, location),
    )


def lower_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Response headers for `Exchange.headers`: names in lower case, repeated headers joined by ", "."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def origin_of(url: str) -> tuple[str, str]:
    """Scheme and host with port: what a token, or a robots.txt, is for."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def requestable(url: str) -> str | None:
    r"""The address as Scrapy will ask for it, or None where it makes no request of it ("mailto:a@b.example").

    What is decided about an address is decided about this one: of `http://a.example\@b.example/` the host is a.example
    here, and b.example to `urlsplit`.
    """
    try:
        return Request(url).url
    except ValueError:
        return None


def redirect_target(url: str, location: bytes | None) -> str | None:
    """The absolute address of a Location header; None where there is none, or none that can be asked ("http://x:99999").

    Letters beyond ASCII have no place in it; servers that send them mean UTF-8, old ones Latin-1.
    """
    try:
        target = urljoin(url, _text(location)) if location else None
        return target if target and urlsplit(target).port != 0 else None  # reading an impossible port raises
    except ValueError:
        return None


def _text(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")


def describe(error: BaseException, url: str) -> tuple[str, str]:
    """A failed fetch in plain words: a short name for `problems.kind`, and the line."""
    if isinstance(error, Refused):
        return error.kind, str(error)
    name = type(error).__name__
    host = urlsplit(url).hostname
    known = {
        "DNSLookupError": ("dns", f"{host}: no such host; check the address"),
        "CannotResolveHostError": ("dns", f"{host}: no such host; check the address"),
        "TimeoutError": ("timeout", f"{url}: no answer in time"),
        "TCPTimedOutError": ("timeout", f"{url}: no answer in time"),
        "DownloadTimeoutError": ("timeout", f"{url}: no answer in time"),
        "ConnectionRefusedError": ("refused", f"{url}: nobody listens there"),
        "DownloadConnectionRefusedError": ("refused", f"{url}: nobody listens there"),
        "DownloadCancelledError": ("too-large", f"{url}: larger than the limit; given up"),
        "ResponseDataLossError": ("cut-short", f"{url}: the answer broke off"),
        "ResponseFailed": ("broken-connection", f"{url}: the connection broke off"),
        "ResponseNeverReceived": ("broken-connection", f"{url}: the connection broke off"),
        "DownloadFailedError": ("broken-connection", f"{url}: the connection broke off"),
        "ConnectionLost": ("broken-connection", f"{url}: the connection broke off"),
        "NoBrowser": ("no-browser", str(error)),
        "BrowserCrashed": ("browser-crashed", str(error)),
        "BrowserFailure": ("render-failed", str(error)),
        "PageUnreachable": ("page-unreachable", str(error)),
        "IgnoreRequest": ("ignored", f"{url}: {error}"),
    }
    if name == "IgnoreRequest" and "exceed" in str(error).lower():
        return "bomb", f"{url}: unpacks to more than the limit; nothing stored of it"
    return known.get(
        name, ("fetch-failed", f"{url}: {name}: {str(error).splitlines()[0] if str(error) else 'no word'}")
    )
