"""Copies in a backup of files that a pack joined: each goes with the last snapshot that has it.

None goes, nor is one noted, unless the backup's copy of the packed file is whole.

leaving.json   by the path of such a copy: the name of the last snapshot that may have it
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from archive.backup.snapshots import BackupDamaged, stamps, write_text
from archive.warc._file import sync_folder
from archive.warc.joining import heads_in, is_whole, runs_in

LEAVING = "leaving.json"


class PackedFiles:
    """The packed files of a folder, in an archive or in a backup; each is read at most once. Methods raise OSError."""

    def __init__(self) -> None:
        self._files: dict[Path, dict[str, list[Path]]] = {}
        self._runs: dict[Path, frozenset[str]] = {}

    def with_runs_of(self, path: Path) -> list[Path]:
        """Return the packed files beside a path that have the records of its file, as their heads say."""
        if path.parent not in self._files:
            files = self._files.setdefault(path.parent, {})
            for packed, names in heads_in(path.parent).items():
                for name in names:
                    files.setdefault(name, []).append(packed)
        return self._files[path.parent].get(path.name, [])

    def holds(self, path: Path) -> bool:
        """Return whether one of these files is whole, by the digests of its records, and has the runs of a file."""
        found = self.with_runs_of(path)
        runs = runs_in(path).keys() if found and path.exists() else ()
        return any(self._runs_of_whole(packed).issuperset(runs) for packed in found if self._runs_of_whole(packed))

    def _runs_of_whole(self, packed: Path) -> frozenset[str]:
        if packed not in self._runs:
            self._runs[packed] = frozenset(runs_in(packed) if is_whole(packed) else ())
        return self._runs[packed]


def save_packed(folder: Path, names: Collection[str]) -> None:
    """Note copies that no later snapshot has. Raises `BackupDamaged`, OSError."""
    newest = stamps(folder)[-1:]
    if names and newest:
        _write(folder, {**_noted(folder), **dict.fromkeys(names, newest[0])})


def drop_superseded(folder: Path, needed: Iterable[str]) -> int:
    """Remove copies that no snapshot has any more; return their number. Raises `BackupDamaged`, OSError.

    A copy stays, and stays noted, while the backup has no whole packed file with its records.

    `needed`: files of the newest snapshot, which an archive that was restored may have again.
    """
    noted = _noted(folder)
    if not noted:
        return 0
    oldest, current = min(stamps(folder), default=""), set(needed)
    left = [name for name, last in noted.items() if last < oldest or name in current]
    packed, number = PackedFiles(), 0
    left = [name for name in left if name in current or not (folder / name).exists() or packed.holds(folder / name)]
    for name in left:
        path = folder / name
        if name not in current and path.exists():
            path.unlink()
            sync_folder(path.parent)
            number += 1
    if left:
        _write(folder, {name: last for name, last in noted.items() if name not in left})
    return number


def _noted(folder: Path) -> dict[str, str]:
    path = folder / LEAVING
    try:
        noted = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict) or not all(map(_is_entry, noted.items())):
        raise BackupDamaged(f"{path}: damaged; delete it: some copies of files that were packed then stay for good")
    return noted


def _is_entry(entry: tuple[str, object]) -> bool:
    """Whether it names a WARC file of a clinic and a snapshot."""
    name, last = entry
    parts = name.split("/")
    return isinstance(last, str) and len(parts) == 3 and parts[0] == "warc" and ".." not in parts


def _write(folder: Path, noted: dict[str, str]) -> None:
    if noted:
        write_text(folder / LEAVING, json.dumps(noted, indent=0) + "\n")
    else:
        (folder / LEAVING).unlink(missing_ok=True)
