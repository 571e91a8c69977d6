"""The blog platforms: one file or package each, found by importing everything in this folder; no list to edit."""

from __future__ import annotations

import logging
from functools import cache
from urllib.parse import urlsplit

from scraper.addresses import is_within
from scraper.items import Exchange
from scraper.platforms._platform import Platform
from scraper.platforms._readers import readers_in
from scraper.platforms._recognise import Strength, strength_of

logger = logging.getLogger(__name__)


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
    return marked(exchange) or next((platform for platform in platforms() if _claims(platform, exchange)), None)


def _claims(platform: Platform, exchange: Exchange) -> bool:
    try:
        return platform.claims(exchange)
    except Exception:  # a fault in the code of one platform must not prevent the recognition of others
        logger.exception("%s: the platform %s failed to say whether it claims it", exchange.url, platform.name)
        return False


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
    readers = platforms() if own is None else (own,)
    roots = [root for platform in readers if is_within(url, root := _root(platform, url))]
    return max(roots, key=len, default=_host(url))


def _host(url: str) -> str:
    """Scheme and host, the root of every site that has a host of its own."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _root(platform: Platform, url: str) -> str:
    try:
        return platform.root(url)
    except Exception:
        logger.exception("%s: the platform %s failed to name the root of its site", url, platform.name)
        return _host(url)


def may_be_post(url: str, own: Platform | None) -> bool:
    """The site's platform does not deny that the address is a post's; where it is not known, some platform says so."""
    if own is not None:
        return own.is_post_url(url) is not False
    return any(_says_post(platform, url) for platform in platforms())


def _says_post(platform: Platform, url: str) -> bool:
    try:
        return bool(platform.is_post_url(url))
    except Exception:
        logger.exception("%s: the platform %s failed to say whether it is a post's", url, platform.name)
        return False
