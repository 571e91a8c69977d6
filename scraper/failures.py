"""Fetches that failed without an answer, in plain words."""

from __future__ import annotations

from urllib.parse import urlsplit

from scraper.robots import Refused


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
