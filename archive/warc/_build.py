"""The bytes of one record: blanking, HTTP heads, digests, and the gzip member that holds them."""

import base64
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from fastwarc.stream_io import GzipWriter

from archive.warc._types import Headers

SECRETS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"})
BLANK = b"[blanked]"

_PACKED_TYPES = re.compile(r"(image/(?!svg|bmp)|video/|audio/|font/woff|application/(zip|gzip|x-gzip|pdf)\b)")
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# Every printable ASCII character but quotes, and `<` and `>`, which readers strip.
_URL_SAFE = "".join(map(chr, range(0x21, 0x7F))).translate({ord(c): None for c in '<>"'})
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: no name, no time, unknown system


def warc_url(url: str) -> str:
    """Return a URL as WARC-Target-URI has it: blanks, controls, quotes and non-ASCII percent-encoded as UTF-8."""
    return quote(url.encode("utf-8", "surrogatepass"), safe=_URL_SAFE)


def sha1_label(*parts: bytes) -> str:
    """Return a labelled digest (WARC 1.1, 5.8): `sha1:` and base32, the form that every WARC tool reads."""
    digest = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return "sha1:" + base64.b32encode(digest.digest()).decode()


def sha256_label(hex_digest: str) -> str:
    """Return a labelled SHA-256, in hex as everywhere in the archive.

    `warcio check` and `fastwarc check` verify this form and padded base32; base32 without padding fails in warcio.
    """
    return "sha256:" + hex_digest


def header(headers: Headers, name: bytes) -> str | None:
    """Return the values of a header as Latin-1 text, joined by ", " as HTTP allows; None when absent or empty."""
    values = [value for key, value in headers if key.lower() == name]
    return b", ".join(values).decode("latin-1").strip() or None


def clean_headers(headers: Iterable[tuple[bytes, bytes]], side: str) -> tuple[Headers, tuple[str, ...]]:
    """Return header lines that can be written, and the names of those that were blanked, as `side.name`.

    A line break inside a value cannot come from a parsed message. It becomes a blank, as RFC 9112, 5.2 says about
    folded lines, so that no value can forge another line. The values of SECRETS are replaced by `[blanked]`.
    """
    lines: list[tuple[bytes, bytes]] = []
    blanked: list[str] = []
    for name, value in headers:
        name = re.sub(rb"[\r\n:\0]+", b"_", name).strip() or b"_"
        if name.lower() in SECRETS:
            value = BLANK
            blanked.append(f"{side}.{name.lower().decode()}")
        lines.append((name, re.sub(rb"[\r\n]+[ \t]*", b" ", value).strip(b" \t")))
    return tuple(lines), tuple(dict.fromkeys(blanked))


def as_stored(headers: Headers, body: bytes, *, bodiless: bool, decoded: bool) -> Headers:
    """Return response headers that are true for the stored body.

    The HTTP client undid the chunking, so `Transfer-Encoding` is renamed to `X-Archive-Orig-Transfer-Encoding`;
    `Content-Encoding` is renamed in the same way where that was undone too (`decoded`: by a browser). A
    `Content-Length` that is not the body's is renamed to `X-Archive-Orig-Content-Length` and the true one is added; it
    is added after decoding too. In an answer that has no body by rule (`bodiless`: HEAD, 1xx, 204, 304) the length is
    that of another body and is kept.
    """
    true_length = b"%d" % len(body)
    lines: list[tuple[bytes, bytes]] = []
    needed = stated = False
    for name, value in headers:
        key = name.lower()
        if key == b"transfer-encoding":
            name, needed = b"X-Archive-Orig-Transfer-Encoding", True
        elif key == b"content-encoding" and decoded:
            name, needed = b"X-Archive-Orig-Content-Encoding", True
        elif key == b"content-length" and not bodiless:
            if value == true_length and not stated:
                stated = True
            else:
                name, needed = b"X-Archive-Orig-Content-Length", True
        lines.append((name, value))
    if needed and not stated and not bodiless:
        lines.append((b"Content-Length", true_length))
    return tuple(lines)


