"""What only files of other programs need: chunked bodies, and ARC, the format before WARC, which warcio reads."""

import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.bufferedreaders import DecompressingBufferedReader  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from archive.warc._types import BadRecord
from archive.warc.format._frame import MAX_RECORD, RawRecord
from archive.warc.format._plain import begins_as

# A line before a chunk: "1a4", "0000001A;name=value"
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
# A line break; what follows the line of the last chunk: trailers ("X-Checksum: 1"), an empty line
_BREAK = re.compile(rb"\r?\n")
_TRAILERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r?\n)*\r?\n")
MAX_LINES = 1 << 20
"""Bytes of the lines between the blocks of two ARC records, each of which has a line and an empty one."""
CUT_CHUNK = "the body ends inside a chunk"
NOT_CHUNKED = "the body is not chunked as its header says"
NO_LAST_CHUNK = "the last chunk is missing"


def dechunk(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """Return a body with its chunking (RFC 9112, 7.1) undone, and what is wrong with the chunking.

    A body that does not begin with a chunk is returned as it is: many tools store the header over a body whose chunking
    they undid. Nothing is wrong where it begins as `content_type` says. Text may look like chunks ("5", then a line
    break): it is returned as it is unless its chunking is valid to its end. A single chunk that is cut counts only if
    it begins as `content_type` says. What follows a fault is unchanged; trailers are no content. Written here because
    warcio's reader takes trailers, and a missing last chunk, for content or for an error.
    """
    if begins_as(body, content_type) and not _is_chunked(body):
        return body, NOT_CHUNKED if _CHUNK_LINE.match(body) else None
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        line = _CHUNK_LINE.match(body, at)
        if line is None:
            return b"".join(parts) + body[at:], NOT_CHUNKED
        size = int(line[1], 16)
        if size == 0:
            return b"".join(parts), None
        at = line.end() + size
        if at > len(body):
            if not parts and not begins_as(body[line.end() :], content_type):
                return body, NOT_CHUNKED
            return b"".join(parts) + body[line.end() :], CUT_CHUNK
        parts.append(body[line.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else 1 if body.startswith(b"\n", at) else 0
    return b"".join(parts), NO_LAST_CHUNK if parts else None


def _is_chunked(body: bytes) -> bool:
    """Return whether a body is chunks, the last chunk, its trailers, and nothing else."""
    at = 0
    while line := _CHUNK_LINE.match(body, at):
        size = int(line[1], 16)
        if size == 0:
            return _TRAILERS.fullmatch(body, line.end()) is not None
        end = _BREAK.match(body, line.end() + size)
        if end is None:
            return False
        at = end.end()
    return False


def is_arc(path: Path) -> bool:
    """Return whether a file begins as ARC files do: `filedesc://`. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(31).decompress(start, 16)
        except zlib.error:
            return False
    return start.startswith(b"filedesc://")


class _Lines(DecompressingBufferedReader):  # type: ignore[misc]
    """warcio's reader, which bounds neither a line nor the lines of a header."""

    taken = 0  # bytes of the lines since the last block

    def readline(self, length: int | None = None) -> bytes:
        """Return a line. Raises ArchiveLoadFailed past `MAX_LINES` bytes of lines."""
        line: bytes = super().readline(length or MAX_LINES)
        self.taken += len(line)
        if self.taken > MAX_LINES:
            raise ArchiveLoadFailed(f"more than {MAX_LINES} bytes of lines before a block")
        return line


def arc_frames(path: Path, name: str, start: int = 0) -> Iterator[RawRecord | BadRecord]:
    """Yield the records of an ARC file as WARC records, from byte `start` on. Reading stops at the first damage. A
    block of more than `MAX_RECORD` bytes gives a BadRecord; the records after it are read.

    ARC has no record ids: an id is made of URL, date and content, so that the same file gives the same captures.
    """
    with path.open("rb") as file:
        file.seek(start)
        iterator = ArchiveIterator(file, no_record_parse=True, arc2warc=True)
        iterator.reader = lines = _Lines(file)
        try:
            for record in iterator:
                lines.taken = 0
                block = record.raw_stream.read(MAX_RECORD + 1)
                offset = iterator.get_record_offset()
                if len(block) > MAX_RECORD:
                    yield BadRecord(name, offset, f"a block of more than {MAX_RECORD} bytes")
                    continue
                headers = [(key, value) for key, value in record.rec_headers.headers if key != "WARC-Record-ID"]
                seed = hashlib.sha256(repr(headers).encode())
                seed.update(block)
                headers.append(("WARC-Record-ID", "arc:" + seed.hexdigest()))
                yield RawRecord(name, offset, iterator.get_record_length(), tuple(headers), block, ())
        except (ArchiveLoadFailed, EOFError, OSError, ValueError, ArithmeticError, LookupError, zlib.error) as error:
            why = " ".join(str(error).split())[:300]  # it may quote a line of the file
            yield BadRecord(name, file.tell(), why or type(error).__name__)
        finally:
            iterator.close()
