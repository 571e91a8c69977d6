"""Writer and reader of WARC files, judged by each other and by the checkers that others use."""

import gzip
import hashlib
import itertools
import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.warc import (
    BadRecord,
    Capture,
    Failure,
    HttpExchange,
    Info,
    Original,
    RecordGroup,
    WarcWriteError,
    Writer,
    payload,
    read_record,
    records,
)
from archive.warc._build import SECRETS

NOON = datetime(2026, 11, 1, 12, 0, 0, 250, tzinfo=UTC)
PAGE = "<p>Schöne Grüße aus der Praxis</p>".encode() * 40


def writer(folder: Path, **options: Any) -> Writer:
    """A writer whose ids and clock stand still."""
    ids = (f"00000000-0000-4000-8000-{n:012}" for n in itertools.count())
    given = {"last": None, "clock": lambda: NOON, "new_id": lambda: next(ids)} | options
    return Writer(folder, "praxis-am-see", "0123456789abcdef", {"stanza": '{"name": "Praxis \\u00fc"}'}, **given)


PLAIN = HttpExchange(
    url="https://praxis.example/post/a",
    method="GET",
    request_headers=[(b"User-Agent", b"archive/1")],
    request_body=b"",
    status=200,
    reason="OK",
    protocol="HTTP/1.1",
    response_headers=[(b"Content-Type", b"text/html; charset=UTF-8")],
    body=PAGE,
    ip="192.0.2.7",
    fetched_at=NOON,
)


def exchange(**changes: Any) -> HttpExchange:
    """A plain page, with what a test changes."""
    return replace(PLAIN, **changes)


def original(capture: Capture) -> Original:
    return Original(capture.capture_id, capture.url, capture.fetched_at, capture.payload_sha256)


