"""How an archive stands: what is stale and what is not, whose lock is held, what the disk takes; exit codes 7 and 6."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result

from archive import lock
from archive.lock import LOCK_FILE, is_locked
from archive.reports.integrity import RESULT, Verified, keep_result, last_result
from archive.reports.status import DEFAULT_AGE, ClinicStatus, Status, read_status
from archive.reports.status_words import age, facts, runs_in_words, size
from pipelines.commands import main
from pipelines.exit_codes import ExitCode
from tests.archive.reports.test_coverage import problem, visited
from tests.archive.site.test_site import get, site_of
from tests.making import CLINIC, SITE, Made, extraction, post, sighting

NOW = datetime(2026, 3, 10, 21, 0, tzinfo=UTC)


def status_of(archive: Made, now: datetime = NOW) -> Status:
    return read_status(archive.db.conn, archive.folder, now)


def of(archive: Made, clinic_id: str = CLINIC, now: datetime = NOW) -> ClinicStatus:
    (clinic,) = [clinic for clinic in status_of(archive, now).clinics if clinic.clinic_id == clinic_id]
    return clinic


def ago(hours: float) -> str:
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.000000Z}"


def status(archive: Made, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["status", "--archive", str(archive.folder), *arguments], catch_exceptions=False)


# --- a clinic ---


def test_a_clinic_stands_by_its_last_complete_visit(archive: Made) -> None:
    visited(archive, "2026-03-08")
    crawl_id = visited(archive, "2026-03-10", "degraded", note="told no more: views", failed=1, waiting=4)
    problem(archive, crawl_id, "x: views are not told", SITE, kind="missing-field")
    visited(archive, "2026-03-10T20:00:00.000000Z", kind="import")
    archive.fold(extraction(1, post(), sighting("named"), sighting("named-too")))
    clinic = of(archive)
    assert (clinic.visited_at, clinic.status, clinic.observed_at) == (
        "2026-03-10T09:00:00.000000Z", "degraded", "2026-03-08T09:00:00.000000Z"
    )  # fmt: skip
    assert clinic.age == 60 * 3600
    assert (clinic.posts, clinic.failed, clinic.waiting, clinic.problems, clinic.unread) == (1, 1, 4, 1, 2)
    assert (clinic.is_stale(60 * 3600), clinic.is_stale(60 * 3600 - 1)) == (False, True)
    assert (clinic.state(DEFAULT_AGE), clinic.state(61 * 3600)) == ("stale", "fresh")


@pytest.mark.parametrize(
    ("status", "blog_status", "state"),
    [
        ("done", "blog", "fresh"), ("cut-short", "blog", "stale"), ("failed", "unreachable", "unreachable"),
        ("failed", "unknown", "not known"),
        ("failed", "none_found", "no blog"), ("no-blog", "unsupported", "not read"),
        ("failed", "unsupported", "not read"), ("done", "closed", "closed"),
        (None, "closed", "closed"), (None, "unknown", "not visited"),
    ],
)  # fmt: skip
def test_only_a_clinic_with_a_blog_can_be_stale(
    archive: Made, status: str | None, blog_status: str, state: str
) -> None:
    if status:
        visited(archive, "2026-03-10", status)
    archive.db.execute("UPDATE clinics SET blog_status = ?", [blog_status])
    assert of(archive).state(DEFAULT_AGE) == state


@pytest.mark.parametrize(
    ("visits", "blog_status", "state"),
    [
        (("2026-03-07 cut-short", "2026-03-10 cut-short"), "unknown", "stale"),
        (("2026-03-07 cut-short", "2026-03-10 running"), "unreachable", "stale"),
        (("2026-03-10 cut-short",), "unknown", "not known"),  # tried today for the first time
        (("2026-03-07 cut-short", "2026-03-10 cut-short"), "closed", "closed"),
        (("2026-03-07 cut-short", "2026-03-10 cut-short"), "none_found", "no blog"),
        (("2026-03-06 failed", "2026-03-07 cut-short", "2026-03-10 cut-short"), "unreachable", "unreachable"),
        (("2026-03-06 failed", "2026-03-07 cut-short"), "unknown", "not known"),
    ],
)
def test_a_clinic_whose_visits_were_all_cut_short_is_stale(
    archive: Made, visits: tuple[str, ...], blog_status: str, state: str
) -> None:
    for visit in visits:
        visited(archive, *visit.split())
    archive.db.execute("UPDATE clinics SET blog_status = ?", [blog_status])
    assert of(archive).state(DEFAULT_AGE) == state


def test_a_clinic_that_is_never_begun_is_stale(archive: Made) -> None:
    """Once the others have been visited for long enough; but not one that others' captures alone are kept of."""
    assert of(archive).state(DEFAULT_AGE) == "not visited"
    visited(archive, "2026-03-10", clinic="harbour")
    assert of(archive).state(DEFAULT_AGE) == "not visited"
    visited(archive, "2026-03-07", clinic="harbour")
    assert of(archive).state(DEFAULT_AGE) == "stale"
    done = status(archive, "-q")
    assert (done.exit_code, f"{CLINIC}: never observed; no visit to it was ever begun" in done.stderr) == (7, True)
    visited(archive, "2026-03-09", kind="import")
    assert of(archive).state(DEFAULT_AGE) == "not visited"


