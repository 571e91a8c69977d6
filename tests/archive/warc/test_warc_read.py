"""Reading what is damaged, what others wrote, and what servers packed."""

import gzip
import hashlib
import zlib
from pathlib import Path

import brotli
import pytest

from archive.warc import (
    BadRecord,
    CutShort,
    Failure,
    Group,
    Note,
    Other,
    TooLarge,
    Undecodable,
    decode,
    payload,
    read_record,
    records,
)
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
    zstd = pytest.importorskip("backports.zstd")
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
        ("rot13", b"a"),
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
    assert [r.capture for r in found if isinstance(r, Group)] == [captures[0], captures[2]]
    assert [r.record_type for r in found if isinstance(r, Other)] == ["request"]
    with pytest.raises(BadRecord, match="gzip"):
        read_record(tmp_path, captures[1].warc_file, captures[1].warc_offset)
    with pytest.raises(BadRecord, match="shorter"):
        read_record(tmp_path, captures[1].warc_file, len(data))
    with pytest.raises(ValueError, match="out of the archive"):
        read_record(tmp_path, "../x.warc.gz", 0)


# How each sample reads: a letter a record (Info, Group, Other, Bad).
READS = {
    "example-bad-non-chunked.warc.gz": "B",
    "example-resource.warc.gz": "IIG",
    "example-trunc.warc": "IIGBO",
    "example-wget-bad-target-uri.warc.gz": "IGOOO",
    "example-wrong-chunks.warc.gz": "BB",
    "example.arc.gz": "IG",
    "example.warc.gz": "IIGG",
    "invalid-warcfile-contenttype-recommended.warc": "IOOOOOO",
    "invalid-warcfile-digest-fields.warc": "GGGG",
    "invalid-warcfile-duplicate-fields.warc": "I",
    "invalid-warcfile-fields-invalidformat.warc": "B",
    "invalid-warcfile-fields-missing.warc": "B",
    "invalid-warcfile-lonely-revisit.warc": "B",
    "invalid-warcfile-record-then-garbage.warc": "GB",
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
        if isinstance(record, Group) and record.body is not None:
            assert record.capture.payload_sha256 == hashlib.sha256(record.body).hexdigest()
            assert record.problems or payload(record)
