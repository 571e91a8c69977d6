"""Where records begin and end in a WARC file: gzip members, record headers, blocks.

Read with zlib and not with a WARC library, because no library distinguishes a whole record from a truncated one
(warcio issue 138: a truncated member passes its check; FastWARC ends silently), and both stop at the first damage.
"""

import base64
import hashlib
import io
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive.warc._types import BadRecord

MAX_RECORD = 1 << 28
"""Bytes: a record that inflates to more is refused, so that no file can exhaust the memory."""
_MAX_HEADER = 1 << 20
_CHUNK = 1 << 18
_GZIP = b"\x1f\x8b\x08"
_VERSION = re.compile(rb"WARC/\d+\.\d+[ \t]*\r?\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record: its place (bytes in the file as stored), its named fields in order, its block, and its problems."""

    file: str
    offset: int
    length: int
    fields: tuple[tuple[str, str], ...]
    block: bytes
    problems: tuple[str, ...]

    def get(self, name: str) -> str | None:
        """Return the first value of a named field; None when absent. Names are case-insensitive (WARC 1.1, 4)."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


def frames(path: Path, name: str, start: int = 0) -> Iterator[RawRecord | BadRecord]:
    """Yield the records from byte `start` on, in file order; `name` is what the frames call the file.

    Bytes that are no record give a BadRecord, and reading continues at the next record that can be read. Raises
    OSError, nothing else.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = start
        while offset < size:
            file.seek(offset)
            found = _read_at(file, name, offset)
            yield found.result
            stuck = found.end is None or found.end <= offset
            offset = _resync(file, name, offset + 1, size) if stuck else found.end  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Found:
    result: RawRecord | BadRecord
    end: int | None
    """Where the next record begins; None when that is unknown."""


def _read_at(file: BinaryIO, name: str, offset: int) -> _Found:
    """The record at `offset`, which is the position of the file."""
    magic = file.read(5)
    file.seek(offset)
    try:
        if magic[:2] == _GZIP[:2]:
            return _from_member(file, name, offset)
        fields, block, problems = _parse(file)
    except _Damage as damage:
        return _Found(BadRecord(name, offset, str(damage)), None)
    end = file.tell()
    return _Found(RawRecord(name, offset, end - offset, fields, block, problems), end)


def _from_member(file: BinaryIO, name: str, offset: int) -> _Found:
    data, length = _inflate(file)
    stream = io.BytesIO(data)
    try:
        fields, block, problems = _parse(stream)
    except _Damage as damage:
        return _Found(BadRecord(name, offset, str(damage)), offset + length)
    if stream.read(1):
        why = (
            "a gzip member holds several records, so that none can be found again by its offset; "
            "`warcio recompress OLD NEW` writes a file that can be read"
        )
        return _Found(BadRecord(name, offset, why), offset + length)
    return _Found(RawRecord(name, offset, length, fields, block, problems), offset + length)


class _Damage(Exception):
    """Why some bytes are no record."""


def _inflate(file: BinaryIO) -> tuple[bytes, int]:
    """A whole gzip member at the position of the file, its checksum verified: (content, bytes in the file)."""
    inflater = zlib.decompressobj(31)
    parts: list[bytes] = []
    total = taken = 0
    while not inflater.eof:
        chunk = inflater.unconsumed_tail
        if not chunk:
            chunk = file.read(_CHUNK)
            taken += len(chunk)
            if not chunk:
                raise _Damage("cut short inside a gzip member")
        try:
            part = inflater.decompress(chunk, MAX_RECORD - total + 1)
        except zlib.error as error:
            raise _Damage(f"damaged gzip member: {error}") from error
        if not total and part and not b"warc/".startswith(part[:5].lower()):
            raise _Damage(f"a gzip member that holds no WARC record but {part[:40]!r}")
        parts.append(part)
        total += len(part)
        if total > MAX_RECORD:
            raise _Damage(f"a gzip member inflates to more than {MAX_RECORD} bytes")
    return b"".join(parts), taken - len(inflater.unused_data)


def _parse(stream: BinaryIO) -> tuple[tuple[tuple[str, str], ...], bytes, tuple[str, ...]]:
    """A record from a stream of plain bytes (WARC 1.1, 4: version, named fields, empty line, block, two empty lines).

    Leaves the stream after the closing empty lines, of which any number is accepted.
    """
    line = stream.readline(_MAX_HEADER)
    if not _VERSION.fullmatch(line):
        raise _Damage(f"does not begin with a WARC version line but {line[:40]!r}")
    fields = _fields(stream)
    lengths = {value for key, value in fields if key.lower() == "content-length"}
    if len(lengths) != 1 or not re.fullmatch(r"[0-9]{1,18}", text := lengths.pop()):
        raise _Damage("no Content-Length, or not one number")
    length = int(text)
    if length > MAX_RECORD:
        raise _Damage(f"a block of more than {MAX_RECORD} bytes")
    block = stream.read(length)
    if len(block) < length:
        raise _Damage(f"cut short: its block has {len(block)} of {length} bytes")
    problems = []
    if not _closed(stream):
        problems.append("the block is not followed by two line breaks")
    stated = next((value for key, value in fields if key.lower() == "warc-block-digest"), None)
    if stated and digest_differs(stated, block):
        problems.append("the block digest differs")
    return fields, block, tuple(problems)


def _fields(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    taken = 0
    while (raw := stream.readline(_MAX_HEADER)) not in (b"\r\n", b"\n"):
        taken += len(raw)
        if not raw.endswith(b"\n") or taken > _MAX_HEADER:
            raise _Damage("cut short, or too long, inside its named fields")
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            line = raw.decode("latin-1")
        if line[0] in " \t" and fields:  # a folded line continues the value before it (WARC 1.1, 4)
            key, value = fields[-1]
            fields[-1] = key, f"{value} {line.strip()}".strip()
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise _Damage(f"a line of its named fields has no colon: {line[:40]!r}")
        fields.append((key.strip(), value.strip()))
    return tuple(fields)


def _closed(stream: BinaryIO) -> bool:
    """Read the line breaks after a block; False when there are fewer than two."""
    breaks = 0
    while True:
        at = stream.tell()
        line = stream.readline(3)
        if line not in (b"\r\n", b"\n"):
            stream.seek(at)
            return breaks >= 2
        breaks += 1


def digest_differs(stated: str, data: bytes) -> bool:
    """Return whether a labelled digest (WARC 1.1, 5.8; base32 or hex) contradicts the data; an unknown algorithm never
    does.
    """
    algorithm, _, text = stated.strip().partition(":")
    algorithm = algorithm.lower().replace("sha-", "sha")
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        return False
    true = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return text.lower() != true.hex() and text.upper().rstrip("=") != base64.b32encode(true).decode().rstrip("=")


def digest_label(stated: str) -> str | None:
    """Return a labelled digest in a single form, `algorithm:BASE32` without padding; None for a text that is none."""
    algorithm, colon, text = stated.strip().partition(":")
    if not colon or not text:
        return None
    try:
        text = base64.b32encode(bytes.fromhex(text)).decode()
    except ValueError:  # it is base32 already
        text = text.upper()
    return f"{algorithm.lower().replace('sha-', 'sha')}:{text.rstrip('=')}"


def _resync(file: BinaryIO, name: str, offset: int, size: int) -> int:
    """The next byte at or after `offset` where a record can be read, or `size`.

    A candidate is a gzip magic number, or a version line at the start of a line. It counts only when a whole record
    follows: compressed bodies are stored as they are, so that our files contain their gzip headers too.
    """
    window_start = offset
    overlap = b""
    while window_start < size:
        file.seek(window_start)
        window = overlap + (chunk := file.read(_CHUNK))
        base = window_start - len(overlap)
        for match in re.finditer(rb"\x1f\x8b\x08|(?:^|(?<=\n))WARC/\d\.\d", window, re.IGNORECASE):
            at = base + match.start()
            if at < offset:
                continue
            file.seek(at)
            if isinstance(_read_at(file, name, at).result, RawRecord):
                return at
        window_start += len(chunk)
        overlap = window[-16:]
    return size
