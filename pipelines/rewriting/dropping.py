"""Removes files whose records a packed file has: copies that came back, as from a backup, or by a merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path

from sqlite_utils import Database

from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc.joining import has_records_of, heads_in, overlapping
from pipelines.run.recorded_runs import RUNS


def drop_copies(archive: Path, db: Database) -> list[str]:
    """Remove each copy, every record of which is in a packed file, byte for byte; return their paths in the archive.

    A file that is not closed stays, and so does one that a row names. The caller holds the archive's lock. Raises
    OSError, `sqlite3.Error`.
    """
    dropped: list[str] = []
    for folder in sorted(path for path in (archive / "warc").glob("*") if path.is_dir() and not path.is_symlink()):
        heads = heads_in(folder)
        found = [*_copies(folder, heads), *overlapping(heads)] if heads else []
        named = _named(db, folder.name) if found and folder.name != RUNS else set()
        for path, packed in found:
            name = path.relative_to(archive).as_posix()
            if name not in named and _is_closed(path) and packed.exists() and has_records_of(packed, path):
                path.unlink()
                dropped.append(name)
        if found:
            sync_folder(folder)
    return dropped


def dropped_lines(dropped: Sized) -> list[str]:
    """Return what to say of copies that were removed: a line, or none."""
    number = len(dropped)
    return [f"{number} WARC file{'s' * (number != 1)} removed, whose records are in packed files"] if dropped else []


def _copies(folder: Path, heads: Mapping[Path, Sequence[str]]) -> Iterator[tuple[Path, Path]]:
    """Yield files that heads of packed files name, and the packed file. Those come first that were packed first."""
    files = {path.name: path for path in sorted(folder.glob("*.warc.gz"))}
    for packed, names in sorted(heads.items(), key=lambda item: len(item[1])):
        yield from ((files.pop(name), packed) for name in names if name in files and name != packed.name)


def _is_closed(path: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and not path.with_name(path.name + OPEN_SUFFIX).exists()


def _named(db: Database, clinic_id: str) -> set[str]:
    rows = db.execute("SELECT DISTINCT warc_file FROM captures WHERE clinic_id = ?", [clinic_id]).fetchall()
    return {file for (file,) in rows}
