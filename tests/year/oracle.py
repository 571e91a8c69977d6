"""What the archive must hold: exactly, from what each run was told; by the promises of docs/, from the script alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.year.blog import Blog, Weather
from tests.year.site import Stop, Told

APART = timedelta(hours=20)
TEXT, FRESH = timedelta(days=30), timedelta(days=14)
Counts = tuple[int | None, int, str]  # views, comments, and on what evidence


@dataclass
class Kept:
    """What is known of one post. Runs go by their number."""

    texts: list[tuple[int, str]] = field(default_factory=list)  # run, words: each that differs from the one before
    seen: int = -1
    misses: list[int] = field(default_factory=list)  # answers that it is gone, since it was seen
    absences: Counter[int] = field(default_factory=Counter)  # the same, all there ever were
    removed: int | None = None  # the run of the first of two
    counts: dict[int, set[Counts]] = field(default_factory=dict)  # by run
    threads: list[tuple[int, int]] = field(default_factory=list)  # runs that read its thread, and its length then


@dataclass
class Ran:
    """One run."""

    at: datetime
    told: list[Told]
    weather: Weather
    status: str = "done"
    code: int = 0
    complete: bool = False
    whole: bool = False  # complete, and every post that was asked for answered
    blind: bool = False  # it met no post, there or gone
    missed: bool = False  # it saw that views are told no more
    lost: bool = False  # views, for the first time or still, and nobody said that it is so


class Oracle:
    """Follows the story; compares nothing."""

    def __init__(self, blog: Blog) -> None:
        self._blog = blog
        self.posts: dict[int, Kept] = {}
        self.runs: list[Ran] = []
        self.longest = timedelta()  # between two looks at a post that was there
        self.comments: dict[str, tuple[int, int, int]] = {}  # by id: post, the runs that first and last showed it
        self.missed_comments: Counter[tuple[str, int]] = Counter()  # id and run
        self._lost = self._accepted = False
        self._confirmed: set[int] = set()  # runs that met too many posts gone, and were believed

    def took(self, at: datetime, told: list[Told], weather: Weather, stop: Stop | None) -> Ran:
        """A run was told this, and ended by itself or was ended."""
        number = len(self.runs)
        run = Ran(at, told, weather)
        self.runs.append(run)
        before = set(self.posts)
        asks = _asks(told)
        for one in told:
            self._learn(number, one)
        self._judge(run, asks, stop, before)
        if run.complete:
            self._remove()
        return run

    def confirm(self) -> None:
        """The operator says that it is so."""
        self._accepted = self._accepted or self._lost
        vast = (number for number, run in enumerate(self.runs) if run.status == "moved_or_gone")
        self._confirmed |= set(vast)
        self._remove()

    # --- exactly

    def _learn(self, run: int, one: Told) -> None:
        if one.kind == "post" and one.post is not None:
            if one.status in (200, 304):
                self._read(run, one)
            elif one.status == 404 and one.post in self.posts:
                kept = self.posts[one.post]
                kept.misses.append(run)
                kept.absences[run] += 1
        if one.kind == "counters":
            for number, views, comments in one.counters:
                self._count(run, number, (views, comments, "read"))
        if one.kind == "thread":
            assert one.post is not None
            known = {name for name, (post, _, _) in self.comments.items() if post == one.post}
            for name in one.comments:
                self.comments[name] = (one.post, self.comments.get(name, (0, run, 0))[1], run)
            for name in known - set(one.comments):
                self.missed_comments[name, run] += 1
            self.posts[one.post].threads.append((run, len(one.comments)))

    def _read(self, run: int, one: Told) -> None:
        assert one.post is not None and one.words is not None
        kept = self.posts.setdefault(one.post, Kept())
        if kept.texts:
            self.longest = max(self.longest, self.runs[run].at - self.runs[max([kept.seen, *kept.misses])].at)
        if not kept.texts or kept.texts[-1][1] != one.words:
            kept.texts.append((run, one.words))
        kept.seen, kept.removed = run, None
        kept.misses.clear()
        for number, views, comments in one.counters:
            self._count(run, number, (views, comments, "read" if one.status == 200 else "not-modified"))

    def _count(self, run: int, number: int, counts: Counts) -> None:
        self.posts.setdefault(number, Kept()).counts.setdefault(run, set()).add(counts)

    def _judge(self, run: Ran, asks: list[Told], stop: Stop | None, before: set[int]) -> None:
        number = len(self.runs) - 1
        failed = sum(one.status == 503 for one in asks)
        here = [kept for kept in self.posts.values() if kept.texts and kept.removed is None]
        vanished = [kept for kept in here if number in kept.misses]
        stopped = stop is not None and stop.done
        if not stopped:
            run.missed = self._measure(number, asks, before)
        run.lost = self._lost and not self._accepted
        if stopped and stop is not None and stop.how == "kill":
            run.status, run.code = "cut-short", -9
        elif not any(one.path == "/" and one.status == 200 for one in run.told):
            run.status = "failed"
        elif run.weather.moved:
            run.status = "moved_or_gone"
        elif stopped:
            run.status, run.code = "cut-short", 130
        elif failed * 2 > len(asks):
            run.status = "failed"
        elif len(vanished) * 3 > len(here):
            run.status = "moved_or_gone"
        elif run.lost:
            run.status, run.code = "degraded", 5
        if run.status in ("failed", "moved_or_gone"):
            run.code = 3
        fetched = any(one.status in (200, 304) for one in asks)
        run.complete = run.status == "done" and (fetched or not asks)
        run.whole = run.complete and not failed
        read = any(one.status in (200, 304) for one in asks)
        # Of a killed run rows alone are left, and what is gone has one where the post is known.
        known_gone = any(kept.absences[number] for kept in self.posts.values())
        run.blind = not read and not (known_gone if run.code == -9 else any(one.status == 404 for one in asks))

    def _measure(self, number: int, asks: list[Told], before: set[int]) -> bool:
        """Whether views are missed: the newest run that saw three posts which had told them decides."""
        run = self.runs[number]
        if self._blog.served:
            troubled = any(one.path.startswith("/_api/") and one.status >= 500 for one in run.told)
            sought = set() if troubled else {post for one in run.told for post, _, _ in one.counters} & before
        else:
            sought = {one.post for one in asks if one.status == 200 and one.post in before}
        had = [post for post in sought if self._tells(self.posts[post], number)]
        if len(had) < 3:
            return False
        told = sum(_views(self.posts[post], number) for post in had)
        self._lost = told * 2 < len(had)
        self._accepted = self._accepted and self._lost
        return self._lost

    def _tells(self, kept: Kept, number: int) -> bool:
        """It told its views in one of its last twenty readings, or does now."""
        read = [run for run in sorted(kept.counts) if run < number and any("read" in one for one in kept.counts[run])]
        return any(_views(kept, run) for run in [*read[-20:], number])

    def _remove(self) -> None:
        for kept in self.posts.values():
            proofs = [run for run in kept.misses if self.runs[run].complete or run in self._confirmed]
            if kept.removed is None and proofs and self.runs[proofs[-1]].at - self.runs[proofs[0]].at >= APART:
                kept.removed = proofs[0]

    def coverage(self) -> dict[str, str]:
        """What each day came to, by its best run."""
        first, last = self.runs[0].at.date(), self.runs[-1].at.date()
        days = {f"{first + timedelta(days=n):%Y-%m-%d}": "not-attempted" for n in range((last - first).days + 1)}
        best = ["not-attempted", "failed", "partial", "observed"]
        for run in self.runs:
            nothing = run.status == "failed" or (run.blind and run.status in ("cut-short", "moved_or_gone"))
            came_to = "observed" if run.whole else "failed" if nothing else "partial"
            day = f"{run.at:%Y-%m-%d}"
            days[day] = max(days[day], came_to, key=best.index)
        return days

    # --- The promises of docs/visits.md, after a complete run

    def broken_promises(self) -> list[str]:
        """What the newest run, which was complete, should have seen of the blog as the script has it, and did not."""
        number, blog = len(self.runs) - 1, self._blog
        now, weather, found = self.runs[number].at, self.runs[number].weather, list[str]()
        services = blog.served and weather.services
        for post in blog.posts:
            kept = self.posts.get(post.number, Kept())
            name = f"run {number}: post {post.number}"
            if blog.there(post) and post.listed and not kept.texts:
                found.append(f"{name} is not known")
            if not kept.texts:
                continue
            looked = self.runs[max([kept.seen, *kept.misses])].at
            if now - looked > TEXT:
                found.append(f"{name} was not looked at for {now - looked}")
            if not blog.there(post):
                since = [run.at for run in self.runs if run.complete and run.at > post.lives[-1][0]]
                proved = len(since) > 1 and since[-1] - since[0] >= APART
                # One that the lists did not name for long is looked at once in text_days.
                missed = not post.listed and post.unlisted and post.unlisted > self.runs[kept.seen].at
                if not post.alive and missed and proved and kept.removed is None:
                    found.append(f"{name} is gone, and not marked as removed")
                continue
            if kept.removed is not None and post.listed and not post.lives[-1][0] < now - TEXT:
                continue  # a sitemap that named it all the time says nothing: it is looked at once in text_days
            if now - post.published < FRESH and now - self.runs[kept.seen].at >= APART:
                found.append(f"{name} is new and was not read")
            announced = services and post.changed is not None and post.changed > self.runs[kept.seen].at
            announced = announced or (weather.sitemap is None and post.lastmod > f"{self.runs[kept.seen].at:%Y-%m-%d}")
            if announced and post.listed:
                found.append(f"{name} was announced as changed and not read")
            if services and post.listed and number not in kept.counts:
                found.append(f"{name} was not counted")
            length = kept.threads[-1][1] if kept.threads else 0
            if services and post.listed and len(post.comments) != length:
                found.append(f"{name} has {len(post.comments)} comments, {length} were read")
        return found


def _views(kept: Kept, run: int) -> bool:
    return any(views is not None for views, _, how in kept.counts[run] if how == "read")


def _asks(told: list[Told]) -> list[Told]:
    """What each question for a post came to, after retries and redirects."""
    asks: list[Told] = []
    before: Told | None = None
    for one in told:
        if one.kind == "post":
            goes_on = before is not None and before.kind == "post" and (
                before.status == 301 or (before.status == 503 and before.path == one.path)
            )  # fmt: skip
            if goes_on:
                asks[-1] = one
            else:
                asks.append(one)
        before = one
    return asks
