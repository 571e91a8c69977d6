"""The files that visitors download, as blocks of bytes."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from archive.export import FORMATS, Source, TooManyRows, columns_of, csv_blocks, read, write
from archive.site.visitors.limits import TooLarge

BLOCK = 1 << 18  # bytes


def blocks(connection: sqlite3.Connection, form: str, source: Source, begun: Callable[[], None]) -> Iterator[bytes]:
    """Yield the file of a source; `form` is csv, excel-csv, xlsx or json.

    Calls `begun` once the first row has been read. Raises `TooLarge`, `sqlite3.Error`, OSError.
    """
    if form == "json":
        yield from _json(connection, source, begun)
        return
    lines = csv_blocks(connection, source, excel=form == "excel-csv")
    head = b"".join(islice(lines, 2))
    begun()
    if form != "xlsx":
        yield head
        yield from lines
        return
    lines.close()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "sheet.xlsx"
        try:
            write(path, connection, source, FORMATS["xlsx"])
        except TooManyRows as error:
            raise TooLarge(str(error)) from error
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def _json(connection: sqlite3.Connection, source: Source, begun: Callable[[], None]) -> Iterator[bytes]:
    """Yield a list of objects, one a row, each on a line of its own."""
    columns = columns_of(connection, source)
    blocks = read(connection, source, first=1)
    rows = next(blocks, [])
    begun()
    start = "[\n"
    while rows:
        objects = (
            json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=bytes.hex) for row in rows
        )
        yield (start + ",\n".join(objects)).encode("utf-8", "replace")
        start, rows = ",\n", next(blocks, [])
    yield b"[]\n" if start == "[\n" else b"\n]\n"
