"""Which posts are rendered in a browser: those whose counters or comments no cheaper request gave.

The stanza's `render` decides. `auto` renders a post whose counters a script fills in and no service gave, and a post
that has comments of which none could be read; `always` renders every post; `never` none. What is still unknown
afterwards is reported with the reason.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace

from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext, VisitState
from scraper.crawl.tee import tee
from scraper.crawl.threads import read_threads
from scraper.items import Comment, Post, Problem, Reading, ThreadPage
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan, Platform, RenderTargets

# Failures in a row after which the browser is not used again in this run.
MAX_FAILURES = 3
# Rendered pages in a row without a new value after which the browser is not used again: the site shows it none either.
MAX_FRUITLESS = 3
# Kinds of failures that would occur for every other page too.
HOPELESS = {"no-browser"}
NO_COMMENTS_WANTED = "its stanza excludes comments, and a rendered page would load them"


def fill_gaps(platform: Platform, blog: Blog, context: VisitContext, visit: VisitState) -> Plan:
    """Request what the pages do not give: from the source that worked the last time, then the rest from the other one.

    The browser comes last and for few posts, unless the last run showed that only it gives the values.
    """
    queue = RenderQueue(context.clinic, blog, platform.render)
    by_browser = frozenset() if queue.closed else context.browser_only
    messages: list[str] = []  # problems of the services
    if "counters" not in by_browser:
        yield from _collecting_problems(platform.counters(blog), messages)
    if blog.read_comments and not by_browser:
        yield from _collecting_problems(read_threads(platform, blog), messages)
    always = context.clinic.render == "always"
    yield from queue.render(list(blog.posts.values()) if always else incomplete_posts(blog))
    if "counters" in by_browser and any(has_counter_gap(known, blog) for known in blog.posts.values()):
        yield from _collecting_problems(platform.counters(blog), messages)
    if blog.read_comments and by_browser and incomplete_posts(blog):
        yield from _collecting_problems(read_threads(platform, blog), messages)
    visit.rendered = queue.rendered
    visit.unknown = unknown(blog, queue)
    if queue.rendered and not visit.unknown:
        visit.recovered_problems.update(messages)  # the browser gave what the services did not
    if visit.unknown:
        posts = len({problem.url for problem in visit.unknown})
        line = f"{posts} post{'s' * (posts > 1)} with unknown counters or comments: {queue.because}"
        visit.notes.append(line)
        visit.unknown_line = line


def _collecting_problems(plan: Plan, messages: list[str]) -> Plan:
    """Return the same plan; the messages of problems in its answers are added to `messages`."""

    def note(_: Ask, answer: Answer) -> Answer:
        messages.extend(item.message for item in answer.items if isinstance(item, Problem))
        return answer

    return tee(plan, note)


def has_counter_gap(known: KnownPost, blog: Blog) -> bool:
    """Return whether a script fills in the post's counters, and no service gave them."""
    return known.due and known.script_counters and not known.counted and known.url not in blog.deferred


def has_comment_gap(known: KnownPost, blog: Blog) -> bool:
    """Return whether the post has comments, or their number is unknown, and they were not read.

    A page that shows as many comments as it states leaves none out, whether it is a page of a thread or not.
    """
    if known.comments_count is not None and known.comments_shown >= known.comments_count > 0:
        return False
    may_have_comments = bool(known.comments_count) or (known.comments_count is None and known.script_counters)
    is_due = blog.read_comments and known.thread_due and known.url not in blog.deferred
    return is_due and not known.thread_read and may_have_comments


def incomplete_posts(blog: Blog) -> list[KnownPost]:
    """Return the posts with unknown counters or comments, in the blog's order."""
    return [known for known in blog.posts.values() if has_counter_gap(known, blog) or has_comment_gap(known, blog)]


