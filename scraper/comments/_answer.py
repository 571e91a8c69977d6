"""Values that answers of comment services have in common: texts, times, addresses of threads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from scraper.items import Exchange
from scraper.not_a_post import Unreadable
from scraper.platforms._body import Body, read_body, resolver
from scraper.platforms._dates import utc
from scraper.platforms._json import decode_rows, mapping
from scraper.platforms._tree import soup

_LAST = 253_402_300_800  # seconds until the year 10000; `int` of a larger one, 1e999999999, takes hours


def json_object(exchange: Exchange) -> Mapping[str, Any]:
    """Return the JSON object of an answer. Raises `Unreadable` where it is none."""
    try:
        value = decode_rows(exchange.body)
    except ValueError as error:
        raise Unreadable("the answer of the comment service is no JSON; its thread is read again later") from error
    if not isinstance(value, dict):
        raise Unreadable("the answer of the comment service is of no known form; its thread is read again later")
    return mapping(value)


def written(markup: str, base: str) -> Body:
    """Return what a comment says; addresses are made absolute."""
    if not markup:
        return Body()
    return read_body([soup(markup.encode("utf-8", "replace"), "utf-8")], resolver(base))


def unix_time(seconds: object) -> str | None:
    """Return a Unix time in seconds as ISO 8601 UTC; None for anything else, and for 0."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal | float) or not 0 < seconds < _LAST:
        return None
    try:
        return utc(datetime.fromtimestamp(int(seconds), UTC))
    except (OverflowError, ValueError, OSError):
        return None


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of an address by name; of a repeated one the last. Never raises."""
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:
        return {}


def printable(address: str) -> str:
    """Return an address that a page names, for a message: line ends and other control characters are escaped."""
    return quote(address, safe="%/:?#[]@!$&'()*+,;=~")


def base_of(url: str) -> str:
    """Return the address without parameters and fragment. Never raises."""
    return url.partition("#")[0].partition("?")[0]
