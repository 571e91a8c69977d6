"""Parquet files, written by pyarrow, which is optional: `pip install pyarrow`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from archive.export._source import Source, as_subquery, can_nest, columns_of, describe, read

MISSING = "Parquet needs pyarrow: run `pip install pyarrow`, or use --format csv"


def write_parquet(path: Path, connection: sqlite3.Connection, source: Source) -> int:
    """Write a source to a Parquet file with descriptions of its columns; return the number of rows.

    A column has the narrowest type that holds all its values: int64, double or text. Times stay ISO 8601 texts, since
    some are dates without a time. Raises ImportError without pyarrow, `sqlite3.Error`, OSError.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415
        import pyarrow.parquet as pq  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError as error:
        raise ImportError(MISSING) from error
    columns = columns_of(connection, source)
    # A SELECT may give two columns the same name; Parquet readers expect different names.
    unique = [name if name not in columns[:place] else f"{name}_{place}" for place, name in enumerate(columns)]
    types = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64()}
    schema = pa.schema(
        pa.field(name, types[kind], metadata={"description": describe(source, name) or ""})
        for name, kind in zip(unique, _types(connection, source, columns), strict=True)
    )
    number = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in read(connection, source):
            number += len(rows)
            cells = [
                [_value(value, as_text=field.type == pa.string()) for value in column]
                for field, column in zip(schema, zip(*rows, strict=True), strict=True)
            ]
            writer.write_batch(pa.record_batch(cells, schema=schema))
    return number


def _types(connection: sqlite3.Connection, source: Source, columns: list[str]) -> list[str]:
    """Return integer, real or text for each column, by all its values; a column of only NULL is text."""
    if not can_nest(connection, source):
        return ["text"] * len(columns)
    names = [f"c{number}" for number in range(len(columns))]
    counts = ", ".join(
        f"max(typeof({name}) IN ('text', 'blob')), max(typeof({name}) = 'real'), count({name})" for name in names
    )
    sql = f"WITH exported ({', '.join(names)}) AS (\n{as_subquery(source.sql)}\n) SELECT {counts} FROM exported"
    found = list(connection.execute(sql, source.parameters).fetchone())
    return [
        "text" if text or not filled else "real" if real else "integer"
        for text, real, filled in zip(found[::3], found[1::3], found[2::3], strict=True)
    ]


def _value(value: Any, *, as_text: bool) -> Any:
    if value is None or not as_text:
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
