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

# A line before a chunk: "1a4", "0000001A;name=value"
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
CUT_CHUNK = "the body ends inside a chunk"
NOT_CHUNKED = "the body is not chunked as its header says"
NO_LAST_CHUNK = "the last chunk is missing"


def dechunk(body: bytes) -> tuple[bytes, str | None]:
    """Return a body with its chunking (RFC 9112, 7.1) undone, and what is wrong with the chunking.

    A body that does not begin with a chunk is returned as it is: many tools store the header over a body whose chunking
    they undid. What follows a fault is unchanged; trailers are no content. Written here because warcio's reader takes
    trailers, and a missing last chunk, for content or for an error.
    """
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
            if not parts:
                return body, NOT_CHUNKED
            return b"".join(parts) + body[line.end() :], CUT_CHUNK
        parts.append(body[line.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else 1 if body.startswith(b"\n", at) else 0
    return b"".join(parts), NO_LAST_CHUNK if parts else None


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
