"""Parquet files, written by pyarrow, which is optional: `pip install pyarrow`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from archive.export._source import Source, bare, columns_of, describe, read, wraps

MISSING = "Parquet needs pyarrow: run `pip install pyarrow`, or use --format csv"


def write_parquet(path: Path, connection: sqlite3.Connection, source: Source) -> int:
    """Write a source to a Parquet file, its columns described; number of rows.

    A column is of the narrowest type that holds all that stands in it: int64, double or text. Times stay ISO 8601
    texts, as some are bare dates. Raises ImportError without pyarrow, `sqlite3.Error`, OSError.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415
        import pyarrow.parquet as pq  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError as error:
        raise ImportError(MISSING) from error
    columns = columns_of(connection, source)
    # Two columns of one name, as typed SQL may give, would be one in a table of columns.
    unique = [name if name not in columns[:place] else f"{name}_{place}" for place, name in enumerate(columns)]
    kinds = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64()}
    schema = pa.schema(
        pa.field(name, kinds[kind], metadata={"description": describe(source, name) or ""})
        for name, kind in zip(unique, _kinds(connection, source, columns), strict=True)
    )
    number = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in read(connection, source):
            number += len(rows)
            cells = [
                [_as(field.type == pa.string(), value) for value in column]
                for field, column in zip(schema, zip(*rows, strict=True), strict=True)
            ]
            writer.write_batch(pa.record_batch(cells, schema=schema))
    return number


def _kinds(connection: sqlite3.Connection, source: Source, columns: list[str]) -> list[str]:
    """Of each column: integer, real or text, after all that stands in it; a column of NULL alone is text."""
    if not wraps(connection, source):
        return ["text"] * len(columns)
    names = [f"c{number}" for number in range(len(columns))]
    told = ", ".join(
        f"max(typeof({one}) IN ('text', 'blob')), max(typeof({one}) = 'real'), count({one})" for one in names
    )
    sql = f"WITH exported ({', '.join(names)}) AS (\n{bare(source.sql)}\n) SELECT {told} FROM exported"
    found = list(connection.execute(sql, source.parameters).fetchone())
    return [
        "text" if text or not known else "real" if real else "integer"
        for text, real, known in zip(found[::3], found[1::3], found[2::3], strict=True)
    ]


def _as(text: bool, value: Any) -> Any:
    if value is None or not text:
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
