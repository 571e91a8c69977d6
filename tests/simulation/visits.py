"""Day after day at simulated clinics: the product's revisit policy decides which posts are requested."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from scraper.crawl.schedule import RevisitPolicy, Schedule
from scraper.platforms._platform import KnownPost
from tests.simulation.frame import Simulated, frame

# Requests of a visit beside those for posts, as the sample clinic (a Wix site) is asked: robots.txt, home page, four
# sitemaps, feed, three pages of the listing, the list of posts and the counters of all, two tokens.
LISTS = 14
FIRST = 10  # more at the first visit: the listings of categories, which are known then
THREAD = 2  # for the comments of a post: the comments and the names of their authors


@dataclass(slots=True)
class Asked:
    """Requests of visits, by what they ask for."""

    visits: int = 0
    lists: int = 0
    pages: int = 0  # posts' pages
    known: int = 0  # of these, of posts that were read before and did not change: 304, or the same page again
    threads: int = 0

    @property
    def requests(self) -> int:
        """All requests."""
        return self.lists + self.pages + self.threads

    def add(self, other: Asked) -> None:
        """Add another's numbers to these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def visit(clinic: Simulated, now: datetime, schedule: Schedule | None = None) -> Asked:
    """Make a visit at that moment, every list read and every page answered; return what was asked for."""
    first = all(post.last_seen_at is None for post in clinic.posts)
    for post in clinic.posts:
        post.named = True
    policy = RevisitPolicy(now, schedule or Schedule(), lists_read=True)
    chosen, others = policy.select(clinic.posts)
    known = sum(_unchanged(post) for post in chosen)
    at = now.isoformat()
    for post in chosen:
        post.last_seen_at = post.page_at = at
    for post in (*chosen, *others):
        post.listed_at = at
        post.first_seen_at = post.first_seen_at or at
    threads = THREAD * sum(post.url in clinic.talked for post in chosen)
    return Asked(1, LISTS + FIRST * first, len(chosen), known, threads)


def _unchanged(post: KnownPost) -> bool:
    return post.last_seen_at is not None and (post.lastmod or "") <= post.last_seen_at


def simulate(clinics: int, days: int, began: datetime, seed: int = 1) -> list[Asked]:
    """Return what a frame of so many clinics is asked on each day; the first one is of first visits."""
    requested = [Asked() for _ in range(days)]
    for number, clinic in enumerate(frame(clinics, began, seed)):
        rng = random.Random(f"{seed}/{number}/days")
        for day in range(days):
            now = began + timedelta(days=day, minutes=rng.randrange(30))
            if day:
                clinic.live(rng, now - timedelta(days=1), now)
            requested[day].add(visit(clinic, now))
    return requested
