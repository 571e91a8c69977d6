"""Sitemaps (sitemaps.org), read into sightings: XML by Scrapy's reader (lxml, entities not resolved, no network), text
as it is, an address a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml.etree import XMLSyntaxError
from scrapy.utils.sitemap import Sitemap

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Exchange, Problem, Sighting
from scraper.xml_lists import (
    CUT,
    IsPostUrl,
    is_url_list,
    listed_spelling,
    of_own_site,
    problem,
    root_of,
    unpacked,
    whole_part,
)

_Entry = tuple[str, str | None]  # address and lastmod, as printed


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapPage:
    """The content of one sitemap or sitemap index."""

    sub_sitemaps: tuple[tuple[str, str | None], ...] = ()  # address, lastmod as printed
    sightings: tuple[Sighting, ...] = ()  # posts, in the file's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


# `?a=1&b=2` in a sitemap, where `&amp;` is meant: recovering, lxml would read `?a=1=2`. Inside `<![CDATA[?a=1&b=2]]>`
# an ampersand is itself. A section without an end ends with the document, so that many such cost no more than one.
_BARE_AMPERSAND = re.compile(
    rb"(<!\[CDATA\[.*?(?:\]\]>|\Z))|&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)", re.IGNORECASE | re.DOTALL
)

# `&#xD800;`, `&#55296;`: half of a surrogate pair is no character, and lxml fails when it is asked for such a text.
_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,20})|([0-9]{1,20}));", re.IGNORECASE)


def _without_surrogate(reference: re.Match[bytes]) -> bytes:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return b"&#xFFFD;" if 0xD800 <= number <= 0xDFFF else reference[0]


def read_sitemap(exchange: Exchange, is_post_url: IsPostUrl) -> SitemapPage:
    """Read a sitemap or sitemap index, gzipped (`sitemap.xml.gz`) or not, or a text of addresses. Never raises.

    An entry gives a sighting if `is_post_url` does not return False for it and it is on the sitemap's own site, as
    sitemaps.org demands. Where `is_post_url` returns None the sighting is marked as uncertain.
    Kinds of problems: sitemap-is-html, sitemap-cut, sitemap-unreadable, sitemap-foreign, too-large.
    """
    body, damage = unpacked(exchange.body)
    fault = problem("too-large" if "larger" in damage else "sitemap-unreadable", exchange, damage) if damage else None
    if fault is None and root_of(body) == "html":
        fault = problem("sitemap-is-html", exchange, "the answer is an HTML page, not a sitemap")
    if fault is not None:
        return SitemapPage(problems=(fault,))
    if is_url_list(body):
        return _from_text(body, exchange, is_post_url)
    whole, is_cut = whole_part(body, entry=rb"url|sitemap", root=rb"urlset|sitemapindex")
    problems = [problem("sitemap-cut", exchange, CUT)] if is_cut else []
    try:
        escaped = _BARE_AMPERSAND.sub(lambda found: found[1] or b"&amp;", whole)
        sitemap = Sitemap(_REFERENCE.sub(_without_surrogate, escaped))
        entries = [(entry["loc"], entry.get("lastmod") or None) for entry in sitemap]
    except (XMLSyntaxError, StopIteration) as error:
        return SitemapPage(
            problems=(problem("sitemap-unreadable", exchange, f"not readable as XML: {error or 'it has no element'}"),)
        )
    if sitemap.type not in {"urlset", "sitemapindex"}:
        return SitemapPage(
            problems=(problem("sitemap-unreadable", exchange, f"not a sitemap: the root element is {sitemap.type}"),)
        )
    if sitemap.type == "sitemapindex":
        subs = dict.fromkeys((url, lastmod) for _, url, lastmod in _addresses(entries, exchange))
        return SitemapPage(sub_sitemaps=tuple(subs), problems=tuple(problems))
    return _page(entries, exchange, is_post_url, problems)


def _from_text(body: bytes, exchange: Exchange, is_post_url: IsPostUrl) -> SitemapPage:
    lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    odd = list(dict.fromkeys(line for line in lines if not is_web_address(line)))
    fault = f"{len(odd)} of its lines are no addresses and were ignored, such as {odd[0][:80]!r}" if odd else ""
    problems = [problem("sitemap-unreadable", exchange, fault)] if odd else []
    return _page([(line, None) for line in lines if is_web_address(line)], exchange, is_post_url, problems)


def _addresses(entries: Iterable[_Entry], exchange: Exchange) -> list[tuple[str, str, str | None]]:
    """Return (as listed, canonical, lastmod) of the entries that are web addresses."""
    # `&amp;` inside CDATA: escaped once too often, and never a part of an address.
    spelled = [(loc.replace("&amp;", "&"), lastmod) for loc, lastmod in entries]
    addresses = [(loc, canonical_url(loc, exchange.url), lastmod) for loc, lastmod in spelled]
    return [entry for entry in addresses if is_web_address(entry[1])]


def _page(entries: list[_Entry], exchange: Exchange, is_post_url: IsPostUrl, problems: list[Problem]) -> SitemapPage:
    """Return what a list of addresses names."""
    verdicts = [
        (loc, url, lastmod, is_post_url(url, exchange.url)) for loc, url, lastmod in _addresses(entries, exchange)
    ]
    posts = [
        Sighting(
            url=url,
            source="sitemap",
            lastmod=lastmod,
            listed_url=listed_spelling(loc, exchange.url, url),
            certain=verdict or False,
        )
        for loc, url, lastmod, verdict in verdicts
        if verdict is not False
    ]
    sightings, foreign = of_own_site(posts, exchange)
    return SitemapPage(sightings=sightings, others=len(entries) - len(posts), problems=(*problems, *foreign))


def sub_sitemaps(exchange: Exchange) -> list[str]:
    """Return the addresses of the sitemaps that a sitemap index lists, in its order; none for any other document."""
    return [url for url, _ in read_sitemap(exchange, lambda url, named_in: False).sub_sitemaps]
