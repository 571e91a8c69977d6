"""A blog behind walls and parking pages: nothing is taken from them, such days are counted, the archive says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.hostile import Blog, Reply
from tests.e2e.product import column, crawl, lost, rows, run, value_of

NOTE = "/post/note-2"
MAINTENANCE = b"<html><title>Back soon</title><h1>Under maintenance</h1><p>Please try again later.</p></html>"
PARKED = b"<html><title>elder.example</title><h1>This domain is for sale</h1><p>Make an offer.</p></html>"
WALL = Reply(b"<html><title>x</title></html>", headers=(("x-amzn-waf-action", "challenge"),))
SHELL = Reply(b"<html><body><div id='root'></div><script src='/main.js'></script></body></html>")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Reply(MAINTENANCE), "maintenance"),
        (Reply(PARKED), "parked"),
        (WALL, "bot-challenge"),
        (SHELL, "empty-shell"),
        (Reply(b""), "unreadable"),
    ],
    ids=["maintenance", "parked", "wall", "shell", "nothing"],
)
def test_a_post_in_place_of_which_something_else_answers(
    blog: Blog, archive: Path, notes_archive: Path, answer: Reply, kind: str
) -> None:
    blog.answers[NOTE] = answer
    done = crawl(archive, blog.url)
    assert (done.code, len(done.lines)) == (0, 1), done.err
    assert lost(notes_archive, archive) == []
    (doubtful,) = rows(archive, "SELECT * FROM doubtful_captures")
    assert (doubtful["quality"], doubtful["url"]) == (kind, f"{blog.url}{NOTE}")
    assert NOTE in doubtful["message"]
    capture_id = doubtful["capture_id"]
    for table in ("revisions", "readings", "absences", "sightings"):
        assert value_of(archive, f"SELECT count(*) FROM {table} WHERE capture_id = ?", capture_id) == 0, table
    (day,) = rows(archive, "SELECT * FROM coverage")
    # The first visit of the day was whole.
    assert (day["state"], day["doubtful"]) == ("observed", 1)
    assert f"1 doubtful answers ({kind})" in day["reason"]
    coverage = run("clinic-archive", "coverage", "--archive", archive, "--json", cwd=archive.parent).json
    assert (coverage["doubtful_days"], coverage["doubtful_days_not_observed"]) == (1, 0)
    assert "something else than the requested page" in coverage["paragraph"]
    (clinic,) = (
        run("clinic-archive", "status", "--archive", archive, "--json", cwd=archive.parent).json["clinics"].values()
    )
    assert clinic["doubtful"] == 1
    _reads_the_same(archive)


@pytest.mark.parametrize("body", [MAINTENANCE, PARKED], ids=["maintenance", "parked"])
def test_a_home_page_in_place_of_which_something_else_answers(
    blog: Blog, archive: Path, notes_archive: Path, body: bytes
) -> None:
    """The maker's header is still there, so that the platform is known: nothing more is requested all the same."""
    blog.answers["/"] = Reply(body, headers=(("x-wix-request-id", "1"), ("server", "Pepyaka")))
    done = crawl(archive, blog.url)
    assert (done.code, len(done.lines)) == (3, 1), done.err
    assert "in place of the page" in done.err
    assert set(blog.paths) == {"/robots.txt", "/"}
    assert lost(notes_archive, archive) == []
    assert column(archive, "SELECT blog_status FROM clinics") == ["blog"]
    assert column(archive, "SELECT status FROM clinic_runs ORDER BY started_at")[-1] == "failed"
    assert value_of(archive, "SELECT count(*) FROM absences") == 0
    _reads_the_same(archive)


def _reads_the_same(archive: Path) -> None:
    """A check of the archive is silent, and a rebuild gives the same qualities."""
    sql = "SELECT url, fetched_at, quality FROM captures ORDER BY capture_id"
    before = rows(archive, sql)
    verified = run("clinic-archive", "verify", "--archive", archive, cwd=archive.parent)
    assert (verified.code, verified.err) == (0, "")
    assert run("clinic-archive", "rebuild", "--archive", archive, cwd=archive.parent).code == 0
    assert rows(archive, sql) == before
