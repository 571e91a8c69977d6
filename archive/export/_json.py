"""JSON: a list of objects, one a row, each on a line of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

from archive.export._source import Source, columns_of, read


def json_blocks(
    connection: sqlite3.Connection, source: Source, begun: Callable[[], object] = lambda: None
) -> Iterator[bytes]:
    """Yield a source as a JSON list, in blocks; a blob is hexadecimal. Calls `begun` once the first row has been read.

    Raises `sqlite3.Error`.
    """
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
