"""The default discovery of posts: robots.txt and sitemaps, then feeds, then the pages of the blog's listings."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scraper.addresses import canonical_url, is_within, same_site
from scraper.discover import document_kind, read_links
from scraper.items import Problem, Sighting
from scraper.platforms._platform import Answer, Ask, Blog, Plan
from scraper.robots.politeness import read_robots
from scraper.sitemaps import sub_sitemaps

if TYPE_CHECKING:
    from scraper.platforms._platform import Platform

# Limits of a visit, far above any clinic's blog: a site that reaches them is a trap or faulty, and is reported.
MAX_SITEMAPS, MAX_LISTINGS = 50, 400

Step = Generator[Ask, Answer, None]


def discover_by_lists(platform: Platform, blog: Blog) -> Plan:
    """Yield the requests for every list of posts that the platform's data, robots.txt and sitemap indexes name."""
    yield from request_sitemaps(platform, blog)
    for path in platform.feeds:
        yield Ask(url=blog.root + path, lists="feed")
    yield from _listings(platform, blog)


def request_sitemaps(platform: Platform, blog: Blog, *, most: int = MAX_SITEMAPS) -> Step:
    """Request robots.txt, the sitemaps that it names, those that these name, and the usual ones of the platform.

    `most`: sitemaps that are requested; the note of the visit says where there are more.
    """
    robots = yield Ask(url=f"{urlsplit(blog.root).scheme}://{urlsplit(blog.root).netloc}/robots.txt")
    rules = read_robots(robots.exchange, robots.reason)
    blog.allows = rules.allowed
    waiting = [
        *rules.sitemaps,
        f"{blog.root}/sitemap.xml",
        *(blog.root + path for path in platform.sitemaps),
    ]
    seen: set[str] = set()
    while waiting and len(seen) < most:
        url = waiting.pop(0)
        if canonical_url(url) in seen or not same_site(url, blog.root):
            continue
        seen.add(canonical_url(url))
        answer = yield Ask(url=url, lists="sitemap")
        if answer.ok and answer.exchange is not None:
            waiting += sub_sitemaps(answer.exchange)
            if document_kind(answer.exchange, platform) is None:
                message = f"{url}: named as a sitemap, but neither XML nor a text of addresses; not read, look at it"
                blog.unreadable_lists.append(
                    Problem(kind="sitemap-unreadable", message=message, url=answer.exchange.url)
                )
    if waiting and len(seen) >= most:
        blog.notes.append(f"more than {most} sitemaps: the others were not read")


def _listings(platform: Platform, blog: Blog) -> Step:
    """Request the pages of the blog's listings while they name new posts, and the categories that they link to."""
    waiting = [blog.root + path for path in platform.listings]
    if blog.home is not None:
        waiting += [url for url in read_links(blog.home) if platform.is_listing_url(url)]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_LISTINGS:
        url = canonical_url(waiting.pop(0))
        if url in seen or not is_within(url, blog.root):
            continue
        seen.add(url)
        answer = yield Ask(url=url, conditional=True, lists="listing")
        if answer.ok and answer.exchange is not None:
            waiting += [link for link in read_links(answer.exchange) if platform.is_listing_url(link)]
        following = platform.next_listing(url)
        names_posts = any(isinstance(item, Sighting) for item in answer.items)
        # A page without new posts is the last: blogs answer page 999 with page 1 or with an empty page.
        if following and names_posts and (answer.new_posts or answer.unchanged) and blog.bulk:
            waiting.insert(0, following)
        if blog.enough():
            return
    if waiting and len(seen) >= MAX_LISTINGS:
        blog.notes.append(f"more than {MAX_LISTINGS} pages of lists: the others were not read")
