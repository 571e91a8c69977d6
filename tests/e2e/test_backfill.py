"""History from before the first crawl, from a web archive on loopback that holds what the sample clinic once said."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.clinic import Clinic, running
from tests.e2e.product import Done, column, crawl, faults, rows, run, value_of
from tests.waiting import wait_until
from tests.wayback import Captured, WebArchive, serving


@dataclass
class Past:
    """The sample clinic, what a web archive remembers of it, and what a first crawl of today made.

    `filled`: a copy after a backfill, `done`, from `web`. Tests read both archives, or copy them.
    """

    clinic: Clinic
    archive: Path
    memory: list[Captured]
    web: WebArchive
    filled: Path
    done: Done
    edited: str
    removed: str
    renamed: tuple[str, str]
    old_text: str


def body(url: str) -> bytes:
    return httpx.get(url, headers={"Accept-Encoding": "identity"}).content


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    with running(folder / "clinic") as clinic:
        visible = [
            post for post in clinic.truth()["posts"]
            if post["counters"] == "shown" and post["variant"] == "g1-numbers" and not post["render_id"]
        ]  # fmt: skip
        edited, removed, renamed = visible[0], visible[1], visible[2]
        for post in clinic.truth()["posts"]:
            if post["slug"] not in [each["slug"] for each in visible[:4]]:
                clinic.control("delete", slug=post["slug"])
        memory = [
            Captured("20190504030201", edited["url"], body(edited["url"])),
            Captured("20190601000000", edited["url"], body(edited["url"])),  # its counter rose: another digest
            Captured("20200101000000", removed["url"], body(removed["url"])),
            Captured("20200101000001", renamed["url"], body(renamed["url"])),
        ]
        memory.append(Captured("20190601000009", edited["url"], memory[1].body))  # the same digest again
        old_text = next(line for line in edited["body_text"].split("\n"))
        clinic.control("edit", slug=edited["slug"], text="This paragraph was rewritten in 2021.")
        clinic.control("delete", slug=removed["slug"])
        moved = clinic.control("rename", slug=renamed["slug"])["slug"]
        new_url = f"{clinic.url}/post/{moved}"
        memory += [
            Captured("20210301000000", edited["url"], body(edited["url"])),
            Captured("20210301000001", removed["url"], b"<html>gone</html>", status=404),
            Captured("20210301000002", renamed["url"], b"", status=301, location=new_url),
            Captured("20210301000003", f"{clinic.url}/about", b"<html>not a post</html>"),
            Captured("20150129034904", edited["url"], b"too many", status=429),
        ]
        archive = folder / "archive"
        done = crawl(archive, clinic.url, "--limit", "3")
        assert done.code == 0, done.err
        filled = shutil.copytree(archive, folder / "filled")
        with serving(WebArchive(list(memory), page=3)) as web:
            done = backfill(filled, web, "--json")
            slugs = edited["slug"], removed["slug"], (renamed["slug"], moved)
            yield Past(clinic, archive, memory, web, filled, done, *slugs, old_text)


@pytest.fixture
def web(past: Past) -> Iterator[WebArchive]:
    with serving(WebArchive(list(past.memory), page=3)) as archive:
        yield archive


def backfill(archive: Path, web: WebArchive, *more: str, **how: Any) -> Done:
    slug = value_of(archive, "SELECT clinic_id FROM clinics")
    given = ["backfill", slug, "--from", "2015", "--web-archive", web.url, "--allow-private", "--archive", archive]
    return run("clinic-archive", *given, *more, cwd=archive, **how)


@pytest.fixture
def filled(past: Past, tmp_path: Path) -> Path:
    return shutil.copytree(past.filled, tmp_path / "archive")


@pytest.fixture
def archive(past: Past, tmp_path: Path) -> Path:
    return shutil.copytree(past.archive, tmp_path / "archive")


def post_of(archive: Path, url: str) -> int:
    return int(value_of(archive, "SELECT post_id FROM post_addresses WHERE address = ?", url))


def test_texts_and_counters_stand_at_their_own_date(past: Past) -> None:
    done, archive = past.done, past.filled
    assert (done.code, done.err) == (0, "")
    assert done.json["backfill"] == {"listed": 8, "chosen": 7, "known": 0, "missing": 0, "blocked": 0}
    post_id = post_of(archive, f"{past.clinic.url}/post/{past.edited}")
    texts = rows(
        archive, "SELECT kind, captured_at, body_text FROM revisions WHERE post_id = ? ORDER BY captured_at", post_id
    )
    assert [(text["kind"], text["captured_at"]) for text in texts] == [
        ("first", "2019-05-04T03:02:01.000000Z"), ("content", "2021-03-01T00:00:00.000000Z")
    ]  # fmt: skip
    assert past.old_text in texts[0]["body_text"]
    (post,) = rows(archive, "SELECT * FROM posts WHERE post_id = ?", post_id)
    assert (post["first_seen_at"], post["first_seen_origin"]) == (
        "2019-05-04T03:02:01.000000Z", past.web.url.removeprefix("http://")
    )  # fmt: skip
    views = column(
        archive,
        "SELECT views FROM readings WHERE post_id = ? AND source = 'html' AND read_at < '2022' ORDER BY read_at",
        post_id,
    )
    assert views == sorted(views) and len(set(views)) == 3
    assert faults(archive) == []


def test_each_row_leads_to_the_answer_of_the_web_archive(past: Past) -> None:
    web, archive = past.web, past.filled
    found = rows(archive, "SELECT * FROM captures WHERE retrieved_from IS NOT NULL")
    assert len(found) == 7
    for row in found:
        assert row["retrieved_from"].startswith(f"{web.url}/web/")
        assert row["url"] == row["retrieved_from"].partition("id_/")[2]
        assert row["fetched_at"] < "2022" < row["retrieved_at"]
    assert run("clinic-archive", "verify", "--archive", archive, cwd=archive) == Done(0, "", "")


def test_a_removal_and_a_rename_of_the_past(past: Past) -> None:
    archive = past.filled
    removed = post_of(archive, f"{past.clinic.url}/post/{past.removed}")
    sql = "SELECT answered, seen_at FROM absences WHERE post_id = ?"
    assert {"answered": "404", "seen_at": "2021-03-01T00:00:01.000000Z"} in rows(archive, sql, removed)
    assert value_of(archive, "SELECT body_text FROM posts WHERE post_id = ?", removed)
    old, new = (post_of(archive, f"{past.clinic.url}/post/{quote(slug)}") for slug in past.renamed)
    assert old == new


def test_rebuild_equals_it(filled: Path) -> None:
    done = run("clinic-archive", "rebuild", "--archive", filled, "--json", cwd=filled)
    assert (done.code, done.json["differs"]) == (0, [])


def test_a_second_backfill_asks_for_lists_alone(past: Past, filled: Path) -> None:
    before, mementos = value_of(filled, "SELECT count(*) FROM readings"), len(past.web.mementos())
    done = backfill(filled, past.web, "--json")
    assert (done.code, done.json["backfill"]["known"]) == (0, 7)
    assert len(past.web.mementos()) == mementos
    assert value_of(filled, "SELECT count(*) FROM readings") == before


def test_what_cannot_be_had_is_one_line(web: WebArchive, archive: Path) -> None:
    web.missing, web.blocked, web.soft = {"20190601000000"}, {"20200101000000"}, {"20200101000001"}
    done = backfill(archive, web, "--json")
    assert done.code == 0
    (line,) = done.lines
    assert "3 captures" in line and "2 missing, 1 blocked" in line
    kinds = column(archive, "SELECT kind FROM problems WHERE url LIKE ? ORDER BY kind", f"{web.url}/%")
    assert kinds == ["blocked-capture", "no-capture", "no-capture"]
    assert run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=archive).json["differs"] == []


def test_a_redirect_of_the_archives_own_is_followed(past: Past, web: WebArchive, archive: Path) -> None:
    """The list names a capture, the archive shows the nearest: what it shows stands at that one's date."""
    named = next(item for item in web.captures if item.stamp == "20200101000000")
    web.captures.append(Captured("20200102000000", named.url, named.body))
    web.unlisted, web.moved = {"20200102000000"}, {"20200101000000": "20200102000000"}
    done = backfill(archive, web, "--json")
    assert (done.code, done.err, done.clinic["fetched"]) == (0, "", 7)
    moments = column(archive, "SELECT fetched_at FROM captures WHERE fetched_at LIKE '2020-01-0%' ORDER BY 1")
    assert moments == ["2020-01-01T00:00:01.000000Z", "2020-01-02T00:00:00.000000Z"]
    assert backfill(archive, web, "--json").json["backfill"]["known"] == 7


