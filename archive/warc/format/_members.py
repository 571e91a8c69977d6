"""The bytes of a capture's records as they are in their file, for download."""

from collections.abc import Iterator
from pathlib import Path

from archive.warc._types import BadRecord
from archive.warc.format._frame import RawRecord, frames


def members(folder: Path, name: str, offset: int) -> Iterator[bytes]:
    """Yield the records of a capture at its place in a WARC file: the answer, and its request where that follows.

    Each is yielded as it is in the file, a gzip member or plain. Raises `BadRecord` where there is none, OSError,
    ValueError for a name that leads out of the archive.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} leads out of the archive")
    first: RawRecord | None = None
    with path.open("rb") as file:
        for frame in frames(path, name, offset):
            if isinstance(frame, BadRecord):
                if first is None:
                    raise frame
                return
            if first is not None and frame.get("WARC-Concurrent-To") != first.get("WARC-Record-ID"):
                return
            file.seek(frame.offset)
            yield file.read(frame.length)
            if first is not None:
                return
            first = frame
    if first is None:
        raise BadRecord(name, offset, "no record here: the file is shorter")
