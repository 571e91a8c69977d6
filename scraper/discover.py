"""What a site lists: sitemaps, feeds and listing pages, read into sightings. Pure functions of the bytes.

Sitemaps: sitemaps.org, read by Scrapy's reader (lxml, entities not resolved, no network). Feeds: RSS and Atom, read by
feedparser from the bytes. A document that is cut, or is not what its address says, gives what could be read and a
`Problem`; the last entry of a cut document is dropped, since half an address is another address.
"""

from __future__ import annotations

import html
import re
import zlib
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from time import struct_time
from typing import Any, Literal
from urllib.parse import urlsplit

import feedparser  # type: ignore[import-untyped]
from feedparser.exceptions import ThingsNobodyCaresAboutButMe  # type: ignore[import-untyped]
from lxml.etree import XMLSyntaxError
from scrapy.http import HtmlResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.utils.sitemap import Sitemap
from w3lib.html import remove_tags

from scraper.addresses import as_listed, canonical_url, is_web_address, same_site
from scraper.items import Exchange, Item, Problem, Sighting
from scraper.platforms._platform import Platform
from scraper.robots import read_robots

LARGEST_SITEMAP = 50 * 1024 * 1024  # bytes unpacked; sitemaps.org allows no more

Kind = Literal["robots", "sitemap", "feed", "comment-feed"]
# Whether an address is a post's (None: it does not tell), and the address of the document that names it.
IsPostUrl = Callable[[str, str], bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapPage:
    """One sitemap or sitemap index."""

    sub_sitemaps: tuple[tuple[str, str | None], ...] = ()  # address, lastmod as printed
    sightings: tuple[Sighting, ...] = ()  # posts, in the file's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """One feed."""

    sightings: tuple[Sighting, ...] = ()  # posts, in the feed's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


def read_sitemap(exchange: Exchange, is_post_url: IsPostUrl) -> SitemapPage:
    """Reads a sitemap or sitemap index, gzipped (`sitemap.xml.gz`) or not. Never raises.

    An entry is a sighting if `is_post_url` does not deny it and it is of the sitemap's own site (sitemaps.org demands
    that); an uncertain one where the address does not tell.
    Problems: sitemap-is-html, sitemap-cut, sitemap-unreadable, sitemap-foreign, too-large.
    """
    body, problem = _unpacked(exchange)
    if problem is None and _root(body) == "html":
        problem = _problem("sitemap-is-html", exchange, "an HTML page stands where the sitemap should be")
    if problem is not None:
        return SitemapPage(problems=(problem,))
    whole, is_cut = _whole(body, entry=rb"url|sitemap", root=rb"urlset|sitemapindex")
    problems = [_problem("sitemap-cut", exchange, "cut in half: what comes before was read")] if is_cut else []
    try:
        sitemap = Sitemap(_BARE_AMPERSAND.sub(b"&amp;", whole))
        entries = [(entry["loc"], entry.get("lastmod") or None) for entry in sitemap]
    except (XMLSyntaxError, StopIteration) as error:
        return SitemapPage(problems=(_problem("sitemap-unreadable", exchange, f"not XML: {error or 'no element'}"),))
    if sitemap.type not in {"urlset", "sitemapindex"}:
        return SitemapPage(problems=(_problem("sitemap-unreadable", exchange, f"XML of another kind: {sitemap.type}"),))
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
            listed_url=_listed(loc, exchange.url, url),
            certain=verdict or False,
        )
        for loc, url, lastmod, verdict in verdicts
        if verdict is not False
    ]
    sightings, foreign = _own(seen, exchange)
    return SitemapPage(sightings=sightings, others=len(entries) - len(seen), problems=(*problems, *foreign))


