"""What is public is said of every column, and a public copy holds exactly that."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.db import DATABASE, open_archive
from archive.derived.checks import index_faults
from archive.export import PUBLIC, declared, publicity
from archive.public import Comments, fill_public, host_of, hosts_in, keyed, withheld
from archive.search.index import Query, faults, search
from pipelines.derive import derive
from scraper.items import Names
from tests.making import Made, comment, extraction, natural, post, reading, url

KEY = b"k" * 32
# What a public copy has of these in another form, or not at all.
OTHER = {"captures", "authors", "comments", "comment_revisions", "crawls", "unplaced"}


def stored(archive: Made) -> dict[str, list[str]]:
    """The columns of each table; those of SQLite's own index are no tables of ours."""
    return {
        table.name: [column.name for column in table.columns]
        for table in archive.db.tables
        if "_fts" not in table.name or table.name == "search_fts_due"
    }


def test_every_column_says_whether_it_is_public(archive: Made) -> None:
    for name, columns in stored(archive).items():
        words = publicity().get(name, {})
        assert [column for column in columns if column not in words] == [], f"metadata.yaml: `public` of {name}"
        assert set(words) - set(columns) == set(), f"{name} has no such columns"
        assert set(words.values()) <= set(PUBLIC), name


def test_a_column_that_may_not_be_null_is_public_or_its_table_is_not(archive: Made) -> None:
    for name in stored(archive):
        words = publicity()[name]
        needed = {row[1] for row in archive.db.execute(f"PRAGMA table_info([{name}])") if row[3] and row[4] is None}
        if set(words.values()) != {"no"}:
            assert {column for column in needed if words[column] == "no"} == set(), name


def test_only_a_table_with_a_default_leaves_columns_unnamed(archive: Made) -> None:
    """And never one of text: whoever adds it must say what becomes of it."""
    for name, columns in stored(archive).items():
        unnamed = [column for column in columns if column not in publicity()[name]]
        assert {declared()[name][column] for column in unnamed} <= {"text"}


@pytest.fixture
def spoken(archive: Made) -> Made:
    """Two comments, one of the clinic's staff, and an earlier text of the first; the answer was at an API."""
    archive.crawl("run")
    first = comment("c1", "Ketamine helped me.", author="Zelda Quux", person="p1", posted_at="2026-03-01T08:12:00Z")
    staff = comment("c2", "Thank you.", author="Dr. Ray", author_kind="staff", parent_id="c1")
    late = comment("c1", "Ketamine helped.", author="Zelda Quux", person="p1", posted_at="2026-03-01T08:12:00Z")
    people = Names(names={"p1": "Zelda Quux"})
    api = {"url": "https://riverside.example/api/comments?reader=zelda", "from_api": True}
    archive.fold(
        extraction(1, post(text="Sleep well, ﬁnally."), reading(views=4, comments_count=2)),
        extraction(2, first, staff, people, url=api["url"]),
        extraction(3, post(text="Sleep better."), late, people),
        crawl_id="run",
    )
    derive(archive.db)
    assert archive.one("SELECT count(*) FROM cache_edits") == 1
    return archive


def filled(archive: Made, comments: Comments = "counts") -> Path:
    folder = archive.folder / "copy"
    folder.mkdir()
    fill_public(archive.folder / DATABASE, folder / DATABASE, comments=comments, key=KEY)
    return folder


def rows(folder: Path, sql: str) -> list[Any]:
    with closing(open_archive(folder, "read")) as db:
        return db.execute(sql).fetchall()


def test_comments_are_counted(spoken: Made) -> None:
    folder = filled(spoken)
    sql = "SELECT posted_at, author, body_text, body_html, parent_id, author_kind FROM comments ORDER BY comment_id"
    assert rows(folder, sql) == [("2026-03-01", *[None] * 4, "unknown"), (None, *[None] * 4, "staff")]
    counts = "SELECT comments_count, comments_kept, views FROM posts_with_counts"
    assert rows(folder, counts) == spoken.rows(counts) == [(2, 2, 4)]
    assert rows(folder, "SELECT 1 FROM comment_revisions") == []
    data = (folder / DATABASE).read_bytes()
    assert [
        word for word in (b"Ketamine", b"Zelda", b"zelda", b"Dr. Ray", b"reader-", b"ketamine") if word in data
    ] == []