@pytest.mark.parametrize(("closed_on", "state"), [("2026-03-10", "closed"), ("2999-01-01", "stale")])
def test_a_clinic_whose_closing_day_has_come_is_not_missed(archive: Made, closed_on: str, state: str) -> None:
    """Also where no run has come since then, which would have told it."""
    visited(archive, "2026-03-07")
    archive.db.execute("UPDATE clinics SET blog_status = 'blog', closed_on = ?", [closed_on])
    assert of(archive).state(DEFAULT_AGE) == state


def test_a_clinic_that_lost_its_blog_is_still_expected_to_have_one(archive: Made) -> None:
    archive.fold(extraction(1, post()))
    visited(archive, "2026-03-10", "failed")
    for status in ("none_found", "unreachable"):
        archive.db.execute("UPDATE clinics SET blog_status = ?", [status])
        assert of(archive).state(DEFAULT_AGE) == "stale"


def test_a_visit_dated_into_the_future_keeps_no_clinic_fresh(archive: Made) -> None:
    visited(archive, "2026-03-07")
    visited(archive, "2036-03-07")
    archive.db.execute("UPDATE clinics SET blog_status = 'blog'")
    clinic = of(archive)
    assert (clinic.visited_at, clinic.observed_at) == ("2036-03-07T09:00:00.000000Z", "2026-03-07T09:00:00.000000Z")
    assert clinic.state(DEFAULT_AGE) == "stale"


def test_rows_that_others_wrote_do_not_bring_it_down(archive: Made) -> None:
    visited(archive, "yesterday")
    assert of(archive).age is None
    assert status_of(archive).disk.captures_a_day is None


# --- the lock ---


@pytest.mark.skipif(not lock.LOCKS.exists(), reason="the system does not tell of locks")
def test_a_held_lock_is_seen_and_not_touched(tmp_path: Path) -> None:
    assert is_locked(tmp_path) is False
    lock = filelock.FileLock(tmp_path / LOCK_FILE)
    with lock:
        before = (tmp_path / LOCK_FILE).stat()
        assert is_locked(tmp_path) is True
        assert (tmp_path / LOCK_FILE).stat() == before
        # As somebody else sees it, too.
        ask = "import sys, pathlib; from archive.lock import is_locked; print(is_locked(pathlib.Path(sys.argv[1])))"
        done = subprocess.run([sys.executable, "-c", ask, tmp_path], capture_output=True, text=True, check=True)
        assert done.stdout == "True\n"
    assert is_locked(tmp_path) is False


