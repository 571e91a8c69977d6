"""The files that visitors download, as blocks of bytes."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from archive.export import FORMATS, Source, TooManyRows, csv_blocks, json_blocks, write
from archive.site.visitors.limits import AnswerTooLarge

BLOCK = 1 << 18  # bytes


def blocks(connection: sqlite3.Connection, form: str, source: Source, begun: Callable[[], None]) -> Iterator[bytes]:
    """Yield the file of a source; `form` is csv, excel-csv, xlsx or json.

    Calls `begun` once the first row has been read. Raises `AnswerTooLarge`, `sqlite3.Error`, OSError.
    """
    if form == "json":
        yield from json_blocks(connection, source, begun)
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
            raise AnswerTooLarge(str(error)) from error
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
