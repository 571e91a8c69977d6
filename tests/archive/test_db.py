"""Opening an archive: what is made, migrated, refused; and that readers only read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from archive import db as opening
from archive.db import ArchiveError, NewerSchema, NotAnArchive, OlderSchema, open_archive, views
from archive.migrations import m006_closing_dates, m011_every_platform
from archive.study.folder import TABLES
from scraper.items import Gone
from tests.making import Made, comment, extraction, faults, post, url


def test_a_new_archive_is_whole(tmp_path: Path) -> None:
    db = open_archive(tmp_path / "deep" / "archive", "write")
    assert faults(db) == []
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert set(db.view_names()) == set(views())
    for view in db.view_names():
        db.execute(f"SELECT * FROM [{view}] LIMIT 1").fetchall()
    db.close()


def test_every_table_is_strict_and_every_reference_declared(archive: Made) -> None:
    for table in archive.db.tables:
        if table.name.startswith("_") or "_fts" in table.name:
            continue
        assert table.strict, table.name
        if table.name.startswith("cache_"):  # triggers delete their rows with the revisions
            continue
        declared = {key.column for key in table.foreign_keys}
        owned = {column.name for column in table.columns if column.name.endswith("_id")} - set(table.pks[:1])
        foreign = {"platform_post_id", "platform_comment_id", "parent_platform_comment_id", "entity_id"}
        # The tables' own first key may refer as well (clinic_attributes.clinic_id), and is checked by its use. Files
        # of people may name clinics that a rebuild from fewer WARC files does not know.
        assert owned - foreign <= declared or table.name in TABLES, table.name


def test_opened_again_nothing_changes(archive: Made) -> None:
    archive.fold(extraction(1, post()))
    before = archive.rows("SELECT name, sql FROM sqlite_master ORDER BY 1")
    archive.db.close()
    archive.db = open_archive(archive.folder, "write")
    assert archive.rows("SELECT name, sql FROM sqlite_master ORDER BY 1") == before
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert list(archive.folder.glob("archive-before-*")) == []


def test_a_reader_cannot_write(archive: Made) -> None:
    reader = open_archive(archive.folder, "read")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO authors (clinic_id, name) VALUES ('riverside', 'x')")
    reader.close()


def test_a_reader_of_nothing_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="clinic-archive crawl"):
        open_archive(tmp_path, "read")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["read", "write"])
def test_what_is_no_archive_is_refused_and_left_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "archive.db"
    path.write_bytes(b"not a database, but long enough to have a header of its own" * 20)
    with pytest.raises(NotAnArchive, match="not a SQLite database"):
        open_archive(tmp_path, mode)  # type: ignore[arg-type]
    path.unlink()
    other = Database(path)
    other.table("addresses").insert({"name": "x"})
    other.close()
    with pytest.raises(NotAnArchive, match="not one of clinic-archive"):
        open_archive(tmp_path, mode)  # type: ignore[arg-type]
    assert Database(path).table_names() == ["addresses"]


def test_a_folder_in_its_place_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "archive.db").mkdir()
    with pytest.raises(ArchiveError, match="unable to open"):
        open_archive(tmp_path, "write")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_reader_without_write_permission_gets_a_clear_error() -> None:
    """No word of damage: the archive is whole. Python itself may lie where that user cannot start it, hence a fork."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        open_archive(folder, "write").close()
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                try:
                    open_archive(folder, "read")
                    answer = "read"
                except ArchiveError as error:
                    answer = f"{type(error).__name__}: {error}"
                os.write(writes, answer.encode())
            finally:
                os._exit(0)
        os.close(writes)
        os.waitpid(child, 0)
        answer = os.read(reads, 1000).decode()
        os.close(reads)
        assert answer.startswith("ArchiveError: ")
        assert "Run this as the owner" in answer
    finally:
        shutil.rmtree(folder)


