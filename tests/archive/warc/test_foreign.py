"""Bodies that other programs stored with their chunking, or without it under the header that says so."""

from pathlib import Path

import pytest

from archive.warc import Group, records
from archive.warc.format._foreign import CUT_CHUNK, NOT_CHUNKED

CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


def stored(folder: Path, body: bytes, content_type: str) -> Group:
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
    assert isinstance(group, Group)
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