def read_feed(
    exchange: Exchange,
    is_post_url: IsPostUrl | None = None,
    guid_address: Callable[[str], str | None] | None = None,
) -> FeedPage:
    """Reads an RSS or Atom feed. A feed without items is no problem. Never raises.

    `is_post_url`: items of other addresses (podcasts, events) are counted in `others`; None: every item is a post.
    `guid_address`: what a guid says of the post's id, such as `wix:64ddbf6a1737d98af033206f`; None: nothing.
    published_at is ISO 8601 UTC to the second, as RSS has it; title is text, its entities and tags undone.
    Problems: feed-is-html, feed-cut, feed-unreadable, feed-malformed (what could be read is given), feed-foreign.
    """
    if _root(exchange.body) == "html":
        return FeedPage(problems=(_problem("feed-is-html", exchange, "an HTML page stands where the feed should be"),))
    whole, is_cut = _whole(exchange.body, entry=rb"item|entry", root=rb"rss|feed|RDF")
    problems = [_problem("feed-cut", exchange, "cut in half: what comes before was read")] if is_cut else []
    # A stream, since feedparser takes bytes that look like an address or a file's name for one, and opens it.
    feed = feedparser.parse(
        BytesIO(whole),
        response_headers={"content-type": exchange.content_type or "application/xml", "content-location": exchange.url},
        sanitize_html=False,  # only titles and addresses are read
        resolve_relative_uris=False,
    )
    if not feed.get("version"):
        return FeedPage(problems=(*problems, _problem("feed-unreadable", exchange, "neither RSS nor Atom")))
    fault = feed.get("bozo_exception")
    # A wrong content type or a charset that was mended is no loss; a cut has been told.
    if fault is not None and not is_cut and not isinstance(fault, ThingsNobodyCaresAboutButMe):
        problems.append(_problem("feed-malformed", exchange, f"{fault}; what could be read was taken"))
    seen = [_feed_sighting(entry, exchange.url, guid_address) for entry in feed.entries]
    posts = []
    for sighting in seen:
        verdict = True if is_post_url is None else is_post_url(sighting.url, exchange.url)
        if is_web_address(sighting.url) and verdict is not False:
            posts.append(sighting if verdict else replace(sighting, certain=False))
    sightings, foreign = _own(posts, exchange)
    return FeedPage(sightings=sightings, others=len(seen) - len(posts), problems=(*problems, *foreign))


def _feed_sighting(entry: Any, base: str, guid_address: Callable[[str], str | None] | None) -> Sighting:
    guid = (entry.get("id") or "").strip()
    link = entry.get("link") or ""
    address = guid_address(guid) if guid and guid_address else None
    title = entry.get("title")
    if title and entry.title_detail.type == "text/html":  # Wix escapes inside CDATA: "GBR &#38; Soft Tissue"
        title = html.unescape(remove_tags(title))
    published = entry.get("published_parsed")
    return Sighting(
        url=canonical_url(link, base) if link.strip() else "",
        source="feed",
        listed_url=_listed(link, base, canonical_url(link, base)) if link.strip() else None,
        addresses=(address,) if address else (),
        # Not `.get`: feedparser would give the date of publication for it, with a warning.
        lastmod=entry["updated"] if "updated" in entry.keys() else None,  # noqa: SIM118
        title=" ".join(title.split()) or None if title else None,
        published_at=_utc(published) if published else None,
    )


