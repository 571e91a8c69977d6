"""Parquet files, written by pyarrow, which is optional: `pip install pyarrow`."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from types import NoneType
from typing import Any

from archive.export._columns import describe_column, type_of
from archive.export._source import Source, columns_of, read

NOT_INSTALLED = "Parquet needs pyarrow: run `pip install pyarrow`, or use --format csv"
# Rows are written together (a row group) once they have this many bytes, or are this many: readers skip by row group.
BYTES_PER_GROUP, ROWS_PER_GROUP = 32_000_000, 100_000


def write_parquet(path: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """Write a source to a Parquet file with descriptions of its columns; return the number of rows and a note.

    The columns are those of `Typed`; the note counts what it had to change. Raises ImportError without pyarrow,
    `sqlite3.Error`, OSError.
    """
    typed = Typed(source, columns_of(connection, source))
    number = 0
    waiting: list[Any] = []
    with typed.writer(path) as writer:
        for rows in read(connection, source):
            number += len(rows)
            waiting.append(typed.batch(rows))
            if sum(b.nbytes for b in waiting) > BYTES_PER_GROUP or sum(map(len, waiting)) >= ROWS_PER_GROUP:
                writer.write_table(typed.table(waiting))
                waiting = []
        if waiting:
            writer.write_table(typed.table(waiting))
    return number, typed.note()


class Typed:
    """Rows of SQLite as Arrow data whose columns have their declared types, whatever the values.

    The types are int64, double, string, bool, date32, and timestamp in UTC with microseconds; a column without a
    declared type is a string. A timestamp that is a date alone becomes the beginning of the day, and a value that its
    type cannot hold is left empty; `note` counts both.
    """

    def __init__(self, source: Source, columns: Sequence[str], meanings: Mapping[str, str] | None = None) -> None:
        """`columns`: the names in the order of the rows' values. `meanings`: descriptions that no table declares.

        Raises ImportError without pyarrow.
        """
        try:
            import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415
            import pyarrow.parquet as pq  # type: ignore[import-untyped] # noqa: PLC0415
        except ImportError as error:
            raise ImportError(NOT_INSTALLED) from error
        # A SELECT may give two columns the same name; Parquet readers expect different names.
        unique = _unique(columns)
        arrow = {
            "integer": pa.int64(),
            "number": pa.float64(),
            "text": pa.string(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us", "UTC"),
        }
        kinds = [type_of(source, name) or "text" for name in columns]
        said = meanings or {}
        self.schema = pa.schema(
            pa.field(name, arrow[kind], metadata={"description": describe_column(source, name) or said.get(name, "")})
            for name, kind in zip(unique, kinds, strict=True)
        )
        self._columns = [_Column(name, kind, arrow[kind], pa) for name, kind in zip(unique, kinds, strict=True)]
        self._pa, self._pq = pa, pq

    def batch(self, rows: Sequence[Sequence[Any]]) -> Any:
        """Return rows, at least one, as a record batch."""
        columns = zip(self._columns, zip(*rows, strict=True), strict=True)
        return self._pa.record_batch([column.array(values) for column, values in columns], schema=self.schema)

    def table(self, batches: Sequence[Any]) -> Any:
        """Return record batches as a table, which a writer stores as one row group."""
        return self._pa.Table.from_batches(batches, self.schema)

    def writer(self, path: Path) -> Any:
        """Return the writer of a Parquet file. Raises OSError."""
        return self._pq.ParquetWriter(path, self.schema, compression="zstd")

    def note(self) -> str | None:
        """Return what a reader of the file must know of its values."""
        return "; ".join(note for column in self._columns for note in column.notes()) or None


def _unique(columns: Sequence[str]) -> list[str]:
    """Names that differ: of a, a, a_1 the second becomes a_2."""
    names: list[str] = []
    for name in columns:
        others = (f"{name}_{number}" for number in count(1))
        names.append(name if name not in names else next(other for other in others if other not in {*names, *columns}))
    return names


# The Python types of values that are of a declared type as they are.
_NO_TYPES: frozenset[type] = frozenset()
_EXACT: Mapping[str, frozenset[type]] = {
    "integer": frozenset({int, NoneType}),
    "text": frozenset({str, NoneType}),
}


class _Column:
    """A column that turns the values of SQLite into those of its type, and counts what it had to change."""

    def __init__(self, name: str, kind: str, arrow: Any, pa: Any) -> None:
        self._name, self._kind, self._arrow, self._pa = name, kind, arrow, pa
        self._days = self._lost = 0

    def array(self, values: Sequence[Any]) -> Any:
        """Return values as an array of the column's type."""
        if self._kind in ("date", "timestamp"):
            try:  # texts of one form are read by pyarrow, twenty times as fast
                return self._pa.array(values, self._pa.string()).cast(self._arrow)
            except (self._pa.ArrowInvalid, self._pa.ArrowTypeError):
                pass
        elif set(map(type, values)) <= _EXACT.get(self._kind, _NO_TYPES):  # nothing to change or to leave out
            return self._pa.array(values, self._arrow)
        return self._pa.array([None if value is None else self._value(value) for value in values], self._arrow)

    def _value(self, value: Any) -> Any:
        found = VALUES[self._kind](value)
        self._lost += found is None
        self._days += self._kind == "timestamp" and found is not None and len(value) == len("2026-03-01")
        return found

    def notes(self) -> list[str]:
        """Return what a reader of the file must know of the column."""
        notes = []
        if self._days:
            notes.append(f"{self._name}: {self._days:,} dates without a time are the beginning of the day (UTC)")
        if self._lost:
            notes.append(f"{self._name}: {self._lost:,} values that are no {self._kind} are left empty; CSV has them")
        return notes


def _integer(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value if isinstance(value, int) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else None


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _boolean(value: Any) -> bool | None:
    return bool(value) if value in (0, 1) else None


def _date(value: Any) -> date | None:
    moment = _timestamp(value)
    return moment.date() if moment is not None and len(value) == len("2026-03-01") else None


def _timestamp(value: Any) -> datetime | None:
    """Read "2026-03-01T09:30:00.5Z" or "2026-03-01"; a time without a zone is not a moment."""
    if not isinstance(value, str) or not (len(value) == len("2026-03-01") or value.endswith("Z")):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:  # 2026-02-30
        return None


VALUES: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "text": _text,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
