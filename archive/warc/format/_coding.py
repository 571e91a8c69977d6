"""Content codings: the decoded payload from the payload as served. Everything that decodes an answer decodes it here.

Live answers, stored records and records by other programs are read by the same rules, those of browsers: what follows
the end of a compressed stream is ignored, a missing checksum too. The errors of zlib, Brotli and zstd are known here
alone; callers see TooLarge, CutShort and Undecodable.
"""

import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import reduce

import brotli  # type: ignore[import-untyped]

from archive.warc._types import CutShort, TooLarge, Undecodable
from archive.warc.format._plain import begins_as, is_text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_DECODED = 64 << 20
"""Bytes that a body may decode to when the caller gives no limit; the page of a post has 1 to 2 MB."""
_STEP = 1 << 20
_PIECE = 1 << 14  # bytes given to a decoder at a time: what it leaves over is copied
_MAX_STREAMS = 10_000  # members or frames of one body: each costs time, however short
_MAX_CODINGS = 5  # of one body, each of which may unpack to the limit
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_HEADER = 18  # bytes of the longest header of a frame


def decode(body: bytes, encoding: str | None, limit: int = MAX_DECODED, content_type: str | None = None) -> bytes:
    """Return a body with `encoding`, the value of its Content-Encoding, undone.

    `encoding` is gzip, x-gzip, deflate (zlib or raw), br, zstd, identity, or several with commas in the order in which
    they were applied (RFC 9110, 8.4). An empty body is empty in every coding. What follows the end of a compressed
    stream is ignored, and so is the absence of its checksum. A body that cannot be decoded, but begins as
    `content_type` says, was never encoded, or another program decoded it before it was stored: it is returned as it
    is. Under an unknown coding ("utf-8", "none") any text is.

    Raises TooLarge past `limit` bytes (before they are all in memory), CutShort with the part that could be decoded,
    Undecodable for a broken stream or an unknown coding.
    """
    codings = [name.strip().lower() for name in (encoding or "").split(",")]
    try:
        if len(codings) > _MAX_CODINGS:
            raise Undecodable(f"more than {_MAX_CODINGS} content codings")
        found = reduce(lambda data, coding: _undone(data, coding, limit), reversed(codings), body)
    except (CutShort, Undecodable):
        is_known = all(coding in _CODINGS for coding in codings)
        if not (begins_as(body, content_type) or (not is_known and is_text(body))):
            raise
        found = body
    if len(found) > limit:
        raise TooLarge(f"the body has more than {limit} bytes")
    return found


def _undone(body: bytes, coding: str, limit: int) -> bytes:
    if coding not in _CODINGS:
        raise Undecodable(f"no decoder for the content coding {coding[:40]!r}")
    return _CODINGS[coding](body, limit) if body else body


def _gzip(body: bytes, limit: int) -> bytes:
    """RFC 1952: a file is a series of members. What follows one and has no whole header is no member."""
    whole = _one_member(body, limit)
    if whole is not None:
        return whole
    out = bytearray()
    start = _gzip_start(body, 0)
    for _ in range(_MAX_STREAMS):
        begin = len(out)
        at = _inflate(body, start, "gzip", limit, out)
        content = memoryview(out)[begin:]
        true = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
        content.release()
        at = _after_check(body, at, true, "gzip")
        try:
            start = _gzip_start(body, at)
        except (CutShort, Undecodable):
            return bytes(out)
    raise Undecodable(f"the gzip data have more than {_MAX_STREAMS} members")


def _one_member(body: bytes, limit: int) -> bytes | None:
    """Return the content of a single sound member, as nearly every answer is; None for anything else."""
    inflater = zlib.decompressobj(31)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error:
        return None
    return content if inflater.eof and not inflater.unused_data and len(content) <= limit else None


