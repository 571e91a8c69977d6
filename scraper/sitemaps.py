"""Sitemaps (sitemaps.org), read into sightings by Scrapy's reader: lxml, entities not resolved, no network."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from lxml.etree import XMLSyntaxError
from scrapy.utils.sitemap import Sitemap

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Exchange, Problem, Sighting
from scraper.listed import IsPostUrl, listed_spelling, of_own_site, problem, root_of, whole_part

LARGEST_SITEMAP = 50 * 1024 * 1024  # bytes unpacked; sitemaps.org allows no more


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapPage:
    """One sitemap or sitemap index."""

    sub_sitemaps: tuple[tuple[str, str | None], ...] = ()  # address, lastmod as printed
    sightings: tuple[Sighting, ...] = ()  # posts, in the file's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


# `?a=1&b=2` in a sitemap, where `&amp;` is meant: recovering, lxml would read `?a=1=2`.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)", re.IGNORECASE)


def read_sitemap(exchange: Exchange, is_post_url: IsPostUrl) -> SitemapPage:
    """Reads a sitemap or sitemap index, gzipped (`sitemap.xml.gz`) or not. Never raises.

    An entry is a sighting if `is_post_url` does not deny it and it is of the sitemap's own site (sitemaps.org demands
    that); an uncertain one where the address does not tell.
    Problems: sitemap-is-html, sitemap-cut, sitemap-unreadable, sitemap-foreign, too-large.
    """
    body, fault = _unpacked(exchange)
    if fault is None and root_of(body) == "html":
        fault = problem("sitemap-is-html", exchange, "an HTML page stands where the sitemap should be")
    if fault is not None:
        return SitemapPage(problems=(fault,))
    whole, is_cut = whole_part(body, entry=rb"url|sitemap", root=rb"urlset|sitemapindex")
    problems = [problem("sitemap-cut", exchange, "cut in half: what comes before was read")] if is_cut else []
    try:
        sitemap = Sitemap(_BARE_AMPERSAND.sub(b"&amp;", whole))
        entries = [(entry["loc"], entry.get("lastmod") or None) for entry in sitemap]
    except (XMLSyntaxError, StopIteration) as error:
        return SitemapPage(problems=(problem("sitemap-unreadable", exchange, f"not XML: {error or 'no element'}"),))
    if sitemap.type not in {"urlset", "sitemapindex"}:
        return SitemapPage(problems=(problem("sitemap-unreadable", exchange, f"XML of another kind: {sitemap.type}"),))
    addresses = [(loc, canonical_url(loc, exchange.url), lastmod) for loc, lastmod in entries]
    addresses = [entry for entry in addresses if is_web_address(entry[1])]
    if sitemap.type == "sitemapindex":
        subs = dict.fromkeys((url, lastmod) for _, url, lastmod in addresses)
        return SitemapPage(sub_sitemaps=tuple(subs), problems=tuple(problems))
    verdicts = [(loc, url, lastmod, is_post_url(url, exchange.url)) for loc, url, lastmod in addresses]
    seen = [
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
    sightings, foreign = of_own_site(seen, exchange)
    return SitemapPage(sightings=sightings, others=len(entries) - len(seen), problems=(*problems, *foreign))


def sub_sitemaps(exchange: Exchange) -> list[str]:
    """The sitemaps that a sitemap index names, in its order; none for any other document."""
    return [url for url, _ in read_sitemap(exchange, lambda url, named_in: False).sub_sitemaps]


def _unpacked(exchange: Exchange) -> tuple[bytes, Problem | None]:
    """The body, its gzip undone as far as it goes, within bounds."""
    if not exchange.body.startswith(b"\x1f\x8b"):
        return exchange.body, None
    unzip = zlib.decompressobj(wbits=31)
    try:
        body = unzip.decompress(exchange.body, LARGEST_SITEMAP)
    except zlib.error as error:
        return b"", problem("sitemap-unreadable", exchange, f"gzip is broken: {error}")
    if unzip.unconsumed_tail:
        return b"", problem("too-large", exchange, f"over {LARGEST_SITEMAP} bytes unpacked; not read")
    return body, None
