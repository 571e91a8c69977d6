"""Which partition a row belongs to, and the columns that a table has in the lake."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archive.export import Source, columns_of, type_of
from archive.lake._captures import MEANINGS, TYPES, index_values

Row = tuple[Any, ...]
# Whose clinic a row is, by the first of its columns that is here.
_CLINIC = {
    "clinic_id": "t.clinic_id",
    "clinic": "t.clinic",
    "post_id": "(SELECT p.clinic_id FROM posts AS p WHERE p.post_id = t.post_id)",
    "revision_id": (
        "(SELECT p.clinic_id FROM revisions AS r JOIN posts AS p ON p.post_id = r.post_id"
        " WHERE r.revision_id = t.revision_id)"
    ),
    "comment_id": "(SELECT c.clinic_id FROM comments AS c WHERE c.comment_id = t.comment_id)",
}
# The moments that name the year of a row, then the rows of other tables whose year is its own.
_MOMENTS = (
    "fetched_at",
    "read_at",
    "captured_at",
    "seen_at",
    "happened_at",
    "changed_at",
    "first_seen_at",
    "new_first_seen_at",
    "present_first_seen_at",
    "started_at",
    "day",
    "week_starts_on",
    "first_missing_at",
)
_BY_ROW = {
    "capture_id": "(SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = t.capture_id)",
    "first_capture_id": "(SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = t.first_capture_id)",
    "revision_id": "(SELECT r.captured_at FROM revisions AS r WHERE r.revision_id = t.revision_id)",
    "comment_id": "(SELECT c.first_seen_at FROM comments AS c WHERE c.comment_id = t.comment_id)",
}
_WITHOUT_YEAR = ("clinics_overview",)  # a row a clinic, which every visit changes
_WHOLE = "*"  # no slug, no year
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # how Hive, Spark and DuckDB spell NULL
_YEAR = re.compile(r"\d{4}")  # 2026
# Numbers that are valid in one archive alone. The rows of the lake's archive number N have N * 2^40 added to them.
_LOCAL = re.compile(r"\w+_id|rule_number")  # post_id, old_revision_id
_SHIFT = 40


@dataclass(frozen=True, slots=True)
class Route:
    """How a table's rows are read and where they go.

    A row of `source` has the table's columns, then its clinic and its year, each only if the table is divided by it.
    `extended` gives the columns that the lake adds.
    """

    source: Source
    columns: tuple[str, ...]
    by_clinic: bool
    by_year: bool
    local: tuple[int, ...]
    extended: Callable[[Row], Row] | None = None

    @property
    def meanings(self) -> Mapping[str, str]:
        """What the added columns mean."""
        return MEANINGS if self.extended else {}

    def split(self, row: Row) -> tuple[Row, str | None, str]:
        """Return a row's values, its clinic and the folder of its partition, "" for a table that is not divided."""
        last = len(row) - self.by_year - self.by_clinic
        clinic = row[last] if self.by_clinic else None
        key = _folder(clinic if self.by_clinic else _WHOLE, row[-1] if self.by_year else _WHOLE)
        values = row[:last]
        return (values + self.extended(values) if self.extended else values), clinic, key

    def empty(self) -> str:
        """Return the folder of a partition without rows, so that readers find the columns of an empty table."""
        return self.split((*[None] * len(self.columns), *[None] * (self.by_clinic + self.by_year)))[2]

    def moved(self, row: Row, number: int) -> Row:
        """Return a row of the lake's archive of that number, with its own local numbers."""
        if not number:
            return row
        values = list(row)
        for place in self.local:
            if values[place] is not None:
                values[place] += number << _SHIFT
        return tuple(values)


def route(connection: sqlite3.Connection, name: str) -> Route:
    """Return how a table or view that the archive has gets into the lake. Raises `sqlite3.Error`."""
    plain = Source(name, f"SELECT * FROM [{name}]")
    columns = columns_of(connection, plain)
    local = tuple(
        place
        for place, column in enumerate(columns)
        if _LOCAL.fullmatch(column) and type_of(plain, column) == "integer"
    )
    clinic = next((sql for column, sql in _CLINIC.items() if column in columns), None)
    year = None if name in _WITHOUT_YEAR else _year_of(columns)
    chosen = ", ".join(["t.*", *filter(None, (clinic, year))])
    index = name == "captures"
    source = Source(name, f"SELECT {chosen} FROM [{name}] AS t", types=TYPES if index else {})
    return Route(
        source,
        (*columns, *TYPES) if index else tuple(columns),
        clinic is not None,
        year is not None,
        local,
        index_values(columns) if index else None,
    )


def _year_of(columns: Sequence[str]) -> str | None:
    moment = next((f"t.{column}" for column in _MOMENTS if column in columns), None)
    moment = moment or next((sql for column, sql in _BY_ROW.items() if column in columns), None)
    return f"substr({moment}, 1, 4)" if moment else None


@lru_cache(maxsize=100_000)
def _folder(clinic: str | None, year: str | None) -> str:
    """Return the folder of a partition; `_WHOLE` in place of a value by which the table is not divided."""
    return ("" if clinic == _WHOLE else bucket(clinic)) + ("" if year == _WHOLE else _year_folder(year))


def bucket(clinic: str | None) -> str:
    """Return the folder of a clinic's rows: the first hexadecimal digit of the SHA-256 of its slug."""
    return f"clinic_hash={hashlib.sha256(clinic.encode()).hexdigest()[0] if clinic else _NO_VALUE}/"


def _year_folder(year: str | None) -> str:
    return f"year={year if year and _YEAR.fullmatch(year) else _NO_VALUE}/"
