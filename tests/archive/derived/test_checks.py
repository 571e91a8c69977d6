"""`verify` sees each changed cell of what is derived: tables and columns are those of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archive.derived.checks import faults, index_faults
from archive.derived.store import due_posts
from archive.derived.tables import TABLES
from pipelines.derive import derive
from tests.archive.derived.test_store import visit
from tests.making import Made, made

# A table that is not compared, and why.
LEFT_OUT = {
    "cache_due": "what the next derivation has to do; usually empty",
    "cache_matched": "of the lexicons: `archive.lexicon.store` compares a sample",
    "cache_matches": "the same",
}
NOT_COMPARED = {"segmenter"}  # of another one all sentences are due again


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Posts with each kind of row: edited alike, edited alone, sentences that return, never edited."""
    with made(tmp_path_factory.mktemp("checks") / "archive") as archive:
        for name in ("one", "two", "three"):
            archive.crawl(name)
        slugs = ("sleep", "food", "rest")
        first = {slug: f"About {slug}. We help most of you. Call. Terms apply." for slug in slugs}
        second = {slug: f"About {slug}. We help some of you. Call." for slug in slugs}
        visit(archive, "one", 1, **first, work="Never edited. Call.")
        visit(archive, "two", 20, **second)
        visit(archive, "three", 40, sleep=first["sleep"])
        derive(archive.db)
        yield archive


def test_every_table_is_compared_or_left_out(filled: Made) -> None:
    tables = {name for name in filled.db.table_names() if name.startswith("cache_") and "_fts" not in name}
    assert tables == {*TABLES, *LEFT_OUT, "cache_matches", "cache_matched"}  # the last two: tests/archive/lexicon
    assert all(filled.one(f"SELECT count(*) FROM {name}") for name in TABLES)


def test_what_was_derived_has_no_fault(filled: Made) -> None:
    assert [*faults(filled.db.conn), *index_faults(filled.db.conn)] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_changed_cell_is_named(filled: Made, table: str) -> None:
    unseen = []
    for column in filled.db.table(table).columns:
        names = filled.db.table(table).pks
        if column.name in NOT_COMPARED:
            continue
        for row in filled.rows(f"SELECT {', '.join(names)}, {column.name} FROM {table} GROUP BY {column.name}"):
            found = list(changed(filled, table, dict(zip(names, row[:-1], strict=True)), column.name, row[-1]))
            if not any(table in line or "cache_sentences" in line for line in found):
                unseen.append((column.name, row))
    assert unseen == []


def changed(archive: Made, table: str, key: dict[str, Any], column: str, value: Any) -> Iterator[str]:
    """The faults with another value in one cell; without the triggers that a real writer has."""
    db = archive.db
    other = 7 if value is None else value + 1000 if isinstance(value, int) else f"{value}x"
    where = " AND ".join(f"{name} = ?" for name in key)
    db.execute("BEGIN")
    try:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [other, *key.values()])
        yield from faults(db.conn)
    finally:
        db.execute("ROLLBACK")


@pytest.mark.parametrize("table", TABLES)
def test_every_deleted_row_is_named(filled: Made, table: str) -> None:
    filled.db.execute("BEGIN")
    filled.db.execute(f"DELETE FROM {table} WHERE revision_id = (SELECT max(revision_id) FROM {table})")
    found = [*faults(filled.db.conn), *index_faults(filled.db.conn)]
    filled.db.execute("ROLLBACK")
    assert found or table == "cache_derived"  # without it the revision is due, and what is missing is no fault


def test_what_is_not_derived_is_no_fault(filled: Made) -> None:
    filled.db.execute("BEGIN")
    visit_number = filled.one("SELECT max(revision_id) FROM revisions")
    filled.db.execute(
        "INSERT INTO revisions (post_id, capture_id, kind, source, captured_at, content_sha256, extractor_version,"
        " body_text) SELECT post_id, capture_id, 'content', source, '2027-01-01T00:00:00Z', 'x', 1, 'New text.' FROM"
        " revisions WHERE revision_id = ?",
        [visit_number],
    )
    assert due_posts(filled.db.conn)
    assert [*faults(filled.db.conn)] == []
    filled.db.execute("ROLLBACK")


def test_a_damaged_index_is_named(filled: Made) -> None:
    filled.db.execute("BEGIN")
    filled.db.execute("DELETE FROM cache_edits_fts_docsize")
    found = list(index_faults(filled.db.conn))
    filled.db.execute("ROLLBACK")
    assert found
    assert all("derive --again" in line for line in found)
