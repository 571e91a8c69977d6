"""What a visit starts from, and how it went: the memory that its plan, the spider and the run's report share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from scraper.config.clinics import Clinic
from scraper.items import Problem
from scraper.platforms._platform import KnownPost, Platform


@dataclass(slots=True, kw_only=True)
class VisitResult:
    """How the visit to one clinic went: what the run's summary and the exit code are made of."""

    clinic_id: str
    platform: str | None = None  # name of the platform by whose rules the blog was visited
    recognised: Platform | None = None  # the platform that the run's captures are read by
    blog_status: str = "unknown"  # blog, none_found, unsupported, unreachable
    discovered: int = 0
    attempted: int = 0  # posts asked for
    expected: int = 0  # of these, those that were to be read as before: known ones, less those that always fail
    missing: int = 0  # of those, the ones that could not be read
    fetched: int = 0  # posts that answered as posts, changed or not
    unchanged: int = 0  # of these, those the server called unchanged
    gone: int = 0  # posts that answered that they are not there (404, 410)
    members_only: int = 0  # posts that only members may read
    failed: int = 0  # posts that did not answer as posts
    not_due: int = 0  # known posts that were not asked for: nothing said that they had changed
    deferred: int = 0  # posts that were due, or their comments, and are left for another day by the budget
    skipped_keys: set[str] = field(default_factory=set)  # keys of all addresses of both, that were not asked for
    failure_lines: list[str] = field(default_factory=list)  # of these, the address and why, in words
    recovered_problems: set[str] = field(default_factory=set)  # problems of attempts that went well when repeated
    requests: int = 0
    found_in: dict[str, int] = field(default_factory=dict)  # number of posts that each source named
    notes: list[str] = field(default_factory=list)  # disagreements of the sources, bounds met
    failure: str | None = None  # why the visit as a whole failed, in words
    moved: str | None = (
        None  # the address on another host that the home page leads to, of a clinic whose posts are known
    )
    counting: set[str] = field(default_factory=set)  # posts whose counters were sought
    limited: bool = False
    finished: bool = False  # the plan came to its end
    rendered: int = 0  # posts that a browser showed
    unknown: list[Problem] = field(default_factory=list)  # fields of posts that stay unknown, and why
    unknown_line: str | None = None  # the same in a line


@dataclass(slots=True)
class VisitContext:
    """What a visit starts from: the clinic's stanza, posts that the archive knows, and the bounds of this run."""

    clinic: Clinic
    private: bool
    known: list[KnownPost]
    limit: int | None = None
    all_posts: bool = False  # every post is asked for, due or not
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # by which posts are due
    requests_today: int = 0  # requests to the clinic by runs of the last 20 hours
    # What the browser told the last time that anything but the pages told it: "counters", "comments".
    browser_only: frozenset[str] = frozenset()
    reported: frozenset[str] = frozenset()  # what was learned before, and told

    def budget_left(self, requests: int) -> int | None:
        """How many requests the day's budget still allows after so many of this visit; None where there is none."""
        budget = self.clinic.schedule.requests_a_day
        if budget is None or self.all_posts or self.limit is not None:
            return None
        return max(budget - self.requests_today - requests, 0)