def test_where_the_system_does_not_tell_the_rows_do(
    archive: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCKS", tmp_path / "nothing")
    visited(archive, "2026-03-10", "running")
    assert is_locked(archive.folder) is None
    assert runs_in_words(status_of(archive)) == "running, or killed: riverside since 2026-03-10 09:00"


@pytest.mark.skipif(not lock.LOCKS.exists(), reason="the system does not tell of locks")
def test_a_run_is_in_progress_or_was_killed(archive: Made) -> None:
    assert runs_in_words(status_of(archive)) == "not running"
    with filelock.FileLock(archive.folder / LOCK_FILE):
        assert runs_in_words(status_of(archive)) == "a command is using the archive"
        visited(archive, "2026-03-10", "running")
        assert runs_in_words(status_of(archive)) == "running: riverside since 2026-03-10 09:00"
    assert (
        runs_in_words(status_of(archive))
        == "killed; the next run repairs the archive: riverside since 2026-03-10 09:00"
    )


# --- the disk, and the last verification ---


def test_what_the_archive_takes_is_what_lies_there(archive: Made) -> None:
    visited(archive, "2026-02-28T21:00:00.000000Z")  # ten days ago
    files = {
        "warc/riverside/riverside-20260228210000-0123abcd-00000.warc.gz": 1000,
        "warc/riverside/riverside-20260310090000-0123abcd-00000.warc.gz.open": 500,
        "warc/riverside/riverside-20250101000000-0123abcd-00000.warc.gz": 4000,
        "imports/20260309000000/theirs.warc.gz": 70,
        "log/crawl.log": 9,
    }
    for name, length in files.items():
        (archive.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (archive.folder / name).write_bytes(b"x" * length)
    disk = status_of(archive).disk
    assert (disk.captures, disk.files, disk.captures_in_window, disk.captures_a_day) == (5570, 4, 1500, 150.0)
    assert disk.database == (archive.folder / "archive.db").stat().st_size
    assert disk.wal == (archive.folder / "archive.db-wal").stat().st_size
    assert disk.database_a_day == disk.database / 10
    assert disk.days_left == disk.free / (150 + disk.database / 10)
    assert not disk.is_short
    assert replace(disk, days_left=29.9).is_short
    assert replace(disk, days_left=None, total=disk.free * 21).is_short, "less than a twentieth is free"
    assert not replace(disk, days_left=None, total=disk.free * 19).is_short
    lines = dict(facts(status_of(archive)))
    assert lines["captures"].startswith("6 kB in 4 files; 2 kB of it from the last 30 days")
    assert "estimated" in lines["database"]
    assert "estimated" in lines["disk"]
    assert status_of(archive, NOW - timedelta(days=9, hours=12)).disk.captures_a_day is None, "no day to measure yet"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'{"verified_at": 1}', b"\xff\xfe", b"[" * 100_000, b'{"verified_at": "x", '
             b'"captures": "many", "whole": true, "faults": []}'], ids=range(8)
)  # fmt: skip
def test_a_damaged_record_of_the_last_verification_is_told(archive: Made, text: bytes) -> None:
    (archive.folder / RESULT).write_bytes(text)
    assert "verified.json is damaged" in str(last_result(archive.folder))
    done = status(archive)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "verified  unknown, verified.json is damaged" in done.stdout


def test_the_record_is_what_verify_leaves(archive: Made) -> None:
    visited(archive, ago(1))
    assert last_result(archive.folder) is None
    (archive.folder / RESULT).mkdir()
    assert "unknown" in str(last_result(archive.folder))
    (archive.folder / RESULT).rmdir()
    archive.fold(extraction(1, post()))
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive.folder)])
    assert done.exit_code == 6, "its capture lies in no file"
    found = last_result(archive.folder)
    assert isinstance(found, Verified)
    assert (found.captures, found.whole, found.faults > 0) == (1, True, True)
    assert status(archive).exit_code == 6


