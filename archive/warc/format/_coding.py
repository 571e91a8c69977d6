"""Content codings: the decoded payload from the payload as served."""

import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]

from archive.warc._types import CutShort, TooLarge, Undecodable

MAX_DECODED = 64 << 20
"""Bytes that a body may decode to when the caller gives no limit; the page of a post has 1 to 2 MB."""
_STEP = 1 << 20


def decode(body: bytes, encoding: str | None, limit: int = MAX_DECODED) -> bytes:
    """Return a body with `encoding`, the value of its Content-Encoding, undone.

    `encoding` is gzip, x-gzip, deflate (zlib or raw), br, zstd, identity, or several with commas in the order in which
    they were applied (RFC 9110, 8.4). An empty body is empty in every coding. A body that is called gzip but lacks its
    magic number is returned as it is, because some servers and recording proxies label plain pages so. What follows
    the end of a compressed stream is ignored.

    Raises TooLarge past `limit` bytes (before they are all in memory), CutShort with the part that could be decoded,
    Undecodable for a broken stream or an unknown coding.
    """
    for coding in reversed([name.strip().lower() for name in (encoding or "").split(",")]):
        if coding not in _CODINGS:
            raise Undecodable(f"no decoder for the content coding {coding!r}")
        if body:
            body = _CODINGS[coding](body, limit)
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes")
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    out = bytearray()
    while body.startswith(b"\x1f\x8b"):  # RFC 1952: a file is a series of members
        body = _inflate(body, 31, limit, out)
    return bytes(out)


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 9110 means zlib (RFC 1950); some servers send raw deflate (RFC 1951)."""
    zlib_header = body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    out = bytearray()
    _inflate(body, 15 if zlib_header else -15, limit, out)
    return bytes(out)


def _inflate(body: bytes, wbits: int, limit: int, out: bytearray) -> bytes:
    """Append the content of a stream to `out`, and return the bytes that follow the stream."""
    inflater = zlib.decompressobj(wbits)
    while not inflater.eof:
        try:
            part = inflater.decompress(body, min(_STEP, limit - len(out) + 1))
        except zlib.error as error:
            raise Undecodable(f"a broken gzip or deflate stream after {len(out)} bytes: {error}") from error
        out += part
        _check(len(out), limit)
        body = inflater.unconsumed_tail
        if not part and not body and not inflater.eof:
            raise CutShort(f"a gzip or deflate stream ends after {len(out)} bytes", bytes(out))
    return inflater.unused_data


def _brotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    out = bytearray()
    try:
        out += decoder.process(body, output_buffer_limit=min(_STEP, limit + 1))
        while not decoder.is_finished():
            _check(len(out), limit)
            if decoder.can_accept_more_data():
                raise CutShort(f"a brotli stream ends after {len(out)} bytes", bytes(out))
            out += decoder.process(b"", output_buffer_limit=min(_STEP, limit - len(out) + 1))
    except brotli.error as error:
        raise Undecodable(f"a broken brotli stream after {len(out)} bytes: {error}") from error
    _check(len(out), limit)
    return bytes(out)


def _zstd(body: bytes, limit: int) -> bytes:
    try:
        from backports import zstd  # noqa: PLC0415  an optional package
    except ImportError as error:
        raise Undecodable("zstd bodies need the package backports.zstd") from error
    out = bytearray()
    while body:
        decoder = zstd.ZstdDecompressor()
        while not decoder.eof:
            try:
                part = decoder.decompress(body, max_length=min(_STEP, limit - len(out) + 1))
            except zstd.ZstdError as error:
                raise Undecodable(f"a broken zstd stream after {len(out)} bytes: {error}") from error
            out += part
            _check(len(out), limit)
            body = b""
            if not part and not decoder.eof and decoder.needs_input:
                raise CutShort(f"a zstd stream ends after {len(out)} bytes", bytes(out))
        body = decoder.unused_data
        if not body.startswith(b"\x28\xb5\x2f\xfd"):
            break
    return bytes(out)


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
