"""What allowed a fetch can be said of each capture: in a crawl of a real server whose rules change."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.db import DATABASE
from tests.e2e.hostile import Blog, Reply, redirect, serving
from tests.e2e.product import column, crawl, run, value_of

Row = dict[str, str]
RULES = [f"User-agent: *\nDisallow: /private\nCrawl-delay: 0.0{number}\n".encode() for number in (1, 2)]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two visits, the first of which is redirected to robots.txt; and the address of a post."""
    archive = tmp_path_factory.mktemp("policy") / "archive"
    with serving(Blog()) as blog:
        post = blog.answers["/post/note-1"]
        assert isinstance(post, Reply) and isinstance(post.body, bytes)
        answer = post.body.replace(b"</head>", b'<meta name="robots" content="noarchive"/></head>')
        blog.answers["/post/note-1"] = replace(post, body=answer, headers=(("X-Robots-Tag", "nosnippet"),))
        blog.answers["/rules.txt"] = Reply(RULES[0], kind="text/plain")
        blog.answers["/robots.txt"] = redirect("/rules.txt")
        assert crawl(archive, blog.url).code == 0
        blog.answers["/robots.txt"] = Reply(RULES[1], kind="text/plain")
        assert crawl(archive, blog.url, "--all").code == 0
    return archive, f"{blog.url}/post/note-1"


def asked(archive: Path, capture: str) -> list[Row]:
    """The answers to the question, oldest first."""
    target = archive.parent / "answer.csv"
    done = run(
        "clinic-archive", "export", "what_allowed_this_fetch", "--archive", archive, "--param", f"capture={capture}",
        "-o", target, cwd=archive.parent,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))[::-1]


def test_the_rules_in_force_the_delay_and_the_user_agent(crawled: tuple[Path, str]) -> None:
    archive, url = crawled
    first, second = asked(archive, url)
    for row, rules, delay, path in ((first, RULES[0], "0.01", "/rules.txt"), (second, RULES[1], "0.02", "/robots.txt")):
        assert (row["allowed_by"], row["robots_status"], row["delay"]) == ("robots.txt", "200", delay)
        assert (row["robots_url"].endswith(path), row["robots_sha256"]) == (True, hashlib.sha256(rules).hexdigest())
        assert (row["x_robots_tag"], row["robots_meta"]) == ("nosnippet", "noarchive")
        assert "clinic-blog-archive" in row["user_agent"]
        assert row["robots_fetched_at"] < row["fetched_at"]
    assert asked(archive, first["capture_id"]) == [first]
    assert [row["allowed_by"] for row in asked(archive, url.replace("post/note-1", "robots.txt"))] == [
        "is robots.txt", "is robots.txt",
    ]  # fmt: skip


def test_it_follows_from_the_recorded_bytes(crawled: tuple[Path, str]) -> None:
    archive, url = crawled
    before = asked(archive, url)
    for command in ("verify", "rebuild"):
        done = run("clinic-archive", command, "--archive", archive, "--json", cwd=archive.parent)
        assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["differs"] == []
    assert asked(archive, url) == before


def test_rows_of_before_say_nothing_until_they_are_made_again(crawled: tuple[Path, str]) -> None:
    archive, url = crawled
    before = asked(archive, url)
    slug = value_of(archive, "SELECT clinic_id FROM clinics")
    with closing(sqlite3.connect(archive / DATABASE)) as db, db:
        for view in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
            db.execute(f"DROP VIEW [{view[0]}]")
        for name, column in (
            ("captures", "x_robots_tag"), ("captures", "robots_meta"), ("clinic_runs", "user_agent"),
            ("clinic_runs", "delay"),
        ):  # fmt: skip
            db.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm017_policy_record'")
    done = run("clinic-archive", "reparse", slug, "--dry-run", "--archive", archive, cwd=archive.parent)  # migrates
    assert (done.code, done.err) == (0, "")
    for row in asked(archive, url):
        assert (row["delay"], row["user_agent"], row["x_robots_tag"], row["robots_meta"]) == ("", "", "", "")
        assert row["allowed_by"] == "robots.txt"  # as the captures say
    assert run("clinic-archive", "verify", "--archive", archive, cwd=archive.parent).code == 0
    assert run("clinic-archive", "reparse", "--archive", archive, cwd=archive.parent).code == 0
    assert asked(archive, url) == before


def test_what_was_refused_and_what_has_no_rules(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        blog.answers["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /post/note-2\n", kind="text/plain")
        crawl(archive, blog.url)
        blog.answers["/robots.txt"] = Reply(b"", 404)
        crawl(archive, blog.url, "--all")
    (refused, fetched) = asked(archive, f"{blog.url}/post/note-2")
    assert (refused["allowed_by"], fetched["allowed_by"], fetched["robots_status"]) == (
        "refused", "no robots.txt", "404",
    )  # fmt: skip
    assert {*column(archive, "SELECT allowed_by FROM fetch_policies")} == {
        "refused", "no robots.txt", "robots.txt", "is robots.txt",
    }  # fmt: skip
