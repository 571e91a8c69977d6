"""The files that visitors download, as blocks of bytes."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.export import FORMATS, Source, TooManyRows, csv_blocks, write
from archive.site.visitors.limits import TooLarge

BLOCK = 1 << 18  # bytes


def blocks(connection: sqlite3.Connection, form: str, name: str, sql: str, values: Any) -> Iterator[bytes]:
    """Yield the file of a query; `form` is csv, excel-csv or xlsx. Raises `TooLarge`, `sqlite3.Error`, OSError."""
    source = Source(name, sql, values)
    if form != "xlsx":
        yield from csv_blocks(connection, source, excel=form == "excel-csv")
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "sheet.xlsx"
        try:
            write(path, connection, source, FORMATS["xlsx"])
        except TooManyRows as error:
            raise TooLarge(str(error)) from error
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
