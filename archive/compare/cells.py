"""Compares two databases cell by cell: the rows of a clinic as they are stored, and as a new fold makes them.

Unlike the digests of `canonical`, nothing is left out but what is local to a file: integer keys are replaced by what
they stand for, and the place of a WARC record is checked where the record is read. Columns come from the schema, so
that a new one is compared without a change here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

from sqlite_utils import Database

from archive.compare.canonical import FOLDED, KEY_NAMES

Row = tuple[Any, ...]

_POST = "(SELECT min(address) FROM post_addresses AS a WHERE a.post_id = {0})"
# The expression that replaces an integer key: what it stands for in any archive of the same captures.
_STANDS_FOR = {
    **KEY_NAMES,
    "post_id": _POST,
    "revision_id": f"(SELECT coalesce({_POST.format('r.post_id')}, '') || ' ' || source || ' ' || capture_id || ' ' ||"
    " extractor_version FROM revisions AS r WHERE r.revision_id = {0})",
    "entity_id": "(SELECT min(address) FROM post_addresses AS e WHERE e.entity_id = {0} AND e.clinic_id = {1})",
}
# Columns that are not compared, and why.
LEFT_OUT = {
    "absence_id": "a number that nothing refers to",
    "problem_id": "a number that nothing refers to",
    "warc_file": "the record itself is looked for at this place",
    "warc_offset": "the record itself is looked for at this place",
    "folded_by": "the program that made the rows, which may be an older one",
}
# What identifies a row where the primary key is a number that stands for nothing, or for the whole row.
_KEYS = {
    "revisions": ("post_id", "source", "capture_id"),
    "absences": ("post_id", "comment_id", "capture_id"),
    "problems": ("capture_id", "kind", "url", "field"),
}
_OF_CLINIC = {
    "clinic_id": "[{0}].clinic_id = ?",
    "clinic": "[{0}].clinic = ?",
    "post_id": "[{0}].post_id IN (SELECT post_id FROM posts WHERE clinic_id = ?)",
    "revision_id": "[{0}].revision_id IN (SELECT r.revision_id FROM revisions AS r JOIN posts AS p USING (post_id)"
    " WHERE p.clinic_id = ?)",
    "comment_id": "[{0}].comment_id IN (SELECT comment_id FROM comments WHERE clinic_id = ?)",
}
RUNS = "crawls"  # the table whose rows belong to no single clinic
# Columns that may hold pseudonyms, and a pseudonym there: "reader-k3v5m7q2x4ab"
_PSEUDONYMS = {"author", "person_key", "item"}
_PSEUDONYM = re.compile(r"reader-[a-z2-7]{12}")
# Rows of a table that are paired by their keys, so that each column is named; of more, only the rows are named.
_PAIRED = 10_000


class CellDifference(NamedTuple):
    """A value or a row of the stored database that is not as the fold makes it."""

    table: str
    kind: Literal["value", "missing", "surplus"]  # `missing`: the fold makes the row, `surplus`: it does not
    column: str  # "" for a whole row
    key: str  # what identifies the row: "post_id https://clinic.example/post/a, source html"
    stored: Any
    made: Any


class _Table(NamedTuple):
    """How the rows of a table are read."""

    name: str
    columns: list[str]
    key: list[int]  # places of the columns that identify a row
    order: list[int]  # places of all columns in the order by which rows are sorted: those of the key first
    sql: str


def compared_tables(db: Database) -> list[str]:
    """Return the tables of the database whose rows are folded from captures."""
    return sorted(set(FOLDED) & set(db.table_names()))


def differences(stored: Database, made: Database, clinic_id: str, *, keyless: bool = False) -> Iterator[CellDifference]:
    """Yield each difference between the rows of a clinic in two databases of one schema. Raises `sqlite3.Error`.

    `keyless`: pseudonyms were not made with the archive's key: only whether there is one is compared.
    """
    for table in compared_tables(made):  # a database may hold tables of its owner beside the archive's
        if table != RUNS:
            yield from differences_in(table, stored, made, clinic_id, keyless=keyless)


def differences_in(
    table: str, stored: Database, made: Database, clinic_id: str, *, keyless: bool = False
) -> Iterator[CellDifference]:
    """Yield each difference between a clinic's rows of one table; of `RUNS`, which no clinic has alone, all rows."""
    values = () if table == RUNS else (clinic_id,)
    yield from _in_table(_table(made, table), stored, made, values, keyless)


