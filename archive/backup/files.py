"""The files of a backup: copied once, shared by its snapshots, and never replaced by files that may be damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive.backup.leaving import PackedFiles
from archive.backup.snapshots import PART, Read, SnapshotFile, SourceUnreadable, copy_through, make_folder, read_through
from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc.repair import TORN_SUFFIX, whole_until

WARC = "warc"
SCRATCH = "copying" + PART  # each copy is written here, and moved to its place when it is whole


def sidecar(path: Path) -> Path:
    """Return the path of the file that exists beside a WARC file while it is written to."""
    return path.with_name(path.name + OPEN_SUFFIX)


def names_of(archive: Path, part: str) -> Iterator[str]:
    """Yield the files of a part of the archive, except temporary files of a running process. Raises OSError."""
    top = archive / part
    if top.is_file():
        yield part
    for path in sorted(top.rglob("*")):
        inside = path.relative_to(top).parts
        temporary = inside[-1].endswith((PART, OPEN_SUFFIX)) if part == WARC else inside[0].endswith(PART)
        if not temporary and path.is_file():
            yield path.relative_to(archive).as_posix()


@dataclass(frozen=True, slots=True)
class _ArchiveFile:
    """A file of the archive at the moment when it is copied."""

    name: str
    path: Path
    copy: Path
    stat: os.stat_result
    copy_size: int
    """Bytes of the backup's copy; -1 where there is none."""
    is_warc: bool
    is_open: bool
    """A WARC file that is still written to."""