class RenderQueue:
    """The queue of pages that one visit renders, and its failures."""

    def __init__(self, clinic: Clinic, blog: Blog, wanted: RenderTargets | None) -> None:
        self._blog, self._wanted = blog, wanted
        self.rendered = 0  # pages that were rendered
        self.why: dict[str, str] = {}  # URL of a post whose page could not be rendered, or not completely -> reason
        self._failures = 0  # in a row
        self._fruitless = 0  # rendered pages in a row without a new value
        self.closed: str | None = None  # why the browser is not used any more; None: it may be
        if clinic.render == "never":
            self.closed = 'its stanza says render = "never"'
        elif clinic.comments != "threads":
            self.closed = NO_COMMENTS_WANTED
        elif wanted is None:
            self.closed = "pages of this platform are not rendered"

    @property
    def because(self) -> str:
        """The reason for values that are still unknown, in a few words."""
        return self.closed or next(iter(self.why.values()), None) or "the pages did not show them"

    def render(self, posts: Iterable[KnownPost]) -> Plan:
        """Render the posts one after another, until the browser fails too often."""
        for known in posts:
            if self.closed:
                return
            if self._blog.budget_spent():
                self._blog.deferred.add(known.url)
                continue
            if known.url not in self.why:
                yield from self._page(known)

    def _page(self, known: KnownPost) -> Generator[Ask, Answer, None]:
        assert self._wanted is not None
        counters = self._wanted.counters if known.script_counters else ""
        comments = self._wanted.comments if known.comments_count != 0 else ""
        wanted = replace(self._wanted, counters=counters, comments=comments, expected=known.comments_count)
        answer = yield Ask(url=known.request_url, wanted=wanted)
        if answer.reason:
            self.why[known.url] = answer.reason
        if answer.exchange is None:
            self._failures += 1
            if answer.kind in HOPELESS:
                self.closed = answer.reason
            elif self._failures >= MAX_FAILURES:
                self.closed = f"the browser failed {self._failures} times in a row"
            return
        self._failures = 0
        self.rendered += 1
        before = (known.counted, known.thread_read)
        _learn(known, answer)
        has_gap = has_counter_gap(known, self._blog) or has_comment_gap(known, self._blog)
        is_fruitful = (known.counted, known.thread_read) != before or not has_gap
        self._fruitless = 0 if is_fruitful else self._fruitless + 1
        if self._fruitless >= MAX_FRUITLESS:
            reason = answer.reason or "the pages did not show them"
            self.closed = f"{self._fruitless} rendered pages in a row gave no new value ({reason})"


def _learn(known: KnownPost, answer: Answer) -> None:
    """Update the post from its rendered page."""
    for item in answer.items:
        if isinstance(item, Reading | Post) and (item.views, item.likes, item.comments_count) != (None, None, None):
            addresses = item.post if isinstance(item, Reading) else item.addresses
            if not set(addresses).isdisjoint((known.url, *known.addresses)):
                known.counted = True
                known.comments_count = known.comments_count if item.comments_count is None else item.comments_count
        if isinstance(item, Post):
            known.comments_key = known.comments_key or item.comments_key
    # Also if the thread is incomplete: the browser would fail at the same comments again a minute later.
    has_comments = any(isinstance(item, Comment | ThreadPage) for item in answer.items)
    known.thread_read = has_comments or known.comments_count == 0


def unknown(blog: Blog, queue: RenderQueue) -> list[Problem]:
    """Return the values of this visit's posts that remain unknown: one problem a post and kind of field."""
    problems = []
    for known in blog.posts.values():
        why = queue.why.get(known.url) or queue.closed or "the page did not show it"
        if has_counter_gap(known, blog):
            message = f"{known.url}: views, likes and number of comments are unknown: {why}"
            problems.append(Problem(kind="not-rendered", message=message, url=known.url, field="views"))
        if known.comments_count and has_comment_gap(known, blog):
            message = f"{known.url}: its {known.comments_count} comments are unknown: {why}"
            problems.append(Problem(kind="not-rendered", message=message, url=known.url, field="comments"))
    return problems
