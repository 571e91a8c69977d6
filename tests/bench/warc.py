"""W: exchanges into a WARC, by the product's writer and by warcio as it comes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped]
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped]

from archive.warc import HttpExchange, Writer
from tests.bench._figure import cpu, figure, ratio
from tests.bench._pages import real, wire

AT = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = [("Host", "mirror.example"), ("Accept-Encoding", "gzip"), ("User-Agent", "bench")]


@cache
def exchanges() -> list[tuple[str, bytes, bytes]]:
    """URL, page and wire bytes of each page."""
    return [(exchange.url, exchange.body, wire(exchange.body)) for exchange in real()[0]]


def headers(length: int) -> list[tuple[str, str]]:
    """What a server says of a page."""
    return [
        ("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"), ("Content-Length", str(length)),
        ("ETag", 'W/"1"'),
    ]  # fmt: skip


def own(folder: Path) -> Path:
    """The product's writer: wire bytes as they came, request and response, made durable at the end."""
    writer = Writer(folder, "clinic", "crawl", {}, last=None, clock=lambda: AT)
    for url, _, body in exchanges():
        capture = writer.write_exchange(HttpExchange(
            url=url, method="GET", request_headers=[(name.encode(), value.encode()) for name, value in ASKED],
            request_body=b"", status=200, reason="OK", protocol="HTTP/1.1",
            response_headers=[(name.encode(), value.encode()) for name, value in headers(len(body))],
            body=body, ip="127.0.0.1", fetched_at=AT,
        ))  # fmt: skip
    writer.close()
    return folder / capture.warc_file


def theirs(folder: Path) -> Path:
    """warcio with its default gzip: the same bytes, request and response."""
    path = folder / "warcio.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, _, body in exchanges():
            answer = StatusAndHeaders("200 OK", headers(len(body)), protocol="HTTP/1.1")
            response = writer.create_warc_record(url, "response", payload=BytesIO(body), http_headers=answer)
            requests = StatusAndHeaders("GET / HTTP/1.1", ASKED, is_http_request=True)
            writer.write_request_response_pair(
                writer.create_warc_record(url, "request", http_headers=requests), response
            )
    return path


@figure("W1", "times the speed of warcio's default writing of the same bytes", least=6)
def speed() -> float:
    """`archive.warc.Writer` against warcio, both given request, response and body as served (gzip), both with digests.
    warcio deflates the body once more, at level 9. (Given decoded pages, which is what it is mostly given, it takes
    about seven times as long again: that would be a goal too easily reached.)
    """

    def taken(write: Callable[[Path], Path]) -> float:
        with TemporaryDirectory() as folder:
            places = [Path(folder, str(number)) for number in range(5)]
            for place in places:
                place.mkdir()
            return cpu(lambda: [write(place) for place in places])

    return ratio(lambda: taken(theirs), lambda: taken(own))


@figure("W1", "times the size of warcio's file, one member a record, readable by warcio", most=1.1)
def size() -> float:
    """The sizes of the two files. Ours is read back by warcio, and gives the same pages; its members are counted."""
    with TemporaryDirectory() as folder:
        ours, other = own(Path(folder)), theirs(Path(folder))
        with ours.open("rb") as file:
            records = (record for record in ArchiveIterator(file) if record.rec_type == "response")
            assert [gzip.decompress(record.raw_stream.read()) for record in records] == [
                item[1] for item in exchanges()
            ]
        assert _members(ours.read_bytes()) == 1 + 2 * len(exchanges()), "not one member a record"
        return ours.stat().st_size / other.stat().st_size


def _members(data: bytes) -> int:
    """Number of gzip members of a file."""
    number = 0
    while data:
        stream = zlib.decompressobj(wbits=31)
        stream.decompress(data)
        data, number = stream.unused_data, number + 1
    return number
