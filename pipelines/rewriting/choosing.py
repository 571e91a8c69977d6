"""Which WARC files a pack joins: closed files of whole crawls that ended before a month, as many as one file may hold.

A file that an earlier pack made is joined again once the newer ones are as large together: so each byte is copied a few
times in all, however often a pack is made, and a clinic has few files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from archive.warc._file import OPEN_SUFFIX
from archive.warc.joining import head_of, is_whole, overlapping
from pipelines.run.recorded_runs import RUNS

LARGEST = 1_000_000_000  # bytes of a file that a pack makes; a crawl begins another file then, too
MAX_NAMES = 100_000  # files whose names the head of such a file states
# "riverside-20260301093000-0123abcd-00000.warc.gz"
_NAME = re.compile(r".+-(?P<stamp>\d{14})-(?P<run>[0-9A-Za-z._]{1,8})-\d{5,}\.warc\.gz")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Files that stay together: all of one run, or one that an earlier pack made."""

    stamp: str  # when the first run in it began, as file names have it
    paths: tuple[Path, ...]
    size: int  # bytes
    names: int  # of files that the head of a file with these would state
    is_packed: bool


class PackGroup(NamedTuple):
    """Files that become one."""

    paths: tuple[Path, ...]  # in the order of their runs
    stamp: str  # when the first of these runs began, as file names have it
    size: int  # bytes


@dataclass(slots=True)
class Choice:
    """What a pack does at a clinic."""

    clinic_id: str  # or the folder of the runs as wholes
    groups: list[PackGroup] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # paths in the archive of files that are left as they are

    @property
    def files(self) -> int:
        """The number of files that are joined."""
        return sum(len(group.paths) for group in self.groups)

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(group.size for group in self.groups)


def choose(archive: Path, db: Database, before: str) -> Iterator[Choice]:
    """Yield what a pack does at each clinic where it does anything, and for the files of whole runs, which come last.

    `before`: runs that ended earlier, ISO 8601. Raises OSError, `sqlite3.Error`.
    """
    folders = sorted(path for path in (archive / "warc").glob("*") if path.is_dir() and not path.is_symlink())
    for folder in sorted(folders, key=lambda path: path.name == RUNS):
        made = _choose(archive, folder, _ended(db, folder.name, before))
        if made.groups or made.damaged:
            yield made


def linked(archive: Path) -> list[str]:
    """Return the folders of clinics that lie behind a symbolic link, by their paths in the archive: none is packed."""
    return sorted(path.relative_to(archive).as_posix() for path in (archive / "warc").glob("*") if path.is_symlink())


def _ended(db: Database, clinic_id: str, before: str) -> set[str]:
    """Return the first characters of the ids of crawls at a clinic, or of runs as wholes, that ended before."""
    if clinic_id == RUNS:
        find = "SELECT substr(crawl_id, 1, 8), coalesce(ended_at, started_at) < ? FROM crawls"
        rows = db.execute(find, [before]).fetchall()
    else:
        find = (
            "SELECT substr(crawl_id, 1, 8), status <> 'running' AND coalesce(clinic_runs.ended_at,"
            " clinic_runs.started_at) < ? AND coalesce(kind, 'crawl') = 'crawl' FROM clinic_runs JOIN crawls USING"
            " (crawl_id) WHERE clinic_id = ?"
        )
        rows = db.execute(find, [before, clinic_id]).fetchall()
    return {run for run, _ in rows} - {run for run, has_ended in rows if not has_ended}


def _choose(archive: Path, folder: Path, ended: set[str]) -> Choice:
    made = Choice(folder.name)
    units = list(_units(folder, ended))
    recent = [unit for unit in units if not unit.is_packed]
    total = sum(unit.size for unit in recent)
    for unit in sorted((unit for unit in units if unit.is_packed), key=lambda unit: unit.size):
        if unit.size > total:
            break
        recent.append(unit)
        total += unit.size
    if len(recent) < 2 and not any(len(unit.paths) > 1 for unit in recent):
        return made
    whole = []
    for unit in sorted(recent, key=lambda unit: (unit.stamp, unit.paths)):
        damaged = [path for path in unit.paths if not is_whole(path)]
        made.damaged += [path.relative_to(archive).as_posix() for path in damaged]
        if not damaged:
            whole.append(unit)
    made.groups = [group for group in _groups(whole) if len(group.paths) > 1]
    return made


def _units(folder: Path, ended: set[str]) -> Iterator[_Unit]:
    """Yield what may be joined of the files of a folder."""
    runs: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.warc.gz")):
        if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            runs.setdefault(path.name.rpartition("-")[0], []).append(path)
    heads: Mapping[Path, tuple[str, ...]] = {
        paths[0]: head.files
        for paths in runs.values()
        if len(paths) == 1 and _run(paths[0]) not in ended and (head := head_of(paths[0])) is not None
    }
    copies = {name for names in heads.values() for name in names}  # of files that are in a packed one already
    copies |= {path.name for pair in overlapping(heads) for path in pair}  # a file would have a run twice
    for paths in runs.values():
        is_packed = paths[0] in heads
        is_closed = not any(path.with_name(path.name + OPEN_SUFFIX).exists() for path in paths)
        if is_closed and (is_packed or _run(paths[0]) in ended) and copies.isdisjoint(path.name for path in paths):
            names = len(paths) + len(heads.get(paths[0], ()))
            yield _Unit(_part(paths[0], "stamp"), tuple(paths), sum(map(_size, paths)), names, is_packed)


def _groups(units: Iterable[_Unit]) -> Iterator[PackGroup]:
    """Yield units in their order, as many together as a file may hold."""
    paths: list[Path] = []
    stamp, size, names = "", 0, 0
    for unit in units:
        if paths and (size + unit.size > LARGEST or names + unit.names > MAX_NAMES):
            yield PackGroup(tuple(paths), stamp, size)
            paths, size, names = [], 0, 0
        if unit.size < LARGEST and unit.names < MAX_NAMES:
            stamp = stamp if paths else unit.stamp
            paths += unit.paths
            size, names = size + unit.size, names + unit.names
    if paths:
        yield PackGroup(tuple(paths), stamp, size)


def _run(path: Path) -> str:
    return _part(path, "run")


def _part(path: Path, name: str) -> str:
    match = _NAME.fullmatch(path.name)
    return match[name] if match else ""


def _size(path: Path) -> int:
    return path.stat().st_size
