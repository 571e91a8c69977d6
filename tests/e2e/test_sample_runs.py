"""How a crawl behaves as a process: what it prints, what it counts, and when it refuses."""

from __future__ import annotations

import json
import os
import re
import resource
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pipelines.run.capacity import FILES_EACH, FILES_KEPT
from tests.clinic import Clinic, running
from tests.e2e.conftest import Crawled
from tests.e2e.fault_cases import keep_few
from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.killing import good, in_flight
from tests.e2e.product import column, crawl, faults, value_of
from tests.soak import SOAK
from tests.waiting import HANG


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


def test_without_the_known_addresses_the_rest_is_still_crawled(tmp_path: Path) -> None:
    """`--no-api`: bodies from the pages; views of placeholder pages are unknown, never 0."""
    with running(tmp_path / "clinic", api=False) as clinic:
        if not SOAK:
            keep_few(clinic, {post["slug"] for post in clinic.truth()["posts"][::2]})
        stanza = f'[clinics.c]\nname = "C"\nurl = "{clinic.url}"\nallow_private = true\nrender = "never"\n'
        (tmp_path / "clinics.toml").write_text(stanza)
        done = crawl(tmp_path / "archive", clinic.url, "--json")
        truth = clinic.truth()
    assert done.code == 0
    archive = tmp_path / "archive"
    readable = [post for post in truth["posts"] if post["access"] == "public" and not post["deleted"]]
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
    assert requests < 20 < len(readable), "a closed API is asked a handful of times, not for each post"


def test_who_was_not_begun_is_told_and_comes_first_the_next_time(tmp_path: Path) -> None:
    archive, toml = tmp_path / "archive", '[crawler]\ncontact = "a@uni.edu"\nproject_url = "https://uni.edu"\n'
    with ExitStack() as stack:
        blogs = [stack.enter_context(serving(Blog())) for _ in range(5)]
        for number, blog in enumerate(blogs):
            for path, reply in list(blog.answers.items()):
                assert isinstance(reply, Reply)
                blog.answers[path] = replace(reply, wait=1.5)  # a visit takes longer than the run may
            toml += f'[clinics.c{number}]\nname = "C"\nurl = "{blog.url}"\nallow_private = true\n'
        (tmp_path / "clinics.toml").write_text(toml)
        files = FILES_KEPT + 3 * FILES_EACH  # so that three clinics are visited at once
        few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files))
        done = crawl(archive, None, "--time-limit", "6s", "--json", preexec=few)
        assert (done.code, done.json["not_begun"]) == (130, ["c3", "c4"])
        line = "2 of 5 clinics not begun when its time limit ended the run: c3, c4; the next run begins with"
        assert [item for item in done.lines if item.startswith(line)] == done.lines[:1]
        assert [len(blog.asked) for blog in blogs[3:]] == [0, 0]
        assert value_of(archive, "SELECT count(*) FROM clinics") == 5
        again = crawl(archive, None, "--time-limit", "6s", "--json", preexec=few)
        assert again.json["not_begun"] == ["c1", "c2"]
        assert all(blog.asked for blog in blogs)


def test_a_large_log_is_put_aside(clinic: Clinic, tmp_path: Path) -> None:
    log = tmp_path / "archive" / "log" / "crawl.log"
    log.parent.mkdir(parents=True)
    log.write_text("old\n" * 1_500_000)
    assert crawl(tmp_path / "archive", clinic.url, "--limit", "1").code == 0
    assert log.with_name("crawl.log.1").read_text().startswith("old\n")
    assert "old" not in log.read_text()


@pytest.fixture
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_to_all")
def test_what_a_run_makes_is_writable_by_nobody_else(clinic: Clinic, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    assert crawl(archive, clinic.url, "--limit", "1", preexec=lambda: None).code == 0  # not from the warm process
    good("verify", "--archive", archive)
    good("export", "--all", archive / "exports", "--archive", archive)
    made = list(archive.rglob("*"))
    assert made
    assert [path for path in made if path.stat().st_mode & 0o022] == []
