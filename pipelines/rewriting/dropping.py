"""Removes files whose records a packed file has: copies that came back, as from a backup, or by a merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from pathlib import Path

from sqlite_utils import Database

from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc.joining import Head, has_records_of, head_of
from pipelines.run.headers import RUNS


def drop_copies(archive: Path, db: Database) -> list[str]:
    """Remove each copy, every record of which is in a packed file, byte for byte; return their paths in the archive.

    A file that is not closed stays, and so does one that a row names. The caller holds the archive's lock. Raises
    OSError, `sqlite3.Error`.
    """
    dropped: list[str] = []
    for folder in sorted(path for path in (archive / "warc").glob("*") if path.is_dir() and not path.is_symlink()):
        found = list(_copies(folder))
        named = _named(db, folder.name) if found and folder.name != RUNS else set()
        for path, packed in found:
            name = path.relative_to(archive).as_posix()
            if name not in named and packed.exists() and has_records_of(packed, path):
                path.unlink()
                dropped.append(name)
        if found:
            sync_folder(folder)
    return dropped


def dropped_lines(dropped: Sized) -> list[str]:
    """Return what to say of copies that were removed: a line, or none."""
    number = len(dropped)
    return [f"{number} WARC file{'s' * (number != 1)} removed, whose records are in packed files"] if dropped else []


def _copies(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield files that heads of packed files name, and the packed file. Those come first that were packed first."""
    files = {path.name: path for path in sorted(folder.glob("*.warc.gz")) if path.is_file() and not path.is_symlink()}
    closed = {name: path for name, path in files.items() if not path.with_name(name + OPEN_SUFFIX).exists()}
    heads: Mapping[Path, Head] = {path: head for path in files.values() if (head := head_of(path)) is not None}
    for packed, head in sorted(heads.items(), key=lambda item: len(item[1].files)):
        yield from ((closed.pop(name), packed) for name in head.files if name in closed and name != packed.name)


def _named(db: Database, clinic_id: str) -> set[str]:
    rows = db.execute("SELECT DISTINCT warc_file FROM captures WHERE clinic_id = ?", [clinic_id]).fetchall()
    return {file for (file,) in rows}
