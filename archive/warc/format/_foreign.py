"""What only files of other programs need: chunked bodies, and ARC, the format before WARC. warcio reads both."""

import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.bufferedreaders import ChunkedDataReader  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from archive.warc._types import BadRecord
from archive.warc.format._frame import Frame


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """Return a body with its chunking undone, and whether it was well-formed; what follows a fault is unchanged."""
    try:
        ChunkedDataReader(io.BytesIO(body), raise_exceptions=True).read()
    except ArchiveLoadFailed:
        well_formed = False
    else:
        well_formed = True
    reader, parts = ChunkedDataReader(io.BytesIO(body)), []
    while part := reader.read():
        parts.append(part)
    return b"".join(parts), well_formed


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
        except (ArchiveLoadFailed, EOFError, OSError) as error:
            yield BadRecord(name, file.tell(), str(error).strip())
        finally:
            iterator.close()