def test_a_busy_archive_is_waited_for(web: WebArchive, archive: Path) -> None:
    web.busy = 2
    done = backfill(archive, web, "--json")
    assert (done.code, done.clinic["fetched"]) == (0, 7)


def test_captures_that_cannot_be_read_are_requested_again(web: WebArchive, archive: Path) -> None:
    whole = list(web.captures)
    changed = {"20190504030201": b"\xff" * 9, "20190601000000": gzip.compress(b"<html>" * 9)[:-12]}
    web.captures[:] = [
        replace(each, coding="gzip", body=changed[each.stamp]) if each.stamp in changed else each for each in whole
    ]
    done = backfill(archive, web, "--json")
    assert (done.json["backfill"]["known"], done.clinic["fetched"], done.clinic["failed"]) == (
        0,
        6,
        2,
    )  # the digest after a bad one differs, too
    assert column(archive, "SELECT kind FROM problems WHERE message LIKE '%requests it again'") == [
        "undecodable", "cut-short"
    ]  # fmt: skip
    web.captures[:] = whole
    done = backfill(archive, web, "--json")
    assert (done.code, done.json["backfill"]["known"], done.clinic["fetched"]) == (0, 5, 2)
    assert backfill(archive, web, "--json").json["backfill"]["known"] == 7
    assert run("clinic-archive", "verify", "--archive", archive, cwd=archive) == Done(0, "", "")
    assert run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=archive).json["differs"] == []


