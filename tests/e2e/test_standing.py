"""Coverage and standing of real crawls: what robots.txt refused, and a run that goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from tests.e2e.hostile import Blog, Reply
from tests.e2e.killing import in_flight
from tests.e2e.product import crawl, rows
from tests.waiting import HANG


@pytest.fixture
def blog(notes: Blog) -> Iterator[Blog]:
    """The blog, well before and after."""
    notes.reset()
    yield notes
    notes.reset()


def status(archive: Path) -> dict[str, Any]:
    """Nothing while there is no archive yet."""
    done = CliRunner().invoke(main, ["status", "--archive", str(archive), "--json"])
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


@pytest.mark.parametrize(
    ("answer", "state", "stale"),
    [
        (Reply(b"User-agent: *\nDisallow: /\n", kind="text/plain"), "refused", 0),  # whether it has a blog is not known
        (Reply(b"User-agent: *\nDisallow: /post/\n", kind="text/plain"), "refused", 1),
        (Reply(b"busy", 503, headers=(("Retry-After", "0"),)), "failed", 0),
    ],
    ids=["all", "posts", "trouble"],
)
def test_what_robots_txt_refuses_is_told_from_what_fails(
    answer: Reply, state: str, stale: int, tmp_path: Path, blog: Blog
) -> None:
    blog.answers["/robots.txt"] = answer
    archive = tmp_path / "archive"
    crawl(archive, blog.url)
    (day,) = rows(archive, "SELECT * FROM coverage")
    assert (day["state"], day["runs"], bool(day["reason"])) == (state, 1, True)
    found = status(archive)
    assert (found["exit_code"], len(found["stale"])) == (7 if stale else 0, stale)


def test_a_run_that_goes_on_is_seen_and_not_disturbed(tmp_path: Path, blog: Blog) -> None:
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/") as crawling:
        found = status(archive)
        assert (found["held"], len(found["running"])) == (True, 1)
    out, err = crawling.communicate(timeout=HANG)
    assert (crawling.returncode, err) == (0, ""), out
    after = status(archive)
    assert (after["held"], after["running"], after["exit_code"]) == (False, [], 0)
