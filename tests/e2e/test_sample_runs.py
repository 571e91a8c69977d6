"""How a crawl behaves as a process: what it prints, when it refuses, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sqlite3
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pipelines.run.capacity import FILES_EACH, FILES_KEPT
from tests.clinic import Clinic, running
from tests.e2e.conftest import Crawled
from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.killing import in_flight, is_answered
from tests.e2e.product import column, crawl, faults, rows, run, start_crawl, value_of
from tests.waiting import HANG, logged, wait_until, warc_bytes


def test_silence_on_success(clinic: Clinic, tmp_path: Path) -> None:
    done = crawl(tmp_path / "archive", clinic.url, "--limit", "3")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_limit_takes_the_newest(clinic: Clinic, tmp_path: Path) -> None:
    done = crawl(tmp_path / "archive", clinic.url, "--limit", "3", "--json")
    readable = sorted(clinic.truth()["posts"], key=lambda post: post["published_at"], reverse=True)
    newest = [post["url"] for post in readable if post["access"] == "public" and not post["deleted"]][:3]
    stored = column(tmp_path / "archive", "SELECT url FROM posts ORDER BY published_at DESC")
    assert stored == newest
    assert done.clinic["fetched"] == 3


def test_a_limited_run_is_no_evidence_of_completeness(clinic: Clinic, tmp_path: Path) -> None:
    crawl(tmp_path / "archive", clinic.url, "--limit", "3")
    assert column(tmp_path / "archive", "SELECT complete FROM clinic_runs") == [0]


def test_json_prints_one_object(first: Crawled) -> None:
    assert len(first.done.out.splitlines()) == 1
    found = json.loads(first.done.out)
    assert found["exit_code"] == 0
    assert list(found["clinics"]) == [re.sub(r"[.:]", "-", first.url.removeprefix("http://"))]


def test_the_summary_counts_what_is_there(first: Crawled) -> None:
    numbers = first.done.clinic
    for table in ("posts", "readings", "comments"):
        assert numbers[table] == value_of(first.archive, f"SELECT count(*) FROM {table}"), table
    assert numbers["requests"] == value_of(first.archive, "SELECT count(*) FROM captures")
    assert numbers["warc_bytes"] == value_of(first.archive, "SELECT sum(warc_length) FROM captures")


def test_verbose_prints_the_log(clinic: Clinic, tmp_path: Path) -> None:
    done = crawl(tmp_path / "archive", clinic.url, "--limit", "1", "-v")
    assert (done.code, done.out) == (0, "")
    assert "[scrapy.core.engine] INFO: Spider closed (finished)" in done.err


def test_without_the_option_the_log_is_in_the_archive(first: Crawled) -> None:
    log = (first.archive / "log" / "crawl.log").read_text("utf-8")
    assert "Spider closed (finished)" in log
    assert "Traceback" not in log


def test_a_second_process_is_refused_while_the_first_writes(tmp_path: Path, blog: Blog) -> None:
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/post/note-2") as going:
        refused = crawl(archive, blog.url)
        assert refused.code == 75
        assert len(refused.lines) == 1
        assert "another run" in refused.err
    out, err = going.communicate(timeout=HANG)
    assert (going.returncode, out, err) == (0, "", "")
    assert sorted(blog.paths) == sorted(set(blog.paths))
    assert value_of(archive, "SELECT count(*) FROM posts") == 3
    assert value_of(archive, "SELECT count(*) FROM crawls") == 1


def posts_now(archive: Path) -> int:
    """Posts committed so far; 0 while there is no archive."""
    try:
        return int(value_of(archive, "SELECT count(*) FROM posts"))
    except sqlite3.Error:  # no file, or no table in it yet
        return 0


def test_killed_in_the_middle_and_started_again(clinic: Clinic, tmp_path: Path) -> None:
    """Everything there, nothing double, the WARC whole; one line tells what was mended."""
    archive = tmp_path / "archive"
    going = start_crawl(archive, clinic.url)
    wait_until(lambda: warc_bytes(archive) > 12_000_000, going)
    assert going.poll() is None, "the crawl was over before it could be killed"
    going.kill()
    going.communicate()
    answered = posts_now(archive)
    again = crawl(archive, clinic.url, "--json")
    assert again.code == 0, again.err
    assert [line for line in again.lines if "folded in" in line]
    assert faults(archive) == []
    truth = [post for post in clinic.truth()["posts"] if post["access"] == "public" and not post["deleted"]]
    assert value_of(archive, "SELECT count(*) FROM posts") == len(truth) >= answered
    assert column(archive, "SELECT kind FROM revisions WHERE source = 'html' AND kind != 'first'") == []
    comments = [comment["id"] for post in truth for comment in post["comments"]]
    assert sorted(column(archive, "SELECT platform_comment_id FROM comments")) == sorted(comments)
    asked_once = "SELECT count(*) FROM captures GROUP BY capture_id HAVING count(*) > 1"
    assert rows(archive, asked_once) == []
    cleared = crawl(archive, clinic.url, "--limit", "1")
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


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle(clinic: Clinic, tmp_path: Path, which: signal.Signals) -> None:
    """Ctrl-C or SIGTERM: 130, what was read is stored, the next run continues."""
    archive = tmp_path / "archive"
    going = start_crawl(archive, clinic.url, "--delay", "0.05")
    wait_until(lambda: warc_bytes(archive) > 8_000_000, going)
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


def test_without_the_known_addresses_the_rest_is_still_crawled(tmp_path: Path) -> None:
    """`--no-api`: bodies from the pages; views of placeholder pages are unknown, never 0."""
    with running(tmp_path / "clinic", api=False) as clinic:
        stanza = f'[clinics.c]\nname = "C"\nurl = "{clinic.url}"\nallow_private = true\nrender = "never"\n'
        (tmp_path / "clinics.toml").write_text(stanza)
        done = crawl(tmp_path / "archive", clinic.url, "--json")
        truth = clinic.truth()
    assert done.code == 0
    archive = tmp_path / "archive"
    readable = [post for post in truth["posts"] if post["access"] == "public"]
    assert value_of(archive, "SELECT count(*) FROM posts") == len(readable)
    silent = {post["post_id"] for post in readable if post["variant"].startswith("g2")}
    sql = (
        "SELECT address FROM readings JOIN post_addresses USING (post_id) WHERE kind = 'wix uuid' AND"
        " (views IS NOT NULL OR comments_count IS NOT NULL)"
    )
    counted = {address.removeprefix("wix:") for address in column(archive, sql)}
    assert silent
    assert not counted & silent
    assert value_of(archive, "SELECT count(*) FROM comments") == 0
    assert faults(archive) == []
    requests = value_of(archive, "SELECT count(*) FROM captures WHERE url LIKE '%/_api/%'")
    assert requests < 20, "a closed API is asked a handful of times, not for each post"


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


def test_who_was_not_begun_is_told_and_comes_first_the_next_time(tmp_path: Path) -> None:
    archive, toml = tmp_path / "archive", '[crawler]\ncontact = "a@uni.edu"\nproject_url = "https://uni.edu"\n'
    with ExitStack() as stack:
        blogs = [stack.enter_context(serving(Blog())) for _ in range(10)]
        for number, blog in enumerate(blogs):
            for path, reply in list(blog.answers.items()):
                assert isinstance(reply, Reply)
                blog.answers[path] = replace(reply, wait=1.5)  # a visit takes longer than the run may
            toml += f'[clinics.c{number}]\nname = "C"\nurl = "{blog.url}"\nallow_private = true\n'
        (tmp_path / "clinics.toml").write_text(toml)
        files = FILES_KEPT + 8 * FILES_EACH  # so that eight clinics are visited at once
        few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files))
        done = crawl(archive, None, "--time-limit", "6s", "--json", preexec=few)
        assert (done.code, done.json["not_begun"]) == (130, ["c8", "c9"])
        line = "2 of 10 clinics not begun when its time limit ended the run: c8, c9; the next run begins with"
        assert [item for item in done.lines if item.startswith(line)] == done.lines[:1]
        assert [len(blog.asked) for blog in blogs[8:]] == [0, 0]
        assert value_of(archive, "SELECT count(*) FROM clinics") == 10
        again = crawl(archive, None, "--time-limit", "6s", "--json", preexec=few)
        assert again.json["not_begun"] == ["c6", "c7"]
        assert all(blog.asked for blog in blogs)


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


def test_a_large_log_is_put_aside(clinic: Clinic, tmp_path: Path) -> None:
    log = tmp_path / "archive" / "log" / "crawl.log"
    log.parent.mkdir(parents=True)
    log.write_text("old\n" * 1_500_000)
    assert crawl(tmp_path / "archive", clinic.url, "--limit", "1").code == 0
    assert log.with_name("crawl.log.1").read_text().startswith("old\n")
    assert "old" not in log.read_text()


def test_what_a_run_makes_is_writable_by_nobody_else(clinic: Clinic, tmp_path: Path) -> None:
    open_to_all = {"cwd": tmp_path, "preexec": lambda: os.umask(0)}
    assert crawl(tmp_path / "archive", clinic.url, "--limit", "1", preexec=open_to_all["preexec"]).code == 0
    for verb in (("verify",), ("export", "--all", tmp_path / "archive" / "exports")):
        done = run("clinic-archive", *verb, "--archive", tmp_path / "archive", **open_to_all)
        assert done.code == 0, done.err
    made = list((tmp_path / "archive").rglob("*"))
    assert made
    assert [path for path in made if path.stat().st_mode & 0o022] == []
