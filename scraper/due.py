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

from scraper.merge import moment
from scraper.platforms._platform import Known

# What was read so short a time ago is not read again: a run that was cut short goes on where it was.
LATELY = timedelta(hours=20)
# So much earlier in the day than the one before may a daily run begin, or ask for a post.
EARLIER = timedelta(days=1) - LATELY
# Posts that are read on every visit although nothing is due, the longest unread first: else nobody would notice before
# a month has passed that a new theme silences a field, or that all posts are gone behind a sitemap that stays.
SAMPLE = 3
# Where no call counts all posts, those that are not due are counted one by one so often.
ONE_BY_ONE = timedelta(days=7) - EARLIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How often a clinic's posts are looked at."""

    text_days: int = 30
    fresh_days: int = 14
    requests_a_day: int | None = None


class Why(IntEnum):
    """Why a post's page is due; the lowest is asked for first."""

    NEW = 0  # never read
    MISSING = 1  # answered that it is gone, or no list names it any more
    CHANGED = 2  # a list says so
    TIME = 3  # it was not looked at for long


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment, and by which schedule posts are due at it."""

    now: datetime
    schedule: Schedule
    lists_read: bool  # some list of posts was read in this visit

    def why(self, post: Known) -> Why | None:
        """Why the post's page is due; None where it is not."""
        seen = moment(post.last_seen_at)
        if seen is None:
            return Why.NEW
        missed, listed = moment(post.missed_at), moment(post.listed_at)
        looked = max(seen, missed) if missed else seen
        if missed and not post.removed:
            return Why.MISSING
        if changed(post, looked):
            return Why.CHANGED
        if missed and post.named and (listed is None or listed < missed):
            return Why.MISSING  # removed, and named again
        # Lists are read before the posts of the same visit.
        if self.lists_read and not missed and not post.named and listed and listed >= seen - LATELY:
            return Why.MISSING  # it was listed when it was last looked at
        return Why.TIME if self.now - looked >= self.patience(post) else None

    def patience(self, post: Known) -> timedelta:
        """How long the post is left alone when nothing happens."""
        begun = moment(post.published_at or post.first_seen_at)
        fresh = begun is not None and self.now - begun < timedelta(days=self.schedule.fresh_days)
        return LATELY if fresh and not post.removed else self.longest

    @property
    def longest(self) -> timedelta:
        """How long any post is left alone: daily runs come to each within `text_days`."""
        return timedelta(days=self.schedule.text_days) - EARLIER

    def is_lately(self, at: str | None) -> bool:
        """It was a short time ago."""
        then = moment(at)
        return then is not None and self.now - then < LATELY

    def choose(self, posts: Iterable[Known]) -> tuple[list[Known], list[Known]]:
        """The posts that are due, the most urgent first and a sample among them; and all others.

        Of the others it is noted whether they may be counted alone, and whether their comments are due.
        """
        ranked = [(self.why(post), post) for post in posts]
        due = sorted(((rank, post) for rank, post in ranked if rank is not None), key=_order)
        rest = [post for rank, post in ranked if rank is None]
        known = sum(rank is not Why.NEW for rank, _ in due)
        settled = (post for post in rest if post.missed_at is None and not self.is_lately(post.last_seen_at))
        sample = sorted(settled, key=lambda post: post.last_seen_at or "")[: max(SAMPLE - known, 0)]
        chosen = [*(post for _, post in due), *sample]
        others = [post for post in rest if not any(post is one for one in sample)]
        for post in others:
            counted = moment(post.counted_at)
            post.alone = not post.removed and counted is not None and self.now - counted >= ONE_BY_ONE
            thread = moment(post.thread_at)
            if thread is not None and self.now - thread >= self.longest:
                post.thread_at = None
        return chosen, others


def _order(one: tuple[Why, Known]) -> tuple[Why, str]:
    """By reason, and what only its time makes due by its age; else as the lists have them."""
    rank, post = one
    return rank, (post.last_seen_at or "") if rank is Why.TIME else ""


def changed(post: Known, looked: datetime) -> bool:
    """A list says that the post changed since. A bare date ("2026-11-25") may be any moment of that day."""
    at = moment(post.lastmod)
    if at is None:
        return False
    bare = len(post.lastmod or "") == len("2026-11-25")
    return at >= (datetime(looked.year, looked.month, looked.day, tzinfo=UTC) if bare else looked)
