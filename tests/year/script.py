"""What happens on which day, drawn from a seed: bad days in set pieces, one after another, and events between runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.year.blog import BEGAN, Comment, Post, Weather, begin, new_post
from tests.year.site import Stop

POSTS = 60
LATER = timedelta(hours=3)  # between two runs of one day


@dataclass
class Day:
    """One day: the moments of its runs, and what is special about it."""

    number: int
    weather: Weather
    runs: list[datetime]
    stop: Stop | None = None  # of its first run
    confirm: bool = False  # the operator says that it is so, after the runs
    happened: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Planned:
    """One day of a set piece."""

    weather: Weather = field(default_factory=Weather)
    runs: int = 1
    stop: Stop | None = None
    confirm: bool = False


class Script:
    """The story of one blog."""

    def __init__(self, seed: int, days: int, *, served: bool) -> None:
        self._chance = random.Random(f"{seed} {served}")
        self._days = days
        self.blog = begin(served, POSTS)
        self._comments = 0
        for post in self.blog.posts[::5]:
            for _ in range(1 + post.number % 3):
                self._comment(post, post.published + timedelta(days=1))

    def days(self) -> Iterator[Day]:
        """Each day, when the blog has become what it is on that day."""
        planned = self._plan()
        before = BEGAN
        for number in range(self._days):
            item = planned[number]
            weather = replace(item.weather, vanished=self._still_alive(item.weather.vanished))
            at = BEGAN + timedelta(days=number, seconds=self._chance.uniform(0, 40))
            runs = [at + LATER * turn for turn in range(item.runs)]
            day = Day(number, weather, runs, replace(item.stop) if item.stop else None, item.confirm)
            self.blog.weather = weather
            if number > 1:
                for name in self._happenings():
                    moment = before + (at - before) * self._chance.uniform(0.2, 0.95)
                    if self._happen(name, moment):
                        day.happened.append(name)
            before = runs[-1] if runs else at
            yield day

    def _still_alive(self, numbers: frozenset[int]) -> frozenset[int]:
        return frozenset(post.number for post in self.blog.posts if post.number in numbers and post.alive)

    def _plan(self) -> list[Planned]:
        """Two good days, then one piece after another, each of them once before any comes again."""
        planned = [Planned(), Planned()]
        short = self._days <= 40
        while len(planned) < self._days:
            pieces = self._pieces(short)
            self._chance.shuffle(pieces)
            for piece in pieces:
                planned += piece
                planned += [Planned()] * (self._chance.randrange(2) if short else self._chance.randrange(2, 13))
        return [*planned[: self._days - 1], Planned()]

    def _pieces(self, short: bool) -> list[list[Planned]]:
        chance = self._chance
        some = frozenset(chance.sample(range(1, POSTS + 1), 6))
        many = frozenset(chance.sample(range(1, POSTS + 1), chance.randrange(30, 45)))
        silent, vanished = Weather(silent=True), Weather(vanished=many)
        sitemaps = [[Planned(Weather(sitemap=how))] for how in ("empty", "html", "503", "cut")]
        mended = [Planned(silent)] * chance.randrange(2, 4)
        confirmed = [Planned(silent), Planned(silent, confirm=True), Planned(silent), Planned(silent)]
        back = [Planned(vanished)] * chance.randrange(1, 3)
        gone = [Planned(vanished), Planned(vanished, confirm=True), Planned(vanished)]
        pieces = [
            [Planned(Weather(outage="503"))],
            [Planned(Weather(outage="closed"))],
            [Planned(Weather(down=some))],
            # Ended among many pages, before the services were asked; and those fail on the next day.
            [
                Planned(Weather(sitemap="empty"), stop=Stop("term", chance.randrange(4, 20))),
                Planned(Weather(services=False)),
            ],
            [Planned(Weather(moved=True))] * 2,
            [Planned(runs=0)] * 7,
            [Planned(stop=Stop("kill", chance.randrange(1, 4)), runs=chance.randrange(1, 3))],
            [Planned(stop=Stop("term", chance.randrange(1, 4)), runs=2)],
            [Planned(stop=Stop("limit", chance.randrange(1, 3)), runs=1)],
            [Planned(runs=2)],
        ]
        if short:
            pieces += [chance.choice(sitemaps), chance.choice([mended, confirmed]), chance.choice([back, gone])]
        else:
            pieces += [*sitemaps, mended, confirmed, back, gone, [Planned(silent)] * chance.choice([3, 26])]
        return pieces

    # --- small events

    def _happenings(self) -> list[str]:
        names = {
            "publish": 4, "edit": 6, "edit silently": 5, "undo": 2, "rename": 1, "remove": 2, "remove but list": 1,
            "republish": 2, "unlist": 1, "list again": 1,
        }  # fmt: skip
        if self.blog.served:
            names |= {"edit for the service": 2, "comment": 8, "delete a comment": 3, "delete a thread": 1}
        number = self._chance.choice([0, 0, 1, 1, 2, 3] if self._days > 40 else [1, 2, 3, 4])
        return self._chance.choices(list(names), list(names.values()), k=number)

    def _happen(self, name: str, at: datetime) -> bool:
        """True where there was a post to do it to."""
        posts = self.blog.posts
        visible = [post for post in posts if post.alive and post.listed]
        choices: dict[str, list[Post]] = {
            "republish": [post for post in posts if not post.alive],
            "list again": [post for post in posts if post.alive and not post.listed],
            "delete a comment": [post for post in visible if post.comments],
            "delete a thread": [post for post in visible if post.comments],
            "remove": visible if len(visible) > POSTS - 10 else [],
            "remove but list": visible if len(visible) > POSTS - 10 else [],
            "unlist": visible if len(visible) > POSTS - 10 else [],
            "publish": posts[:1],
        }
        among = choices.get(name, visible)
        if not among:
            return False
        acts: dict[str, Callable[[Post, datetime], None]] = {
            "publish": self._publish, "edit": self._edit, "edit silently": self._edit_silently, "undo": self._undo,
            "edit for the service": self._edit_for_the_service, "rename": self._rename, "comment": self._comment,
            "remove": lambda post, at: post.live(at, alive=False, listed=False),
            "remove but list": lambda post, at: post.live(at, alive=False, listed=True),
            "republish": self._republish,
            "unlist": lambda post, at: post.live(at, alive=True, listed=False),
            "list again": lambda post, at: post.live(at, alive=True, listed=True),
            "delete a comment": lambda post, _: post.comments.pop(self._chance.randrange(len(post.comments))) and None,
            "delete a thread": lambda post, _: post.comments.clear(),
        }  # fmt: skip
        acts[name](self._chance.choice(among), at)
        return True

    def _publish(self, _: Post, at: datetime) -> None:
        self.blog.posts.append(new_post(len(self.blog.posts) + 1, at))

    def _wording(self, post: Post) -> str:
        return f"Note {post.number}, wording {len(post.wordings) + 1}."

    def _edit(self, post: Post, at: datetime) -> None:
        post.say(at, self._wording(post), announced=True)
        post.announce(at)

    def _edit_for_the_service(self, post: Post, at: datetime) -> None:
        post.say(at, self._wording(post), announced=True)
        post.announce(at, sitemap=False)

    def _edit_silently(self, post: Post, at: datetime) -> None:
        post.say(at, self._wording(post), announced=False)

    def _undo(self, post: Post, at: datetime) -> None:
        """An edit that stands for a minute, announced or not."""
        before = post.words
        post.say(at, self._wording(post), announced=False)
        post.say(at + timedelta(minutes=1), before, announced=False)
        if self._chance.random() < 0.5:
            post.announce(at)

    def _rename(self, post: Post, at: datetime) -> None:
        post.old_slugs.append(post.slug)
        post.slug = f"note-{post.number}-{len(post.old_slugs)}"

    def _republish(self, post: Post, at: datetime) -> None:
        post.live(at, alive=True, listed=True)
        if self._chance.random() < 0.5:
            post.announce(at)

    def _comment(self, post: Post, at: datetime) -> None:
        self._comments += 1
        post.comments.append(Comment(f"c{self._comments:05}", f"Thanks, said number {self._comments}.", at))


def is_quiet(day: Day) -> bool:
    """Nothing happened on that day, and nothing was broken."""
    return not day.happened and day.weather == Weather() and len(day.runs) == 1 and day.stop is None
