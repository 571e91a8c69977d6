"""The order of a visit to one clinic's blog: recognise, discover, fetch the posts, then counters, then comments.

A plan yields an `Ask` and is sent its `Answer`; whether and when a request is made (robots, delay, retries, redirects)
is the spider's business, what an answer says is `scraper.extract`'s. What is gathered here is the visit's own memory of
what to ask next, and never becomes a row.
"""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

from scraper import discover
from scraper.addresses import canonical_url, same_site
from scraper.crawl.discovered import Discovered, is_within
from scraper.crawl.frontier import Frontier
from scraper.crawl.rendering import fill_gaps
from scraper.crawl.state import VisitContext, VisitResult
from scraper.extract import is_post_url, platform_of
from scraper.items import Exchange, Problem, Sighting, UnsupportedPlatform
from scraper.platforms._platform import Answer, Ask, Blog, Plan, Platform
from scraper.robots import read_robots

# Bounds of a visit, far above any clinic's blog: what lies beyond is a trap or a fault, and is told.
MAX_SITEMAPS, MAX_LISTINGS = 50, 400

Step = Generator[Ask, Answer, None]


def crawl_blog(start: VisitContext, visit: VisitResult) -> Plan:
    """The whole visit; `visit` is filled as it goes."""
    clinic = start.clinic
    visit.limited = start.limit is not None
    home = yield Ask(url=clinic.url)
    problems = [item for item in home.items if isinstance(item, Problem)]
    if home.exchange is None or not home.ok:
        visit.blog_status = "unreachable"
        status = home.exchange.status if home.exchange else "nothing"
        visit.failure = home.reason or (problems[0].message if problems else f"{clinic.url}: answered {status}")
        return
    # Where it always led there, posts of that site are known.
    sites = [clinic.url, *(post.url for post in start.known)]
    if start.known and not any(same_site(home.exchange.url, site) for site in sites):
        visit.moved, visit.blog_status = home.exchange.url, "unknown"
        return
    platform = platform_of(home.exchange)
    if platform is None:
        # A wall, or an empty page on a bad day, says nothing about the site's platform.
        known = not problems or problems[0].kind == UnsupportedPlatform.kind
        visit.blog_status = "unsupported" if known else "unreachable"
        visit.failure = problems[0].message.removeprefix(f"{home.exchange.url}: ") if problems else "not a blog"
        return
    visit.platform = platform.name
    blog = Blog(
        root=platform.root(home.exchange.url),
        private=start.private,
        read_comments=clinic.comments == "threads",
        bulk=start.limit is None,
        budget_spent=lambda: start.budget_left(visit.requests) == 0,
    )
    finds = Discovered(start.known, blog.root)
    finds.add(home.items)
    yield from _sitemaps(platform, blog, finds, visit)
    yield from _feeds(platform, blog, finds)
    yield from _listings(platform, blog, finds, home.exchange, start, visit)
    if not finds.posts():
        visit.blog_status = "none_found"
        visit.failure = f"{blog.root} runs {platform.name}, but no blog post was found in sitemap, feed or listing"
        return
    visit.blog_status = "blog"
    agenda = Frontier(blog, finds, start, visit)
    yield from agenda.posts()
    merged = finds.merged()
    visit.found_in = {str(source): number for source, number in merged.counts.items()}
    visit.discovered = len(finds.posts())
    if start.limit is None:
        visit.notes += merged.disagreements()
    yield from agenda.observing(fill_gaps(platform, blog, start, visit))
    yield from agenda.fetch_announced()
    yield from agenda.probe_old_addresses()
    agenda.summarise()


def _sitemaps(platform: Platform, blog: Blog, finds: Discovered, visit: VisitResult) -> Step:
    """robots.txt names sitemaps, sitemaps name more; those that a platform is known to hide are tried anyway."""
    robots = yield Ask(url=f"{urlsplit(blog.root).scheme}://{urlsplit(blog.root).netloc}/robots.txt")
    waiting = [
        *read_robots(robots.exchange, robots.reason).sitemaps,
        f"{blog.root}/sitemap.xml",
        *(blog.root + path for path in platform.sitemaps),
    ]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_SITEMAPS:
        url = waiting.pop(0)
        if canonical_url(url) in seen or not same_site(url, blog.root):
            continue
        seen.add(canonical_url(url))
        answer = yield Ask(url=url)
        if answer.ok and answer.exchange is not None:
            waiting += [sub for sub, _ in discover.read_sitemap(answer.exchange, is_post_url).sub_sitemaps]
            finds.add(answer.items, "sitemap")
    if waiting and len(seen) >= MAX_SITEMAPS:
        visit.notes.append(f"more than {MAX_SITEMAPS} sitemaps: the others were not read")


def _feeds(platform: Platform, blog: Blog, finds: Discovered) -> Step:
    for path in platform.feeds:
        answer = yield Ask(url=blog.root + path)
        finds.add(answer.items, "feed" if answer.ok else None)


def _listings(
    platform: Platform, blog: Blog, finds: Discovered, home: Exchange, start: VisitContext, visit: VisitResult
) -> Step:
    """The blog's pages one after another while they name posts, and the categories they link to."""
    waiting = [blog.root + path for path in platform.listings]
    waiting += [url for url in discover.read_links(home) if platform.is_listing_url(url)]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_LISTINGS:
        url = canonical_url(waiting.pop(0))
        if url in seen or not is_within(url, blog.root):
            continue
        seen.add(url)
        answer = yield Ask(url=url, conditional=True)
        sightings = [item for item in answer.items if isinstance(item, Sighting)]
        news = finds.add(sightings, "listing" if answer.ok or answer.unchanged else None)
        if answer.ok and answer.exchange is not None:
            waiting += [url for url in discover.read_links(answer.exchange) if platform.is_listing_url(url)]
        following = platform.next_listing(url)
        # A page that names nothing new is the last: blogs answer page 999 with page 1, or with an empty one.
        if following and sightings and (news or answer.unchanged) and start.limit is None:
            waiting.insert(0, following)
        if start.limit is not None and len(finds.named) >= start.limit:
            return
    if waiting and len(seen) >= MAX_LISTINGS:
        visit.notes.append(f"more than {MAX_LISTINGS} pages of lists: the others were not read")
