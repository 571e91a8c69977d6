"""Joins WARC files of one clinic into one file, record by record: what `pack` needs.

A packed file begins with a head: a warcinfo record of kind "pack", and a note "joined" that names every file whose
records it has, also those that an earlier pack had joined. The rest of each file follows as it is: no byte of a record
is changed, and each run begins with its own warcinfo record, which states the name of the file that it was written to.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

from archive.times import utc
from archive.warc import _build as build
from archive.warc._exchange import urn
from archive.warc._read import records
from archive.warc._types import Info, Note
from archive.warc._write import FIELDS, warcinfo
from archive.warc.repair import whole_until

PACK = "pack"  # the kind in the warcinfo record of the head
JOINED = "joined"  # the kind of its note
_CHUNK = 1 << 20  # bytes that are copied at once


@dataclass(frozen=True, slots=True)
class PackHead:
    """The head of a packed file."""

    files: tuple[str, ...]  # names of the files whose records the file has, without their folder
    size: int  # bytes


def head_of(path: Path) -> PackHead | None:
    """Return the head of a packed file; None for any other file. Raises OSError."""
    found = iter(records(path))
    info, note = next(found, None), next(found, None)
    if not isinstance(info, Info) or info.fields.get("kind") != PACK or not isinstance(note, Note):
        return None
    return PackHead(joined_names(note), note.warc_offset + note.warc_length)


def joined_names(note: Note) -> tuple[str, ...]:
    """Return the names of files that a note "joined" states; none of any other note."""
    if note.kind != JOINED:
        return ()
    try:
        names = json.loads(note.fields["files"])
    except (KeyError, ValueError, RecursionError):
        return ()
    return tuple(filter(_is_name, names)) if isinstance(names, list) else ()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.endswith(".warc.gz") and "/" not in name and "\0" not in name


def heads_in(folder: Path) -> dict[Path, tuple[str, ...]]:
    """Return the packed files of a folder, each with the names in its head. Raises OSError."""
    found = ((path, head_of(path)) for path in sorted(folder.glob("*.warc.gz")))
    return {path: head.files for path, head in found if head is not None}


def joined_in(folder: Path) -> set[str]:
    """Return the names of the files whose records are in packed files of a folder. Raises OSError."""
    return {name for names in heads_in(folder).values() for name in names}


def runs_in(path: Path) -> dict[str, int]:
    """Return the runs in a file, by the names of the files that they were written to: where each begins, in bytes.

    Raises OSError.
    """
    runs: dict[str, int] = {}
    for record in records(path):
        if isinstance(record, Info) and record.fields.get("kind") != PACK:
            runs.setdefault(record.filename or "", record.warc_offset)
    return runs


def has_records_of(packed: Path, path: Path) -> bool:
    """Return whether a packed file has each run of another file, which is whole, byte for byte. Raises OSError."""
    runs, places = runs_in(path), runs_in(packed)
    if not runs or not runs.keys() <= places.keys():
        return False
    ends = [*list(runs.values())[1:], path.stat().st_size]
    with path.open("rb") as file, packed.open("rb") as other:
        for (run, start), end in zip(runs.items(), ends, strict=True):
            file.seek(start)
            other.seek(places[run])
            for at in range(start, end, _CHUNK):
                length = min(_CHUNK, end - at)
                if file.read(length) != other.read(length):
                    return False
    return is_whole(path)


def overlapping(heads: Mapping[Path, Collection[str]]) -> list[tuple[Path, Path]]:
    """Return pairs of packed files that have files in common, the one with fewer first. `heads`: as of `heads_in`.

    So it is where archives were packed apart and then merged. A file that was joined into the other one is in no pair.
    """
    names = {path: set(files) for path, files in heads.items()}
    return [
        (path, other)
        for path, other in combinations(sorted(names, key=lambda path: (len(names[path]), path)), 2)
        if path.name not in names[other] and other.name not in names[path] and not names[path].isdisjoint(names[other])
    ]


def join(
    sources: Sequence[Path], target: Path, *, name: str, pack_id: str, clinic_id: str, software: str
) -> dict[Path, int]:
    """Join files, in their order, to `target`, a new file that is on the disk and read back when this returns.

    `name`: the name that the file will have. Returns by how many bytes the records of each source moved. Raises
    FileExistsError where `target` exists, other OSErrors, also where the file is not what was written to it.
    """
    heads = {source: head_of(source) for source in sources}
    names = [each for source, head in heads.items() for each in (*(head.files if head else ()), source.name)]
    shifts: dict[Path, int] = {}
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_head(names, name, pack_id, clinic_id, software))
        for source, head in heads.items():
            skipped = head.size if head else 0
            shifts[source] = file.tell() - skipped
            _append(source, skipped, file)
        file.flush()
        os.fsync(file.fileno())
    if not is_whole(target):
        raise OSError(f"{target}: not what was written to it; check the disk")
    return shifts


def is_whole(path: Path) -> bool:
    """Return whether a file consists of whole records, with the digests that they state. Raises OSError."""
    return whole_until(path, path.name) == path.stat().st_size


def _append(source: Path, skipped: int, target: BinaryIO) -> None:
    with source.open("rb") as file:
        file.seek(skipped)
        while chunk := file.read(_CHUNK):
            target.write(chunk)


def _head(names: Iterable[str], name: str, pack_id: str, clinic_id: str, software: str) -> bytes:
    at, info_id = datetime.now(UTC), str(uuid.uuid4())
    info = warcinfo(info_id, at, name, {"software": software, "kind": PACK}, crawl_id=pack_id, clinic_id=clinic_id)
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", urn(str(uuid.uuid4()))),
        ("WARC-Date", utc(at)),
        ("WARC-Warcinfo-ID", urn(info_id)),
        ("X-Archive-Kind", JOINED),
        ("Content-Type", FIELDS),
    ]
    block = build.warc_fields({"files": json.dumps(list(dict.fromkeys(names)))})
    return info + build.record(fields, b"", block, stored=False)
