"""The formats by name, and writing one file: beside its name first, swapped in when it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.export._csv import EXCEL_RULE, Tally, csv_blocks
from archive.export._parquet import write_parquet
from archive.export._sheet import write_sheet
from archive.export._source import Source, columns_of, read


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: its rows, its SHA-256, and what a reader must know of it (None: nothing)."""

    path: Path
    rows: int
    sha256: str
    size: int
    columns: tuple[str, ...]
    note: str | None = None


# Writes a source to a path, may put files beside the final name (second path); gives rows and a note.
Writer = Callable[[Path, Path, sqlite3.Connection, Source], tuple[int, str | None]]


@dataclass(frozen=True, slots=True)
class Format:
    """How a source becomes a file: the end of its name, its media type, who writes it."""

    suffix: str
    media_type: str
    writer: Writer


def write(path: Path, connection: sqlite3.Connection, source: Source, form: Format) -> Written:
    """Write a source to a file, which appears whole or not at all.

    Raises `TooManyRows`, `sqlite3.Error`, OSError, and ImportError where a format wants a library that is not there.
    """
    with _swapped(path) as draft:
        rows, note = form.writer(draft, path, connection, source)
        with draft.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
            os.fsync(file.fileno())
    return Written(path, rows, sha256, size, tuple(columns_of(connection, source)), note)


@contextmanager
def _swapped(path: Path) -> Iterator[Path]:
    """A name to write to; it takes the place of `path` when all went well, and is gone when not."""
    draft = path.with_name(f".{path.name}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _csv(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    return _blocks(draft, connection, source, excel=False).rows, None


def _excel_csv(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    told = _blocks(draft, connection, source, excel=True)
    return told.rows, f"{told.altered} cells altered: {EXCEL_RULE}" if told.altered else None


def _blocks(draft: Path, connection: sqlite3.Connection, source: Source, *, excel: bool) -> Tally:
    tally = Tally()
    with draft.open("wb") as file:
        file.writelines(csv_blocks(connection, source, excel=excel, tally=tally))
    return tally


def _json_lines(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """An object a line; a blob is hexadecimal."""
    columns, number = columns_of(connection, source), 0
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        for rows in read(connection, source):
            number += len(rows)
            for row in rows:
                told = dict(zip(columns, row, strict=True))
                file.write(json.dumps(told, ensure_ascii=False, default=bytes.hex) + "\n")
    return number, None


def _xlsx(draft: Path, final: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """Texts that a cell does not hold go whole to a file of their own beside it, which is there only then."""
    beside = final.with_name(f"{final.stem}.long-texts.jsonl")
    with _swapped(beside) as long_texts, long_texts.open("w", encoding="utf-8") as file:

        def keep(row: int, column: str, text: str) -> None:
            file.write(json.dumps({"row": row, "column": column, "text": text}, ensure_ascii=False) + "\n")

        rows, cut = write_sheet(draft, connection, source, keep)
    if not cut:
        beside.unlink()
        return rows, None
    return rows, f"{cut} cells cut at 32,767 characters; their whole texts are in {beside.name}"


def _parquet(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    return write_parquet(draft, connection, source), None


FORMATS = {
    "csv": Format(".csv", "text/csv; charset=utf-8", _csv),
    "excel-csv": Format("-excel.csv", "text/csv; charset=utf-8", _excel_csv),
    "xlsx": Format(".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    "jsonl": Format(".jsonl", "application/x-ndjson", _json_lines),
    "parquet": Format(".parquet", "application/vnd.apache.parquet", _parquet),
}
