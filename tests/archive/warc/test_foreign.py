"""Files of other programs: bodies stored with their chunking, or without it under the header that says so; ARC."""

import gzip
import re
from pathlib import Path

import pytest

from archive.warc import BadRecord, RecordGroup, records
from archive.warc.format import _foreign
from archive.warc.format._foreign import CUT_CHUNK, NOT_CHUNKED

CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


def stored(folder: Path, body: bytes, content_type: str) -> RecordGroup:
    """A chunked answer in a WARC file of another program, as it is read."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: {content_type}\r\n\r\n"
    block = head.encode() + body
    fields = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
        "WARC-Date: 2024-03-01T10:00:00Z\r\nWARC-Target-URI: https://a.example/\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    (folder / "x.warc").write_bytes(fields.encode() + block + b"\r\n\r\n")
    (group,) = records(folder / "x.warc")
    assert isinstance(group, RecordGroup)
    return group


@pytest.mark.parametrize(
    "body",
    [
        CHUNKED,
        b"5\nhello\n0\n\n",
        b"2;name=1\r\nhe\r\n3\r\nllo\r\n0\r\nX-Checksum: 1\r\nX-Other: 2\r\n\r\n",
    ],
)
@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "text/css"])
def test_chunked_text_is_read_without_its_chunk_lines(body: bytes, content_type: str, tmp_path: Path) -> None:
    group = stored(tmp_path, body, content_type)
    assert (group.body, group.problems) == (b"hello", ())


@pytest.mark.parametrize("body", [b"hello\n", b"User-agent: *\nDisallow: /\n", "Caf\u00e9\n".encode()])
def test_text_whose_chunking_was_undone_is_whole(body: bytes, tmp_path: Path) -> None:
    group = stored(tmp_path, body, "text/plain")
    assert (group.body, group.problems) == (body, ())


@pytest.mark.parametrize(
    "body", [b"0\n", b"1\n2\n3\n", b"abc\nwords after it\n", b"0\r\nThe end", CHUNKED + b"more", CHUNKED[:12]]
)
def test_text_that_only_begins_as_chunks_is_unchanged_and_named(body: bytes, tmp_path: Path) -> None:
    group = stored(tmp_path, body, "text/plain")
    assert (group.body, group.problems) == (body, (NOT_CHUNKED,))


@pytest.mark.parametrize(
    ("content_type", "part"),
    [
        ("text/html", b"<html><p>first half"),
        ("text/html; charset=shift_jis", "<html><p>\u7761\u7720".encode("shift_jis")),
        ("application/rss+xml", b"<?xml version='1.0'?><rss>"),
        ("application/json", b'{"post": '),
        ("", b"<!DOCTYPE html>"),
    ],
)
@pytest.mark.parametrize("line", [b"4000\r\n", b"0fA0;name=1\r\n", b"4000\n"])
def test_a_body_cut_in_its_first_chunk_is_cut(content_type: str, part: bytes, line: bytes, tmp_path: Path) -> None:
    group = stored(tmp_path, line + part, content_type)
    assert (group.body, group.problems, group.truncated) == (part, (CUT_CHUNK,), "disconnect")


@pytest.mark.parametrize(("content_type", "body"), [("image/png", b"4000\r\n\x89PNG"), ("text/html", b"4000\r\nwords")])
def test_what_only_begins_as_a_chunk_is_unchanged(content_type: str, body: bytes, tmp_path: Path) -> None:
    group = stored(tmp_path, body, content_type)
    assert (group.body, group.problems, group.truncated) == (body, (NOT_CHUNKED,), None)


def arc(*blocks: bytes, between: bytes = b"\n") -> bytes:
    """An ARC file, each record a member."""
    version = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://x.arc 0.0.0.0 20240301100000 text/plain %d\n%s" % (len(version), version)
    line = b"https://a.example/ 192.0.2.1 20240301100000 text/html %d\n"
    return b"".join(gzip.compress(part + between) for part in (head, *(line % len(block) + block for block in blocks)))


def test_a_long_block_of_an_arc_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_foreign, "MAX_RECORD", 90_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    path = tmp_path / "x.arc.gz"
    path.write_bytes(arc(head + b"<p>a", head + b" " * 90_000, head + b"<p>b"))
    found = list(records(path))
    assert [record.body for record in found if isinstance(record, RecordGroup)] == [b"<p>a", b"<p>b"]
    (bad,) = (record for record in found if isinstance(record, BadRecord))
    assert bad.why == "a block of more than 90000 bytes"
    starts = [match.start() for match in re.finditer(b"\x1f\x8b\x08", path.read_bytes())]
    assert bad.offset in starts[2:3]


@pytest.mark.parametrize("line", [b"x" * 3_000_000, b"x: y\n" * 600_000])
def test_long_lines_of_an_arc_file_end_its_reading(line: bytes, tmp_path: Path) -> None:
    block = b"HTTP/1.1 200 OK\r\n\r\n<p>a"
    for number, data in enumerate((arc(block) + gzip.compress(b"WARC/1.0\n" + line), arc(block, between=line))):
        path = tmp_path / f"{number}.arc.gz"
        path.write_bytes(data)
        *_, last = records(path)
        assert isinstance(last, BadRecord) and len(last.why) <= 300
