"""The order of a visit to one clinic's blog: recognise, discover, fetch the posts, then counters, then comments.

A plan yields an `Ask` and receives its `Answer`. The spider decides whether and when a request is made (robots.txt,
politeness delay, retries, redirects); `scraper.extract` reads the answers. The data collected here only decide what is
requested next; they never become rows.
"""

from __future__ import annotations

from dataclasses import replace

from scraper.addresses import post_key
from scraper.crawl.discovered import Discovered
from scraper.crawl.frontier import Frontier
from scraper.crawl.home import judge_home, set_not_read
from scraper.crawl.pages import evidence_and_threads
from scraper.crawl.rendering import fill_gaps
from scraper.crawl.state import VisitContext, VisitState
from scraper.crawl.tee import tee
from scraper.items import Sighting
from scraper.platforms._platform import Answer, Ask, Blog, Plan, Platform


def crawl_blog(context: VisitContext, visit: VisitState) -> Plan:
    """Yield the requests of a whole visit; `visit` is filled in meanwhile."""
    clinic = context.clinic
    visit.limited = context.limit is not None
    home = yield Ask(url=clinic.url)
    platform = judge_home(home, context, visit)
    if platform is None:
        return
    assert home.exchange is not None
    blog = Blog(
        root=platform.root(home.exchange.url),
        home=home.exchange,
        private=context.private,
        read_comments=clinic.comments == "threads",
        bulk=context.limit is None,
        known=context.known,
        everything=context.all_posts,
        now=context.now,
        budget_spent=lambda: context.budget_left(visit.requests) == 0,
        threads={service: dict(threads) for service, threads in context.threads.items()},
    )
    discovered = Discovered(context.known, blog.root, feed_size=platform.feed_size, is_blocked=context.is_blocked)
    blog.enough = lambda: context.limit is not None and len(discovered.named) >= context.limit
    discovered.add(item for item in home.items if isinstance(item, Sighting))
    yield from _collecting(platform.discover(blog), discovered)
    visit.by_api = blog.api is not None
    visit.notes += blog.notes
    visit.unreadable_lists += blog.unreadable_lists
    if platform.fallback and (not discovered.named or _is_of_another(context, platform, discovered)):
        set_not_read(visit, blog, known=bool(context.known))
        return
    if not discovered.posts():
        visit.blog_status = "none_found"
        visit.failure = f"{blog.root} runs {platform.name}, but no blog post was found in sitemap, feed or listing"
        return
    visit.blog_status = "blog"
    frontier = Frontier(blog, discovered, context, visit)
    yield from frontier.fetch_due()
    if platform.fallback and visit.attempted and not visit.fetched and context.read_by != platform.name:
        blog.evident = True
        set_not_read(visit, blog, known=bool(context.known))
        return
    merged = discovered.merged()
    visit.found_in = {str(source): number for source, number in merged.counts.items()}
    visit.discovered = len(discovered.posts())
    if context.limit is None and not blog.partial:
        visit.notes += merged.disagreements()
    yield from frontier.observing(fill_gaps(platform, blog, context, visit))
    if blog.api is not None:
        yield from evidence_and_threads(blog, context, visit)
    yield from frontier.fetch_announced()
    yield from frontier.probe_old_addresses()
    frontier.summarise()


def _is_of_another(context: VisitContext, platform: Platform, discovered: Discovered) -> bool:
    """Whether the lists name nothing but posts that another platform read, whose marks the home page lacks today.

    A clinic that moved has posts at new addresses.
    """
    if context.read_by is None or context.read_by == platform.name:
        return False
    known = {post_key(address) for post in context.known for address in (post.url, *post.addresses)}
    return discovered.named <= known


def _collecting(plan: Plan, discovered: Discovered) -> Plan:
    """Return the same plan; the posts that its answers name are added to the discovered ones."""

    def collect(ask: Ask, answer: Answer) -> Answer:
        is_read = answer.ok or (answer.unchanged and ask.lists == "listing")
        items = answer.items if is_read else [item for item in answer.items if isinstance(item, Sighting)]
        return replace(answer, new_posts=discovered.add(items, ask.lists if is_read else None))

    return tee(plan, collect)
