"""What a browser received for a page that it rendered, and the page as it stood in the end, as WARC records."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]

from archive.warc import Capture, Other, RecordGroup, Writer, payload, read_record, records
from archive.warc.repair import repair
from tests.archive.warc.test_repair import captures, sidecar
from tests.archive.warc.test_warc import NOON, PAGE, check, exchange, original, warcs, writer

SITE = "https://praxis.example/post/a"
PACKED = [
    (b"Content-Type", b"application/json"),
    (b"content-encoding", b"br"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Content-Length", b"17"),
]


def rendered(w: Writer) -> list[Capture]:
    """A visit with a browser: the document, a script, an answer, the same script again, the DOM."""
    document = w.write_exchange(exchange(via="document", page=SITE))
    script = exchange(url="https://cdn.example/x.js", via="script", page=SITE, body=b"go()", protocol="h2")
    first = w.write_exchange(script)
    request = exchange(
        url="https://praxis.example/voices", method="POST", request_body=b"{}", response_headers=PACKED,
        body=b'{"comments": []}', via="xhr", page=SITE,
    )  # fmt: skip
    return [
        document,
        first,
        w.write_exchange(request),
        w.write_exchange(replace(script, refers_to=original(first))),
        w.write_exchange(exchange(status=204, body=b"", response_headers=PACKED, via="fetch", page=SITE)),
        w.write_dom(url=SITE, page=SITE, body=PAGE, at=NOON, document=document.capture_id),
    ]


def test_a_rendered_visit_passes_both_checkers_and_reads_back_the_same(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        wanted = rendered(w)
    (path,) = warcs(tmp_path)
    check(path)
    groups = [record for record in records(path, archive=tmp_path) if isinstance(record, RecordGroup)]
    assert [group.capture for group in groups] == wanted
    assert [item.via for item in wanted] == ["document", "script", "xhr", "script", "fetch", "dom"]
    assert {item.page for item in wanted} == {SITE}
    assert not any(group.problems for group in groups)
    for group in groups:
        assert read_record(tmp_path, group.capture.warc_file, group.capture.warc_offset) == group
    answer = groups[2]
    assert answer.response_headers == (
        (b"Content-Type", b"application/json"),
        (b"X-Archive-Orig-Content-Encoding", b"br"),
        (b"X-Archive-Orig-Transfer-Encoding", b"chunked"),
        (b"X-Archive-Orig-Content-Length", b"17"),
        (b"Content-Length", b"16"),
    )
    assert payload(answer) == b'{"comments": []}' and answer.capture.content_encoding is None
    dom = groups[-1]
    assert (dom.capture.record_type, dom.capture.http_status, dom.capture.mime) == ("resource", None, "text/html")
    assert (dom.body, payload(dom), dom.request_headers) == (PAGE, PAGE, ())
    assert dom.capture.payload_sha256 == hashlib.sha256(PAGE).hexdigest()


def test_other_tools_find_the_page_and_its_document(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        document, *_, dom = rendered(w)
    with warcs(tmp_path)[0].open("rb") as file:
        found = [
            (record.rec_headers.get_header("WARC-Concurrent-To"), record.content_stream().read(), record.content_type)
            for record in ArchiveIterator(file)
            if record.rec_type == "resource"
        ]
    assert found == [(f"<urn:uuid:{document.capture_id}>", PAGE, "text/html; charset=utf-8")]
    assert dom.warc_length == warcs(tmp_path)[0].stat().st_size - dom.warc_offset


def test_a_body_is_decoded_only_where_a_browser_had_it(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        own = exchange(response_headers=[(b"Content-Encoding", b"gzip")], body=gzip.compress(PAGE))
        assert w.write_exchange(own).content_encoding == "gzip"
        assert w.write_exchange(replace(own, via="document", page=SITE, body=PAGE)).content_encoding is None


@pytest.mark.parametrize("wrong", [{"via": "xhr\r\nWARC-Type: x"}, {"via": "x", "page": "a\nb"}])
def test_no_value_forges_a_field(tmp_path: Path, wrong: dict[str, str]) -> None:
    with writer(tmp_path) as w:
        try:
            capture = w.write_exchange(exchange(**wrong))
        except ValueError:
            return
    group = read_record(tmp_path, capture.warc_file, capture.warc_offset)
    assert isinstance(group, RecordGroup) and group.capture == capture and capture.page == "a%0Ab"


@pytest.mark.parametrize(("kind", "via"), [("resource", None), ("resource", "screenshot"), ("conversion", "dom")])
def test_a_resource_of_somebody_else_is_no_rendered_page(tmp_path: Path, kind: str, via: str | None) -> None:
    block = b"<p>hello</p>"
    fields = [f"WARC-Type: {kind}", "WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000009>"]
    fields += ["WARC-Date: 2026-11-01T12:00:00Z", f"WARC-Target-URI: {SITE}", "Content-Type: text/html"]
    fields += [f"X-Archive-Via: {via}"] if via else []
    head = "\r\n".join(["WARC/1.1", *fields, f"Content-Length: {len(block)}", "", ""]).encode()
    path = tmp_path / "foreign.warc"
    path.write_bytes(head + block + b"\r\n\r\n")
    (found,) = records(path)
    if via is None:  # a page that somebody saved
        assert isinstance(found, RecordGroup) and found.body == block
        assert (found.capture.record_type, found.capture.via, found.capture.page) == (kind, None, None)
    else:
        assert isinstance(found, Other) and found.record_type == kind


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    got=st.lists(st.tuples(st.sampled_from([name for name, _ in PACKED]), st.binary(max_size=20)), max_size=6),
    page=st.text(max_size=20),
    status=st.sampled_from([200, 204, 304, 404]),
)  # fmt: skip
def test_any_bytes_come_back(tmp_path: Path, body: bytes, got: Any, page: str, status: int) -> None:
    page = "https://praxis.example/" + page
    with writer(tmp_path) as w:
        made = [
            w.write_exchange(exchange(body=body, response_headers=got, status=status, via="xhr", page=page)),
            w.write_dom(url=page, page=page, body=body, at=NOON),
        ]
    for capture in made:
        group = read_record(tmp_path, capture.warc_file, capture.warc_offset)
        assert isinstance(group, RecordGroup) and group.capture == capture and not group.problems
        assert group.body == body


def test_cut_at_any_byte_the_visit_keeps_its_whole_records(tmp_path: Path) -> None:
    """A run that was killed while a page was rendered."""
    with writer(tmp_path) as w:
        wanted = rendered(w)
    (path,) = warcs(tmp_path)
    data = path.read_bytes()
    ends = [item.warc_offset for item in wanted[1:]] + [len(data)]  # a group ends where the next begins
    for size in sorted({*range(wanted[0].warc_offset, len(data), 17), *ends, *(end - 1 for end in ends)}):
        path.write_bytes(data[:size])
        sidecar(path).touch()
        (found,) = repair(tmp_path)
        whole = sum(end <= size for end in ends)
        assert found.whole == (ends[whole - 1] if whole else wanted[0].warc_offset)
        if size in ends:
            assert captures(path, tmp_path) == wanted[:whole]
        if found.torn:
            found.torn.unlink()
