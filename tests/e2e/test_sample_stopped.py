"""A crawl that is killed, signalled or out of time: what was read is stored, and the next run goes on."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clinic import Clinic, running
from tests.e2e.fault_cases import keep_few
from tests.e2e.hostile import Blog, Reply
from tests.e2e.killing import in_flight, is_answered
from tests.e2e.product import column, crawl, faults, rows, start_crawl, value_of
from tests.soak import SOAK
from tests.waiting import HANG, logged, wait_until


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The clinic with a few posts of each kind, to crawl again and again; all of them with SOAK."""
    with running(tmp_path_factory.mktemp("few")) as clinic:
        if not SOAK:
            keep_few(clinic)
        yield clinic


def middle(clinic: Clinic) -> str:
    """The address of a post that a crawl reads when it has read about half of them: it begins with the newest."""
    posts = [post for post in clinic.truth()["posts"] if post["access"] == "public" and not post["deleted"]]
    return str(next(post["url"] for post in posts[len(posts) // 2 :] if post["slug"].isascii()))


def posts_now(archive: Path) -> int:
    """Posts committed so far; 0 while there is no archive."""
    try:
        return int(value_of(archive, "SELECT count(*) FROM posts"))
    except sqlite3.Error:  # no file, or no table in it yet
        return 0


def test_killed_in_the_middle_and_started_again(few: Clinic, tmp_path: Path) -> None:
    """Everything there, nothing double, the WARC whole; one line tells what was mended."""
    archive = tmp_path / "archive"
    half = middle(few)
    going = start_crawl(archive, few.url, "--delay", "0.1")
    wait_until(lambda: is_answered(archive, half), going)
    assert going.poll() is None, "the crawl was over before it could be killed"
    going.kill()
    going.communicate()
    answered = posts_now(archive)
    again = crawl(archive, few.url, "--json")
    assert again.code == 0, again.err
    assert [line for line in again.lines if "folded in" in line]
    assert faults(archive) == []
    truth = [post for post in few.truth()["posts"] if post["access"] == "public" and not post["deleted"]]
    assert value_of(archive, "SELECT count(*) FROM posts") == len(truth) >= answered
    assert column(archive, "SELECT kind FROM revisions WHERE source = 'html' AND kind != 'first'") == []
    comments = [comment["id"] for post in truth for comment in post["comments"]]
    assert sorted(column(archive, "SELECT platform_comment_id FROM comments")) == sorted(comments)
    asked_once = "SELECT count(*) FROM captures GROUP BY capture_id HAVING count(*) > 1"
    assert rows(archive, asked_once) == []
    cleared = crawl(archive, few.url, "--limit", "1")
    assert [line for line in cleared.lines if "folded in" in line or "torn" in line] == []


def test_a_killed_run_does_not_stay_running(tmp_path: Path, blog: Blog) -> None:
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/post/note-2") as going:
        going.kill()
        going.communicate()
    assert crawl(archive, blog.url, "--limit", "1").code == 0
    statuses = column(archive, "SELECT status FROM clinic_runs ORDER BY started_at")
    assert len(statuses) == 2
    assert statuses[0] != "running"
    assert statuses[1] == "done"


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM] if SOAK else [signal.SIGINT])
def test_stopped_in_the_middle(few: Clinic, tmp_path: Path, which: signal.Signals) -> None:
    """Ctrl-C or SIGTERM: 130, what was read is stored, the next run continues."""
    archive = tmp_path / "archive"
    half = middle(few)
    going = start_crawl(archive, few.url, "--delay", "0.1")
    wait_until(lambda: is_answered(archive, half), going)
    going.send_signal(which)
    out, err = going.communicate(timeout=HANG)
    assert (going.returncode, out) == (130, "")
    assert len(err.splitlines()) == 1
    assert "ended early by a signal" in err
    assert faults(archive) == []
    assert value_of(archive, "SELECT count(*) FROM posts") > 0
    (run,) = rows(archive, "SELECT status, complete, ended_at FROM clinic_runs")
    assert (run["status"], run["complete"]) == ("cut-short", 0)
    assert run["ended_at"]
    (whole,) = rows(archive, "SELECT exit_code FROM crawls")
    assert whole["exit_code"] == 130


def test_a_second_signal_ends_it_at_once(tmp_path: Path, blog: Blog) -> None:
    """The first waits for the page in flight, which never comes; nothing that was recorded is lost."""
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/post/note-2") as going:
        going.send_signal(signal.SIGTERM)
        wait_until(lambda: logged(archive, "Closing spider (shutdown)"), going)
        assert going.poll() is None
        going.send_signal(signal.SIGTERM)
        _, err = going.communicate(timeout=HANG)
    assert going.returncode == 130
    assert err.endswith(": ended early by a second signal; what was read is stored, the next run continues\n")
    again = crawl(archive, blog.url, "--due")
    assert again.code == 0
    assert "recorded answers folded in" in again.lines[0]
    assert blog.paths.count("/post/note-1") + blog.paths.count("/post/note-3") == 2  # none is read twice
    assert column(archive, "SELECT status FROM clinic_runs ORDER BY started_at") == ["cut-short", "done"]
    assert value_of(archive, "SELECT count(*) FROM posts") == 3
    assert faults(archive) == []


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/post/note-2", Reply(b"", 503, headers=(("Retry-After", "100"),))),
        ("/robots.txt", Reply(b"User-agent: *\nCrawl-delay: 50\n", kind="text/plain")),
    ],
    ids=["retry-after", "crawl-delay"],
)
def test_a_signal_does_not_wait_for_a_pause(tmp_path: Path, blog: Blog, path: str, reply: Reply) -> None:
    """Long before systemd would kill it; what was to be asked next is not asked."""
    archive = tmp_path / "archive"
    blog.answers[path] = reply
    going = start_crawl(archive, blog.url)
    try:
        wait_until(lambda: is_answered(archive, blog.url + path), going)
        going.send_signal(signal.SIGTERM)
        _, err = going.communicate(timeout=45)  # the shorter of the pauses takes 50 s
    finally:
        going.kill()
        going.wait()
    assert blog.paths.index(path) == len(blog.paths) - 1
    assert going.returncode == 130
    assert "ended early by a signal; what was read is stored, the next run continues" in err
    assert column(archive, "SELECT status FROM clinic_runs") == ["cut-short"]
    assert faults(archive) == []


