"""The input and the result of a visit, shared by its plan, the spider and the run's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scraper.config.clinics import Clinic
from scraper.items import Problem
from scraper.platforms._platform import KnownPost, Platform


@dataclass(slots=True, kw_only=True)
class VisitState:
    """The result of the visit to one clinic, from which the run's summary and the exit code are derived."""

    clinic_id: str
    platform: str | None = None  # name of the platform whose rules the visit followed
    maker: str | None = None  # what the site runs on, in lower case; None where it is not recognised
    recognised: Platform | None = None  # the platform whose parser reads the run's captures
    blog_status: str = "unknown"  # blog, none_found, unsupported, unreachable
    discovered: int = 0
    attempted: int = 0  # posts requested
    expected: int = 0  # of these, known posts that should be readable: those that always fail do not count
    unreadable: int = 0  # of the expected ones, those that could not be read
    fetched: int = 0  # posts that answered as posts, changed or not
    unchanged: int = 0  # of these, those that the server called unchanged
    gone: int = 0  # posts that answered that they do not exist (404, 410)
    never_there: int = 0  # of these, posts that a list names and that no visit has read
    members_only: int = 0  # posts that only members may read
    failed: int = 0  # posts that did not answer as posts
    not_due: int = 0  # known posts that were not due and not requested
    deferred: int = 0  # posts that were due, or whose comments were, and were deferred to another day by the budget
    # Keys of all addresses of the posts that were not requested, since they are not due or deferred.
    skipped_keys: set[str] = field(default_factory=set)
    failure_lines: list[str] = field(default_factory=list)  # one line for each failed post: its address and the reason
    recovered_problems: set[str] = field(default_factory=set)  # messages of problems that a later attempt resolved
    requests: int = 0
    delay: float | None = None  # the largest politeness delay of the visit so far, in seconds
    found_in: dict[str, int] = field(default_factory=dict)  # number of posts that each source names
    notes: list[str] = field(default_factory=list)  # differences between the sources, limits reached
    failure: str | None = None  # why the visit as a whole failed, in words
    # Of a clinic with known posts: the address on another host that its home page redirects to.
    moved: str | None = None
    counters_expected: set[str] = field(default_factory=set)  # URLs of posts whose counters were requested
    by_api: bool = False  # an API listed the posts, so that they are there although no page was requested
    limited: bool = False  # a limit ended the visit early, so that it is no evidence of removals
    finished: bool = False  # the plan was carried out to its end
    rendered: int = 0  # posts that a browser rendered
    unknown: list[Problem] = field(default_factory=list)  # fields of posts that remain unknown, and why
    unreadable_lists: list[Problem] = field(default_factory=list)  # lists of posts that were fetched and not understood
    unknown_line: str | None = None  # the same in one line


@dataclass(slots=True)
class VisitContext:
    """The input of a visit: the clinic's stanza, the posts that the archive knows, and the limits of this run."""

    clinic: Clinic
    private: bool  # the site has a loopback or private address
    known: list[KnownPost]
    # Threads of comment services that the pages of known posts embed, as `Blog.threads` has them.
    threads: dict[str, dict[str, str]] = field(default_factory=dict)
    read_by: str | None = None  # the platform of the last run that read posts of the clinic
    limit: int | None = None  # number of posts to request; None: no limit
    all_posts: bool = False  # every post is requested, due or not
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # the time at which posts are due or not
    requests_today: int = 0  # requests to the clinic by runs of the last 20 hours
    # What only the browser could read in the last run that needed more than the pages: "counters", "comments".
    browser_only: frozenset[str] = frozenset()
    reported: frozenset[str] = frozenset()  # messages of comment endpoints that earlier runs reported

    # Whether an address is that of a post that was withdrawn, and is never to be requested.
    is_blocked: Callable[[str], bool] = lambda _: False

    def budget_left(self, requests: int) -> int | None:
        """Return the requests left in the day's budget after `requests` of this visit; None where no budget applies."""
        budget = self.clinic.schedule.requests_a_day
        if budget is None or self.all_posts or self.limit is not None:
            return None
        return max(budget - self.requests_today - requests, 0)
