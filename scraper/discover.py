"""Read what any site lists, whatever its platform: robots.txt, sitemaps, feeds, and the links of a page. Pure.

A document that is cut off, or of another type than its address suggests, gives the items that could be read and a
`Problem`. The last entry of a cut document is dropped, because half an address is another address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from scrapy.http import HtmlResponse
from scrapy.linkextractors import LinkExtractor

from scraper.addresses import canonical_url, same_site
from scraper.feeds import is_comment_feed, read_feed
from scraper.items import Exchange, Item
from scraper.platforms._page import encoding_of
from scraper.platforms._platform import Platform
from scraper.robots.politeness import read_robots
from scraper.sitemaps import read_sitemap
from scraper.xml_lists import beginning, is_url_list, problem, root_of, unpacked

Kind = Literal["robots", "sitemap", "feed", "comment-feed"]


def read_links(exchange: Exchange) -> tuple[str, ...]:
    """Return the addresses on its own site that an HTML page links to (`a`, `area`): canonical, each once, in order.

    Links to files (pictures, PDF, style sheets) are omitted. Never raises: a page without links gives none.
    """
    response = HtmlResponse(
        exchange.url,
        body=exchange.body,
        encoding=encoding_of(exchange, exchange.body),
    )
    links = LinkExtractor(unique=False).extract_links(response) if exchange.body.strip() else []
    addresses = dict.fromkeys(canonical_url(link.url) for link in links)
    return tuple(address for address in addresses if same_site(address, exchange.url))


def items_of(exchange: Exchange, platform: Platform | None) -> Iterator[Item] | None:
    """Return the items of a robots.txt, sitemap or feed by the platform's rules; None for any other document.

    Without a platform only robots.txt is read, since nothing else can recognise the address of a post.

    The bytes decide which kind of document it is; where they cannot (an HTML page, an error, an empty body), the
    address does. An answer that is not 2xx gives a problem, `sitemap-failed` or `feed-failed`, unless it is 404 or 410
    (there is no such document), 304 (not modified) or a redirect.
    """
    if platform is None:
        return iter(read_robots(exchange).problems) if _is_robots(exchange) else None
    kind = document_kind(exchange, platform)
    return None if kind is None else _items(exchange, platform, kind)


def _is_robots(exchange: Exchange) -> bool:
    return exchange.method == "GET" and urlsplit(exchange.url).path == "/robots.txt"


def _items(exchange: Exchange, platform: Platform, kind: Kind) -> Iterator[Item]:
    if kind == "robots":
        yield from read_robots(exchange).problems
    elif kind == "comment-feed":
        return  # its items are comments: their texts are not titles, and their links do not lead to posts
    elif not 200 <= exchange.status < 300:
        if exchange.status >= 400 and exchange.status not in {404, 410}:
            yield problem(f"{kind}-failed", exchange, f"answered {exchange.status}; requested again by the next run")
    elif kind == "sitemap":
        page = read_sitemap(exchange, platform.is_post_url)
        yield from page.sightings
        yield from page.problems
    else:
        feed = read_feed(_plain(exchange), platform.is_post_url, platform.guid_address)
        yield from feed.sightings
        yield from platform.read_feed(_plain(exchange))
        yield from feed.problems


def _plain(exchange: Exchange) -> Exchange:
    """Return the exchange with its body decompressed, where that is a gzip file."""
    body, _ = unpacked(exchange.body)
    return exchange if body is exchange.body else replace(exchange, body=body)


def document_kind(exchange: Exchange, platform: Platform) -> Kind | None:
    """Return which kind of platform-independent document the exchange is; None for any other document."""
    if exchange.method != "GET":
        return None
    path = urlsplit(exchange.url).path
    if _is_robots(exchange):
        return "robots"
    body = beginning(exchange.body)
    root = root_of(body)
    if root in {"urlset", "sitemapindex"} or is_url_list(body):
        return "sitemap"
    if root in {"rss", "feed", "RDF"}:
        return "comment-feed" if is_comment_feed(_plain(exchange)) else "feed"
    if _SITEMAP_PATH.search(path) or _ends_with(path, platform.sitemaps):
        return "sitemap"
    return "feed" if _ends_with(path, platform.feeds) else None


# /sitemap.xml, /blog-posts-sitemap.xml, /wp-sitemap-posts-post-1.xml, /sitemap_index.xml, /sitemap-2.xml.gz
_SITEMAP_PATH = re.compile(r"(?:^|[/_-])sitemap[^/]*\.xml(?:\.gz)?$", re.IGNORECASE)


def _ends_with(path: str, ends: Iterable[str]) -> bool:
    """Return whether the path ends with one of these, below the site's root or a language's (`/es/blog-feed.xml`)."""
    return any(path.rstrip("/").endswith("/" + end.strip("/")) for end in ends if end.strip("/"))
