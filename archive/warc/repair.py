"""After a crash: each WARC file that was not closed is cut back to its last whole group.

A file is unclosed while `NAME.open` lies beside it (archive/warc/_file.py). What `Writer.sync` acknowledged lies before
the cut: a group is whole once all its members are, and bytes are fsynced in the order they were written.
"""

import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.warc._file import OPEN_SUFFIX, sync_folder
from archive.warc._frame import Frame, frames

TORN_SUFFIX = ".torn"


@dataclass(frozen=True, slots=True)
class Repaired:
    """One file that was not closed. Sizes in bytes."""

    warc_file: str
    """POSIX path relative to the archive, as in captures. The file is gone when `kept` is 0."""
    kept: int
    """Up to the end of the last whole group."""
    cut: int
    """What was taken off; 0 when the file was whole and only not closed."""
    torn: Path | None
    """Where the tail is kept; None when nothing was cut."""


def repair(folder: Path, left: Collection[Path] = ()) -> list[Repaired]:
    """Mend every unclosed WARC file of the archive `folder`, whose lock the caller holds; none is the usual answer.

    `left`: files that stay as they are, and unclosed, so that the next start meets them again.

    The tail goes to `NAME.torn` and is durable there before the file is cut; the sidecar goes last. Killed at any
    moment, the next call goes on and gives the same answer; after a call that returned, the next has nothing to say.
    Raises OSError when the disk refuses.
    """
    sidecars = sorted((folder / "warc").rglob("*.warc.gz" + OPEN_SUFFIX))
    return [_mend(sidecar, folder) for sidecar in sidecars if sidecar.with_suffix("") not in left]


def _mend(sidecar: Path, folder: Path) -> Repaired:
    path = sidecar.with_name(sidecar.name.removesuffix(OPEN_SUFFIX))
    torn = path.with_name(path.name + TORN_SUFFIX)
    name = path.relative_to(folder).as_posix()
    kept = 0
    if path.exists():
        kept = whole_until(path, name)
        if kept < path.stat().st_size:
            _keep_tail(path, kept, torn)
            _cut(path, kept)
        if not kept:
            path.unlink()
        else:
            _fsync(path)  # bytes that reached the file but not the disk are about to be called whole
    # A tail from before: the file was cut by a call that was killed before it could say so.
    cut = torn.stat().st_size if torn.exists() else 0
    _partial(torn).unlink(missing_ok=True)
    sync_folder(path.parent)
    sidecar.unlink()
    sync_folder(path.parent)
    return Repaired(name, kept, cut, torn if cut else None)


def whole_until(path: Path, name: str) -> int:
    """Bytes up to the end of the last whole group: a response or revisit with its request, or a lone other record.

    Reads up to the first damage. `name` is what messages call the file. Raises OSError.
    """
    return max(_ends(path, name), default=0)


def _ends(path: Path, name: str) -> Iterator[int]:
    waiting: str | None = None  # the id of a response whose request has not come yet
    for frame in frames(path, name):
        if not isinstance(frame, Frame) or frame.problems:
            return
        kind = frame.get("WARC-Type")
        if waiting is not None:
            if kind != "request" or frame.get("WARC-Concurrent-To") != waiting:
                return
            waiting = None
        elif kind in ("response", "revisit"):
            waiting = frame.get("WARC-Record-ID")
            continue
        yield frame.offset + frame.length


def _partial(torn: Path) -> Path:
    return torn.with_name(torn.name + ".part")


def _keep_tail(path: Path, start: int, torn: Path) -> None:
    """Copy what lies behind `start`, under its name only once it is whole and durable."""
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
