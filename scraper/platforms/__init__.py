"""The blog platforms: one file or package each, found by importing everything in this folder; no list to edit."""

from __future__ import annotations

import logging
import pkgutil
from functools import cache
from importlib import import_module
from urllib.parse import urlsplit

from scraper.items import Exchange
from scraper.platforms._platform import Platform
from scraper.platforms._recognise import has_mark_of

logger = logging.getLogger(__name__)


@cache
def platforms() -> tuple[Platform, ...]:
    """Return one instance of every platform in this folder, by name. Files that begin with `_` hold none."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    return tuple(sorted((cls() for cls in Platform.__subclasses__()), key=lambda platform: platform.name))


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
    """Return the platform whose mark (generator tag, header, head) the exchange carries; None if it carries none."""
    return next((platform for platform in platforms() if has_mark_of(platform.marks, exchange)), None)


def recognise_alone(exchange: Exchange, clinic_platform: Platform | None) -> Platform | None:
    """Return the platform of a capture from an import or backfill: by its mark, else the clinic's, else by a claim.

    The site may have run on another platform when it was captured.
    """
    return marked(exchange) or clinic_platform or recognise(exchange)


def is_home_answer(exchange: Exchange) -> bool:
    """Return whether a run may recognise its platform by this answer: a page (2xx) fetched without a browser."""
    return (
        exchange.via is None
        and exchange.method == "GET"
        and 200 <= exchange.status < 300
        and urlsplit(exchange.url).path != "/robots.txt"
    )


def site_root(url: str) -> str:
    """Return the base URL of a site, no trailing slash: its host, with its folder where sites share a host.

    The platform is not known yet, so this is the longest root that any platform gives.
    """
    return max((platform.root(url) for platform in platforms()), key=len)
