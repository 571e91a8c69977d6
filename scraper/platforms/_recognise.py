"""Pages that no platform here reads: blogs of other makers, told by name, and walls that ask whether we are human.

*Recognised by* the generator tag or an asset host that the maker's pages carry. A platform that gets a file of its own
in this folder is taken from the list by being read first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from scraper.items import Exchange, Item, Problem, UnsupportedPlatform

# A mark in the page's bytes, and whose it is. Generator tags first: assets of one maker are embedded by others.
MAKERS = (
    (rb"generator[^>]{0,40}Squarespace|static1\.squarespace\.com|Squarespace\.afterBodyLoad", "Squarespace"),
    (rb"generator[^>]{0,40}WordPress|/wp-content/|/wp-json/", "WordPress"),
    (rb"generator[^>]{0,40}Ghost|/ghost/api/|data-ghost=", "Ghost"),
    (rb"generator[^>]{0,40}Webflow|data-wf-site=|assets\.website-files\.com", "Webflow"),
    (rb"cdn\.shopify\.com|Shopify\.theme", "Shopify"),
    (rb"generator[^>]{0,40}Weebly|cdn\d?\.editmysite\.com", "Weebly"),
    (rb"generator[^>]{0,40}HubSpot|hs-scripts\.com|hubspotusercontent", "HubSpot"),
    (rb"img1\.wsimg\.com|generator[^>]{0,60}(?:Starfield|GoDaddy)", "GoDaddy Websites"),
    (rb"generator[^>]{0,40}[Bb]logger|blogger\.com/static", "Blogger"),
    (rb"generator[^>]{0,40}Drupal|/sites/default/files/", "Drupal"),
    (rb"generator[^>]{0,40}Joomla", "Joomla"),
    (rb"substackcdn\.com", "Substack"),
    (rb"cdn-client\.medium\.com|miro\.medium\.com", "Medium"),
    (rb"static\.showit\.co", "Showit"),
    (rb"irp\.cdn-website\.com|dudaone", "Duda"),
)
CHALLENGES = (
    # <title>Just a moment...</title> with a script from /cdn-cgi/challenge-platform/
    (rb"cdn-cgi/challenge-platform|cf-chl-|<title>Just a moment", "Cloudflare"),
    (rb"_Incapsula_Resource|Incapsula incident", "Imperva"),
    (rb"captcha-delivery\.com|datadome", "DataDome"),
    (rb"px-captcha|PerimeterX", "PerimeterX"),
    (rb"Pardon Our Interruption", "a bot wall"),
    (rb"sgcaptcha", "SiteGround"),
)
# A wall is a small page; the same words deep inside a megabyte of blog are somebody's script or text.
WALL_BYTES = 120_000


def bot_challenge(exchange: Exchange) -> str | None:
    """Whose wall stands in place of the page, e.g. "Cloudflare"; None when it is no wall."""
    if len(exchange.body) > WALL_BYTES:
        return None
    return next((maker for pattern, maker in CHALLENGES if re.search(pattern, exchange.body)), None)


def unsupported(exchange: Exchange) -> Iterator[Item]:
    """Says whose blog it is. Raises `UnsupportedPlatform` for a page; other documents nobody reads give nothing."""
    start = exchange.body[:2048].lstrip().lower()
    if b"<html" not in start and b"<!doctype html" not in start and "html" not in exchange.content_type:
        if exchange.body.lstrip()[:1] in (b"{", b"["):
            yield Problem(kind="unknown-document", message=f"{exchange.url}: JSON of no known kind", url=exchange.url)
        return
    raise UnsupportedPlatform(f"{maker_sentence(exchange)}; nothing stored")


def maker_sentence(exchange: Exchange) -> str:
    """ "example.com runs Squarespace, which is not supported yet" or that no known platform was recognised."""
    host = urlsplit(exchange.url).hostname or "the page"
    head = exchange.body[:400_000]
    maker = next((name for pattern, name in MAKERS if re.search(pattern, head)), None)
    if maker is None:
        return f"{host} shows no sign of a blog platform that is supported"
    return f"{host} runs {maker}, which is not supported yet"