def warcs(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.warc.gz"))


def check(path: Path, *, brotli_body: bool = False) -> None:
    """Fail unless `warcio check` and `fastwarc check` both accept the file, payloads of all but revisits included."""
    tools = Path(sys.executable).parent
    warcio: list[Any] = [tools / "warcio", "check", path]
    if brotli_body:  # with Google's brotli installed, warcio 1.8 fails on every such body (its issue 73)
        hidden = "import sys; sys.modules['brotli'] = None; import warcio.cli; warcio.cli.main(sys.argv[1:])"
        warcio = [sys.executable, "-c", hidden, "check", path]
    found = subprocess.run(warcio, check=False, capture_output=True, text=True)
    assert found.returncode == 0 and not found.stdout, found.stdout + found.stderr
    found = subprocess.run([tools / "fastwarc", "check", "-q", path], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    # FastWARC holds the payload digest of a revisit against the revisit's own, absent body: every other must be right.
    found = subprocess.run(
        [tools / "fastwarc", "check", "-qpo", "-", path], check=False, capture_output=True, text=True
    )
    failed = {line.split(":")[2].rstrip(">") for line in found.stdout.splitlines() if "FAIL" in line}
    revisits = {r.capture.capture_id for r in records(path) if isinstance(r, RecordGroup) and r.body is None}
    assert failed <= revisits, found.stdout
    asked = [isinstance(r, RecordGroup) and r.capture.record_type != "resource" for r in records(path)]
    total = len(asked) + sum(asked)  # an exchange is two records
    assert found.stdout.count(": OK") == total, "a checker sees another number of records"


def test_everything_passes_both_checkers_and_reads_back_the_same(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        note = w.write_note("run-started", {"limit": "null", "url": json.dumps("https://praxis.example/")}, NOON)
        page = w.write_exchange(exchange())
        packed = [
            (b"Content-Type", b"text/html"),
            (b"Content-Encoding", b"GZIP"),
            (b"ETag", b'"v1"'),
            (b"Last-Modified", b"Sun, 01 Nov 2026 00:00:00 GMT"),
        ]
        wanted = [
            page,
            w.write_exchange(exchange(refers_to=original(page))),
            w.write_exchange(exchange(status=304, reason="", body=b"", refers_to=original(page))),
            w.write_exchange(exchange(status=304, reason="Not Modified", body=b"")),
            w.write_exchange(
                exchange(
                    url="https://praxis.example/übér uns?q=<ü>",
                    response_headers=packed,
                    body=gzip.compress(PAGE),
                    protocol="h2",
                )
            ),
            w.write_exchange(exchange(response_headers=[(b"Content-Encoding", b"br")], body=brotli.compress(PAGE))),
            w.write_exchange(exchange(response_headers=[], body=b"", ip=None)),
            w.write_exchange(exchange(method="HEAD", response_headers=[(b"Content-Length", b"12345")], body=b"")),
            w.write_exchange(exchange(method="POST", request_body=b'{"a": 1}', protocol="HTTP/1.0", status=503)),
            w.write_exchange(exchange(body=PAGE[:50], truncated="disconnect")),
            w.write_failure(
                url="https://praxis.example/ü",
                method="POST",
                request_body=b"x",
                reason="timeout",
                message="took\r\nlonger: \ud800 ü",
                at=NOON,
            ),
        ]
        ended = w.write_note("run-ended", {"fetched": "9"}, NOON)
    (path,) = warcs(tmp_path)
    check(path, brotli_body=True)
    got = list(records(path, archive=tmp_path))
    assert isinstance(got[0], Info) and got[1] == note and got[-1] == ended
    assert [r.capture for r in got if isinstance(r, RecordGroup | Failure)] == wanted
    assert not any(r.problems for r in got if not isinstance(r, BadRecord))
    for record in got:
        place = record.capture if isinstance(record, RecordGroup | Failure) else record
        assert not isinstance(place, BadRecord)
        assert read_record(tmp_path, place.warc_file, place.warc_offset) == record
    groups = {r.capture.capture_id: r for r in got if isinstance(r, RecordGroup)}
    for index in (0, 4, 5):
        assert payload(groups[wanted[index].capture_id]) == PAGE
    assert groups[wanted[1].capture_id].profile == "identical-payload-digest"
    assert groups[wanted[2].capture_id].profile == "server-not-modified"
    assert wanted[1].refers_to == wanted[2].refers_to == page.capture_id
    assert (wanted[1].payload_sha256, wanted[1].payload_length) == (page.payload_sha256, len(PAGE))
    assert wanted[4].url == "https://praxis.example/%C3%BCb%C3%A9r%20uns?q=%3C%C3%BC%3E"
    assert (wanted[4].etag, wanted[4].mime, wanted[4].content_encoding) == ('"v1"', "text/html", "gzip")
    assert wanted[8].request_sha256 == hashlib.sha256(b'{"a": 1}').hexdigest()
    assert groups[wanted[8].capture_id].request_body == b'{"a": 1}' and wanted[8].method == "POST"
    assert groups[wanted[9].capture_id].truncated == "disconnect"
    failure = got[-2]
    assert isinstance(failure, Failure) and (failure.reason, failure.message) == ("timeout", "took\r\nlonger: \ud800 ü")


def test_a_whole_response_record_to_the_letter(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        capture = w.write_exchange(
            exchange(
                body=b"hi",
                request_headers=[(b"COOKIE", b"sid=1")],
                response_headers=[
                    (b"Transfer-Encoding", b"chunked"),
                    (b"Set-Cookie", b"a=1"),
                    (b"set-cookie", b"b=2"),
                ],
                redacted=("body",),
            )
        )
    (path,) = warcs(tmp_path)
    assert path.name == "praxis-am-see-20261101120000-01234567-00000.warc.gz"
    assert capture.warc_file == f"warc/praxis-am-see/{path.name}"
    member = path.read_bytes()[capture.warc_offset : capture.warc_offset + capture.warc_length]
    assert gzip.decompress(member).decode().replace("\r\n", "\n") == textwrap.dedent("""\
        WARC/1.1
        WARC-Type: response
        WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>
        WARC-Date: 2026-11-01T12:00:00.000250Z
        WARC-Target-URI: https://praxis.example/post/a
        WARC-Warcinfo-ID: <urn:uuid:00000000-0000-4000-8000-000000000000>
        WARC-IP-Address: 192.0.2.7
        Content-Type: application/http;msgtype=response
        WARC-Payload-Digest: sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4
        X-Archive-Blanked: request.cookie, response.set-cookie, body
        WARC-Block-Digest: sha1:YFOEWSMIVBMVUQR6RFUPZ5CKL4TAT74O
        Content-Length: 129

        HTTP/1.1 200 OK
        X-Archive-Orig-Transfer-Encoding: chunked
        Set-Cookie: [blanked]
        set-cookie: [blanked]
        Content-Length: 2

        hi

        """)
    assert b"sid=1" not in gzip.decompress(path.read_bytes())
    (group,) = (r for r in records(path) if isinstance(r, RecordGroup))
    assert group.blanked == ("request.cookie", "response.set-cookie", "body")


def test_warcinfo_names_crawl_clinic_and_stanza_and_no_host(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        w.write_note("run-started", {}, NOON)
    info = next(records(warcs(tmp_path)[0]))
    assert isinstance(info, Info) and json.loads(info.fields["stanza"]) == {"name": "Praxis ü"}
    assert (info.fields["isPartOf"], info.fields["clinic"]) == ("0123456789abcdef", "praxis-am-see")
    assert "hostname" not in info.fields


def test_a_wrong_content_length_is_kept_aside(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        w.write_exchange(exchange(response_headers=[(b"content-length", b"9999")], body=b"abc"))
    (group,) = (r for r in records(warcs(tmp_path)[0]) if isinstance(r, RecordGroup))
    assert group.response_headers == ((b"X-Archive-Orig-Content-Length", b"9999"), (b"Content-Length", b"3"))


def test_dates_only_go_forward_and_files_follow_one_another(tmp_path: Path) -> None:
    with writer(tmp_path, last=NOON, max_bytes=1) as w:
        captures = [w.write_exchange(exchange(fetched_at=NOON - timedelta(days=n))) for n in range(3)]
        assert w.last == NOON + timedelta(microseconds=3)
    assert [c.fetched_at - NOON for c in captures] == [timedelta(microseconds=n) for n in (1, 2, 3)]
    assert [path.name[-14:-8] for path in warcs(tmp_path)] == ["-00000", "-00001", "-00002"]
    with writer(tmp_path) as again:  # the same crawl in the same second: a new file, never more of an old one
        assert "-00003." in again.write_exchange(exchange()).warc_file
    assert not list(tmp_path.rglob("*.open"))
    for path in warcs(tmp_path):
        check(path)


def test_what_cannot_be_recorded_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with writer(tmp_path) as w:
        page = w.write_exchange(exchange())
        size = warcs(tmp_path)[0].stat().st_size
        for wrong in (
            {"refers_to": original(page), "body": b"another"},
            {"refers_to": original(page), "url": "https://b.example/"},
            {"method": "GET /evil HTTP/1.1\r\nX:"},
            {"fetched_at": datetime(2026, 1, 1)},  # noqa: DTZ001  naive on purpose
            {"ip": "1\r\nWARC-Type: x"},
        ):
            with pytest.raises(ValueError, match=r"."):
                w.write_exchange(exchange(**wrong))
        with pytest.raises(ValueError, match="field name"):
            w.write_note("run-ended", {"a:b": "1"}, NOON)
    assert warcs(tmp_path)[0].stat().st_size == size
    with pytest.raises(ValueError, match="file name"):
        Writer(tmp_path, "../up", "crawl", {}, last=None)


NAMES = st.binary(min_size=1, max_size=12)
HEADERS = st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=HEADERS, got=HEADERS, body=st.binary(max_size=300), asked=st.binary(max_size=60), url=st.text(max_size=20))
def test_any_bytes_come_back(tmp_path: Path, sent: Any, got: Any, body: bytes, asked: bytes, url: str) -> None:
    with writer(tmp_path) as w:
        capture = w.write_exchange(
            exchange(
                url="https://praxis.example/" + url,
                request_headers=sent,
                response_headers=got,
                body=body,
                request_body=asked,
                method="POST",
            )
        )
    group = read_record(tmp_path, capture.warc_file, capture.warc_offset)
    assert isinstance(group, RecordGroup) and group.capture == capture and not group.problems
    assert (group.body, group.request_body) == (body, asked)
    lines = [value for name, value in group.request_headers if value != b"[blanked]"]
    plain = [value for name, value in sent if name.strip().lower() not in SECRETS and value.split() != [b"[blanked]"]]
    assert [line.split() for line in lines] == [value.split() for value in plain]
    added = sum(name.startswith(b"X-Archive-Orig-") for name, _ in group.response_headers)
    assert len(got) <= len(group.response_headers) <= len(got) + added


def test_a_full_disk_leaves_whole_groups_and_says_what_to_do(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the full disk: the kernel takes part of a write, then refuses (EFBIG)."""
    script = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from tests.archive.warc import test_warc as t
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        w = t.writer(Path(sys.argv[1]))
        w.write_exchange(t.exchange())
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        packed = [(b"Content-Encoding", b"gzip")]
        try:
            w.write_exchange(t.exchange(body=bytes(9000), response_headers=packed))
        except t.WarcWriteError as error:
            print(error)
        w.write_exchange(t.exchange())
        w.close()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 4000))
            t.writer(Path(sys.argv[1])).write_exchange(t.exchange())
        except t.WarcWriteError as error:
            print(error)
    """)
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr
    (path,) = warcs(tmp_path)
    first, second = run.stdout.splitlines()
    assert str(path) in first and "File too large" in first and "run again" in first and "-00001" in second
    check(path)
    assert sum(isinstance(r, RecordGroup) for r in records(path)) == 2 and not list(tmp_path.rglob("*.open"))


def test_a_failed_fsync_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w = writer(tmp_path)
    w.write_exchange(exchange())
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", _refuse)
        with pytest.raises(WarcWriteError, match="disk"):
            w.sync()
    for call in (w.sync, lambda: w.write_exchange(exchange()), w.close):
        with pytest.raises(WarcWriteError, match="state is unknown"):
            call()
    assert list(tmp_path.rglob("*.open")), "the next run must look at this file"


def _refuse(handle: int) -> None:
    raise OSError(5, "Input/output error")
