"""A published copy: of one moment, whole, in a file that needs nothing beside it, and shown as soon as it is there."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from archive.backup.published import FOLDER, NotWhole, publish
from archive.db import DATABASE
from archive.site.pages import query_cache
from archive.site.pages.query_cache import QueryCache
from pipelines.commands import main
from pipelines.run.locking import lock_archive
from tests.e2e.browsing import serving
from tests.e2e.product import column
from tests.e2e.reading import Readers, pages
from tests.making import Made, extraction, post, url
from tests.soak import SOAK
from tests.waiting import HANG, wait_until


def published(archive: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["publish", "--archive", str(archive), *options])


@pytest.fixture
def written(archive: Made) -> Made:
    """An archive that a writer holds, with one post."""
    archive.crawl("run")
    archive.fold(extraction(1, post(views=1)), crawl_id="run")
    return archive


def write_post(archive: Made, number: int) -> None:
    item = post(f"p{number}", text=f"Text {number}.", title=f"Title {number}", addresses=(url(f"p{number}"),))
    archive.fold(extraction(number, item), crawl_id="run")


def test_a_copy_is_the_archive_as_it_was_in_one_file(written: Made) -> None:
    done = published(written.folder, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    copy = written.folder / FOLDER / DATABASE
    assert json.loads(done.stdout) == {"file": str(copy), "bytes": copy.stat().st_size, "exit_code": 0}
    write_post(written, 2)
    assert column(written.folder / FOLDER, "SELECT slug FROM posts") == ["sleep"]
    assert column(written.folder / FOLDER, "PRAGMA journal_mode") == ["delete"]
    assert {path.name for path in copy.parent.iterdir()} == {DATABASE, ".lock"}
    assert (published(written.folder).output, len(column(written.folder / FOLDER, "SELECT 1 FROM posts"))) == ("", 2)


def test_what_a_killed_call_left_is_no_hindrance(written: Made) -> None:
    (written.folder / FOLDER).mkdir()
    for suffix in ("", "-journal", "-wal"):
        (written.folder / FOLDER / f"{DATABASE}.part{suffix}").write_bytes(b"half")
    assert publish(written.folder) == written.folder / FOLDER / DATABASE
    assert column(written.folder / FOLDER, "PRAGMA integrity_check") == ["ok"]


def test_nothing_damaged_is_published(written: Made) -> None:
    before = publish_first(written)
    written.db.execute("PRAGMA foreign_keys = OFF").fetchall()
    written.db.execute("UPDATE readings SET capture_id = 'nowhere'")
    with pytest.raises(NotWhole, match="verify"):
        publish(written.folder)
    done = published(written.folder)
    assert (done.exit_code, len(done.stderr.splitlines())) == (6, 1)
    assert (written.folder / FOLDER / DATABASE).read_bytes() == before


def publish_first(written: Made) -> bytes:
    (written.folder / FOLDER).mkdir()
    return publish(written.folder).read_bytes()


@pytest.mark.parametrize("full", [False, True])
def test_rules_that_people_wrote_are_not_in_it(written: Made, full: bool) -> None:
    (written.folder / FOLDER).mkdir()
    for number, file in ((1, None), (2, "study/lexicons/mine-0123456789abcdef.toml")):
        written.db.execute(
            "INSERT INTO lexicon_rules VALUES (?, ?, 'r@1', 'r', 1, 'cost', 'claim', 'm', 's', 'ours', 'd', ?)",
            (number, f"lexicon{number}", file),
        )
        written.db.execute("INSERT INTO cache_matches VALUES (1, 0, ?, 0, 0, 4)", (number,))
    copy = publish(written.folder, full=full).parent
    assert column(copy, "SELECT rule_number FROM lexicon_rules") == [1]
    assert column(copy, "SELECT rule_number FROM cache_matches") == [1]
    assert (b"lexicon2" in (copy / DATABASE).read_bytes(), b"lexicon1" in (copy / DATABASE).read_bytes()) == (
        False, True,
    )  # fmt: skip


def test_who_may_not_publish_is_told_why(written: Made, tmp_path: Path) -> None:
    lock = lock_archive(written.folder / FOLDER)
    assert published(written.folder).exit_code == 75
    lock.release()
    assert published(tmp_path / "none").exit_code == 4
    done = CliRunner().invoke(main, ["serve", "--published", "--archive", str(written.folder)])
    assert (done.exit_code, "clinic-archive publish" in done.stderr) == (4, True)


def answered(visitor: httpx.Client, path: str) -> httpx.Response | None:
    """The answer; None while the site makes as many files as it makes at a time."""
    answer = visitor.get(path)
    return None if answer.status_code == 503 else answer


def test_the_next_request_shows_what_was_published_and_eight_readers_notice_nothing(written: Made) -> None:
    publish_first(written)
    with (
        serving(written.folder, "--published") as (site, server),
        httpx.Client(base_url=site, timeout=HANG) as visitor,
    ):
        readers = Readers(site, pages(written.folder))
        with readers.reading():
            for number in range(2, 8 if SOAK else 4):
                write_post(written, number)
                assert visitor.get(f"/riverside/p{number}").status_code == 404
                publish(written.folder)
                assert f"Title {number}" in visitor.get(f"/riverside/p{number}").text
                answer = wait_until(lambda: answered(visitor, "/archive/posts.csv"))
                assert answer is not None
                assert f"Title {number}" in answer.text
        assert readers.faults == []
        assert visitor.get("/-/capture/00000000-0000-4000-8000-000000000001").status_code == 200
        held = {Path(item.path) for item in server.open_files() if DATABASE in item.path}
    assert written.folder / FOLDER / DATABASE in held
    assert written.folder / DATABASE not in held


def test_what_is_kept_is_of_the_file_of_now(written: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_cache, "QUICK", HANG)
    publish_first(written)
    stored = QueryCache(written.folder / FOLDER / DATABASE)

    def posts() -> int:
        found: int = stored.get("posts", lambda item: item.execute("SELECT count(*) FROM posts").fetchone()[0])[0]
        return found

    for number in (1, 2, 3):
        assert posts() == number
        write_post(written, number + 1)
        publish(written.folder)


def test_a_writer_goes_on_while_a_copy_is_made(written: Made) -> None:
    """And does not make the copy begin again: it is of the moment at which it began."""
    publish_first(written)
    with closing(sqlite3.connect(written.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE clinics SET name = 'Other'")
        publish(written.folder)
        other.execute("COMMIT")
    assert column(written.folder / FOLDER, "SELECT name FROM clinics") == ["Riverside"]
