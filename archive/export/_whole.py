"""The whole archive as files: the same names each time, and a manifest that tells what they hold."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from archive.export._formats import Format, Written, write
from archive.export._source import Source, describe, find, names

MANIFEST = "manifest.json"


def export_all(folder: Path, connection: sqlite3.Connection, form: Format, software: str) -> list[Written]:
    """Write every table, view and question that asks for nothing to `folder`, with a manifest.

    All files tell of one moment. They are written aside and swapped in together, each whole, the manifest last: whoever
    reads in that instant sees by its hashes which file is not of its export. Files that are not ours are left alone.
    Raises what `write` does; then the last export stands as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / ".part"
    shutil.rmtree(stage, ignore_errors=True)  # of an export that was killed
    stage.mkdir()
    try:
        with _one_moment(connection):
            (schema,) = connection.execute("SELECT max(name) FROM _sqlite_migrations").fetchone()
            sources = [find(connection, name) for name in names(connection, with_parameters=False)]
            written = [write(stage / f"{one.name}{form.suffix}", connection, one, form) for one in sources]
        files = {one.path.name: _entry(source, one) for source, one in zip(sources, written, strict=True)}
        made_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        manifest = {"schema": schema, "software": software, "made_at": made_at, "files": files}
        (stage / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
        gone = _earlier(folder) - {path.name for path in stage.iterdir()}
        for path in sorted(stage.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(folder / path.name)
        for name in gone:
            (folder / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [replace(one, path=folder / one.path.name) for one in written]


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _earlier(folder: Path) -> set[str]:
    """The files of the last export there, by its manifest, those beside them too."""
    try:
        files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    beside = {path.name for name in files for path in folder.glob(f"{Path(name).stem}.long-texts.jsonl")}
    # A name with a folder in it was never written by us.
    return {name for name in files if Path(name).name == name} | beside


def _entry(source: Source, written: Written) -> dict[str, object]:
    columns = [{"name": name, "description": describe(source, name)} for name in written.columns]
    entry: dict[str, object] = {
        "rows": written.rows, "bytes": written.size, "sha256": written.sha256, "columns": columns
    }  # fmt: skip
    return entry | ({"note": written.note} if written.note else {})
