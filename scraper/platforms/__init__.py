"""The blog platforms: one file or package each, found by importing everything in this folder; no list to edit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar
from urllib.parse import urlsplit

from scraper.addresses import is_within
from scraper.items import Exchange
from scraper.platforms._platform import Platform
from scraper.platforms._readers import readers_in
from scraper.platforms._recognise import Strength, strength_of

logger = logging.getLogger(__name__)

T = TypeVar("T")


@cache
def platforms() -> tuple[Platform, ...]:
    """Return one instance of every platform in this folder, by name, the fallback last."""
    found: list[Platform] = readers_in(__name__, __path__, Platform)
    return tuple(sorted(found, key=_order))


def _order(platform: Platform) -> tuple[bool, str]:
    return platform.fallback, platform.name


def platform_named(name: str | None) -> Platform | None:
    """Return the platform of that name; None for None, or for a platform that is no longer supported."""
    return next((platform for platform in platforms() if platform.name == name), None)


def recognise(exchange: Exchange) -> Platform | None:
    """Return the platform of the exchange: by a mark, else the first that claims it; None if none does."""
    return marked(exchange) or next(filter(partial(_claims, exchange), platforms()), None)


def _claims(exchange: Exchange, platform: Platform) -> bool:
    return _isolated(platform, exchange.url, partial(platform.claims, exchange), False)


def _isolated(platform: Platform, url: str, method: Callable[[], T], otherwise: T) -> T:
    """Return what the method of a platform gives; a fault in its code is logged and stops no other platform."""
    try:
        return method()
    except Exception:
        logger.exception("%s: the platform %s failed in its code", url, platform.name)
        return otherwise


def marked(exchange: Exchange) -> Platform | None:
    """The platform whose mark the exchange carries: a generator tag before a header, a header before the head."""
    strengths = {platform: strength_of(platform.marks, exchange) for platform in platforms()}
    strongest = max(strengths, key=strengths.__getitem__, default=None)
    return strongest if strongest is not None and strengths[strongest] is not Strength.NONE else None


def recognise_alone(exchange: Exchange, clinic_platform: Platform | None) -> Platform | None:
    """Return the platform of a capture from an import or backfill: by its mark, else the clinic's, else by a claim.

    The site may have run on another platform when it was captured.
    """
    return marked(exchange) or clinic_platform or recognise(exchange)


def is_home_answer(exchange: Exchange) -> bool:
    """Return whether a run may recognise its platform by this answer: a page (2xx) fetched without a browser."""
    return (
        exchange.via is None
        and exchange.fault is None
        and exchange.method == "GET"
        and 200 <= exchange.status < 300
        and urlsplit(exchange.url).path != "/robots.txt"
    )


def site_root(url: str, own: Platform | None = None) -> str:
    """The address below which a site lies, no trailing slash: its host, or its own folder where sites share a host.

    `own`: the site's platform. Where it is not known, the longest root that any platform names is the site's.
    """
    host = _host(url)
    readers = platforms() if own is None else (own,)
    roots = [_isolated(platform, url, partial(platform.root, url), host) for platform in readers]
    return max((root for root in roots if is_within(url, root)), key=len, default=host)


def _host(url: str) -> str:
    """Scheme and host, the root of every site that has a host of its own."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def may_be_post(url: str, own: Platform | None) -> bool:
    """The site's platform does not deny that the address is a post's; where it is not known, some platform says so."""
    if own is not None:
        return own.is_post_url(url) is not False
    return any(_isolated(platform, url, partial(platform.is_post_url, url), None) for platform in platforms())
