"""What stands beside the files of a whole archive for other programs: datapackage.json, and load.sql for DuckDB.

datapackage.json follows Data Package v2 (https://datapackage.org): types, keys, meaning and missing values of every
column. load.sql makes a table of every file, with the same types; no value is guessed from the first rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from archive.export._columns import archive_description, describe_column, may_be_date, purpose, type_of
from archive.export._source import Source

PACKAGE, LOAD = "datapackage.json", "load.sql"
_FIELD_TYPES = {"text": "string", "timestamp": "datetime"}  # Table Schema has the same names for the others
_DUCKDB_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
# How our CSV files are written, so that DuckDB has nothing to guess. The longest line is a post's row: DOWNLOAD_MAXSIZE
# allows a page of 32 MB, which is there as text and as HTML.
_CSV_OPTIONS = (
    "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', new_line = '\\r\\n'"
)


def package(connection: sqlite3.Connection, files: Iterable[tuple[Source, Any]], made_at: str) -> dict[str, Any]:
    """Return datapackage.json of the files of tables and views, given as pairs of a source and a `Written`."""
    title, description = archive_description()
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "clinic-blog-archive",
        "title": title,
        "description": description,
        "created": made_at,
        "resources": [_resource(connection, source, file) for source, file in files],
    }


def _resource(connection: sqlite3.Connection, source: Source, file: Any) -> dict[str, Any]:
    resource = {
        "name": source.name,
        "type": "table",
        "description": purpose(source.name),
        "path": file.path.name,
        "format": file.path.suffix.removeprefix("."),
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "schema": _schema(connection, source, file.columns),
    }
    if file.path.suffix == ".csv":
        resource |= {"mediatype": "text/csv", "encoding": "utf-8"}
    return resource


def _schema(connection: sqlite3.Connection, source: Source, columns: Sequence[str]) -> dict[str, Any]:
    rows = connection.execute(f"PRAGMA table_info([{source.name}])").fetchall()
    required = {name for _, name, _, not_null, _, _ in rows if not_null}
    keys = [name for _, name, *_, place in sorted(rows, key=lambda row: int(row[5])) if place]
    schema: dict[str, Any] = {"fields": [_field(source, name, name in required) for name in columns]}
    if keys:
        schema["primaryKey"] = keys
    parents: dict[int, list[tuple[str, str, str]]] = {}
    for number, _, table, column, other, *_ in connection.execute(f"PRAGMA foreign_key_list([{source.name}])"):
        parents.setdefault(number, []).append((table, column, other or column))
    if parents:
        schema["foreignKeys"] = [
            {
                "fields": [column for _, column, _ in pairs],
                "reference": {"resource": pairs[0][0], "fields": [other for _, _, other in pairs]},
            }
            for pairs in parents.values()
        ]
    return schema | {"missingValues": [""]}


def _field(source: Source, name: str, required: bool) -> dict[str, Any]:
    kind = type_of(source, name) or "text"
    field: dict[str, Any] = {"name": name, "type": _FIELD_TYPES.get(kind, kind)}
    if may_be_date(source, name):  # the default form of a datetime always has a time
        field["format"] = "any"
    if kind == "boolean":
        field |= {"trueValues": ["1"], "falseValues": ["0"]}
    if (meaning := describe_column(source, name)) is not None:
        field["description"] = meaning
    return field | ({"constraints": {"required": True}} if required else {})


def load_sql(files: Iterable[tuple[Source, Any]]) -> str:
    """Return the SQL by which DuckDB makes a typed table of each CSV or Parquet file, given as for `package`."""
    lines = [
        "-- Typed tables of these files, for DuckDB. Run it in this folder:",
        "--     duckdb archive.duckdb -c '.read load.sql'",
        "-- A timestamp that is a date alone becomes the beginning of the day in UTC.",
        "SET TimeZone = 'UTC';",
    ]
    for source, file in files:
        lines += ["", *_table(source, file.path, file.columns)]
    return "\n".join([*lines, ""])


def _table(source: Source, path: Path, columns: Sequence[str]) -> Iterator[str]:
    table = _quoted(source.name, '"')
    yield f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM"
    if path.suffix == ".parquet":
        yield f"  read_parquet({_quoted(path.name)});"
    else:
        types = ", ".join(f"{_quoted(name)}: '{_DUCKDB_TYPES[type_of(source, name) or 'text']}'" for name in columns)
        limits = ", max_line_size = 80000000, buffer_size = 160000000" if "body_html" in columns else ""
        yield f"  read_csv({_quoted(path.name)}, {_CSV_OPTIONS}{limits},"
        yield f"    columns = {{{types}}});"
    if what := purpose(source.name):
        yield f"COMMENT ON TABLE {table} IS {_quoted(what)};"
    for name in columns:
        if (meaning := describe_column(source, name)) is not None:
            yield f"COMMENT ON COLUMN {table}.{_quoted(name, chr(34))} IS {_quoted(meaning)};"


def _quoted(text: str, quote: str = "'") -> str:
    """Return a text as SQL, quotes in it doubled: it's gives 'it''s'."""
    return f"{quote}{text.replace(quote, 2 * quote)}{quote}"
