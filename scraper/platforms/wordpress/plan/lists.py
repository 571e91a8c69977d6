"""The requests for posts where the REST API is closed: feeds with whole texts, sitemaps, listings."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

from scraper.items import Post, Problem, Sighting
from scraper.platforms._discovery import discover_by_lists
from scraper.platforms._platform import Answer, Ask, Blog, Plan, Platform

MOST_PAGES = 200  # of one feed

Step = Generator[Ask, Answer, bool]


def discover(platform: Platform, blog: Blog, refusals: list[str]) -> Plan:
    """Request every list of posts that a site without a REST API has, and report once that it has none.

    `refusals`: what the API answered.
    """
    why = refusals[0] if refusals else "no answer"
    message = f"{blog.root}: the REST API is not open ({why}); posts are read from feeds and pages"
    blog.unread.append(Problem(kind="rest-refused", message=message, url=blog.root))
    blog.pages_follow = True
    yield from discover_by_lists(platform, blog)
    # Plain permalinks: the sitemaps and feeds of a server without rewriting have no paths.
    plain = not (yield from _feed(blog, blog.root + "/feed/"))
    if plain:
        yield Ask(url=f"{blog.root}/?sitemap=posts&sitemap-subtype=post&paged=1", lists="sitemap")
        yield from _feed(blog, blog.root + "/?feed=rss2")
    yield from _feed(blog, blog.root + ("/?feed=atom" if plain else "/feed/atom/"))


def _feed(blog: Blog, url: str) -> Step:
    """Request a feed page by page until one names no new post; return whether its first page is a feed of posts."""
    is_feed = False
    for page in range(1, MOST_PAGES + 1):
        joint = "&" if urlsplit(url).query else "?"
        answer = yield Ask(url=url if page == 1 else f"{url}{joint}paged={page}", lists="feed", conditional=page == 1)
        is_feed = is_feed or any(isinstance(item, Post | Sighting) for item in answer.items) or answer.unchanged
        if not answer.ok or not answer.new_posts or not blog.bulk or blog.enough():
            return is_feed
    return is_feed
