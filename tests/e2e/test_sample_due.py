"""The second visit asks for what is due, and counts every post all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.clinic import Clinic, running
from tests.e2e.fault_cases import keep_few
from tests.e2e.product import Done, column, crawl, value_of
from tests.soak import SOAK


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """One that nobody else changes, with a third of its posts; with SOAK all of them."""
    with running(tmp_path_factory.mktemp("clinic")) as sample:
        if not SOAK:
            keep_few(sample, {post["slug"] for post in sample.truth()["posts"][::3]})
        yield sample


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("due") / "archive"


@pytest.fixture(scope="module")
def first(clinic: Clinic, archive: Path) -> Done:
    return crawl(archive, clinic.url, "--json")


@pytest.fixture(scope="module")
def again(first: Done, clinic: Clinic, archive: Path) -> Done:
    """A crawl as cron makes it, a minute after the first."""
    assert first.code == 0, first.err
    return crawl(archive, clinic.url, "--due", "--json")


LAST = "(SELECT crawl_id FROM crawls ORDER BY started_at DESC LIMIT 1)"


def test_pages_that_were_just_read_are_not_read_again(first: Done, clinic: Clinic, archive: Path, again: Done) -> None:
    assert again.code == 0, again.err
    read = column(
        archive, f"SELECT url FROM captures WHERE crawl_id = {LAST} AND url LIKE '%/post/%' AND method = 'GET'"
    )
    known = set(column(archive, "SELECT url FROM posts"))
    truth = clinic.truth()
    lately = f"{datetime.fromisoformat(truth['first_start']) - timedelta(days=1):%Y-%m-%d}"  # a bare date, somewhere
    dates = {post["url"]: post["modified_at"] or post["published_at"] for post in truth["posts"] if not post["deleted"]}
    changed = {url for url, date in dates.items() if date[:10] >= lately}
    assert known & set(read) <= changed
    assert again.clinic["not_due"] >= len(known) - len(changed)
    assert again.clinic["requests"] < first.clinic["requests"] / 2


def test_every_shown_counter_is_read_again(archive: Path, again: Done) -> None:
    assert again.clinic["readings"] > 0
    counted = f"SELECT count(DISTINCT post_id) FROM readings JOIN captures USING (capture_id) WHERE crawl_id = {LAST}"
    assert value_of(archive, f"{counted} AND views IS NOT NULL") == value_of(
        archive, "SELECT count(DISTINCT post_id) FROM readings WHERE views IS NOT NULL"
    )


def test_such_a_visit_is_complete(archive: Path, again: Done) -> None:
    assert again.clinic["status"] == "done"
    assert value_of(archive, f"SELECT complete FROM clinic_runs WHERE crawl_id = {LAST}") == 1
