"""Rewrites a WARC file under another name, with other bodies in some of its records: what a purge needs.

No byte of a WARC file is ever changed under its name. Every other record is copied byte for byte. A record with another
body keeps its type, id, date, address and request; its digests are those of the new body, and `X-Archive-Blanked:
takedown` says that something was removed. An ARC file becomes a WARC file of the same records.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from archive.warc import _build as build
from archive.warc._types import TAKEDOWN, BadRecord
from archive.warc.format._fields import blanked_in, warc_fields
from archive.warc.format._foreign import arc_frames, is_arc
from archive.warc.format._frame import RawRecord, frames

EMPTY = b""  # the body of a record of which nothing is left
# Fields that `build.record` writes, or that state a digest of the former body.
_COMPUTED = {"content-length", "warc-block-digest", "warc-payload-digest", "x-archive-blanked"}
# Headers that say how the former body was coded, and which the new one is not: they stay under another name.
_OF_CODING = {b"content-encoding", b"transfer-encoding", b"content-length"}
# Headers that are, or may be, made of the former body.
_OF_BODY = {b"etag", b"last-modified", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"x-goog-hash"}
_HEAD_END = re.compile(rb"\r?\n\r?\n")
# A line of a head with the folded lines after it
_LINE = re.compile(rb"\r?\n(?![ \t])")
_PREFIX = b"X-Archive-Orig-"


@dataclass(slots=True)
class Rewritten:
    """The result of rewriting a file."""

    size: int = 0  # bytes of the new file
    places: dict[int, int] = field(default_factory=dict)  # offset of each record in the old file -> in the new one
    damaged: int = 0  # regions that are no readable record; they are not copied
    missing: set[int] = field(default_factory=set)  # offsets of `bodies` at which no record begins


def rewrite(source: Path, target: Path, *, name: str, bodies: Mapping[int, bytes]) -> Rewritten:
    """Write the records of `source` to `target`, a new file that is on the disk when this returns.

    `name`: the name that the file will have. `bodies`: the new body of a record by its offset in bytes; `EMPTY` where
    nothing is left. Raises FileExistsError where `target` exists, OSError.
    """
    done = Rewritten(missing=set(bodies))
    arc = is_arc(source)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as given, os.fdopen(descriptor, "wb") as file:
        for frame in arc_frames(source, source.name) if arc else frames(source, source.name):
            if isinstance(frame, BadRecord):
                done.damaged += 1
                continue
            done.missing.discard(frame.offset)
            done.places[frame.offset] = done.size
            if frame.offset in bodies:
                data = _with_body(frame, bodies[frame.offset])
            elif _states_name(frame, source.name):
                data = _renamed(frame, name)
            else:
                data = _as_record(frame, frame.block) if arc else _copied(given, frame)
            file.write(data)
            done.size += len(data)
        file.flush()
        os.fsync(file.fileno())
    return done


def _states_name(frame: RawRecord, name: str) -> bool:
    """Return whether the record is a warcinfo of this program that states the name of its own file.

    In a packed file only that of its head does; the others say by whose file each run was recorded.
    """
    is_info = (frame.get("WARC-Type") or "").lower() == "warcinfo"
    return is_info and frame.get("WARC-Filename") == name and "isPartOf" in warc_fields(frame)


def _copied(file: BinaryIO, frame: RawRecord) -> bytes:
    file.seek(frame.offset)
    return file.read(frame.length)


def _renamed(frame: RawRecord, name: str) -> bytes:
    fields = [(key, name if key.lower() == "warc-filename" else value) for key, value in frame.fields]
    return _as_record(RawRecord(frame.file, frame.offset, frame.length, tuple(fields), frame.block, ()), frame.block)


def _as_record(frame: RawRecord, block: bytes) -> bytes:
    left_out = _COMPUTED - {"warc-payload-digest", "x-archive-blanked"}
    fields = [(key, value) for key, value in frame.fields if key.lower() not in left_out]
    return build.record(_written(fields), b"", block, stored=False)


def _with_body(frame: RawRecord, body: bytes) -> bytes:
    """Return the record with another body."""
    left = [(key, value) for key, value in frame.fields if key.lower() not in _COMPUTED]
    is_http = "application/http" in (frame.get("Content-Type") or "").lower() or frame.block.startswith(b"HTTP/")
    head = _head(frame.block, body) if is_http else b""
    blanked = ", ".join(dict.fromkeys([*blanked_in(frame), TAKEDOWN]))
    if is_http:
        left.append(("WARC-Payload-Digest", build.sha256_label(hashlib.sha256(body).hexdigest())))
    return build.record([*_written(left), ("X-Archive-Blanked", blanked)], head, body, stored=False)


def _written(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Fields of any program in a form that can be written: a value of several lines becomes one."""
    return [(key, " ".join(value.split()) if "\n" in value or "\r" in value else value) for key, value in fields]


def _head(block: bytes, body: bytes) -> bytes:
    """Return the head of an HTTP message whose body is replaced by one without any coding."""
    end = _HEAD_END.search(block)
    first_line, *lines = _LINE.split(block[: end.start()] if end else block.rstrip(b"\r\n"))
    return b"\r\n".join([first_line, *map(_line, headers_without_body(_pairs(lines), body))]) + b"\r\n\r\n"


def _pairs(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    pairs = (re.sub(rb"\r?\n[ \t]+", b" ", line).partition(b":") for line in lines)
    return [(name.strip(), value.strip(b" \t")) for name, _, value in pairs]


def _line(header: tuple[bytes, bytes]) -> bytes:
    return header[0] + b": " + header[1]


def headers_without_body(headers: list[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    """Return response headers for a body that replaces the one that they came with, and is not coded.

    Those made of the former body are left out, ETag and Last-Modified too, so that no later request names it.
    """
    left = [pair for pair in headers if pair[0].lower() not in _OF_BODY]
    renamed = [(_PREFIX + name if name.lower() in _OF_CODING else name, value) for name, value in left]
    return [*renamed, (b"Content-Length", b"%d" % len(body))]
