"""Which clinics are due follows from their visits alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from archive.rows.due import Due, Past, due_clinics, past_of
from archive.rows.runs import KILLED
from archive.times import utc

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(hours: float) -> str:
    """So many hours before now."""
    return utc(NOW - timedelta(hours=hours))


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE crawls (crawl_id, kind)")
        connection.execute("CREATE TABLE clinic_runs (crawl_id, clinic_id, started_at, ended_at, status, note)")
        yield connection


def visited(db: sqlite3.Connection, hours: float, status: str, note: str | None = None, kind: str = "crawl") -> None:
    """A visit of an hour that began so many hours ago."""
    name = f"run-{hours}"
    db.execute("INSERT INTO crawls VALUES (?, ?)", [name, kind])
    row = [name, "hill", at(hours), at(hours - 1), status, note]
    db.execute("INSERT INTO clinic_runs VALUES (?, ?, ?, ?, ?, ?)", row)


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([], Past("", 0)),
        ([(30, "done")], Past(at(6), 0)),
        ([(2, "failed"), (30, "done")], Past(at(-22), 0)),
        ([(-5, "done"), (30, "done")], Past(at(6), 0)),  # by a clock that was wrong
        ([(2, "running"), (30, "done")], Past(at(6), 0)),
        ([(2, "cut-short"), (30, "done")], Past(at(1), 0)),
        ([(2, "cut-short")], Past(at(1), 0)),
        ([(2, "cut-short"), (4, "cut-short")], Past(at(-22), 0)),
        ([(2, "cut-short", KILLED)], Past("", 1)),
        ([(2, "cut-short", KILLED), (3, "cut-short", KILLED), (30, "done")], Past(at(6), 2)),
        ([(2, "cut-short", KILLED), (4, "cut-short"), (30, "done")], Past(at(3), 1)),
        ([(2, "done"), (3, "cut-short", KILLED)], Past(at(-22), 0)),
        ([(2, "done", None, "backfill"), (30, "done")], Past(at(6), 0)),
    ],
)
def test_since_when_a_clinic_is_due(db: sqlite3.Connection, visits: list[tuple[float, str]], expected: Past) -> None:
    for visit in visits:
        visited(db, *visit)
    assert past_of(db, "hill", DAY, NOW) == expected


def test_who_waited_longest_comes_first(db: sqlite3.Connection) -> None:
    visited(db, 30, "done")
    assert due_clinics(db, ["hill", "lake"], DAY, NOW) == [Due("lake", ""), Due("hill", at(6))]
    assert due_clinics(db, ["hill"], timedelta(days=2), NOW) == []
    assert due_clinics(None, ["lake", "hill"], DAY, NOW) == [Due("hill", ""), Due("lake", "")]