def test_a_newer_schema_is_refused(archive: Made) -> None:
    archive.db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('archive', 'm999_later', '2030')"
    )
    for mode in ("read", "write"):
        with pytest.raises(NewerSchema, match="m999_later"):
            open_archive(archive.folder, mode)  # type: ignore[arg-type]


def test_an_archive_from_before_browsers_gets_their_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its captures came by requests of our own: NULL in both."""
    first = Migrations("archive")
    first._migrations = opening.migrations._migrations[:1]
    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrations", first)
        old = open_archive(tmp_path, "write")
    assert not {"via", "page_url"} & {column.name for column in old.table("captures").columns}
    old.execute("INSERT INTO clinics (clinic_id, name, url, blog_status) VALUES ('riverside', 'R', 'x', 'blog')")
    old.execute(
        "INSERT INTO captures (capture_id, clinic_id, url, method, fetched_at, record_type, warc_file, warc_offset,"
        " warc_length, origin) VALUES ('c', 'riverside', 'x', 'GET', '2026', 'response', 'f', 0, 1, 'crawl')"
    )
    old.close()
    with pytest.raises(OlderSchema):
        open_archive(tmp_path, "read")
    db = open_archive(tmp_path, "write")
    assert db.execute("SELECT via, page_url, url FROM captures").fetchall() == [(None, None, "x")]
    assert db.table("captures").strict and faults(db) == []
    db.close()


def test_an_archive_from_before_closing_dates_gets_what_its_killed_runs_saw(archive: Made) -> None:
    """As a rebuild of it would have it; when a clinic closed is not known until a run reads its stanza again."""
    db = archive.db
    for name in ("c1", "c2", "c3"):
        archive.crawl(name)
    archive.fold(extraction(1, post()), extraction(2, post()), crawl_id="c1")
    archive.fold(extraction(3, Gone(url=url("sleep"), answered="404")), crawl_id="c2")
    # As the step before left it: nothing that a later step added is in the way.
    for view in db.view_names():
        db.execute(f"DROP VIEW {view}")
    db.execute("ALTER TABLE clinics DROP COLUMN closed_on")
    db.execute(
        "UPDATE clinic_runs SET fetched = NULL, gone = NULL, status = iif(crawl_id = 'c3', 'running', 'cut-short')"
    )
    m006_closing_dates(db)
    assert db.execute("SELECT crawl_id, fetched, gone FROM clinic_runs ORDER BY 1").fetchall() == [
        ("c1", 1, 0), ("c2", 0, 1), ("c3", None, None)
    ]  # fmt: skip
    assert db.execute("SELECT closed_on FROM clinics").fetchall() == [(None,)]
    assert faults(db) == []


def test_a_step_is_taken_once_after_a_copy(archive: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Migrations("archive")
    steps._migrations = list(opening.migrations._migrations)

    @steps()
    def m900_more(db: Database) -> None:
        db.execute("ALTER TABLE authors ADD COLUMN told TEXT")

    monkeypatch.setattr(opening, "migrations", steps)
    archive.fold(extraction(1, post()))
    (archive.folder / "archive-before.db.part").write_bytes(b"half a copy, of a start that was killed")
    (archive.folder / "archive.db").chmod(0o600)
    with pytest.raises(OlderSchema, match="any crawl"):
        open_archive(archive.folder, "read")
    archive.db.close()
    archive.db = open_archive(archive.folder, "write")
    assert archive.one("SELECT count(told) FROM authors") == 0
    (copy,) = archive.folder.glob("archive-before-m900_more-*.db")
    assert copy.stat().st_mode & 0o777 == 0o600
    stored = Database(copy)
    assert stored.execute("SELECT title FROM posts").fetchone() == ("On sleep",)
    stored.close()
    assert not list(archive.folder.glob("*.part"))


def test_a_first_step_that_was_killed_is_taken_again(tmp_path: Path) -> None:
    """The list of steps exists, no step was taken: still an archive to be, not a stranger's database."""
    begun = Database(tmp_path / "archive.db")
    opening.migrations.ensure_migrations_table(begun)
    begun.close()
    db = open_archive(tmp_path, "write")
    assert faults(db) == []
    db.close()
    assert list(tmp_path.glob("archive-before-*")) == []