def _table(db: Database, name: str) -> _Table:
    columns = [column.name for column in db.table(name).columns if column.name not in LEFT_OUT]
    identify = _KEYS.get(name) or tuple(db.table(name).pks)
    key = [columns.index(column) for column in identify]
    chosen = ", ".join(f"{_expression(name, column)} AS [{column}]" for column in columns)
    order = [*key, *(place for place in range(len(columns)) if place not in key)]
    by = ", ".join(str(place + 1) for place in order)
    where = next((_OF_CLINIC[column].format(name) for column in _OF_CLINIC if column in columns), None)
    if where is None and name != RUNS:
        raise LookupError(f"{name}: no column says of which clinic a row is")
    return _Table(name, columns, key, order, f"SELECT {chosen} FROM [{name}] WHERE {where or '1'} ORDER BY {by}")


def _expression(table: str, column: str) -> str:
    name = f"[{table}].[{column}]"
    if column not in _STANDS_FOR:
        return name
    return f"coalesce({_STANDS_FOR[column].format(name, f'[{table}].clinic_id')}, {name})"  # or stands for nothing


def _in_table(
    table: _Table, stored: Database, made: Database, values: tuple[str, ...], keyless: bool
) -> Iterator[CellDifference]:
    surplus: dict[Row, list[Row]] = {}
    missing: dict[Row, list[Row]] = {}
    number = 0
    for row, of_fold in _unmatched(table.order, *(_rows(db, table, values, keyless) for db in (stored, made))):
        number += 1
        if number > _PAIRED:
            yield _of_row(table, row, of_fold)
            continue
        side, other = (surplus, row) if row is not None else (missing, of_fold)
        assert other is not None
        side.setdefault(tuple(other[place] for place in table.key), []).append(other)
    for key in sorted(surplus.keys() | missing.keys(), key=lambda key: _sort_key(range(len(key)), key)):
        for row, of_fold in zip_longest(surplus.get(key, ()), missing.get(key, ())):
            if row is None or of_fold is None:
                yield _of_row(table, row, of_fold)
                continue
            for name, value, expected in zip(table.columns, row, of_fold, strict=True):
                if value != expected:
                    yield CellDifference(table.name, "value", name, _key_text(table, row), value, expected)


def _rows(db: Database, table: _Table, values: tuple[str, ...], keyless: bool) -> Iterator[Row]:
    cursor: sqlite3.Cursor = db.conn.execute(table.sql, values)
    if not keyless or not (blank := {at for at, name in enumerate(table.columns) if name in _PSEUDONYMS}):
        yield from cursor
        return
    for row in cursor:
        yield tuple(
            _PSEUDONYM.sub("reader-", value) if at in blank and isinstance(value, str) else value
            for at, value in enumerate(row)
        )


def _unmatched(
    order: Sequence[int], first: Iterator[Row], second: Iterator[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Yield each row that only one of two iterators has; both give their rows sorted by the columns in this order."""
    left, right = next(first, None), next(second, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(first, None), next(second, None)
        elif right is None or (left is not None and _sort_key(order, left) < _sort_key(order, right)):
            yield left, None
            left = next(first, None)
        else:
            yield None, right
            right = next(second, None)


def _sort_key(order: Iterable[int], row: Row) -> list[tuple[int, Any]]:
    """Return the values in this order: NULL, then numbers, then texts, as SQLite sorts them."""
    values = (row[place] for place in order)
    return [
        (0, 0) if value is None else (1, value) if isinstance(value, int | float) else (2, value) for value in values
    ]


def _of_row(table: _Table, row: Row | None, of_fold: Row | None) -> CellDifference:
    present = row if row is not None else of_fold
    assert present is not None
    return CellDifference(
        table.name, "missing" if row is None else "surplus", "", _key_text(table, present), row, of_fold
    )


def _key_text(table: _Table, row: Row) -> str:
    pairs = [(table.columns[place], row[place]) for place in table.key]
    texts = ((name, " ".join(str(value).split())) for name, value in pairs if value is not None)
    named = [f"{name} {text}" for name, text in texts if name != "clinic_id"]
    return ", ".join(named) or "its only row"
