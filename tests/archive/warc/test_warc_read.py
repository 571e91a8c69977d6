"""Reading what is damaged, what others wrote, and what servers packed."""

import gzip
import hashlib
import zlib
from contextlib import suppress
from pathlib import Path

import brotli
import pytest

from archive.warc import (
    BadRecord,
    CutShort,
    Failure,
    Note,
    Other,
    RecordGroup,
    TooLarge,
    Undecodable,
    decode,
    payload,
    read_record,
    records,
)
from archive.warc.format._coding import zstd
from tests.archive.warc.test_warc import PAGE, exchange, warcs, writer

SAMPLES = Path(__file__).parents[4] / "shared" / "warc-samples"


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(PAGE)),
        ("x-gzip", gzip.compress(PAGE[:99]) + gzip.compress(PAGE[99:])),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", zlib.compress(PAGE, wbits=-15)),
        ("br", brotli.compress(PAGE)),
        ("gzip, br", brotli.compress(gzip.compress(PAGE))),
        ("identity", PAGE),
        (None, PAGE),
        ("gzip", PAGE),
        ("gzip", gzip.compress(PAGE) + b"\0\0"),
    ],
)
def test_decode(coding: str | None, packed: bytes) -> None:
    assert decode(packed, coding, len(PAGE)) == PAGE
    assert decode(b"", coding) == b""
    with pytest.raises(TooLarge):
        decode(packed, coding, len(PAGE) - 1)


def test_decode_zstd() -> None:
    packed = zstd.compress(PAGE)
    assert decode(packed, "zstd", len(PAGE)) == PAGE
    with pytest.raises(TooLarge):
        decode(zstd.compress(bytes(10_000_000)), "zstd", 1000)
    with pytest.raises(CutShort):
        decode(packed[:-5], "zstd")


def test_decode_names_what_is_wrong() -> None:
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(2000))
    for coding, packed in (("gzip", gzip.compress(noise)), ("br", brotli.compress(noise))):
        with pytest.raises(CutShort) as caught:
            decode(packed[:40_000], coding)
        assert len(caught.value.part) > 30_000 and noise.startswith(caught.value.part)
    for coding, bad in (
        ("gzip", b"\x1f\x8b\x08garbage...."),
        ("deflate", b"\xff" * 9),
        ("br", b"\xff" * 9),
        ("rot13", b"\xe9"),
    ):
        with pytest.raises(Undecodable):
            decode(bad, coding)
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLarge):
        decode(bomb, "gzip", 1_000_000)