@pytest.mark.parametrize("taken", range(1, len(opening.migrations._migrations)))
def test_a_first_start_that_was_killed_between_two_steps_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """There is nothing in it that would want a copy."""
    first = Migrations("archive")
    first._migrations = opening.migrations._migrations[:taken]
    begun = Database(tmp_path / "archive.db")
    first.apply(begun)
    begun.close()
    with pytest.raises(OlderSchema, match="any crawl"):
        open_archive(tmp_path, "read")
    db = open_archive(tmp_path, "write")
    assert faults(db) == []
    db.close()
    assert list(tmp_path.glob("archive-before*")) == []


def test_only_changed_views_are_created_again(archive: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "views", lambda: {"one": "SELECT 1 AS a", "two": "SELECT 2 AS a"})
    opening._create_views(archive.db)
    stored = archive.rows("SELECT rowid, sql FROM sqlite_master WHERE name = 'one'")
    monkeypatch.setattr(opening, "views", lambda: {"one": "SELECT 1 AS a", "two": "SELECT 3 AS a"})
    opening._create_views(archive.db)
    assert archive.rows("SELECT rowid, sql FROM sqlite_master WHERE name = 'one'") == stored
    assert archive.rows("SELECT a FROM two") == [(3,)]
    assert archive.db.view_names() == ["one", "two"]


def test_full_text_follows_the_rows(archive: Made) -> None:
    archive.fold(extraction(1, post(text="A lantern stood there.")), extraction(2, comment(text="What a lantern!")))
    find = "SELECT count(*) FROM {0}_fts WHERE {0}_fts MATCH ?"
    assert archive.one(find.format("posts"), "lantern") == 1
    assert archive.one(find.format("comments"), "lantern") == 1
    archive.fold(extraction(3, post(text="A candle stood there.")))
    assert archive.one(find.format("posts"), "lantern") == 0
    assert archive.one(find.format("posts"), "CANDLE") == 1
    archive.db.execute("DELETE FROM comments")
    assert archive.one(find.format("comments"), "lantern") == 0
    assert faults(archive.db) == []


def test_an_archive_from_before_makers_gets_them(archive: Made) -> None:
    """As a rebuild would have it: until then a site that nobody read had its maker as the platform."""
    db = archive.db
    archive.crawl("c1")
    archive.fold(extraction(1, post()))
    for view in db.view_names():
        db.execute(f"DROP VIEW {view}")
    db.execute("DROP INDEX idx_comments_notices")
    for table, columns in (
        ("posts", ("access", "comment_service", "comment_thread")), ("comments", ("type",)), ("clinics", ("maker",))
    ):  # fmt: skip
        for column in columns:
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for name, status in (("read", "blog"), ("unread", "unsupported"), ("imported", "unknown")):
        values = [name, status, None if name == "imported" else "2026"]
        db.execute(
            "INSERT INTO clinics (clinic_id, name, url, platform, blog_status, first_crawled_at) VALUES"
            " (?1, 'X', 'x', 'wix', ?2, ?3)",
            values,
        )
        if name == "read":
            db.execute(
                "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status, platform) VALUES ('c1', ?, '2026',"
                " 'done', 'wix')",
                [name],
            )
    m011_every_platform(db)
    assert archive.rows("SELECT clinic_id, platform, maker FROM clinics WHERE name = 'X' ORDER BY 1") == [
        ("imported", "wix", None), ("read", "wix", "wix"), ("unread", None, "wix")
    ]  # fmt: skip
    assert archive.rows("SELECT access, comment_thread FROM posts") == [(None, None)]