def http_head(first_line: bytes, headers: Headers) -> bytes:
    """Return a message head with its closing empty line."""
    return b"\r\n".join([first_line, *(name + b": " + value for name, value in headers)]) + b"\r\n\r\n"


def request_line(method: str, url: str) -> bytes:
    """Return `METHOD origin-form HTTP/1.1` (RFC 9112, 3.2.1) of an escaped URL. Raises ValueError for a bad method."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", method):
        raise ValueError(f"not an HTTP method: {method!r}")
    parts = urlsplit(url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return f"{method} {target} HTTP/1.1".encode("ascii")


def packed(mime: str | None, content_encoding: str | None) -> bool:
    """Return whether a body is compressed already, so that compressing it again would only take time."""
    return content_encoding not in (None, "identity") or bool(mime and _PACKED_TYPES.match(mime))


def warc_fields(fields: Mapping[str, str]) -> bytes:
    """Return a block of application/warc-fields (WARC 1.1, 4): `name: value` lines in UTF-8.

    Line breaks in values become blanks. Raises ValueError for a name that is no field name.
    """
    lines = []
    for name, value in fields.items():
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(f"not a field name: {name!r}")
        lines.append(f"{name}: {' '.join(value.split())}\r\n" if _breaks(value) else f"{name}: {value.strip()}\r\n")
    return "".join(lines).encode("utf-8", "backslashreplace")


def _breaks(value: str) -> bool:
    return "\r" in value or "\n" in value


def json_text(text: str) -> str:
    """Return any text as a single line of JSON; a lone surrogate becomes an escape."""
    return json.dumps(text, ensure_ascii=True)


def json_untext(text: str) -> str:
    """Return the text that `json_text` was given; a line that another program wrote is returned as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def record(fields: Iterable[tuple[str, str]], head: bytes, body: bytes, *, stored: bool) -> bytes:
    """Return a WARC/1.1 record as a gzip member (WARC 1.1, annex D.2).

    `fields` are its named fields without Content-Length and WARC-Block-Digest, which are added here; the block is
    `head + body`. `stored`: the body is compressed already and is written into stored blocks (deflate level 0), which
    was measured to be 15 times as fast as level 1 and as small. Raises ValueError for a field with a line break.
    """
    lines = ["WARC/1.1"]
    for name, value in fields:
        if _breaks(value) or _breaks(name):
            raise ValueError(f"a line break in the WARC field {name}: {value!r}")
        lines.append(f"{name}: {value}")
    lines.append(f"WARC-Block-Digest: {sha1_label(head, body)}")
    lines.append(f"Content-Length: {len(head) + len(body)}")
    front = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "backslashreplace") + head
    return _stored_member(front, body) if stored else _member(front, body)


def _member(front: bytes, body: bytes) -> bytes:
    """A compressed member. Measured on real pages, level 4 here is as small as zlib's level 5, and a third faster than
    zlib's level 2.
    """
    out = io.BytesIO()
    writer = GzipWriter(out, compression_level=4)
    writer.write(front)
    if body:
        writer.write(body)
    writer.write(b"\r\n\r\n")
    writer.finish()  # without it, this writer makes a single member of the whole file
    return out.getvalue()


def _stored_member(front: bytes, body: bytes) -> bytes:
    """The front compressed, the body in stored blocks: two raw deflate streams joined at a byte boundary."""
    text = zlib.compressobj(6, zlib.DEFLATED, -15)
    raw = zlib.compressobj(0, zlib.DEFLATED, -15)
    crc = zlib.crc32(b"\r\n\r\n", zlib.crc32(body, zlib.crc32(front)))
    size = (len(front) + len(body) + 4) & 0xFFFFFFFF
    return b"".join(
        (
            _GZIP_HEAD,
            text.compress(front),
            text.flush(zlib.Z_FULL_FLUSH),  # ends the blocks on a byte, without a last-block mark
            raw.compress(body),
            raw.compress(b"\r\n\r\n"),
            raw.flush(),
            crc.to_bytes(4, "little"),
            size.to_bytes(4, "little"),
        )
    )