def _gzip_start(body: bytes, at: int) -> int:
    """Return where the compressed data of the member at `at` begin (RFC 1952, 2.3)."""
    if not body.startswith(_GZIP[: len(body) - at], at) or body[at + 2 : at + 3] not in (b"\x08", b""):
        raise Undecodable("no gzip data: they do not begin as such")
    flags = body[at + 3] if len(body) > at + 3 else 0
    if flags & 0xE0:  # reserved
        raise Undecodable("no gzip data: their header is damaged")
    at += 10
    if flags & 4:  # extra fields, after their length
        at += 2 + int.from_bytes(body[at : at + 2], "little")
    for flag in (8, 16):  # the name of a file, a comment: each ends with a zero
        if flags & flag:
            at = (body.find(b"\0", at) + 1) or len(body) + 1
    at += 2 if flags & 2 else 0  # checksum of the header
    if at > len(body):
        raise CutShort("the gzip data end early", b"")
    return at


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 9110 means zlib (RFC 1950); some servers send raw deflate (RFC 1951)."""
    if body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0:
        out = bytearray()
        try:
            end = _inflate(body, 2, "deflate", limit, out)
            _after_check(body, end, struct.pack(">I", zlib.adler32(out)), "deflate")
        except (CutShort, Undecodable) as as_zlib:
            try:
                return _raw_deflate(body, limit)
            except (CutShort, Undecodable):
                raise as_zlib from None
        return bytes(out)
    return _raw_deflate(body, limit)


def _raw_deflate(body: bytes, limit: int) -> bytes:
    out = bytearray()
    _inflate(body, 0, "deflate", limit, out)
    return bytes(out)


def _inflate(body: bytes, at: int, name: str, limit: int, out: bytearray) -> int:
    """Append the content of the raw deflate data at `at` to `out`, and return where they end."""
    inflater = zlib.decompressobj(-15)
    piece = b""
    while not inflater.eof:
        if not piece:
            piece = body[at : at + _PIECE]
            at += len(piece)
        try:
            part = inflater.decompress(piece, min(_STEP, limit - len(out) + 1))
        except zlib.error as error:
            raise Undecodable(f"the {name} data are damaged after {len(out)} bytes") from error
        out += part
        _check(len(out), limit)
        piece = inflater.unconsumed_tail
        if not part and not piece and at >= len(body) and not inflater.eof:
            raise CutShort(f"the {name} data end early", bytes(out))
    return at - len(inflater.unused_data)


def _after_check(body: bytes, at: int, true: bytes, name: str) -> int:
    """Return where the checksum at `at` ends.

    It may be cut, or absent: then zeros or text stand in its place. Raises Undecodable for one that differs.
    """
    stated = body[at : at + len(true)]
    if stated == true:
        return at + len(true)
    if len(stated) < len(true) or not stated.strip(b"\0") or is_text(stated):
        return len(body)
    raise Undecodable(f"the {name} data are damaged: the checksum differs")


def _brotli(body: bytes, limit: int) -> bytes:
    pieces = (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
    out, taken, is_whole, is_broken = _unbrotli(pieces, limit)
    if is_broken:
        # The decoder refuses the whole piece in which a stream ends and other bytes follow. Byte by byte it ends first.
        last = (body[at : at + 1] for at in range(taken, min(len(body), taken + _PIECE)))
        out, _, is_whole, is_broken = _unbrotli(_chained(body[:taken], last), limit)
    if is_broken:
        raise Undecodable(f"the br data are damaged after {len(out)} bytes")
    if not is_whole:
        raise CutShort("the br data end early", out)
    return out


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from others


def _unbrotli(pieces: Iterable[bytes], limit: int) -> tuple[bytes, int, bool, bool]:
    """Decode until a stream ends or a piece is refused: (content, bytes taken, whether it ended, whether refused)."""
    decoder = brotli.Decompressor()
    out = bytearray()
    taken = 0
    for piece in pieces:
        given = piece
        while True:
            try:
                out += decoder.process(given, output_buffer_limit=min(_STEP, limit - len(out) + 1))
            except brotli.error:
                return bytes(out), taken, False, True
            _check(len(out), limit)
            if decoder.is_finished():
                return bytes(out), taken, True, False
            if decoder.can_accept_more_data():
                break
            given = b""
        taken += len(piece)
    return bytes(out), taken, False, False


def _zstd(body: bytes, limit: int) -> bytes:
    """RFC 8878: a series of frames. What follows one and has no whole header is no frame."""
    out = bytearray()
    at = 0
    for _ in range(_MAX_STREAMS):
        decoder = zstd.ZstdDecompressor()
        while not decoder.eof:
            piece = body[at : at + _PIECE] if decoder.needs_input else b""
            at += len(piece)
            try:
                part = decoder.decompress(piece, max_length=min(_STEP, limit - len(out) + 1))
            except zstd.ZstdError as error:
                raise Undecodable(f"the zstd data are damaged after {len(out)} bytes") from error
            out += part
            _check(len(out), limit)
            if not part and not decoder.eof and decoder.needs_input and at >= len(body):
                raise CutShort("the zstd data end early", bytes(out))
        at -= len(decoder.unused_data)
        if not _is_frame(body, at):
            return bytes(out)
    raise Undecodable(f"the zstd data have more than {_MAX_STREAMS} frames")


def _is_frame(body: bytes, at: int) -> bool:
    try:
        zstd.get_frame_info(body[at : at + _ZSTD_HEADER])
    except zstd.ZstdError:
        return False
    return body.startswith(_ZSTD, at)


def _check(length: int, limit: int) -> None:
    if length > limit:
        raise TooLarge(f"the body decodes to more than {limit} bytes")


def _same(body: bytes, limit: int) -> bytes:
    return body


_CODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "": _same,
    "identity": _same,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
