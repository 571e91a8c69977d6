"""What a scheduled crawl says, to cron and to a watcher outside, and to whom it never says the watcher's address."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hostile import Blog, redirect
from tests.e2e.killing import in_flight
from tests.e2e.product import Done, crawl, run
from tests.watching import SECRET, Watching, watching

VARIABLE = "CLINIC_ARCHIVE_PING_URL"


@pytest.fixture
def watcher() -> Iterator[Watching]:
    with watching() as server:
        yield server


def told(done: Done) -> tuple[int, str, list[str]]:
    return done.code, done.out, done.lines


def holding(archive: Path, secret: str) -> list[str]:
    """The archive's files that hold the text, packed or not."""
    found = []
    for path in archive.rglob("*"):
        if path.is_file():
            stored = path.read_bytes()
            plain = gzip.decompress(stored) if path.suffix == ".gz" else b""
            found += [path.name] if secret.encode() in stored + plain else []
    return found


def test_a_watcher_is_told_and_its_address_stays_secret(
    tmp_path: Path, blog: Blog, watcher: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is away, which changes nothing but a line in the log and one on stderr."""
    archive = tmp_path / "archive"
    watcher.statuses = [503]
    line = f"{watcher.base}/…: the watcher was not notified of the result: answered 503"
    assert told(crawl(archive, blog.url, "--ping-url", watcher.url)) == (0, "", [line])
    assert watcher.paths == ["/S/start", "/S/start", "/S", "/S"]
    log = (archive / "log" / "crawl.log").read_text("utf-8")
    assert (log.count(line), log.count("was not notified of the start: answered 503")) == (1, 1)
    watcher.statuses = [200]
    watcher.pings.clear()
    monkeypatch.setenv(VARIABLE, watcher.url)
    done = crawl(archive, blog.url, "--json", "-v")
    assert (done.code, watcher.paths) == (0, ["/S/start", "/S"])
    assert [ping.body for ping in watcher.pings] == ["", "exit code 0"]
    assert SECRET not in done.out + done.err
    assert holding(archive, "note-1") != []
    assert holding(archive, SECRET) == []


def test_a_problem_that_stays_is_told_once_and_counts_each_time(tmp_path: Path, blog: Blog, watcher: Watching) -> None:
    """In the log, to the watcher and by the exit code."""
    archive = tmp_path / "archive"
    blog.answers["/"] = redirect("file:///etc/hostname")
    first = crawl(archive, blog.url, "--ping-url", watcher.url)
    assert (first.code, len(first.lines)) == (3, 1)
    assert "failed" in first.err
    assert told(crawl(archive, blog.url, "--ping-url", watcher.url)) == (3, "", [])
    assert (archive / "log" / "crawl.log").read_text("utf-8").count(first.lines[0]) == 2
    assert watcher.paths == ["/S/start", "/S/fail"] * 2
    assert [ping.body for ping in watcher.pings[1::2]] == [f"exit code 3\n{first.lines[0]}"] * 2


def test_a_held_archive_pings_nobody_and_a_killed_run_never_ends(tmp_path: Path, blog: Blog, watcher: Watching) -> None:
    archive = tmp_path / "archive"
    with in_flight(archive, blog, "/post/note-2", "--ping-url", watcher.url) as going:
        assert watcher.paths == ["/S/start"]
        assert crawl(archive, blog.url, "--ping-url", watcher.url).code == 75
        assert watcher.paths == ["/S/start"]
        going.kill()
        going.communicate()
    again = crawl(archive, blog.url, "--ping-url", watcher.url)
    assert again.code == 0
    assert [line for line in again.lines if "an earlier run was killed" in line] == again.lines
    assert watcher.paths == ["/S/start", "/S/start", "/S"]
    assert watcher.pings[-1].body == "\n".join(["exit code 0", *again.lines])
    assert again.lines[0] in (archive / "log" / "crawl.log").read_text("utf-8")


def test_a_broken_configuration_is_seen_outside(
    tmp_path: Path, watcher: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clinics.toml").write_text("[clinics.x\n")
    monkeypatch.setenv(VARIABLE, watcher.url)
    done = run("clinic-archive", "crawl", cwd=tmp_path)
    assert (done.code, len(done.lines)) == (4, 1)
    assert watcher.paths == ["/S/fail"]
    assert watcher.pings[0].body == f"exit code 4\n{done.lines[0]}"
