"""The requests for posts where the REST API is closed: feeds with whole texts, sitemaps, listings."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

from scraper.crawl.merge import parse_time
from scraper.items import Problem, Sighting
from scraper.platforms._discovery import discover_by_lists
from scraper.platforms._platform import Answer, Ask, Blog, Plan, Platform
from scraper.platforms.wordpress.plan.posts import WHOLE_AFTER

MAX_PAGES = 200  # of one feed

Step = Generator[Ask, Answer, bool]


def discover(platform: Platform, blog: Blog, refusals: list[str]) -> Plan:
    """Request every list of posts that a site without a REST API has, and report once that it has none.

    `refusals`: what the API answered.
    """
    why = refusals[0] if refusals else "no answer"
    message = f"{blog.root}: the REST API is not open ({why}); posts are read from feeds and pages"
    blog.unreadable_lists.append(Problem(kind="rest-refused", message=message, url=blog.root))
    blog.pages_follow = True
    yield from discover_by_lists(platform, blog)
    whole = _is_whole_due(blog)
    # Plain permalinks: the sitemaps and feeds of a server without rewriting have no paths.
    plain = not (yield from _feed(blog, blog.root + "/feed/", whole))
    if plain:
        yield Ask(url=f"{blog.root}/?sitemap=posts&sitemap-subtype=post&paged=1", lists="sitemap")
        yield from _feed(blog, blog.root + "/?feed=rss2", whole)
    # Atom has the date of change of each entry, RSS has not.
    yield from _feed(blog, blog.root + ("/?feed=atom" if plain else "/feed/atom/"), whole)


def _is_whole_due(blog: Blog) -> bool:
    """Return whether a post was last in a feed or on a page a week ago or longer, or none is known."""
    times = [parse_time(post.last_seen_at) for post in blog.known if not post.removed and post.missed_at is None]
    return blog.everything or not times or any(at is None or blog.now - at >= WHOLE_AFTER for at in times)


def _feed(blog: Blog, url: str, whole: bool) -> Step:
    """Request a feed, with `whole` page by page until one repeats posts; return whether its first page names posts."""
    seen: set[str] = set()
    for page in range(1, MAX_PAGES + 1):
        joint = "&" if urlsplit(url).query else "?"
        answer = yield Ask(url=url if page == 1 else f"{url}{joint}paged={page}", lists="feed", conditional=page == 1)
        if page == 1 and answer.unchanged:
            return True
        named = {item.url for item in answer.items if isinstance(item, Sighting)}
        if not answer.ok or named <= seen:
            break
        seen |= named
        if not whole or not blog.bulk or blog.enough():
            break
    return bool(seen)
