"""Discovery on sites without an API: sitemaps, the feeds that heads name, the blog's listings; few requests."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from scraper.addresses import canonical_url, is_within
from scraper.discover import read_links
from scraper.items import Exchange, Sighting
from scraper.not_a_post import Unreadable
from scraper.platforms._article.address import LISTING_PAGE
from scraper.platforms._article.dom import Tree
from scraper.platforms._discovery import Step, request_sitemaps
from scraper.platforms._platform import Ask, Blog, Plan, Platform

_MAX_SITEMAPS, _MAX_FEEDS, _MAX_LISTINGS = 12, 4, 20  # requests of a visit beside those for posts
# <link rel="alternate" type="application/rss+xml" href="/feed.xml">
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")


def discover_pages(platform: Platform, blog: Blog) -> Plan:
    """Request sitemaps, the platform's feeds and those that heads name, and the blog's listings, page after page.

    `blog.evident` is set where a listing that the home page links to answers, or a list names posts.
    """
    yield from request_sitemaps(platform, blog, most=_MAX_SITEMAPS)
    asked: set[str] = set()
    feeds = [blog.root + path for path in platform.feeds]
    yield from _request_feeds([*feeds, *feeds_in(blog.home)], blog, asked)
    links = [url for url in read_links(blog.home) if platform.is_listing_url(url)] if blog.home else []
    waiting, seen = [*links, *(blog.root + path for path in platform.listings)], set[str]()
    if blog.home is not None:
        waiting += following(blog.home)
    while waiting and len(seen) < _MAX_LISTINGS:
        url = waiting.pop(0)
        if canonical_url(url) in seen or not is_within(url, blog.root):
            continue
        seen.add(canonical_url(url))
        answer = yield Ask(url=url, conditional=True, lists="listing")
        if answer.ok and answer.exchange is not None:
            # A guessed address answers on sites that answer every address with the same page.
            blog.evident = blog.evident or url in links or bool(answer.new_posts)
            yield from _request_feeds(feeds_in(answer.exchange), blog, asked)
            if answer.new_posts and blog.bulk:
                waiting = [*following(answer.exchange), *waiting]
        if blog.enough():
            return
    if waiting and len(seen) >= _MAX_LISTINGS:
        blog.notes.append(f"more than {_MAX_LISTINGS} pages of lists: the others were not read")


def _request_feeds(feeds: Iterable[str], blog: Blog, asked: set[str]) -> Step:
    for url in feeds:
        if url not in asked and len(asked) < _MAX_FEEDS and is_within(url, blog.root):
            asked.add(url)
            answer = yield Ask(url=url, lists="feed")
            blog.evident = blog.evident or any(isinstance(item, Sighting) for item in answer.items)


def feeds_in(exchange: Exchange | None) -> list[str]:
    """Return the addresses of the feeds that a page's head names, those of comments left out."""
    found = []
    for rel, kind, about, href in _links(exchange, "link"):
        if "alternate" in rel and kind in _FEED_TYPES and "comment" not in about:
            found.append(href)
    return list(dict.fromkeys(found))


def following(exchange: Exchange) -> list[str]:
    """Return the address of a listing's next page that it links to: `rel="next"`, "/page/2", "?page=2"."""
    current = LISTING_PAGE.search(exchange.url)
    number = int(current[1]) + 1 if current else 2
    for rel, _, _, href in _links(exchange, "link", "a"):
        page = LISTING_PAGE.search(href)
        if "next" in rel or "prev-post" in rel or (page and (int(page[1]) == number or "offset=" in href)):
            return [href] if urlsplit(href).path != urlsplit(exchange.url).path or page else []
    return []


def _links(exchange: Exchange | None, *tags: str) -> Iterable[tuple[list[str], str, str, str]]:
    """Yield (words of rel, type, title and address as written in lower case, absolute address) of a page's links."""
    if exchange is None or not exchange.body.strip():
        return
    try:
        tree = Tree(exchange)
    except Unreadable:
        return
    for link in tree.root.iter(*tags):
        href = (link.get("href") or "").strip()
        if href:
            about = f"{link.get('title') or ''} {href}".lower()
            try:
                absolute = urljoin(exchange.url, href)
            except ValueError:  # "http://["
                continue
            yield (link.get("rel") or "").lower().split(), (link.get("type") or "").strip().lower(), about, absolute