def _utc(moment: struct_time) -> str | None:
    """None for what feedparser takes for a date and is none: "00" is the year -99 to it."""
    try:
        return datetime.fromtimestamp(timegm(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def read_links(exchange: Exchange) -> tuple[str, ...]:
    """The addresses of its own site that an HTML page links to (`a`, `area`): canonical, each once, in their order.

    Links to files (pictures, PDF, style sheets) are left out. Never raises: a page without links gives none.
    """
    response = HtmlResponse(
        exchange.url,
        body=exchange.body,
        headers={"Content-Type": exchange.content_type} if exchange.content_type else {},
    )
    found = LinkExtractor(unique=False).extract_links(response) if exchange.body.strip() else []
    links = dict.fromkeys(canonical_url(link.url) for link in found)
    return tuple(link for link in links if same_site(link, exchange.url))


def sub_sitemaps(exchange: Exchange) -> list[str]:
    """The sitemaps that a sitemap index names, in its order; none for any other document."""
    return [url for url, _ in read_sitemap(exchange, lambda url, named_in: False).sub_sitemaps]


def items_of(exchange: Exchange, platform: Platform | None) -> Iterator[Item] | None:
    """What a robots.txt, sitemap or feed says by the platform's rules; None for any other document.

    Without a platform nothing tells a post's address: robots.txt alone is read then.

    The bytes decide, and where they cannot (an HTML page, an error, nothing at all) the address does. An answer that
    is not 2xx gives a problem, `sitemap-failed` or `feed-failed`, unless it says that there is none (404, 410), that
    nothing changed (304), or where to look (a redirect).
    """
    if platform is None:
        return iter(read_robots(exchange).problems) if _is_robots(exchange) else None
    kind = kind_of(exchange, platform)
    return None if kind is None else _items(exchange, platform, kind)


def _is_robots(exchange: Exchange) -> bool:
    return exchange.method == "GET" and urlsplit(exchange.url).path == "/robots.txt"


def _items(exchange: Exchange, platform: Platform, kind: Kind) -> Iterator[Item]:
    if kind == "robots":
        yield from read_robots(exchange).problems
    elif kind == "comment-feed":
        return  # the items of such a feed are comments: their texts are no titles, their links no posts
    elif not 200 <= exchange.status < 300:
        if exchange.status >= 400 and exchange.status not in {404, 410}:
            yield _problem(f"{kind}-failed", exchange, f"answered {exchange.status}; the next run asks again")
    elif kind == "sitemap":
        page = read_sitemap(exchange, platform.is_post_url)
        yield from page.sightings
        yield from page.problems
    else:
        feed = read_feed(exchange, platform.is_post_url, platform.guid_address)
        yield from feed.sightings
        yield from feed.problems


def kind_of(exchange: Exchange, platform: Platform) -> Kind | None:
    """Which of the platform-neutral documents an exchange is, if any."""
    if exchange.method != "GET":
        return None
    path = urlsplit(exchange.url).path
    if _is_robots(exchange):
        return "robots"
    body = exchange.body
    root = _root(body)
    if root in {"urlset", "sitemapindex"}:
        return "sitemap"
    if root in {"rss", "feed", "RDF"}:
        return "comment-feed" if _is_comment_feed(exchange) else "feed"
    if _SITEMAP_PATH.search(path) or _ends_with(path, platform.sitemaps):
        return "sitemap"
    return "feed" if _ends_with(path, platform.feeds) else None


# /sitemap.xml, /blog-posts-sitemap.xml, /wp-sitemap-posts-post-1.xml, /sitemap_index.xml, /sitemap-2.xml.gz
_SITEMAP_PATH = re.compile(r"(?:^|[/_-])sitemap[^/]*\.xml(?:\.gz)?$", re.IGNORECASE)


# "/comments/feed/", "/sleep/comments/feed", "/feeds/comments/default", "/feeds/7/comments/default", "/comments.rss"
_COMMENT_FEED_PATH = re.compile(r"(?:^|/)comments/(?:feed|default|full|rss|atom)\b|/comments\.(?:rss|atom|xml)$", re.I)
# The link of a comment: "/sleep/#comment-12", "/sleep?showComment=15#c34", "/sleep#IDComment9"
_COMMENT_LINK = re.compile(rb"#(?:id)?comment-?\d|[?&;]showComment=|#c\d{6,}", re.IGNORECASE)
_LINKS = re.compile(rb"<link>[^<]*</link>|<link\b[^>]*\brel=.alternate[^>]*>", re.IGNORECASE)


def _is_comment_feed(exchange: Exchange) -> bool:
    """A feed of comments: by its address, or because every item's link leads to a comment."""
    if _COMMENT_FEED_PATH.search(urlsplit(exchange.url).path):
        return True
    items = re.split(rb"<(?:item|entry)\b", exchange.body)[1:]
    return bool(items) and all(any(_COMMENT_LINK.search(link) for link in _LINKS.findall(item)) for item in items)


def _listed(listed: str, base: str, canonical: str) -> str | None:
    """The address as the list spells it, where that is not the canonical spelling."""
    spelling = as_listed(listed, base)
    return spelling if spelling != canonical else None


def _ends_with(path: str, known: Iterable[str]) -> bool:
    """The path is one of a platform's, below the root of the site or a language's (`/es/blog-feed.xml`)."""
    return any(path.rstrip("/").endswith("/" + end.strip("/")) for end in known if end.strip("/"))


# What may stand before the first element: a byte order mark, the XML declaration and other instructions, comments, the
# document type. `<?xml version="1.0"?><!-- by x --><!DOCTYPE html><html lang="en">` gives html, `<x:urlset` urlset.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?([\w.-]+)",
    re.DOTALL | re.IGNORECASE,
)
_HTML_PARTS = {"html", "head", "body", "title", "meta", "script", "div", "p"}
# `?a=1&b=2` in a sitemap, where `&amp;` is meant: recovering, lxml would read `?a=1=2`.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)", re.IGNORECASE)


def _root(body: bytes) -> str | None:
    """The name of the first element, without its prefix; `html` for all parts of HTML; None where there is none."""
    found = _ROOT.match(body[:8192])
    if found is None:
        return None
    name = found[1].decode("ascii", "replace")
    return "html" if name.lower() in _HTML_PARTS else name


def _whole(body: bytes, *, entry: bytes, root: bytes) -> tuple[bytes, bool]:
    """The body up to its last whole entry if its root is never closed, and whether that was so."""
    closed = rb"</(?:[\w.-]+:)?(?:" + root + rb")\s*>|<(?:" + root + rb")\b[^<>]*/>"  # </urlset>, <urlset/>
    if re.search(closed, body):
        return body, False
    end = max((found.end() for found in re.finditer(rb"</(?:[\w.-]+:)?(?:" + entry + rb")\s*>", body)), default=None)
    start = re.search(rb"<(?:[\w.-]+:)?(?:" + root + rb")\b[^<>]*>", body)
    if start is None:
        return body, False  # another kind of document
    return body[: start.end() if end is None else end], True


def _unpacked(exchange: Exchange) -> tuple[bytes, Problem | None]:
    """The body, its gzip undone as far as it goes, within bounds."""
    if not exchange.body.startswith(b"\x1f\x8b"):
        return exchange.body, None
    unzip = zlib.decompressobj(wbits=31)
    try:
        body = unzip.decompress(exchange.body, LARGEST_SITEMAP)
    except zlib.error as error:
        return b"", _problem("sitemap-unreadable", exchange, f"gzip is broken: {error}")
    if unzip.unconsumed_tail:
        return b"", _problem("too-large", exchange, f"over {LARGEST_SITEMAP} bytes unpacked; not read")
    return body, None


def _own(seen: list[Sighting], exchange: Exchange) -> tuple[tuple[Sighting, ...], tuple[Problem, ...]]:
    """The sightings of the document's own site, and a problem that counts the others."""
    own = tuple(one for one in seen if same_site(one.url, exchange.url))
    if len(own) == len(seen):
        return own, ()
    first = next(one.url for one in seen if not same_site(one.url, exchange.url))
    what = f"{len(seen) - len(own)} of its posts are of another site, {first} for one; left out"
    return own, (_problem(f"{seen[0].source}-foreign", exchange, what),)


def _problem(kind: str, exchange: Exchange, what: str) -> Problem:
    return Problem(kind=kind, message=f"{exchange.url}: {what}", url=exchange.url)
