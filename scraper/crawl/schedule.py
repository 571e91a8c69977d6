"""The revisit policy: which known posts are due, by their age and by what the lists of this visit name.

New posts are revisited often and old ones seldom; a post that a list calls changed, or names no more, is due at once.
Counters and texts have separate intervals: one request to a service returns the counters of all posts and is made on
every visit, while a page is requested when it is due. A stanza may change the intervals:

    [clinics.riverside.schedule]
    text_days = 14          # longest interval between two requests for a post's page; default 30
    fresh_days = 30         # age up to which a post is read on every visit; default 14
    requests_a_day = 300    # budget of requests to this clinic; posts beyond it are deferred to the next day
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from scraper.crawl.merge import parse_time
from scraper.platforms._platform import KnownPost

# A post that was read within this time is not read again, so that a new run resumes an interrupted one.
RECENT = timedelta(hours=20)
# Daily runs do not start at the same minute: the thirtieth run after a reading counts as its thirtieth day.
TOLERANCE = timedelta(hours=12)
# Number of posts that are read on every visit although they are not due, least recently attempted first. Otherwise it
# could take a month to notice that a theme lost a field, or that all posts are gone although the sitemap remains.
SAMPLE = 3
# Interval at which counters of posts that are not due are read one by one, where no request returns those of all posts.
COUNT_ALONE_AFTER = timedelta(days=7)
# The westernmost time zone is this far behind UTC: a date without a time may be in the site's own zone.
WESTERNMOST = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A clinic's intervals and budget, from its stanza."""

    text_days: int = 30  # longest interval between two requests for a post's page
    fresh_days: int = 14  # age up to which a post is read on every visit
    requests_a_day: int | None = None  # None: no budget


class DueReason(IntEnum):
    """Why a post's page is due. The lowest value is requested first."""

    NEW = 0  # never read
    MISSING = 1  # it answered that it is gone, or no list names it any more
    CHANGED = 2  # a list gives a later date of change
    OVERDUE = 3  # its interval has passed


@dataclass(frozen=True, slots=True)
class RevisitPolicy:
    """The revisit policy of one visit: which posts are due at a given time under a clinic's schedule."""

    now: datetime
    schedule: Schedule
    lists_read: bool  # at least one list of posts was read in this visit
    by_api: bool = False  # an API says which posts changed: their pages are not due by their age
    pages_follow: bool = False  # lists give texts too, so that only `page_at` says when a page was read

    def due_reason(self, post: KnownPost) -> DueReason | None:
        """Return why the post's page is due; None if it is not due."""
        seen = parse_time(post.page_at if self.pages_follow else post.last_seen_at)
        if seen is None:
            return DueReason.NEW
        missed, listed = parse_time(post.missed_at), parse_time(post.listed_at)
        answered = max(seen, missed) if missed else seen  # the last time that the server answered for the post
        if missed and not post.removed:
            return DueReason.MISSING
        if changed_since(post, answered):
            return DueReason.CHANGED
        # A visit reads lists before posts: those of the visit that last requested the post were read a little earlier.
        since = answered - RECENT
        if missed and post.named and (listed is None or listed < since):
            return DueReason.MISSING  # removed, and named again
        if self.lists_read and not missed and not post.named and listed and listed >= since:
            return DueReason.MISSING  # it was listed when it was last requested
        if self._within(answered, self.interval(post)) or (self.by_api and not post.page_counters):
            return None
        return DueReason.OVERDUE

    def _within(self, then: datetime, interval: timedelta) -> bool:
        """Return whether less time has passed. A future time, from a wrong clock, gives False."""
        return timedelta(0) <= self.now - then < interval

    def interval(self, post: KnownPost) -> timedelta:
        """Return the time after which the post is overdue if no list gives another reason."""
        published = parse_time(post.published_at or post.first_seen_at)
        is_fresh = published is not None and self.now - published < timedelta(days=self.schedule.fresh_days)
        if is_fresh and not post.removed:
            return RECENT
        return max(timedelta(days=self.schedule.text_days) - TOLERANCE, RECENT)

    def is_recent(self, at: str | None) -> bool:
        """Return whether `at` (ISO 8601) is less than `RECENT` ago; False for None."""
        then = parse_time(at)
        return then is not None and self._within(then, RECENT)

    def select(self, posts: Iterable[KnownPost]) -> tuple[list[KnownPost], list[KnownPost]]:
        """Return (posts to request, all others): the due posts by urgency with a sample of the others, and the rest.

        Sets on each of the others whether its counters may be requested alone (`due`), and clears `thread_at` where its
        comments are due.
        """
        reasons = [(self.due_reason(post), post) for post in posts]
        due = sorted(((reason, post) for reason, post in reasons if reason is not None), key=_urgency)
        rest = [post for reason, post in reasons if reason is None]
        eligible = (post for post in rest if post.missed_at is None and not self.is_recent(_last_attempt(post)))
        sample = [] if self.by_api else sorted(eligible, key=_last_attempt)[:SAMPLE]
        chosen = [*(post for _, post in due), *sample]
        others = [post for post in rest if not any(post is sampled for sampled in sample)]
        for post in others:
            counted = parse_time(post.counted_at)
            post.due = not post.removed and counted is not None and not self._within(counted, COUNT_ALONE_AFTER)
            thread = parse_time(post.thread_at)
            if thread is not None and not self._within(thread, timedelta(days=self.schedule.text_days)):
                post.thread_at = None
        return chosen, others


def _urgency(due: tuple[DueReason, KnownPost]) -> tuple[DueReason, str]:
    """Return the sort key of a due post: reason, then least recent attempt, so that every post gets its turn.

    New posts keep the order of the lists.
    """
    reason, post = due
    return reason, "" if reason is DueReason.NEW else _last_attempt(post)


def _last_attempt(post: KnownPost) -> str:
    """Return when the post was last requested, with any outcome; "" if never."""
    return max(post.last_seen_at or "", post.missed_at or "", post.tried_at or "")


def changed_since(post: KnownPost, then: datetime) -> bool:
    """Return whether a list says that the post changed at or after this time.

    A date without a time ("2026-11-25") may be any time of that day, in any time zone.
    """
    at = parse_time(post.lastmod)
    if at is None:
        return False
    is_date = len(post.lastmod or "") == len("2026-11-25")
    day = then - WESTERNMOST
    return at >= (datetime(day.year, day.month, day.day, tzinfo=UTC) if is_date else then)