def test_a_blocked_site(web: WebArchive, archive: Path) -> None:
    web.block_lists = True
    done = backfill(archive, web)
    assert done.code == 3
    assert "its owner asked" in done.err


def test_nothing_listed(web: WebArchive, archive: Path) -> None:
    web.captures.clear()
    done = backfill(archive, web)
    assert done.code == 3
    assert "lists no capture" in done.err


def test_a_limit_and_then_the_rest(web: WebArchive, archive: Path) -> None:
    assert backfill(archive, web, "--limit", "2", "--json").clinic["fetched"] == 2
    assert backfill(archive, web, "--json").clinic["fetched"] == 5
    assert value_of(archive, "SELECT count(*) FROM captures WHERE retrieved_from IS NOT NULL") == 7


def test_killed_and_run_again(past: Past, web: WebArchive, archive: Path) -> None:
    def kill_at_third(pid: int) -> None:
        wait_until(lambda: len(web.mementos()) >= 3)
        os.kill(pid, signal.SIGKILL)

    killed = backfill(archive, web, "--delay", "0.2", begin=kill_at_third)
    assert killed.code == -signal.SIGKILL
    done = backfill(archive, web)
    assert done.code == 0, done.err
    assert len(web.mementos()) <= 7 + 1  # the one under way when it was killed
    for table in ("revisions", "readings", "absences"):
        sql = f"SELECT count(*) FROM {table}"
        assert value_of(archive, sql) == value_of(past.filled, sql), table
    assert run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=archive).json["differs"] == []


def test_an_unknown_clinic(archive: Path) -> None:
    done = run("clinic-archive", "backfill", "nobody", "--from", "2015", "--archive", archive, cwd=archive)
    assert done.code == 4
    assert "nobody" in done.err
