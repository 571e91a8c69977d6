"""A frame of clinics by a seed: how many posts each has, how often it publishes and edits.

The kinds and their shares are an assumption, which stands in docs/scale.md: no census of clinics' blogs is known.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scraper.platforms._platform import KnownPost


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of clinic: its share of the frame, posts at the first visit, and what happens to them in a month."""

    name: str
    share: float
    posts: int
    new_a_month: float
    edited_a_month: float  # posts whose change the sitemap announces
    talked: float = 0.2  # share of posts whose comments are asked for with the page


KINDS = (
    Kind("busy", 0.1, 250, 8, 5),
    Kind("steady", 0.3, 80, 2, 1),
    Kind("slow", 0.4, 30, 0.5, 0.2),
    Kind("asleep", 0.2, 15, 0, 0),
)


@dataclass(slots=True)
class Simulated:
    """A clinic and the posts that it has now, with what the archive knows of them."""

    kind: Kind
    posts: list[KnownPost] = field(default_factory=list)
    talked: set[str] = field(default_factory=set)  # addresses of the posts with comments

    def publish(self, rng: random.Random, at: datetime) -> None:
        """Add a post."""
        post = KnownPost(url=f"https://clinic.example/post/{len(self.posts)}", published_at=at.isoformat())
        post.lastmod = at.isoformat()
        self.posts.append(post)
        if rng.random() < self.kind.talked:
            self.talked.add(post.url)

    def live(self, rng: random.Random, since: datetime, until: datetime) -> None:
        """Let pass the time between two visits: posts are published, and some are edited."""
        months = (until - since) / timedelta(days=30)
        for _ in range(_events(rng, self.kind.new_a_month * months)):
            self.publish(rng, since + rng.random() * (until - since))
        for _ in range(_events(rng, self.kind.edited_a_month * months)):
            rng.choice(self.posts).lastmod = (since + rng.random() * (until - since)).isoformat()


def _events(rng: random.Random, expected: float) -> int:
    """Return a number of events of which so many are expected, by Poisson's law (Knuth's method)."""
    number, left = -1, 1.0
    limit = 2.718281828459045**-expected
    while left > limit:
        number += 1
        left *= rng.random()
    return number


def frame(clinics: int, began: datetime, seed: int = 1) -> Iterator[Simulated]:
    """Yield so many clinics as they are before the first visit: old posts are spread over the years that they took."""
    for number in range(clinics):
        rng = random.Random(f"{seed}/{number}")
        place, kind = (number + 0.5) / clinics, KINDS[-1]
        for each in reversed(KINDS):
            if place < sum(other.share for other in KINDS[: KINDS.index(each) + 1]):
                kind = each
        clinic = Simulated(kind)
        span = timedelta(days=30 * kind.posts / max(kind.new_a_month, 0.25))
        for _ in range(kind.posts):
            clinic.publish(rng, began - rng.random() * span)
        yield clinic