@dataclass(slots=True)
class SnapshotFiles:
    """The files of a snapshot, taken one after another. Methods raise OSError where the backup cannot be written."""

    archive: Path
    folder: Path
    known: Mapping[str, SnapshotFile]
    """The files of the snapshot before."""
    lacks_rows: Callable[[str], bool]
    """Whether the database of this snapshot may lack rows of a WARC file, although the file is closed by now."""
    files: dict[str, SnapshotFile] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    files_copied: int = 0
    bytes_copied: int = 0
    files_unchanged: int = 0
    _damaged: set[str] = field(default_factory=set)  # files whose copy in the backup was found damaged

    def take(self, name: str) -> None:
        """Copy a file, unless the backup has a copy of it; what is damaged becomes a problem."""
        known = self.known.get(name)
        try:
            source = self._look_at(name)
            if source is None:
                return
            if known and self._is_unchanged(source, known):
                self._reuse(name, known)
                return
            limit = self._whole(source) if source.is_open else None
            if known is None and limit == 0:
                return  # no group of the file is whole yet
            expected = self._expected(source)
            prefix_size = expected.size if expected else 0
            content = copy_through(source.path, self.folder / SCRATCH, limit=limit, prefix_size=prefix_size)
        except SourceUnreadable as error:
            self._report(name, known, f"cannot be read: {error.strerror}")
            return
        if self._differs(source, content, expected):
            if source.copy_size >= 0:
                why = "no longer what was backed up; `clinic-archive verify` shows whether it is damaged"
                self._report(name, expected, why)
                return
            self.problems.append(f"{name}: differs from what was backed up, and that copy is gone; copied as it is now")
        elif name in self._damaged or (known is not None and source.copy_size < 0):
            self.problems.append(f"{source.copy}: the backup's copy was damaged or gone; copied again")
        unclosed = source.is_open or (source.is_warc and self.lacks_rows(name))
        file = SnapshotFile(content.size, content.sha256, source.stat.st_mtime_ns, unclosed)
        if name not in self._damaged and source.copy_size >= content.size:
            # The copy may be longer, from a backup that was killed, where the archive was restored since.
            self._reuse(name, file)
        else:
            self._add(name, file)

    def _look_at(self, name: str) -> _ArchiveFile | None:
        """The file as it is now; None where it was removed since it was listed (see `report_missing`)."""
        path, copy = self.archive / name, self.folder / name
        is_warc = name.startswith(f"{WARC}/") and name.endswith(".warc.gz")
        is_open = is_warc and sidecar(path).exists()  # before its size is read
        if not path.exists():
            return None
        stat = path.stat()
        return _ArchiveFile(name, path, copy, stat, copy.stat().st_size if copy.exists() else -1, is_warc, is_open)

    @staticmethod
    def _is_unchanged(source: _ArchiveFile, known: SnapshotFile) -> bool:
        if source.is_open or known.unclosed:
            return False
        sizes = (source.stat.st_size, source.copy_size)
        return sizes == (known.size, known.size) and source.stat.st_mtime_ns == known.mtime_ns

    def _differs(self, source: _ArchiveFile, content: Read, expected: SnapshotFile | None) -> bool:
        """Whether the file no longer begins with the bytes that the backup has."""
        if expected is None or content.prefix == expected.sha256:
            return False
        known = self.known.get(source.name)
        as_known = known is not None and (content.size, content.sha256) == (known.size, known.sha256)
        return not (as_known and source.copy_size > content.size)

    def report_missing(self, replaced: Collection[str]) -> list[str]:
        """Report the files of the snapshot before that the archive no longer has; not those that were `replaced`.

        Returns those whose records are in a packed file now, of which the backup has a whole copy: they are not
        reported. The copies of the others belong to the snapshot.
        """
        here, there = PackedFiles(), PackedFiles()
        left, damaged = [], dict[str, int]()
        for name in sorted(self.known.keys() - self.files.keys() - set(replaced)):
            path = self.archive / name
            if name.endswith(TORN_SUFFIX) or path.is_file():
                continue
            found = here.with_runs_of(path)
            if not found:
                self._report(name, self.known[name], "gone from the archive")
            elif there.holds(self.folder / name):
                left.append(name)
            else:
                self.files[name] = self.known[name]
                packed = found[-1].relative_to(self.archive).as_posix()
                damaged[packed] = damaged.get(packed, 0) + 1
        for packed, number in damaged.items():
            self.problems.append(
                f"{packed}: damaged since it was packed; the backup keeps its copies of {number} files that were joined"
                f": put them back from {(self.folder / packed).parent}, delete it, and run `clinic-archive rebuild`"
            )
        return left

    def faults(self, ends: Mapping[str, int]) -> list[str]:
        """Return why the snapshot cannot count, a line each.

        `ends`: how many bytes of each file the rows of the snapshot's database refer to.
        """
        sizes = {name: file.size for name, file in self.files.items()}
        lines = [
            f"{name}: rows need its first {end} bytes, of which the backup has {sizes.get(name, 0)}"
            for name, end in ends.items()
            if sizes.get(name, 0) < end
        ]
        for name, size in sizes.items():
            copy = self.folder / name
            if name in self._damaged or not copy.exists() or copy.stat().st_size < size:
                lines.append(f"{copy}: damaged, and so is the archive's; delete it to have that one copied as it is")
        return lines

    def _whole(self, source: _ArchiveFile) -> int:
        # What is copied must remain in the archive: after a power failure only what was on the disk is there.
        try:
            with source.path.open("rb") as file:
                os.fsync(file.fileno())
            return whole_until(source.path, source.name)
        except OSError as error:
            raise SourceUnreadable(error.errno, error.strerror, str(source.path)) from error

    def _expected(self, source: _ArchiveFile) -> SnapshotFile | None:
        """The bytes that the archive's file must begin with; None for a new file."""
        known = self.known.get(source.name)
        if source.copy_size < 0 or (known and known.size == source.copy_size):
            return known
        # A backup that was killed copied the file, or more of it than the manifest of the snapshot before records.
        try:
            content = read_through(source.copy, prefix_size=known.size if known else 0)
        except SourceUnreadable:
            self._damaged.add(source.name)
            return known
        if known and content.prefix != known.sha256:
            self._damaged.add(source.name)
            return known
        return SnapshotFile(content.size, content.sha256, unclosed=True)

    def _reuse(self, name: str, file: SnapshotFile) -> None:
        """The backup's copy belongs to this snapshot too."""
        self.files[name] = file
        self.files_unchanged += 1

    def _add(self, name: str, file: SnapshotFile) -> None:
        """Put the new copy in its place."""
        copy = self.folder / name
        make_folder(copy.parent)
        (self.folder / SCRATCH).replace(copy)
        sync_folder(copy.parent)
        self._damaged.discard(name)
        self.files[name] = file
        self.files_copied += 1
        self.bytes_copied += file.size

    def _report(self, name: str, known: SnapshotFile | None, why: str) -> None:
        """Add a problem with the archive's file; where the backup has a copy, that belongs to the snapshot."""
        copy = self.folder / name
        if known is None or not copy.exists():
            self.problems.append(f"{name}: {why}; the backup has no copy of it")
            return
        self.files[name] = known
        self.problems.append(
            f"{name}: {why}; the backup keeps its copy: put it back from {copy}, or delete that if this is meant"
        )
