"""What was fetched, as parsers see it, and where an answer leads."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from scrapy.http import Request, Response

from scraper.items import Exchange


def exchange_of(response: Response) -> Exchange:
    """A Scrapy response as parsers see it: decoded body, absolute redirect target, the capture's date."""
    request = response.request
    assert request is not None
    location = response.headers.get("Location")
    captured = response.meta.get("capture")
    return Exchange(
        url=response.url,
        body=response.body,
        content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
        status=response.status,
        fetched_at=getattr(captured, "fetched_at", None) or datetime.now(UTC),
        method=request.method,
        request_body=request.body,
        location=redirect_target(response.url, location),
    )


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
