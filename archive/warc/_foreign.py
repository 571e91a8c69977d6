"""What only files of others need: chunked bodies, and ARC, the format before WARC. Both are left to warcio."""

import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.bufferedreaders import ChunkedDataReader  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]

from archive.warc._frame import Frame
from archive.warc._types import BadRecord


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """A chunked body undone, and whether it was well-formed; where it is not, what is left stands as it is."""
    try:
        ChunkedDataReader(io.BytesIO(body), raise_exceptions=True).read()
    except ArchiveLoadFailed:
        whole = False
    else:
        whole = True
    reader, parts = ChunkedDataReader(io.BytesIO(body)), []
    while part := reader.read():
        parts.append(part)
    return b"".join(parts), whole


def is_arc(path: Path) -> bool:
    """Whether a file begins as ARC files do: `filedesc://`."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(31).decompress(start, 16)
        except zlib.error:
            return False
    return start.startswith(b"filedesc://")


def arc_frames(path: Path, name: str, start: int = 0) -> Iterator[Frame | BadRecord]:
    """The records of an ARC file as WARC records, from byte `start` on. ARC has no record ids: one is made of URL, date
    and content, so that the same file gives the same captures. Nothing is read behind damage."""
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
