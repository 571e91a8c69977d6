"""The export of a whole archive: a file for each table and view, and files that describe them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.export._columns import describe_column, type_of
from archive.export._formats import Format, Written, write
from archive.export._package import LOAD, PACKAGE, load_sql, package
from archive.export._source import Source, find_source, names
from archive.times import utc_seconds

MANIFEST = "manifest.json"
_FOR_DUCKDB = (".csv", ".parquet")  # files that its load.sql reads


def export_all(
    folder: Path, connection: sqlite3.Connection, form: Format, software: str, *, derived: bool = False
) -> list[Written]:
    """Write every table and view to `folder`, with a manifest, datapackage.json and, for DuckDB, load.sql.

    `derived`: also the tables that are made from other rows, and the views of them. All files are read in one
    transaction. They are written to a subfolder and then renamed, the manifest last: a reader at that moment sees by
    the manifest's hashes which files belong to it. Other files in the folder are not touched.
    Raises what `write` raises; the previous export then stays as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / ".part"
    shutil.rmtree(stage, ignore_errors=True)  # an export that was killed left it
    stage.mkdir()
    try:
        with _transaction(connection):
            (schema,) = connection.execute("SELECT max(name) FROM _sqlite_migrations").fetchone()
            chosen = names(connection, with_parameters=False, derived=derived)
            sources = [find_source(connection, name) for name in chosen]
            written = [write(stage / f"{source.name}{form.suffix}", connection, source, form) for source in sources]
            pairs = list(zip(sources, written, strict=True))
            made_at = utc_seconds(datetime.now(UTC))
            _write_json(stage / PACKAGE, package(connection, pairs, made_at))
        if form.suffix in _FOR_DUCKDB:
            (stage / LOAD).write_text(load_sql(pairs), "utf-8")
        beside = sorted({PACKAGE, LOAD} & {path.name for path in stage.iterdir()})
        files = {file.path.name: _entry(source, file) for source, file in pairs}
        manifest = {"schema": schema, "software": software, "made_at": made_at, "files": files, "beside": beside}
        _write_json(stage / MANIFEST, manifest)
        outdated = _files_of_last_export(folder) - {path.name for path in stage.iterdir()}
        for path in sorted(stage.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(folder / path.name)
        for name in outdated:
            (folder / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [replace(file, path=folder / file.path.name) for file in written]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _files_of_last_export(folder: Path) -> set[str]:
    """Return the names in the manifest of the last export, and of the files of long texts beside them."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = {*manifest["files"], *manifest.get("beside", [])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
    long_texts = {path.name for name in files for path in folder.glob(f"{Path(name).stem}.long-texts.jsonl")}
    # An export writes no name that contains a folder.
    return {name for name in files if Path(name).name == name} | long_texts


def _entry(source: Source, written: Written) -> dict[str, object]:
    columns = [
        {"name": name, "type": type_of(source, name), "description": describe_column(source, name)}
        for name in written.columns
    ]
    entry: dict[str, object] = {
        "rows": written.rows,
        "bytes": written.size,
        "sha256": written.sha256,
        "columns": columns,
    }
    return entry | ({"note": written.note} if written.note else {})
