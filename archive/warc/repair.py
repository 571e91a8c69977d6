"""Repair after a crash: each WARC file that was not closed is cut back to the end of its last whole group.

A file is unclosed while its sidecar `NAME.open` exists (archive/warc/_file.py). All that `Writer.sync` acknowledged is
before the cut: a group is whole once all its members are, and bytes are fsynced in the order of writing.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc.format._frame import RawRecord, frames

TORN_SUFFIX = ".torn"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file that was not closed, and what was done to it. Sizes in bytes."""

    warc_file: str
    """POSIX path relative to the archive, as in captures. The file was removed when `whole` is 0."""
    whole: int
    """Up to the end of the last whole group."""
    cut: int
    """What was cut off; 0 when the file was whole and only not closed."""
    torn: Path | None
    """The file that holds the tail; None when nothing was cut."""


def repair(folder: Path, skip: Collection[Path] = ()) -> list[Repaired]:
    """Repair every unclosed WARC file of the archive `folder` and return what was done; usually there is none.

    The caller holds the archive's lock. `skip`: files that stay as they are, and unclosed, for the next call.

    The tail is copied to `NAME.torn` and is durable there before the file is cut; the sidecar is removed last. After a
    kill at any moment, the next call completes the repair and returns the same; after a call that returned, the next
    returns an empty list. Raises OSError when a write to the disk fails.
    """
    sidecars = sorted((folder / "warc").rglob("*.warc.gz" + OPEN_SUFFIX))
    return [_repair_file(sidecar, folder) for sidecar in sidecars if sidecar.with_suffix("") not in skip]


def repair_files(folder: Path, paths: Iterable[Path]) -> list[Repaired]:
    """Repair those of the given files that are unclosed, whose process has ended; as `repair` does."""
    sidecars = (path.with_name(path.name + OPEN_SUFFIX) for path in paths)
    return [_repair_file(sidecar, folder) for sidecar in sidecars if sidecar.exists()]


def _repair_file(sidecar: Path, folder: Path) -> Repaired:
    path = sidecar.with_name(sidecar.name.removesuffix(OPEN_SUFFIX))
    torn = path.with_name(path.name + TORN_SUFFIX)
    name = path.relative_to(folder).as_posix()
    whole_bytes = 0
    if path.exists():
        whole_bytes = whole_until(path, name)
        if whole_bytes < path.stat().st_size:
            _copy_tail(path, whole_bytes, torn)
            _cut(path, whole_bytes)
        if not whole_bytes:
            path.unlink()
        else:
            _fsync(path)  # some of these bytes may be in the file but not yet on the disk
    # The tail may be older: an earlier call cut the file and was killed before it returned.
    cut_bytes = torn.stat().st_size if torn.exists() else 0
    _partial(torn).unlink(missing_ok=True)
    sync_folder(path.parent)
    sidecar.unlink()
    sync_folder(path.parent)
    return Repaired(name, whole_bytes, cut_bytes, torn if cut_bytes else None)


def whole_until(path: Path, name: str) -> int:
    """Return the number of bytes up to the end of the last whole group.

    A group is a response or revisit with its request, or any other single record. Reading stops at the first damage.
    `name` is what messages call the file. Raises OSError.
    """
    return max(_ends(path, name), default=0)


def _ends(path: Path, name: str) -> Iterator[int]:
    response_id: str | None = None  # of a response whose request has not been read yet
    for frame in frames(path, name):
        if not isinstance(frame, RawRecord) or frame.problems:
            return
        kind = frame.get("WARC-Type")
        if response_id is not None:
            if kind != "request" or frame.get("WARC-Concurrent-To") != response_id:
                return
            response_id = None
        elif kind in ("response", "revisit"):
            response_id = frame.get("WARC-Record-ID")
            continue
        yield frame.offset + frame.length


def _partial(torn: Path) -> Path:
    return torn.with_name(torn.name + ".part")


def _copy_tail(path: Path, start: int, torn: Path) -> None:
    """Copy the bytes from `start` on to `torn`, which gets its name only once it is whole and durable."""
    with path.open("rb") as source, _partial(torn).open("wb") as target:
        source.seek(start)
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    _partial(torn).replace(torn)
    sync_folder(torn.parent)


def _cut(path: Path, size: int) -> None:
    os.truncate(path, size)
    _fsync(path)


def _fsync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
