"""The view `counts_by_week`: ISO weeks across the end of a year, gains within one source, gaps that stay gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.archive.test_views import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    made.db.close()


def weeks(archive: Archive, columns: str) -> list[tuple[Any, ...]]:
    return archive.tuples("counts_by_week", columns, "ORDER BY post_id, week_starts_on")


def test_a_week_belongs_to_the_year_of_its_thursday(archive: Archive) -> None:
    post = archive.post()
    for day in ("2020-12-27", "2020-12-28", "2021-01-03", "2021-01-04", "2025-12-28", "2025-12-29", "2026-01-04"):
        archive.reading(post, f"{day}T23:59:59.999999Z", views=int(day[2:4]) * 100 + int(day[8:]))
    assert weeks(archive, "week, week_starts_on, views, views_added, views_weeks") == [
        ("2020-W52", "2020-12-21", 2027, None, None),
        ("2020-W53", "2020-12-28", 2103, 76, 1),
        ("2021-W01", "2021-01-04", 2104, 1, 1),
        ("2025-W52", "2025-12-22", 2528, 424, 259),
        ("2026-W01", "2025-12-29", 2604, 76, 1),
    ]


def test_every_day_of_thirty_years_is_in_the_week_that_python_says(archive: Archive) -> None:
    post = archive.post()
    first = date(2005, 1, 1)
    capture = archive.capture("2005-01-01T00:00:00Z")
    days = [first + timedelta(number) for number in range(0, 30 * 366, 3)]
    for number, day in enumerate(days):
        archive.reading(post, f"{day}T12:00:00.000000Z", str(number), views=1, capture_id=capture)
    found = dict(weeks(archive, "week, week_starts_on"))
    expected = {}
    for day in days:
        year, week, weekday = day.isocalendar()
        expected[f"{year}-W{week:02}"] = (day - timedelta(weekday - 1)).isoformat()
    assert found == expected


def test_a_gain_is_within_one_source_and_a_week_without_reading_widens_it(archive: Archive) -> None:
    post = archive.post()
    for day, source, views in (
        ("2026-01-05", "html", 10), ("2026-01-07", "html", 14), ("2026-01-08", "api", 90), ("2026-01-14", "html", 20),
        ("2026-01-28", "html", 13), ("2026-02-02", "api", 99), ("2026-02-09", "feed", 5),
    ):  # fmt: skip
        archive.reading(post, f"{day}T08:00:00.000000Z", source, views=views)
    assert weeks(archive, "week, views, views_added, views_weeks, views_source, readings") == [
        ("2026-W02", 90, None, None, "api", 3),
        ("2026-W03", 20, 6, 1, "html", 1),
        ("2026-W05", 13, -7, 2, "html", 1),
        ("2026-W06", 99, 9, 4, "api", 1),
        ("2026-W07", 5, None, None, "feed", 1),
    ]


def test_a_counter_that_the_week_did_not_give_is_null_and_a_304_gives_none(archive: Archive) -> None:
    post, other = archive.post(), archive.post("Other")
    archive.reading(post, "2026-01-05T08:00:00.000000Z", views=10, likes=0, comments_count=2)
    archive.reading(post, "2026-01-06T08:00:00.000000Z", likes=1)
    archive.reading(post, "2026-01-12T08:00:00.000000Z", views=10, evidence="not-modified")
    archive.reading(post, "2026-01-19T08:00:00.000000Z", likes=1, comments_count=1)
    archive.reading(other, "2026-01-19T08:00:00.000000Z", views=3)
    columns = "week, views, views_added, likes, likes_added, likes_weeks, comments_count, comments_added"
    assert weeks(archive, columns) == [
        ("2026-W02", 10, None, 1, None, None, 2, None),
        ("2026-W04", None, None, 1, 0, 2, 1, -1),
        ("2026-W04", 3, None, None, None, None, None, None),
    ]


def test_the_last_week_is_what_the_post_has_now_and_gains_add_up(archive: Archive) -> None:
    post = archive.post()
    for number in range(30):
        day = date(2026, 1, 1) + timedelta(2 * number)
        capture = archive.reading(post, f"{day}T08:00:00.000000Z", "html", views=number**2)
        archive.reading(post, f"{day}T08:00:00.000000Z", "api", views=number, capture_id=capture)
    found = weeks(archive, "views, views_source, views_added, read_at")
    assert found[-1][:2] == archive.tuples("posts_with_counts", "views, views_source")[0]
    assert found[0][0] + sum(added for _, _, added, _ in found[1:]) == found[-1][0]
    assert [read_at for *_, read_at in found] == sorted(read_at for *_, read_at in found)
