"""A year of daily runs over a changing clinic: what the archive holds equals the script of events, day by day.

The clock is moved, all else is real: the command, its process, the blog on loopback, WARC files and database. Twenty
days by default, the year with SOAK; YEAR_SEED tells another story. Figures go to `year-*.md` in the artefacts.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.killing import cli
from tests.e2e.product import Done, column, rows
from tests.soak import SOAK
from tests.year.blog import BEGAN
from tests.year.figures import Figures
from tests.year.moved import Launch, warm
from tests.year.oracle import Oracle
from tests.year.script import Day, Script, is_quiet
from tests.year.site import TIME_LIMIT, Site

DAYS = int(os.environ.get("YEAR_DAYS") or (365 if SOAK else 20))
SEED = int(os.environ.get("YEAR_SEED") or 1)
STANZA = """
[clinics.elder]
name = "Elderflower Practice"
url = "{url}"
allow_private = true
render = "never"
comments = "{comments}"
"""
RUNS = "SELECT crawl_id FROM crawls WHERE kind = 'crawl' ORDER BY started_at"
READINGS = (
    "SELECT post_id, views, comments_count, evidence FROM readings JOIN captures USING (capture_id) WHERE crawl_id = ?"
)
ABSENCES = """
SELECT absences.post_id, platform_comment_id FROM absences LEFT JOIN comments USING (comment_id)
JOIN captures ON captures.capture_id = absences.capture_id WHERE crawl_id = ?
"""
TEXTS = """
SELECT post_id, crawl_id, kind, body_text FROM revisions JOIN captures USING (capture_id) ORDER BY captured_at
"""
POSTS = """
SELECT post_id, body_text, (SELECT crawl_id FROM captures AS c
    WHERE c.clinic_id = posts.clinic_id AND fetched_at = last_seen_at) AS seen,
  (SELECT crawl_id FROM absences JOIN captures USING (capture_id)
    WHERE absences.post_id = posts.post_id AND seen_at = removed_at) AS removed