def test_a_run_ends_at_its_time_limit(clinic: Clinic, tmp_path: Path) -> None:
    """Cleanly: what was read is kept, and the next run goes on."""
    archive = tmp_path / "archive"
    done = crawl(archive, clinic.url, "--delay", "0.5", "--time-limit", "4s")
    assert done.code == 130
    assert len(done.lines) == 1
    assert "ended early by the time limit; what was read is stored, the next run continues" in done.err
    assert faults(archive) == []
    assert column(archive, "SELECT status FROM clinic_runs") == ["cut-short"]
    assert value_of(archive, "SELECT count(*) FROM captures") >= 1


def test_the_first_signal_after_the_limit_waits_for_the_page_in_flight_too(tmp_path: Path, blog: Blog) -> None:
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/post/note-2", "--time-limit", "6s") as going:
        wait_until(lambda: logged(archive, "Closing spider (shutdown)"), going)
        going.send_signal(signal.SIGTERM)
        wait_until(lambda: logged(archive, "Received SIGTERM"), going)
        assert going.poll() is None
    _, err = going.communicate(timeout=HANG)
    assert (going.returncode, "ended early by the time limit; " in err) == (130, True)
    assert rows(archive, "SELECT status, note FROM clinic_runs") == [
        {"status": "cut-short", "note": "ended early by the time limit"}
    ]


def test_a_limit_that_passes_while_a_visit_is_set_up_ends_it_too(clinic: Clinic, tmp_path: Path) -> None:
    done = crawl(tmp_path / "archive", clinic.url, "--time-limit", "0.01s")
    assert (done.code, len(done.lines)) == (130, 1)
    refused = crawl(tmp_path / "other", clinic.url, "--time-limit", "0s")
    assert refused.code == 2
    assert not (tmp_path / "other").exists()
