"""Every column has one declared type, and every typed file obeys it, whatever the values."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archive.db import open_archive
from archive.export import DATE_ALONE, FORMATS, TYPES, Source, declared, export_all, find_source, names, type_of, write
from archive.export._columns import of_any_table
from archive.export._parquet import _unique
from archive.questions import questions
from tests.docs.schema import columns_of
from tests.making import Made

PARQUET = {
    "integer": pa.int64(), "number": pa.float64(), "text": pa.string(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip
VALUES: dict[str, Any] = {
    "integer": 7, "number": 2.5, "text": "007", "boolean": 1, "date": "2026-03-01", "timestamp": "2026-03-01T09:30:00Z",
}  # fmt: skip
cell = datetime.fromisoformat  # a date of a sheet, which has no zone
SQL = ", ".join(f":{kind} AS [{kind}]" for kind in VALUES)


def typed(**values: Any) -> Source:
    """A row with a column of each type, named after it."""
    return Source("mine", f"SELECT {SQL}", dict.fromkeys(VALUES) | values, {kind: kind for kind in VALUES})


def test_every_column_of_a_table_or_view_has_one_type(archive: Made) -> None:
    for name, columns in columns_of(archive.db.conn).items():
        kinds = declared()[name]
        assert [column.name for column in columns if column.name not in kinds] == [], f"declare types of {name}"
        assert set(kinds) - {column.name for column in columns} == set(), f"{name} has no such columns"
        assert set(kinds.values()) <= {*TYPES, DATE_ALONE}, name
        for column in columns:
            stored = {"INTEGER": ("integer", "boolean"), "REAL": ("number",)}.get(column.type)
            assert stored is None or kinds[column.name] in stored, f"{name}.{column.name}"
            assert column.type != "TEXT" or kinds[column.name] not in ("integer", "number", "boolean"), column


@pytest.mark.parametrize("name", questions())
def test_every_column_of_a_question_has_a_type(name: str, archive: Made) -> None:
    question = questions()[name]
    rows = archive.db.conn.execute(question.sql, question.parameters)
    columns = [column for column, *_ in rows.description]
    known = {**of_any_table(), **question.types}
    assert [column for column in columns if column not in known] == [], "declare it: -- integer: column"
    assert set(question.types) <= set(columns)


def test_a_parquet_file_has_the_declared_types_whatever_the_values(archive: Made, tmp_path: Path) -> None:
    for number, name in enumerate(names(archive.db.conn)):
        source = find_source(archive.db.conn, name)
        path = write(tmp_path / f"{number}.parquet", archive.db.conn, source, FORMATS["parquet"]).path
        for field in pq.read_schema(path):
            assert field.type == PARQUET[type_of(source, field.name) or ""], f"{name}.{field.name}"


def test_files_of_two_archives_unite(tmp_path: Path) -> None:
    db = sqlite3.connect(":memory:")
    rows = [typed(), typed(**VALUES), typed(number=3, timestamp="2026-03-01")]
    files = [write(tmp_path / f"{n}.parquet", db, row, FORMATS["parquet"]) for n, row in enumerate(rows)]
    tables = [pq.read_table(file.path) for file in files]
    assert [table.schema for table in tables] == [tables[0].schema] * 3
    assert pa.concat_tables(tables).to_pylist() == [
        dict.fromkeys(VALUES),
        {"integer": 7, "number": 2.5, "text": "007", "boolean": True, "date": date(2026, 3, 1),
         "timestamp": datetime(2026, 3, 1, 9, 30, tzinfo=UTC)},
        {**dict.fromkeys(VALUES), "number": 3.0, "timestamp": datetime(2026, 3, 1, tzinfo=UTC)},
    ]  # fmt: skip
    assert [file.note for file in files] == [
        None,
        None,
        "timestamp: 1 dates without a time are the beginning of the day (UTC)",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", 2.0, 2), ("integer", "7", None), ("integer", 2.5, None), ("number", "x", None),
        ("number", 2**60, 2.0**60), ("text", 7, "7"), ("text", b"\0\xff", "00ff"), ("boolean", 2, None),
        ("date", "2026-02-30", None), ("date", "2026", None), ("date", "0987-01-02", date(987, 1, 2)),
        ("timestamp", "2026-03-01T09:30:00.25Z", datetime(2026, 3, 1, 9, 30, 0, 250_000, UTC)),
        ("timestamp", "2026-03-01T09:30:00", None), ("timestamp", "9999-12-31T23:59:59Z",
         datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)), ("timestamp", 7, None),
    ],
)  # fmt: skip
def test_what_a_type_cannot_hold_is_left_out_with_a_note(kind: str, value: Any, expected: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "x.parquet", sqlite3.connect(":memory:"), typed(**{kind: value}), FORMATS["parquet"])
    (row,) = pq.read_table(file.path).to_pylist()
    assert row[kind] == expected
    assert (file.note is None) == (expected is not None)


def test_columns_of_one_name_get_names_that_differ() -> None:
    assert _unique(["a", "a", "a_1", "a"]) == ["a", "a_2", "a_1", "a_3"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", 7, 7), ("integer", 10**15, "1000000000000000"), ("number", 2.5, 2.5), ("number", 1e400, "inf"),
        ("text", "2026-03-01", "2026-03-01"), ("text", "007", "007"), ("text", 7, "7"), ("text", "=1+1", "=1+1"),
        ("boolean", 1, True), ("boolean", 0, False), ("boolean", 2, 2), ("date", "2026-03-01", cell("2026-03-01")),
        ("date", "1899-12-31", "1899-12-31"), ("date", "1900-02-28", "1900-02-28"),
        ("date", "2026-02-30", "2026-02-30"), ("date", "1900-03-01", cell("1900-03-01")),
        ("date", "9999-12-31", cell("9999-12-31")),
        ("timestamp", "2026-03-01", cell("2026-03-01")), ("timestamp", "2026-03-01T09:30:00Z",
         cell("2026-03-01T09:30")), ("timestamp", "0987-01-02T00:00:00Z", "0987-01-02T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_sheet_has_real_dates_and_numbers_and_text_stays_text(
    kind: str, value: Any, expected: Any, tmp_path: Path
) -> None:
    file = write(tmp_path / "x.xlsx", sqlite3.connect(":memory:"), typed(**{kind: value}), FORMATS["xlsx"])
    sheet = openpyxl.load_workbook(file.path)["rows"]
    (cell,) = [cell.value for cell in sheet[2] if cell.value is not None]
    assert cell == expected
    assert type(cell) is type(expected)


def test_a_column_that_nothing_declares_has_the_type_its_name_says(tmp_path: Path) -> None:
    source = Source("query", "SELECT 1", {}, {"day": "text"})
    found = [type_of(source, name) for name in ("day", "newest_at", "opened_on", "views", "whatever", "published_at")]
    assert found == ["text", "timestamp", "date", "integer", None, "timestamp"]
    with open_archive(tmp_path, "write").conn as db:
        assert type_of(find_source(db, "posts"), "published_at") == "timestamp"


def test_tables_made_from_other_rows_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    db = open_archive(tmp_path, "write").conn
    db.execute("CREATE TABLE cache_words (word TEXT, n INTEGER) STRICT")
    db.execute("CREATE VIEW words AS SELECT word FROM cache_words")
    db.execute("CREATE VIEW a_word AS SELECT word FROM words LIMIT 1")
    made = {"cache_words", "words", "a_word"}
    assert made <= names(db).keys()
    left_out = names(db).keys() - names(db, derived=False).keys()
    assert made | {"cache_edits", "edits", "sentence_fates", "site_wide_edits"} <= left_out
    assert not left_out & {"posts", "edited_posts", "revisions", "crawl_history"}  # a column of that is called edits
    files = export_all(tmp_path / "out", db, FORMATS["csv"], "test")
    assert not made & {file.path.stem for file in files}
    files = export_all(tmp_path / "out", db, FORMATS["csv"], "test", derived=True)
    assert made <= {file.path.stem for file in files}
