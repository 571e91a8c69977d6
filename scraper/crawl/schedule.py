"""When to look again: a new post often, an old one seldom, at once what a list calls changed or names no more.

Counters and texts have separate clocks. One call of a service counts all posts, and is made on every visit; a page is
asked for when it is due. A stanza may say otherwise:

    [clinics.riverside.schedule]
    text_days = 14          # an old post's page at least so often; default 30
    fresh_days = 30         # a post counts as new for so long, and is read on every visit; default 14
    requests_a_day = 300    # of the crawler to this clinic; what is due beyond waits for the next day
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from scraper.crawl.merge import parse_time
from scraper.platforms._platform import KnownPost

# What was read so short a time ago is not read again: a run that was cut short goes on where it was.
RECENT = timedelta(hours=20)
# Daily runs do not begin on the minute: the thirtieth run after a look is the thirtieth day.
TOLERANCE = timedelta(hours=12)
# Posts that are read on every visit although they are not due, those first that were not looked at for longest: else
# nobody would notice before a month has passed that a new theme silences a field, or that all posts are gone behind a
# sitemap that stays.
SAMPLE = 3
# Where no call counts all posts, those that are not due are counted one by one so often.
COUNT_ALONE_AFTER = timedelta(days=7)
# So far behind UTC the latest clocks are: a bare date of a list may be the site's own.
WESTERNMOST = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How often a clinic's posts are looked at."""

    text_days: int = 30
    fresh_days: int = 14
    requests_a_day: int | None = None


class DueReason(IntEnum):
    """Why a post's page is due; the lowest is asked for first."""

    NEW = 0  # never read
    MISSING = 1  # answered that it is gone, or no list names it any more
    CHANGED = 2  # a list says so
    OVERDUE = 3  # it was not looked at for long


@dataclass(frozen=True, slots=True)
class RevisitPolicy:
    """A moment, and by which schedule posts are due at it."""

    now: datetime
    schedule: Schedule
    lists_read: bool  # some list of posts was read in this visit

    def due_reason(self, post: KnownPost) -> DueReason | None:
        """Why the post's page is due; None where it is not."""
        seen = parse_time(post.last_seen_at)
        if seen is None:
            return DueReason.NEW
        missed, listed = parse_time(post.missed_at), parse_time(post.listed_at)
        looked = max(seen, missed) if missed else seen
        if missed and not post.removed:
            return DueReason.MISSING
        if changed(post, looked):
            return DueReason.CHANGED
        # Lists are read before posts: one of the visit that looked at the post names it some time earlier.
        since = looked - RECENT
        if missed and post.named and (listed is None or listed < since):
            return DueReason.MISSING  # removed, and named again
        if self.lists_read and not missed and not post.named and listed and listed >= since:
            return DueReason.MISSING  # it was listed when it was last looked at
        return None if self._within(looked, self.interval(post)) else DueReason.OVERDUE

    def _within(self, then: datetime, patience: timedelta) -> bool:
        """It was so short a time ago. What a wrong clock dated into the future was not."""
        return timedelta(0) <= self.now - then < patience

    def interval(self, post: KnownPost) -> timedelta:
        """How long the post is left alone when nothing happens."""
        begun = parse_time(post.published_at or post.first_seen_at)
        fresh = begun is not None and self.now - begun < timedelta(days=self.schedule.fresh_days)
        return (
            RECENT if fresh and not post.removed else max(timedelta(days=self.schedule.text_days) - TOLERANCE, RECENT)
        )

    def is_recent(self, at: str | None) -> bool:
        """It was a short time ago."""
        then = parse_time(at)
        return then is not None and self._within(then, RECENT)

    def select(self, posts: Iterable[KnownPost]) -> tuple[list[KnownPost], list[KnownPost]]:
        """The posts that are due, the most urgent first and a sample among them; and all others.

        Of the others it is noted whether they may be counted alone, and whether their comments are due.
        """
        ranked = [(self.due_reason(post), post) for post in posts]
        due = sorted(((rank, post) for rank, post in ranked if rank is not None), key=_order)
        rest = [post for rank, post in ranked if rank is None]
        settled = (post for post in rest if post.missed_at is None and not self.is_recent(_last_attempt(post)))
        sample = sorted(settled, key=_last_attempt)[:SAMPLE]
        chosen = [*(post for _, post in due), *sample]
        others = [post for post in rest if not any(post is one for one in sample)]
        for post in others:
            counted = parse_time(post.counted_at)
            post.due = not post.removed and counted is not None and not self._within(counted, COUNT_ALONE_AFTER)
            thread = parse_time(post.thread_at)
            if thread is not None and not self._within(thread, timedelta(days=self.schedule.text_days)):
                post.thread_at = None
        return chosen, others


def _order(one: tuple[DueReason, KnownPost]) -> tuple[DueReason, str]:
    """By reason, and first what was not asked for for longest, so that none waits for ever behind others; new ones as
    the lists have them."""
    rank, post = one
    return rank, "" if rank is DueReason.NEW else _last_attempt(post)


def _last_attempt(post: KnownPost) -> str:
    """When the post was last asked for, whatever came of it; "" for never."""
    return max(post.last_seen_at or "", post.missed_at or "", post.tried_at or "")


def changed(post: KnownPost, looked: datetime) -> bool:
    """A list says that the post changed since. A bare date ("2026-11-25") may be any moment of that day, anywhere."""
    at = parse_time(post.lastmod)
    if at is None:
        return False
    bare = len(post.lastmod or "") == len("2026-11-25")
    day = looked - WESTERNMOST
    return at >= (datetime(day.year, day.month, day.day, tzinfo=UTC) if bare else looked)