def test_a_verification_that_broke_off_is_kept_as_a_failed_one(archive: Made) -> None:
    archive.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    page = archive.one("SELECT rootpage FROM sqlite_master WHERE name = 'revisions'")
    archive.close()
    with (archive.folder / "archive.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive.folder)])
    assert done.exit_code == 6
    found = last_result(archive.folder)
    assert isinstance(found, Verified)
    assert found.faults > 0


# --- the command ---


def keep(archive: Made, *faults: str) -> None:
    keep_result(archive.folder, {"verified_at": "2026-03-09T04:12:00Z", "captures": 12, "whole": True,
                                 "faults": faults})  # fmt: skip


def test_fresh_stale_and_damaged(archive: Made) -> None:
    visited(archive, ago(5))
    visited(archive, ago(50), clinic="harbour")
    visited(archive, ago(2), "failed", clinic="harbour", note="no such host")
    visited(archive, ago(900), clinic="mill")
    archive.db.execute("UPDATE clinics SET blog_status = CASE clinic_id WHEN 'mill' THEN 'closed' ELSE 'blog' END")
    keep(archive)
    done = status(archive, "--max-age", "3d")
    assert (done.exit_code, done.stderr) == (ExitCode.DONE, "")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["clinic", "standing", "observed"]
    assert [line.split()[:5] for line in lines[1:4]] == [
        ["harbour", "fresh", "2", "d", "ago"], ["mill", "closed", "38", "d", "ago"],
        ["riverside", "fresh", "5", "h", "ago"],
    ]  # fmt: skip
    assert "verified  2026-03-09 04:12, 12 captures: no faults" in lines

    done = status(archive, "--quiet")
    assert (done.exit_code, done.stdout) == (ExitCode.STALE, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("harbour: not observed for 2 d; last visit ")
    assert line.endswith(": failed, no such host")

    everything = status(archive, "--max-age", "0s", "--json")
    summary = json.loads(everything.stdout)
    assert (everything.exit_code, summary["exit_code"], summary["stale"]) == (7, 7, ["harbour", CLINIC])
    assert summary["clinics"]["harbour"]["status"] == "failed"
    assert summary["clinics"]["mill"]["standing"] == "closed"
    assert summary["verified"] == {"at": "2026-03-09T04:12:00Z", "captures": 12, "whole": True, "faults": 0}
    assert summary["disk"]["database"] > 0

    keep(archive, "post 1: its text differs from that of its revision 2")
    done = status(archive, "-q")
    assert done.exit_code == ExitCode.INTEGRITY, "damage comes before age"
    assert len(done.stderr.splitlines()) == 2
    assert "verified 2026-03-09 04:12, 12 captures: 1 fault" in done.stderr


def test_many_stale_clinics_are_a_line_a_kind(archive: Made) -> None:
    for number in range(25):
        visited(archive, ago(50), "failed" if number < 22 else "done", clinic=f"c{number:02}")
    archive.db.execute("UPDATE clinics SET blog_status = CASE clinic_id WHEN 'riverside' THEN 'closed' ELSE 'blog' END")
    done = status(archive, "--quiet")
    lists = f"`clinic-archive status --archive {archive.folder}` lists them"
    assert (done.exit_code, done.stderr.splitlines()) == (
        ExitCode.STALE,
        [
            f"22 times stale, last visit failed (c00, c01, c02 and 19 more); {lists}",
            f"3 times stale, last visit done (c22, c23, c24); {lists}",
        ],
    )
    assert len(json.loads(status(archive, "--json").stdout)["stale"]) == 25


def test_a_clinic_that_was_never_observed_is_named_with_what_it_met(archive: Made) -> None:
    visited(archive, ago(1), "failed", complete=0, failed=2)
    archive.db.execute("UPDATE clinics SET blog_status = 'blog'")
    done = status(archive, "-q")
    assert done.exit_code == 7
    assert done.stderr.startswith("riverside: never observed; last visit ")
    assert done.stderr.endswith(": failed, 2 posts could not be read\n")


def test_a_limited_visit_is_called_so(archive: Made) -> None:
    visited(archive, ago(1))
    archive.db.execute("UPDATE clinic_runs SET limited = 1")
    archive.db.execute("UPDATE clinics SET blog_status = 'blog'")
    keep(archive)
    done = status(archive)
    assert "done (limited)" in done.stdout
    assert done.stderr.endswith(": done (limited)\n")


def test_a_post_that_never_answers_makes_no_clinic_stale(archive: Made) -> None:
    visited(archive, ago(1), "done", complete=0, failed=1, waiting=3)
    assert status(archive, "-q").exit_code == 0
    visited(archive, ago(50), "done", complete=1)
    assert status(archive, "-q").exit_code == 0


@pytest.mark.parametrize("age", ["36", "soon", "-1h"])
def test_an_age_that_is_none_is_a_usage_error(archive: Made, age: str) -> None:
    assert status(archive, "--max-age", age).exit_code == 2


def test_an_archive_without_a_visit(archive: Made, tmp_path: Path) -> None:
    done = status(archive)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "riverside  not visited" in done.stdout
    archive.db.execute("DELETE FROM clinics")
    assert status(archive).stdout.startswith("No clinic has been visited yet.")
    none = CliRunner().invoke(main, ["status", "--archive", str(tmp_path / "none")])
    assert none.exit_code == 4


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, "never"), (-5, "0 min"), (59, "1 min"), (5399, "90 min"), (5400, "2 h"), (129600, "36 h"), (172800, "2 d")],
)
def test_ages_in_words(seconds: float | None, expected: str) -> None:
    assert age(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 kB"), (1499, "1 kB"), (2_500_000, "2.5 MB"), (1_234_567_890_000, "1,234.57 GB")]
)
def test_sizes_in_words(number: int, expected: str) -> None:
    assert size(number) == expected


