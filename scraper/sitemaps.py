"""Sitemaps (sitemaps.org), read into sightings by Scrapy's reader: lxml, entities not resolved, no network."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from lxml.etree import XMLSyntaxError
from scrapy.utils.sitemap import Sitemap

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Exchange, Problem, Sighting
from scraper.xml_lists import CUT, IsPostUrl, listed_spelling, of_own_site, problem, root_of, whole_part

LARGEST_SITEMAP = 50 * 1024 * 1024  # bytes when decompressed; sitemaps.org allows no more


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapPage:
    """The content of one sitemap or sitemap index."""

    sub_sitemaps: tuple[tuple[str, str | None], ...] = ()  # address, lastmod as printed
    sightings: tuple[Sighting, ...] = ()  # posts, in the file's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


# `?a=1&b=2` in a sitemap, where `&amp;` is meant: recovering, lxml would read `?a=1=2`.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)", re.IGNORECASE)


def read_sitemap(exchange: Exchange, is_post_url: IsPostUrl) -> SitemapPage:
    """Read a sitemap or sitemap index, gzipped (`sitemap.xml.gz`) or not. Never raises.

    An entry gives a sighting if `is_post_url` does not return False for it and it is on the sitemap's own site, as
    sitemaps.org demands. Where `is_post_url` returns None the sighting is marked as uncertain.
    Kinds of problems: sitemap-is-html, sitemap-cut, sitemap-unreadable, sitemap-foreign, too-large.
    """
    body, fault = _unpacked(exchange)
    if fault is None and root_of(body) == "html":
        fault = problem("sitemap-is-html", exchange, "the answer is an HTML page, not a sitemap")
    if fault is not None:
        return SitemapPage(problems=(fault,))
    whole, is_cut = whole_part(body, entry=rb"url|sitemap", root=rb"urlset|sitemapindex")
    problems = [problem("sitemap-cut", exchange, CUT)] if is_cut else []
    try:
        sitemap = Sitemap(_BARE_AMPERSAND.sub(b"&amp;", whole))
        entries = [(entry["loc"], entry.get("lastmod") or None) for entry in sitemap]
    except (XMLSyntaxError, StopIteration) as error:
        return SitemapPage(
            problems=(problem("sitemap-unreadable", exchange, f"not readable as XML: {error or 'it has no element'}"),)
        )
    if sitemap.type not in {"urlset", "sitemapindex"}:
        return SitemapPage(
            problems=(problem("sitemap-unreadable", exchange, f"not a sitemap: the root element is {sitemap.type}"),)
        )
    addresses = [(loc, canonical_url(loc, exchange.url), lastmod) for loc, lastmod in entries]
    addresses = [entry for entry in addresses if is_web_address(entry[1])]
    if sitemap.type == "sitemapindex":
        subs = dict.fromkeys((url, lastmod) for _, url, lastmod in addresses)
        return SitemapPage(sub_sitemaps=tuple(subs), problems=tuple(problems))
    verdicts = [(loc, url, lastmod, is_post_url(url, exchange.url)) for loc, url, lastmod in addresses]
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


def _unpacked(exchange: Exchange) -> tuple[bytes, Problem | None]:
    """Return the decompressed body (of a cut gzip as much as possible), and a problem where it cannot be used."""
    if not exchange.body.startswith(b"\x1f\x8b"):
        return exchange.body, None
    unzip = zlib.decompressobj(wbits=31)
    try:
        body = unzip.decompress(exchange.body, LARGEST_SITEMAP)
    except zlib.error as error:
        return b"", problem("sitemap-unreadable", exchange, f"the gzip data are damaged: {error}")
    if unzip.unconsumed_tail:
        return b"", problem("too-large", exchange, f"larger than {LARGEST_SITEMAP} bytes when decompressed; not read")
    return body, None