def test_texts_of_comments_come_on_request(spoken: Made) -> None:
    folder = filled(spoken, "text")
    threads = "SELECT body_text, depth, replies FROM comment_threads ORDER BY path"
    assert rows(folder, threads) == spoken.rows(threads)
    (first,), (staff,) = rows(folder, "SELECT author FROM comments ORDER BY comment_id")
    assert first == f"reader-{keyed(KEY, 'author', spoken.one('SELECT author FROM comments WHERE comment_id = 1'))}"
    assert staff == "Dr. Ray"
    assert rows(folder, "SELECT body_text FROM comment_revisions") == [("Ketamine helped me.",)]


def test_the_text_of_a_comment_whose_names_are_not_masked_is_never_public(spoken: Made) -> None:
    spoken.db.execute("UPDATE clinics SET privacy = 'keep'")
    spoken.db.execute("UPDATE comments SET author = 'Zelda Quux' WHERE comment_id = 1")
    folder = filled(spoken, "text")
    assert rows(folder, "SELECT body_text FROM comments UNION SELECT body_text FROM comment_revisions") == [(None,)]
    assert b"Zelda" not in (folder / DATABASE).read_bytes()


def test_of_captures_with_comments_the_host_is_public(spoken: Made) -> None:
    folder = filled(spoken)
    wanted = spoken.rows("SELECT capture_id, fetched_at, http_status, payload_sha256 FROM captures")
    assert rows(folder, "SELECT capture_id, fetched_at, http_status, payload_sha256 FROM captures") == wanted
    assert rows(folder, "SELECT holds_comments, url FROM captures ORDER BY fetched_at") == [
        (0, "https://riverside.example/capture/1"), (1, "https://riverside.example/"), (1, "https://riverside.example/"),
    ]  # fmt: skip


def test_everything_else_is_the_archive(spoken: Made) -> None:
    folder = filled(spoken)
    with closing(open_archive(folder, "read")) as db:
        assert {name: found for name, found in natural(db, but=OTHER).items() if found} == {
            name: found for name, found in natural(spoken.db, but=OTHER).items() if found
        }
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.view_names() == spoken.db.view_names()
        assert withheld(db.conn) and not withheld(spoken.db.conn)


def test_the_search_index_is_of_the_copy(spoken: Made) -> None:
    for comments, found in (("counts", 0), ("text", 1)):
        folder = filled(spoken, comments)
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            assert faults(connection) == [*index_faults(connection)] == []
            assert len(search(connection, Query("sleep"))) == len(search(spoken.db.conn, Query("sleep")))
            assert len(search(connection, Query("ketamine"))) == found
        folder.rename(folder.with_name(comments))


def test_a_writer_goes_on(spoken: Made) -> None:
    with closing(sqlite3.connect(spoken.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE clinics SET name = 'Other'")
        folder = filled(spoken)
        other.execute("COMMIT")
    assert rows(folder, "SELECT name FROM clinics") == [("Riverside",)]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://a.example/b?c=d#e", "https://a.example/"),
        ("https://zelda:secret@a.example:81", "https://a.example:81/"),
        ("https://[::1]:80/x", "https://[::1]:80/"),
        ("zelda.warc.gz", None),
        ("mailto:zelda@a.example", None),
        (None, None),
    ],
)
def test_an_address_is_cut_to_its_host(address: str | None, host: str | None) -> None:
    assert host_of(address) == host


def test_addresses_in_a_note_are_cut() -> None:
    note = f"2 pages failed: {url('x')}?reader=zelda: timeout, (https://b.example/u/zelda)"
    assert hosts_in(note) == "2 pages failed: https://riverside.example/: timeout, (https://b.example/)"
    assert hosts_in(None) is None