FROM posts
"""
COMMENTS = """
SELECT platform_comment_id, comments.post_id, first.crawl_id AS first, last.crawl_id AS last FROM comments
JOIN captures AS first ON first.capture_id = comments.capture_id
JOIN captures AS last ON last.capture_id = last_capture_id
"""


class Year:
    """One story, told run by run."""

    def __init__(self, folder: Path, launch: Launch, site: Site) -> None:
        self.archive = folder / "archive"
        self._launch, self.site = launch, site
        self.oracle = Oracle(site.blog)
        self.figures = Figures(self.archive)
        self.ids: dict[str, int] = {}  # of the runs, with their numbers
        self._compared = 0
        self.errors: list[str] = []  # what stderr had of each run

    def live(self, day: Day) -> None:
        """One day, its runs, and what they left."""
        for at in day.runs:
            self._run(day, at)
            if self.oracle.runs[-1].code >= 0:  # what a killed run left is folded in by the next
                self.compare()
                promised = self.oracle.broken_promises() if self.oracle.runs[-1].whole else []
                assert promised == [], f"day {day.number}"
        if day.confirm:
            at = day.runs[-1] + timedelta(hours=1)
            done = self._launch(["confirm", "elder", "--archive", str(self.archive)], at, lambda _: None)
            assert (done.code, done.err) == (0, "")
            self.oracle.confirm()
            self.compare_posts()

    def _run(self, day: Day, at: Any) -> None:
        site = self.site
        stop = day.stop if day.stop and not day.stop.done else None
        site.blog.now, site.told, site.stop = at, [], stop
        (site.close if day.weather.outage == "closed" else site.open)()
        limit = ["--time-limit", f"{TIME_LIMIT}s"] if stop and stop.how == "limit" else []

        def begin(pid: int) -> None:
            if stop:
                stop.pid = pid

        done = self._launch(["crawl", "--archive", str(self.archive), *limit], at, begin)
        # Where it was asked to stop at its very last question, all was done.
        ran = self.oracle.took(at, site.told, day.weather, stop if done.code else None)
        self.figures.took(done, site.told, quiet=is_quiet(day) and day.number > 0)
        self.errors.append(done.err)
        assert done.code == ran.code, f"day {day.number}: {done.err}"

    # --- comparisons

    def compare(self) -> None:
        """Every run since the last comparison, and the posts as they stand."""
        self.ids = {crawl_id: number for number, crawl_id in enumerate(column(self.archive, RUNS))}
        assert len(self.ids) == len(self.oracle.runs)
        for crawl_id, number in list(self.ids.items())[self._compared :]:
            self.compare_run(number, crawl_id)
        self._compared = len(self.ids)
        self.compare_posts()

    def compare_run(self, number: int, crawl_id: str) -> None:
        """What one run left: its status, fields missed, readings, absences."""
        wanted = self.oracle.runs[number]
        (row,) = rows(self.archive, "SELECT status, complete FROM clinic_runs WHERE crawl_id = ?", crawl_id)
        assert (row["status"], row["complete"]) == (wanted.status, int(wanted.complete)), f"run {number}"
        missing = set(column(self.archive, "SELECT field FROM run_fields WHERE crawl_id = ? AND lost", crawl_id))
        assert missing == ({"views"} if wanted.missed else set()), f"run {number}"
        names = self._names()
        reported: dict[int, set[Any]] = {}
        for row in rows(self.archive, READINGS, crawl_id):
            reported.setdefault(names[row["post_id"]], set()).add(
                (row["views"], row["comments_count"], row["evidence"])
            )
        known = {post: stored for post, stored in self.oracle.posts.items() if stored.texts}
        counts = {post: stored.counts[number] for post, stored in known.items() if number in stored.counts}
        assert reported == counts, f"run {number}"
        gone = Counter(
            row["platform_comment_id"] or names[row["post_id"]] for row in rows(self.archive, ABSENCES, crawl_id)
        )
        misses = Counter({post: stored.absences[number] for post, stored in known.items() if stored.absences[number]})
        misses += Counter({name: times for (name, at), times in self.oracle.missed_comments.items() if at == number})
        assert gone == misses, f"run {number}"

    def compare_posts(self) -> None:
        """Posts with all their texts, when each was seen, which are removed and since when; comments."""
        names, of = self._names(), self.ids
        texts: dict[int, list[Any]] = {}
        for row in rows(self.archive, TEXTS):
            kind = "first" if names[row["post_id"]] not in texts else "content"
            assert row["kind"] == kind, row
            texts.setdefault(names[row["post_id"]], []).append((of[row["crawl_id"]], row["body_text"].split("\n")[0]))
        known = {post: stored for post, stored in self.oracle.posts.items() if stored.texts}
        assert texts == {post: stored.texts for post, stored in known.items()}
        found = {
            names[row["post_id"]]: (row["body_text"].split("\n")[0], of[row["seen"]], of.get(row["removed"]))
            for row in rows(self.archive, POSTS)
        }
        assert len(found) == len(column(self.archive, "SELECT post_id FROM posts"))
        assert found == {post: (stored.texts[-1][1], stored.seen, stored.removed) for post, stored in known.items()}
        visible = {
            row["platform_comment_id"]: (names[row["post_id"]], of[row["first"]], of[row["last"]])
            for row in rows(self.archive, COMMENTS)
        }
        assert visible == self.oracle.comments

    def compare_days(self) -> None:
        """Which days were observed, and which are gaps."""
        sql = "SELECT day, state FROM coverage"
        states = {row["day"]: row["state"] for row in rows(self.archive, sql)}
        last = max(states)
        assert states == {day: state for day, state in self.oracle.coverage().items() if day <= last}

    def _names(self) -> dict[int, int]:
        """The numbers of posts, by their keys in the archive."""
        sql = "SELECT post_id, address FROM post_addresses WHERE address LIKE 'wix:%-%' AND post_id IS NOT NULL"
        return {row["post_id"]: int(row["address"][4:12], 16) for row in rows(self.archive, sql)}


def moments_outside(year: Year) -> list[str]:
    """Columns that hold a moment which no run of the story had: somebody read the true clock."""
    begin, end = f"{BEGAN:%Y-%m-%d}", f"{year.oracle.runs[-1].at + timedelta(days=1):%Y-%m-%d}"
    found = []
    for table in column(
        year.archive, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%\\_at%' ESCAPE '\\'"
    ):
        for name in column(
            year.archive, "SELECT name FROM pragma_table_info(?) WHERE name LIKE '%\\_at' ESCAPE '\\'", table
        ):
            if name not in ("published_at", "modified_at", "posted_at", "posted_at_precision", "applied_at"):
                outside = f"SELECT {name} FROM {table} WHERE {name} NOT BETWEEN ? AND ?"
                found += [f"{table}.{name}: {value}" for value in column(year.archive, outside, begin, end)[:1]]
    return found


def loud(year: Year) -> list[str]:
    """Runs that said something although all was well, and problems told every day."""
    runs = year.oracle.runs
    found = []
    stretch: list[int] = []
    for number, (ran, err) in enumerate(zip(runs, year.errors, strict=True)):
        if (
            number in year.figures.quiet
            and runs[number - 1].code >= 0
            and ran.code == 0
            and year.site.blog.served
            and err
        ):
            found.append(f"run {number}: {err}")
        if ran.status == "degraded":
            stretch.append(number)
        elif stretch and ran.status == "done":  # others say nothing of it
            answer = sum("degraded" in year.errors[item] for item in stretch)
            days = (runs[stretch[-1]].at - runs[stretch[0]].at).days
            if not 1 <= answer <= 1 + days // 7:
                found.append(f"runs {stretch[0]} to {stretch[-1]}: degraded was told {answer} times in {days} days")
            stretch = []
    return found


STORIES = {"services": True, "printed": False} if SOAK else {"services": True}


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("served", STORIES.values(), ids=STORIES)
def test_a_year(tmp_path: Path, served: bool) -> None:
    script = Script(SEED, DAYS, served=served)
    site = Site(script.blog)
    comments = "threads" if served else "counts"
    (tmp_path / "clinics.toml").write_text(STANZA.format(url=site.url, comments=comments))
    try:
        with warm(tmp_path) as launch:
            year = Year(tmp_path, launch, site)
            for day in script.days():
                year.live(day)
                killed = year.oracle.runs[-1].code < 0  # whose rows the next start lays
                if day.number % 7 == 6 and year.ids and not killed:
                    year.compare_days()
    finally:
        site.close()
    for crawl_id, number in year.ids.items():
        year.compare_run(number, crawl_id)
    year.compare_days()
    assert moments_outside(year) == []
    assert loud(year) == []
    archive = year.archive
    year.figures.write("services" if served else "printed", SEED, DAYS, year.oracle.longest)
    assert cli("verify", "--archive", archive) == Done(0, "", "")
    done = cli("rebuild", "--archive", archive, "--json")
    assert (done.code, done.err, done.json["differs"]) == (0, "", [])
    year.compare_posts()
