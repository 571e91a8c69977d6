"""Compares the tables of a study with the files in `study/`, cell by cell; the columns are those of the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.study.anchors import NOWHERE
from archive.study.folder import TABLES
from archive.study.tables import study_of, table_rows

REMEDY = "`clinic-archive rebuild` makes the rows again"
OUTDATED = "(outdated)"  # in place of the columns that differ
FEW = 3  # rows that a line names


def study_faults(archive: Path, db: Database) -> tuple[list[str], list[str]]:
    """Return the faults of files and rows, and notes, a line each. Raises `sqlite3.Error`, OSError."""
    study = study_of(archive, db)
    faults, notes = row_faults(db, {table: made() for table, made in table_rows(study, db).items()})
    return [*study.problems, *faults], notes


def row_faults(db: Database, made: Mapping[str, Iterable[Mapping[str, Any]]]) -> tuple[list[str], list[str]]:
    """Return how the stored rows differ from those that the files give, by table; and notes. Raises `sqlite3.Error`."""
    faults, notes = list[str](), list[str]()
    for table, rows in made.items():
        different: dict[str, list[str]] = {}
        outdated = 0
        for column, key in _differences(db, table, rows):
            if column == OUTDATED:
                outdated += 1
            else:
                different.setdefault(column, []).append(key)
        faults += [_line(table, column, keys) for column, keys in different.items()]
        if outdated:
            notes.append(f"{outdated} codings that had no place in a text have one now; {REMEDY}")
    return faults, notes


def _line(table: str, column: str, keys: list[str]) -> str:
    named = "; ".join(keys[:FEW]) + (f"; and {len(keys) - FEW} more" if len(keys) > FEW else "")
    what = (
        f"{column} of {len(keys)} rows is not what the files in study/ give"
        if column
        else (f"{len(keys)} rows are not there, or are not in the files in study/")
    )
    return f"{table}: {what} ({named}); {REMEDY}"


def _differences(db: Database, table: str, made: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield a column and a row's key for each value that differs; "" for a row that only one side has, `OUTDATED`
    for a coding whose place is looked for again.
    """
    assert table in TABLES
    keys = db.table(table).pks
    columns = [column.name for column in db.table(table).columns]
    cursor = db.execute(f"SELECT * FROM [{table}]")
    stored = {_key(keys, row): row for row in (dict(zip(columns, values, strict=True)) for values in cursor.fetchall())}
    for row in made:
        key = _key(keys, row)
        present = stored.pop(key, None)
        if present is None:
            yield "", ", ".join(key)
            continue
        different = [column for column in columns if present[column] != row[column]]
        if different and table == "codings" and _is_outdated(present, different):
            yield OUTDATED, ", ".join(key)
            continue
        yield from ((column, ", ".join(key)) for column in different)
    for key in stored:
        yield "", ", ".join(key)


def _is_outdated(present: Mapping[str, Any], different: list[str]) -> bool:
    """Whether a coding had no place in the texts of then: a later capture may give it one."""
    return set(different) <= NOWHERE.keys() and all(present[column] == value for column, value in NOWHERE.items())


def _key(keys: list[str], row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[key]) for key in keys)