# --- the page ---


def page(archive: Made, arguments: str = "") -> BeautifulSoup:
    answer = get(site_of(archive.folder), f"/-/status{arguments}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def words(tag: Any) -> str:
    return " ".join(tag.get_text(" ").split())


def test_the_page_says_what_the_command_says(archive: Made) -> None:
    visited(archive, ago(5))
    visited(archive, ago(50), "done", clinic="harbour")
    visited(archive, ago(2), "failed", clinic="harbour", note="no such <b>host</b>")
    archive.db.execute("UPDATE clinics SET blog_status = 'blog'")
    keep(archive, "a fault")
    html = page(archive)
    assert words(html.select_one(".lead")).startswith("1 of 2 clinics was not observed in the last 36 h.")
    first, second = html.select("tbody tr")
    assert words(first).startswith("harbour stale 2 d ago ")
    assert "no such <b>host</b>" in words(first)
    assert words(second).startswith("Riverside fresh 5 h ago ")
    facts_shown = dict(zip((words(term) for term in html.select(".facts dt")), html.select(".facts dd"), strict=True))
    assert words(facts_shown["Verified"]) == "2026-03-09 04:12, 12 captures: 1 fault"
    assert facts_shown["Verified"]["class"] == ["bad"]
    home = BeautifulSoup(get(site_of(archive.folder), "/").text, "html.parser")
    assert len(home.select('a[href="/-/status"]')) == 2


def test_the_page_lists_fifty_clinics_and_judges_all(archive: Made) -> None:
    visited(archive, ago(5))
    visited(archive, ago(50), clinic="zenith")
    values = [{"clinic_id": f"c{n:03}", "name": f"C{n:03}", "url": SITE, "blog_status": "unknown"} for n in range(100)]
    archive.db["clinics"].insert_all(values)
    archive.db.execute("UPDATE clinics SET blog_status = 'blog' WHERE clinic_id NOT GLOB 'c[0-9]*'")
    html = page(archive)
    assert words(html.select_one(".lead")).startswith("101 of 102 clinics were not observed in the last 36 h")
    assert len(html.select("tbody tr")) == 50
    assert words(html.select_one(".pager")) == "Page 1 of 3 Next"
    last = page(archive, "?page=3")
    assert [words(row.th) for row in last.select("tbody tr")] == ["zenith", "Riverside"]
    assert words(page(archive, "?page=99").select_one(".pager")) == "Previous Page 3 of 3"


def test_the_page_of_an_archive_without_visits(archive: Made) -> None:
    assert "There is no clinic with a blog to observe; 1 not visited." in words(page(archive).select_one(".lead"))
    archive.db.execute("DELETE FROM clinics")
    assert "No clinic has been visited yet." in words(page(archive).select_one(".lead"))


def test_a_sample_takes_no_fault_back(archive: Made) -> None:
    summary = {"verified_at": "2026-03-09T04:12:00Z", "captures": 12, "whole": True, "faults": ["x"]}
    sampled = {**summary, "verified_at": "2026-03-10T04:12:00Z", "captures": 2, "whole": False}
    keep_result(archive.folder, summary)
    keep_result(archive.folder, {**sampled, "faults": []})
    assert last_result(archive.folder) == Verified("2026-03-09T04:12:00Z", 12, True, 1)
    keep_result(archive.folder, {**sampled, "faults": ["x", "y"]})
    assert last_result(archive.folder) == Verified("2026-03-10T04:12:00Z", 2, False, 2)
    keep_result(archive.folder, {**summary, "faults": []})
    assert last_result(archive.folder) == Verified("2026-03-09T04:12:00Z", 12, True, 0)