def test_reading_goes_on_behind_damage(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        page = exchange(response_headers=[(b"Content-Encoding", b"gzip")], body=gzip.compress(PAGE))
        captures = [w.write_exchange(page) for _ in range(3)]
    (path,) = warcs(tmp_path)
    data = bytearray(path.read_bytes())
    data[captures[1].warc_offset + captures[1].warc_length - 30] ^= 0xFF
    path.write_bytes(data)
    found = list(records(path, archive=tmp_path))
    bad = [r for r in found if isinstance(r, BadRecord)]
    assert [(b.file, b.offset) for b in bad] == [(captures[1].warc_file, captures[1].warc_offset)]
    assert [r.capture for r in found if isinstance(r, RecordGroup)] == [captures[0], captures[2]]
    assert [r.record_type for r in found if isinstance(r, Other)] == ["request"]
    with pytest.raises(BadRecord, match="gzip"):
        read_record(tmp_path, captures[1].warc_file, captures[1].warc_offset)
    with pytest.raises(BadRecord, match="shorter"):
        read_record(tmp_path, captures[1].warc_file, len(data))
    with pytest.raises(ValueError, match="out of the archive"):
        read_record(tmp_path, "../x.warc.gz", 0)


# How each sample reads: a letter a record (Info, RecordGroup, Other, BadRecord).
READS = {
    "example-bad-non-chunked.warc.gz": "B",
    "example-resource.warc.gz": "IIR",
    "example-trunc.warc": "IIRBO",
    "example-wget-bad-target-uri.warc.gz": "IROOO",
    "example-wrong-chunks.warc.gz": "BB",
    "example.arc.gz": "IR",
    "example.warc.gz": "IIRR",
    "invalid-warcfile-contenttype-recommended.warc": "IOOOOOO",
    "invalid-warcfile-digest-fields.warc": "RRRR",
    "invalid-warcfile-duplicate-fields.warc": "I",
    "invalid-warcfile-fields-invalidformat.warc": "B",
    "invalid-warcfile-fields-missing.warc": "B",
    "invalid-warcfile-lonely-revisit.warc": "B",
    "invalid-warcfile-record-then-garbage.warc": "RB",
    "valid-warcfile-contenttype-continuation.warc": "O",
    "valid-warcfile-non-warc-headers.warc": "I",
    "valid-warcfile-upper-lower-case.warc": "IOOOO",
    "valid-warcfile-utf8.warc": "I",
}


@pytest.mark.parametrize("name", READS)
def test_files_of_others(name: str) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("../shared/warc-samples is not here")
    found = list(records(SAMPLES / name))
    assert "".join("O" if isinstance(r, Note | Failure) else type(r).__name__[0] for r in found) == READS[name]
    assert found == list(records(SAMPLES / name)) or "B" in READS[name]  # ids made for ARC records are the same again
    for record in found:
        if isinstance(record, RecordGroup) and record.body is not None:
            assert record.capture.payload_sha256 == hashlib.sha256(record.body).hexdigest()
            assert record.problems or payload(record)


GZIPPED = gzip.compress(PAGE)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", GZIPPED + bytes(512)),
        ("gzip", GZIPPED + b"<!-- made by a cache -->"),
        ("gzip", GZIPPED[:-8]),
        ("gzip", GZIPPED[:-3]),
        ("gzip", GZIPPED[:-8] + b"<!-- made by a cache -->"),
        ("gzip", GZIPPED[:-8] + bytes(8)),
        ("gzip", GZIPPED + gzip.compress(b"")),
        ("gzip", GZIPPED + b"\x1f"),
        ("gzip", GZIPPED + b"\x1f\x8b"),
        ("gzip", GZIPPED + b"\x1f\x8b\x00junk"),
        ("gzip", GZIPPED + b"\x1f\x8b\x08\xffjunk and more of it"),
        ("gzip", GZIPPED + b"\x1f\x8b\x08\x08junk without an end"),
        ("gzip", GZIPPED + gzip.compress(b"") + b"\x1f\x8b\x08"),
        ("deflate", zlib.compress(PAGE)[:-4]),
        ("deflate", zlib.compress(PAGE) + b"junk"),
        ("br", brotli.compress(PAGE) + b"junk"),
        ("br", brotli.compress(PAGE) + bytes(9000)),
        ("zstd", zstd.compress(PAGE) + b"junk"),
        ("zstd", zstd.compress(PAGE) + zstd.compress(PAGE)[:4]),
        ("zstd", zstd.compress(PAGE) + zstd.compress(PAGE)[:4] + b"\x08junk"),
        ("zstd", zstd.compress(PAGE[:50]) + zstd.compress(PAGE[50:])),
    ],
)
def test_what_follows_or_lacks_is_read_as_browsers_read_it(coding: str, packed: bytes) -> None:
    assert decode(packed, coding) == PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", b"\xef\xbb\xbf<!DOCTYPE html><p>Caf\xc3\xa9"),
        ("application/json", b' {"post": {}}'),
        ("text/html; charset=utf-16", "<!DOCTYPE html><p>Caf\xe9".encode("utf-16")),
        ("text/html; charset=shift_jis", "<html>\u7761\u7720".encode("shift_jis")),
        ("application/rss+xml", b"<?xml version='1.0'?><rss/>"),
        ("text/plain", b"User-agent: *\nDisallow: /private\n"),
        (None, b"<html>"),
    ],
)
def test_a_body_that_was_never_encoded_is_taken_as_it_is(coding: str, content_type: str | None, body: bytes) -> None:
    assert decode(body, coding, content_type=content_type) == body
    other = "image/png" if content_type != "image/png" else "text/html"
    with pytest.raises((Undecodable, CutShort)):
        decode(body, coding, content_type=other)


@pytest.mark.parametrize("coding", ["utf-8", "none", "aws-chunked", "gzip, utf-8"])
def test_text_under_an_unknown_coding_is_text(coding: str) -> None:
    assert decode(b"Plain words", coding) == b"Plain words"
    with pytest.raises(Undecodable):
        decode(b"\x00\x01", coding)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", GZIPPED), ("deflate", zlib.compress(PAGE)), ("br", brotli.compress(PAGE)), ("zstd", zstd.compress(PAGE))],
)
def test_damage_has_a_kind_in_every_coding(coding: str, packed: bytes) -> None:
    """Each byte changed, each end cut: no error but the three that callers know."""
    for at in range(len(packed)):
        for bad in (packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :], packed[:at]):
            with suppress(Undecodable, CutShort, TooLarge):
                decode(bad, coding, 1 << 20, "text/html")


def test_many_small_members_end() -> None:
    for coding, member in (("gzip", gzip.compress(b"")), ("zstd", zstd.compress(b""))):
        with pytest.raises(Undecodable, match="more than 10000"):
            decode(member * 200_000, coding)
