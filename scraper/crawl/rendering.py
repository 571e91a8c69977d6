"""Which posts a browser is asked for: those whose counters or comments nothing cheaper gave.

`auto` renders a post whose counters a script would fill and no service told, and one that says it has comments of which
none could be read; `always` every post; `never` none. What is still unknown afterwards is told with its reason.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace

from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext, VisitResult
from scraper.crawl.tee import tee
from scraper.items import Comment, Post, Problem, Reading, ThreadPage
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan, Platform, RenderTargets

# Failures in a row after which the browser is not asked again in this run.
MOST_FAILURES = 3
# Pages in a row that came, and told nothing that was not known before: such a site shows nothing to a browser either.
MOST_FRUITLESS = 3
# What will be so for every other page too.
HOPELESS = {"no-browser"}
NO_COMMENTS_WANTED = "its stanza wants no comments read, and a rendered page would bring them"


def fill_gaps(platform: Platform, blog: Blog, start: VisitContext, visit: VisitResult) -> Plan:
    """What the pages left out: by the route that worked the last time, then by the other one for what is still lacking.

    A browser is asked last and for little, except where it is known that nothing else answers.
    """
    browsing = RenderQueue(start.clinic, blog, platform.render)
    by_browser = frozenset() if browsing.closed else start.browser_only
    messages: list[str] = []  # problems of the services
    if "counters" not in by_browser:
        yield from _complaining(platform.counters(blog), messages)
    if blog.read_comments and not by_browser:
        yield from _complaining(platform.threads(blog), messages)
    always = start.clinic.render == "always"
    yield from browsing.render(list(blog.posts.values()) if always else gaps(blog))
    if "counters" in by_browser and any(has_counter_gap(known, blog) for known in blog.posts.values()):
        yield from _complaining(platform.counters(blog), messages)
    if blog.read_comments and by_browser and gaps(blog):
        yield from _complaining(platform.threads(blog), messages)
    visit.rendered = browsing.rendered
    visit.unknown = unknown(blog, browsing)
    if browsing.rendered and not visit.unknown:
        visit.recovered_problems.update(messages)  # the browser showed it all the same
    if visit.unknown:
        posts = len({problem.url for problem in visit.unknown})
        line = f"{posts} post{'s' * (posts > 1)} with unknown counters or comments: {browsing.because}"
        visit.notes.append(line)
        visit.unknown_line = line


def _complaining(plan: Plan, messages: list[str]) -> Plan:
    """The same plan; the messages of problems in its answers are noted."""

    def note(_: Ask, answer: Answer) -> Answer:
        messages.extend(item.message for item in answer.items if isinstance(item, Problem))
        return answer

    return tee(plan, note)


def has_counter_gap(known: KnownPost, blog: Blog) -> bool:
    """A script would fill the post's counters, and nothing else gave them."""
    return known.due and known.script_counters and not known.counted and known.url not in blog.deferred


def has_comment_gap(known: KnownPost, blog: Blog) -> bool:
    """The post says that it has comments, or nobody knows, and they were not read."""
    unknown = known.comments_count is None and known.script_counters
    wanted = blog.read_comments and known.thread_due
    return (
        wanted and not known.thread_read and known.url not in blog.deferred and (bool(known.comments_count) or unknown)
    )


def gaps(blog: Blog) -> list[KnownPost]:
    """The posts of which something is unknown, in the blog's order."""
    return [known for known in blog.posts.values() if has_counter_gap(known, blog) or has_comment_gap(known, blog)]


class RenderQueue:
    """The rendered pages of one visit."""

    def __init__(self, clinic: Clinic, blog: Blog, wanted: RenderTargets | None) -> None:
        self._blog, self._wanted = blog, wanted
        self.rendered = 0  # pages that came
        self.why: dict[str, str] = {}  # posts whose page did not come, or not whole, and why
        self._failures = 0  # in a row
        self._fruitless = 0  # in a row
        self.closed: str | None = None  # why the browser is asked no more
        if clinic.render == "never":
            self.closed = 'its stanza says render = "never"'
        elif clinic.comments != "threads":
            self.closed = NO_COMMENTS_WANTED
        elif wanted is None:
            self.closed = "pages of this platform are not rendered"

    @property
    def because(self) -> str:
        """Why something may be unknown still, in a few words."""
        return self.closed or next(iter(self.why.values()), None) or "the pages did not show them"

    def render(self, posts: Iterable[KnownPost]) -> Plan:
        """Ask for the posts one after another, until the browser fails too often."""
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
            elif self._failures >= MOST_FAILURES:
                self.closed = f"the browser failed {self._failures} times in a row"
            return
        self._failures = 0
        self.rendered += 1
        before = (known.counted, known.thread_read)
        _learn(known, answer)
        told = (known.counted, known.thread_read) != before or not (
            has_counter_gap(known, self._blog) or has_comment_gap(known, self._blog)
        )
        self._fruitless = 0 if told else self._fruitless + 1
        if self._fruitless >= MOST_FRUITLESS:
            reason = answer.reason or "they did not show them"
            self.closed = f"{self._fruitless} pages in a row told nothing in a browser either ({reason})"


def _learn(known: KnownPost, answer: Answer) -> None:
    """What the page told at last."""
    for item in answer.items:
        if isinstance(item, Reading | Post) and (item.views, item.likes, item.comments_count) != (None, None, None):
            theirs = item.post if isinstance(item, Reading) else item.addresses
            if not set(theirs).isdisjoint((known.url, *known.addresses)):
                known.counted = True
                known.comments_count = known.comments_count if item.comments_count is None else item.comments_count
        if isinstance(item, Post):
            known.comments_key = known.comments_key or item.comments_key
    # Whole or in part: what the browser could not open, the same browser will not open a minute later.
    told = any(isinstance(item, Comment | ThreadPage) for item in answer.items)
    known.thread_read = told or known.comments_count == 0


def unknown(blog: Blog, browsing: RenderQueue) -> list[Problem]:
    """What stays unknown of the posts of this visit, one problem a post and kind of field."""
    problems = []
    for known in blog.posts.values():
        why = browsing.why.get(known.url) or browsing.closed or "the page did not show it"
        if has_counter_gap(known, blog):
            message = f"{known.url}: views, likes and number of comments are unknown: {why}"
            problems.append(Problem(kind="not-rendered", message=message, url=known.url, field="views"))
        if known.comments_count and has_comment_gap(known, blog):
            message = f"{known.url}: its {known.comments_count} comments are unknown: {why}"
            problems.append(Problem(kind="not-rendered", message=message, url=known.url, field="comments"))
    return problems
