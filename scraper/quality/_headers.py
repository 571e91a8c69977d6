"""Response headers with which a firewall, a cache or a parking service says that the answer is its own.

Headers that a service adds to every answer, such as `x-iinfo` (Imperva) or `x-datadome: protected`, prove nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from scraper.items import Exchange
from scraper.quality._doubt import Doubt, Kind


class _Signal(NamedTuple):
    name: str  # lower case
    value: str  # pattern that the whole value begins with, in any case
    kind: Kind
    maker: str


_SIGNALS: Sequence[_Signal] = (
    _Signal("cf-mitigated", "challenge", "bot-challenge", "Cloudflare"),
    _Signal("x-amzn-waf-action", "challenge|captcha", "bot-challenge", "AWS WAF"),
    _Signal("x-vercel-mitigated", "challenge|deny", "bot-challenge", "Vercel"),
    _Signal("sg-captcha", "challenge", "bot-challenge", "SiteGround"),
    _Signal("x-dd-b", r"\d", "bot-challenge", "DataDome"),
    _Signal("x-datadome", "blocked|challenge|captcha", "bot-challenge", "DataDome"),
    _Signal("x-px-enforcer", "true|1", "bot-challenge", "HUMAN"),
    _Signal("x-sucuri-block", ".", "bot-challenge", "Sucuri"),
    _Signal("server", r"parking\b|sedoparking|bodis\b", "parked", "a parking service"),
    _Signal("x-adblock-key", ".", "parked", "a parking service"),
    _Signal("x-parked|x-parking", ".", "parked", "a parking service"),
)
_MATCHES = [(signal, re.compile(signal.value, re.IGNORECASE)) for signal in _SIGNALS]


def by_header(exchange: Exchange) -> Doubt | None:
    """Return what a response header says about the page; None where no header says anything."""
    headers = exchange.headers
    if not headers:
        return None
    for signal, value in _MATCHES:
        for name in signal.name.split("|"):
            if name in headers and value.match(headers[name].strip()):
                return Doubt(signal.kind, f"the response header {name} says so", signal.maker)
    # Two headers that only the templates of parking services have together.
    if "x-template" in headers and "x-buckets" in headers:
        return Doubt("parked", "the response headers x-template and x-buckets say so", "a parking service")
    return None


def cache_reports_error(exchange: Exchange) -> bool:
    """Return whether a cache says that the origin answered with an error: `x-cache: Error from cloudfront`.

    Sites whose pages are made by a script answer so with a real page, too: it takes a second signal.
    """
    return exchange.headers.get("x-cache", "").lower().startswith("error")
