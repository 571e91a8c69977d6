"""What only files of other programs need: chunked bodies, and ARC, the format before WARC, which warcio reads."""

import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from archive.warc._types import BadRecord
from archive.warc.format._frame import Frame
from archive.warc.format._plain import begins_as

# A line before a chunk: "1a4", "0000001A;name=value"
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
# A line break; what follows the line of the last chunk: trailers ("X-Checksum: 1"), an empty line
_BREAK = re.compile(rb"\r?\n")
_TRAILERS = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r?\n)*\r?\n")
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


def arc_frames(path: Path, name: str, start: int = 0) -> Iterator[Frame | BadRecord]:
    """Yield the records of an ARC file as WARC records, from byte `start` on. Reading stops at the first damage.

    ARC has no record ids: an id is made of URL, date and content, so that the same file gives the same captures.
    """
    with path.open("rb") as file:
        file.seek(start)
        iterator = ArchiveIterator(file, no_record_parse=True, arc2warc=True)
        try:
            for record in iterator:
                block = record.raw_stream.read()
                headers = [(key, value) for key, value in record.rec_headers.headers if key != "WARC-Record-ID"]
                seed = repr(headers).encode() + block
                headers.append(("WARC-Record-ID", "arc:" + hashlib.sha256(seed).hexdigest()))
                offset = iterator.get_record_offset()
                yield Frame(name, offset, iterator.get_record_length(), tuple(headers), block, ())
        except (ArchiveLoadFailed, EOFError, OSError, ValueError, ArithmeticError, LookupError, zlib.error) as error:
            yield BadRecord(name, file.tell(), str(error).strip() or type(error).__name__)
        finally:
            iterator.close()
