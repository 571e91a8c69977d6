"""The order of a visit to one clinic's blog: recognise, discover, fetch the posts, then counters, then comments.

A plan yields an `Ask` and receives its `Answer`. The spider decides whether and when a request is made (robots.txt,
politeness delay, retries, redirects); `scraper.extract` reads the answers. The data collected here only decide what is
requested next; they never become rows.
"""

from __future__ import annotations

import re
from dataclasses import replace

from scraper.addresses import post_key, same_site
from scraper.crawl.discovered import Discovered
from scraper.crawl.frontier import Frontier
from scraper.crawl.pages import evidence_and_threads
from scraper.crawl.rendering import fill_gaps
from scraper.crawl.state import VisitContext, VisitResult
from scraper.crawl.tee import tee
from scraper.items import Exchange, Problem, Sighting
from scraper.not_a_post import UnsupportedPlatform
from scraper.platforms import recognise
from scraper.platforms._platform import Answer, Ask, Blog, Plan, Platform
from scraper.platforms._recognise import Marks, generators_of, maker_of, maker_sentence
from scraper.quality import OF_SITE

# A generator tag, "Jekyll v4.3.1", "Hugo 0.92.2", "Astro": the name before a version
_GENERATOR = re.compile(r"([A-Za-z][A-Za-z+-]{1,30}(?: [A-Za-z][A-Za-z+-]{1,30}){0,2})(?=\s+v?\d|\s*[;(,]|\s*$)")


def crawl_blog(start: VisitContext, visit: VisitResult) -> Plan:
    """Yield the requests of a whole visit; `visit` is filled in meanwhile."""
    clinic = start.clinic
    visit.limited = start.limit is not None
    home = yield Ask(url=clinic.url)
    problems = [item for item in home.items if isinstance(item, Problem)]
    if home.exchange is None or not home.ok:
        visit.blog_status = "unreachable"
        status = home.exchange.status if home.exchange else "nothing"
        visit.failure = home.reason or (problems[0].message if problems else f"{clinic.url}: answered {status}")
        return
    doubtful = next((problem for problem in problems if problem.kind in OF_SITE), None)
    if doubtful is not None:
        # A wall or a parking page answers for the whole site: what its other addresses say is no evidence either.
        visit.blog_status, visit.failure = "unreachable", doubtful.message.removeprefix(f"{home.exchange.url}: ")
        return
    # Where the home page always redirected there, posts of that site are known.
    sites = [clinic.url, *(post.url for post in start.known)]
    if start.known and not any(same_site(home.exchange.url, site) for site in sites):
        visit.moved, visit.blog_status = home.exchange.url, "unknown"
        return
    platform = visit.recognised = visit.recognised or recognise(home.exchange)
    if platform is None:
        # Another problem than that of an unread platform is no evidence of the platform.
        is_conclusive = not problems or problems[0].kind == UnsupportedPlatform.kind
        visit.blog_status = "unsupported" if is_conclusive else "unreachable"
        visit.maker = _maker(home.exchange) if is_conclusive else None
        visit.failure = problems[0].message.removeprefix(f"{home.exchange.url}: ") if problems else "not a blog"
        return
    visit.platform = platform.name
    # A reader of any site has no marks of its own.
    visit.maker = platform.name if platform.marks != Marks() else _maker(home.exchange)
    blog = Blog(
        root=platform.root(home.exchange.url),
        home=home.exchange,
        private=start.private,
        read_comments=clinic.comments == "threads",
        bulk=start.limit is None,
        known=start.known,
        everything=start.all_posts,
        now=start.now,
        budget_spent=lambda: start.budget_left(visit.requests) == 0,
        threads={service: dict(threads) for service, threads in start.threads.items()},
    )
    discovered = Discovered(start.known, blog.root, feed_size=platform.feed_size)
    blog.enough = lambda: start.limit is not None and len(discovered.named) >= start.limit
    discovered.add(item for item in home.items if isinstance(item, Sighting))
    yield from _collecting(platform.discover(blog), discovered)
    visit.by_api = blog.api is not None
    visit.notes += blog.notes
    visit.unread += blog.unread
    if platform.fallback and (not discovered.named or _is_of_another(start, platform, discovered)):
        _not_read(visit, blog, known=bool(start.known))
        return
    if not discovered.posts():
        visit.blog_status = "none_found"
        visit.failure = f"{blog.root} runs {platform.name}, but no blog post was found in sitemap, feed or listing"
        return
    visit.blog_status = "blog"
    frontier = Frontier(blog, discovered, start, visit)
    yield from frontier.posts()
    if platform.fallback and visit.attempted and not visit.fetched and start.read_by != platform.name:
        blog.evident = True
        _not_read(visit, blog, known=bool(start.known))
        return
    merged = discovered.merged()
    visit.found_in = {str(source): number for source, number in merged.counts.items()}
    visit.discovered = len(discovered.posts())
    if start.limit is None and not blog.partial:
        visit.notes += merged.disagreements()
    yield from frontier.observing(fill_gaps(platform, blog, start, visit))
    if blog.api is not None:
        yield from evidence_and_threads(blog, start, visit)
    yield from frontier.fetch_announced()
    yield from frontier.probe_old_addresses()
    frontier.summarise()


def _maker(home: Exchange) -> str | None:
    """Return what the site runs on, in lower case: "wordpress", or what its generator tag names, "jekyll"."""
    maker = maker_of(home)
    if maker is None:
        generators = (_GENERATOR.match(text) for text in generators_of(home.body))
        maker = next((found[1] for found in generators if found is not None), None)
    return maker.lower() if maker else None


def _is_of_another(start: VisitContext, platform: Platform, discovered: Discovered) -> bool:
    """Whether the lists name nothing but posts that another platform read, whose marks the home page lacks today.

    A clinic that moved has posts at new addresses.
    """
    if start.read_by is None or start.read_by == platform.name:
        return False
    known = {post_key(address) for post in start.known for address in (post.url, *post.addresses)}
    return discovered.named <= known


def _not_read(visit: VisitResult, blog: Blog, *, known: bool) -> None:
    """Set the result of a visit to a site of no known platform, in whose pages no post was recognised.

    `known`: the archive has posts of the clinic. A blog that evidently exists is unsupported, not absent.
    """
    assert blog.home is not None
    visit.platform, visit.maker = None, _maker(blog.home)
    visit.blog_status = "unsupported" if blog.evident or known else "none_found"
    found = "its blog was found, but no post could be read" if blog.evident else "no blog post was found on it"
    visit.failure = f"{maker_sentence(blog.home)}, and {found}"


def _collecting(plan: Plan, discovered: Discovered) -> Plan:
    """Return the same plan; the posts that its answers name are added to the discovered ones."""

    def collect(ask: Ask, answer: Answer) -> Answer:
        is_read = answer.ok or (answer.unchanged and ask.lists == "listing")
        items = answer.items if is_read else [item for item in answer.items if isinstance(item, Sighting)]
        return replace(answer, new_posts=discovered.add(items, ask.lists if is_read else None))

    return tee(plan, collect)
