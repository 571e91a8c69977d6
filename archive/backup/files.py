"""The files of a backup: copied once, shared by its snapshots, and never replaced by what may be damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive.backup.snapshots import PART, SnapshotFile, Unreadable, copy_through, make_folder, read_through
from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc.repair import TORN_SUFFIX, whole_until

WARC = "warc"
SCRATCH = "copying" + PART  # each copy grows here, and enters its place when it is whole


def sidecar(path: Path) -> Path:
    """What lies beside a WARC file while it is written to."""
    return path.with_name(path.name + OPEN_SUFFIX)


def names_of(archive: Path, part: str) -> Iterator[str]:
    """Files of a part of the archive, but those that only a process at work knows."""
    top = archive / part
    if top.is_file():
        yield part
    for path in sorted(top.rglob("*")):
        inside = path.relative_to(top).parts
        passing = inside[-1].endswith((PART, OPEN_SUFFIX)) if part == WARC else inside[0].endswith(PART)
        if not passing and path.is_file():
            yield path.relative_to(archive).as_posix()


@dataclass(slots=True)
class SnapshotFiles:
    """The files of one snapshot, taken one by one. Their methods raise OSError where the backup cannot be written."""

    archive: Path
    folder: Path
    known: Mapping[str, SnapshotFile]
    """What the snapshot before has."""
    lacks_rows: Callable[[str], bool]
    """The database of this snapshot may not have all rows of a WARC file, though it is closed by now."""
    held: dict[str, SnapshotFile] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    files_copied: int = 0
    bytes_copied: int = 0
    files_kept: int = 0
    _damaged: set[str] = field(default_factory=set)  # files whose copy was found to be no good

    def take(self, name: str) -> None:
        """Copy the file unless its copy is there; what is damaged becomes a problem."""
        source, copy, known = self.archive / name, self.folder / name, self.known.get(name)
        is_warc = name.startswith(f"{WARC}/") and name.endswith(".warc.gz")
        written = is_warc and sidecar(source).exists()  # looked at before its size is
        if not source.exists():
            return  # taken away since it was listed; `look_for_lost` tells it where it matters
        try:
            stat = source.stat()
            there = copy.stat().st_size if copy.exists() else -1
            unchanged = known and (known.size, known.mtime_ns, known.size) == (stat.st_size, stat.st_mtime_ns, there)
            if known and unchanged and not written and not known.unclosed:
                self._keep(name, known)
                return
            limit = self._whole(source, name) if written else None
            if known is None and limit == 0:
                return  # nothing in it is whole yet
            expected = self._expected(name, there)
            got = copy_through(source, self.folder / SCRATCH, limit=limit, mark=expected.size if expected else 0)
        except Unreadable as error:
            self._tell(name, known, f"cannot be read: {error.strerror}")
            return
        as_known = known is not None and (got.size, got.sha256) == (known.size, known.sha256)
        if expected is not None and got.prefix != expected.sha256 and not (as_known and there > got.size):
            if there >= 0:
                self._tell(
                    name, expected, "no longer what was backed up; `clinic-archive verify` tells if it is damaged"
                )
                return
            self.problems.append(f"{name}: not what was backed up once, and that copy is gone; taken as it is now")
        elif name in self._damaged or (known is not None and there < 0):
            self.problems.append(f"{copy}: the backup's copy was damaged or gone; copied anew")
        fresh = SnapshotFile(got.size, got.sha256, stat.st_mtime_ns, written or (is_warc and self.lacks_rows(name)))
        if name not in self._damaged and there >= got.size:
            self._keep(name, fresh)  # there may be more, of a backup that was killed, where the archive was restored
        else:
            self._enter(name, fresh)

    def look_for_lost(self) -> None:
        """Files of the snapshot before that the archive has no more."""
        for name in self.known.keys() - self.held.keys():
            if not name.endswith(TORN_SUFFIX) and not (self.archive / name).is_file():
                self._tell(name, self.known[name], "gone from the archive")

    def faults(self, ends: Mapping[str, int]) -> list[str]:
        """Why the snapshot cannot count. `ends`: how far the rows of its database reach into each file."""
        sizes = {name: held.size for name, held in self.held.items()}
        found = [
            f"{name}: rows stand on its first {end} bytes, of which the backup has {sizes.get(name, 0)}"
            for name, end in ends.items()
            if sizes.get(name, 0) < end
        ]
        for name, size in sizes.items():
            copy = self.folder / name
            if name in self._damaged or not copy.exists() or copy.stat().st_size < size:
                found.append(f"{copy}: damaged, and so is the archive's; delete it to have that one taken as it is")
        return found

    def _whole(self, source: Path, name: str) -> int:
        # What is copied must stay in the archive: after a power cut only what was on the disk is there.
        try:
            with source.open("rb") as file:
                os.fsync(file.fileno())
            return whole_until(source, name)
        except OSError as error:
            raise Unreadable(error.errno, error.strerror, str(source)) from error

    def _expected(self, name: str, there: int) -> SnapshotFile | None:
        """What the archive's file must begin with."""
        known = self.known.get(name)
        if there < 0 or (known and known.size == there):
            return known
        # A backup that was killed copied it, or more of it than it could say.
        copy = self.folder / name
        try:
            seen = read_through(copy, mark=known.size if known else 0)
        except Unreadable:
            self._damaged.add(name)
            return known
        if known and seen.prefix != known.sha256:
            self._damaged.add(name)
            return known
        return SnapshotFile(seen.size, seen.sha256, unclosed=True)

    def _keep(self, name: str, held: SnapshotFile) -> None:
        self.held[name] = held
        self.files_kept += 1

    def _enter(self, name: str, held: SnapshotFile) -> None:
        copy = self.folder / name
        make_folder(copy.parent)
        (self.folder / SCRATCH).replace(copy)
        sync_folder(copy.parent)
        self._damaged.discard(name)
        self.held[name] = held
        self.files_copied += 1
        self.bytes_copied += held.size

    def _tell(self, name: str, known: SnapshotFile | None, why: str) -> None:
        """A problem of the archive's file; where there is a copy, that is what belongs to the snapshot."""
        copy = self.folder / name
        if known is None or not copy.exists():
            self.problems.append(f"{name}: {why}; the backup has no copy of it")
            return
        self.held[name] = known
        self.problems.append(
            f"{name}: {why}; the backup keeps its copy: put it back from {copy}, or delete that if this is meant"
        )
