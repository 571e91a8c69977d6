"""The export formats by name, and writing one file: to a temporary name first, renamed when it is complete."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.export._csv import EXCEL_RULE, Tally, csv_blocks
from archive.export._json import json_blocks
from archive.export._parquet import write_parquet
from archive.export._sheet import write_sheet
from archive.export._source import Source, columns_of, read
from archive.export._target import replacing


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: number of rows, SHA-256, size in bytes, and a note for its readers (None: no note)."""

    path: Path
    rows: int
    sha256: str
    size: int
    columns: tuple[str, ...]
    note: str | None = None


# Writes a source to the first path, and may write further files beside the second one, the final name. Returns the
# number of rows and a note.
Writer = Callable[[Path, Path, sqlite3.Connection, Source], tuple[int, str | None]]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: the ending of the file's name, its media type, and the function that writes it."""

    suffix: str
    media_type: str
    writer: Writer


def write(path: Path, connection: sqlite3.Connection, source: Source, form: Format) -> Written:
    """Write a source to a file, which appears complete or not at all.

    Raises `TooManyRows`, `sqlite3.Error`, OSError, and ImportError if the format needs a library that is not installed.
    """
    with replacing(path) as draft:
        rows, note = form.writer(draft, path, connection, source)
        with draft.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
    return Written(path, rows, sha256, size, tuple(columns_of(connection, source)), note)


def _csv(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    return _blocks(draft, connection, source, excel=False).rows, None


def _excel_csv(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    tally = _blocks(draft, connection, source, excel=True)
    return tally.rows, f"{tally.altered} cells altered: {EXCEL_RULE}" if tally.altered else None


def _blocks(draft: Path, connection: sqlite3.Connection, source: Source, *, excel: bool) -> Tally:
    tally = Tally()
    with draft.open("wb") as file:
        file.writelines(csv_blocks(connection, source, excel=excel, tally=tally))
    return tally


def _json_lines(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """Write one JSON object a line; a blob is hexadecimal."""
    columns, number = columns_of(connection, source), 0
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        for rows in read(connection, source):
            number += len(rows)
            for row in rows:
                values = dict(zip(columns, row, strict=True))
                file.write(json.dumps(values, ensure_ascii=False, default=bytes.hex) + "\n")
    return number, None


def _json(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """Write one JSON list, as the site gives it."""
    number = 0
    with draft.open("wb") as file:
        for block in json_blocks(connection, source):
            number += block.count(b"\n{")
            file.write(block)
    return number, None


def _xlsx(draft: Path, final: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    """Write an XLSX file. Texts that are too long for a cell are written whole to a JSON lines file beside it."""
    beside = final.with_name(f"{final.stem}.long-texts.jsonl")
    with replacing(beside) as long_texts, long_texts.open("w", encoding="utf-8") as file:

        def on_cut(row: int, column: str, text: str) -> None:
            file.write(json.dumps({"row": row, "column": column, "text": text}, ensure_ascii=False) + "\n")

        rows, cut = write_sheet(draft, connection, source, on_cut)
    if not cut:
        beside.unlink()
        return rows, None
    return rows, f"{cut} cells cut at 32,767 characters; their whole texts are in {beside.name}"


def _parquet(draft: Path, _: Path, connection: sqlite3.Connection, source: Source) -> tuple[int, str | None]:
    return write_parquet(draft, connection, source)


FORMATS = {
    "csv": Format(".csv", "text/csv; charset=utf-8", _csv),
    "excel-csv": Format("-excel.csv", "text/csv; charset=utf-8", _excel_csv),
    "xlsx": Format(".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    "jsonl": Format(".jsonl", "application/x-ndjson", _json_lines),
    "parquet": Format(".parquet", "application/vnd.apache.parquet", _parquet),
}
# The formats of what is no table, view or question: of edits and of words in context.
LISTING_FORMATS = {
    "csv": FORMATS["csv"],
    "xlsx": FORMATS["xlsx"],
    "json": Format(".json", "application/json; charset=utf-8", _json),
    "jsonl": FORMATS["jsonl"],
}
