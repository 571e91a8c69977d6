"""Records by others that are odd in one way each: taken, or left out by name, and the others go in.

After every import verify is silent, and a rebuild gives the same rows.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import brotli
import pytest
from click.testing import CliRunner

from archive.db import open_archive
from archive.export.wacz import write_wacz
from pipelines.commands import main
from pipelines.imports.importer import ImportResult
from pipelines.rebuild import rebuild
from scraper.config.clinics import Clinic
from tests.e2e.hostile import post
from tests.pipelines.test_importer import Foreign, bring, rows
from tests.soak import SOAK
from tests.visiting import SITE

FAULTS = Path(__file__).parents[3] / "shared" / "faults"
HTML = "text/html; charset=utf-8"
CHUNK = b"%x;name=1\r\n%b\r\n"
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def record(kind: str, fields: dict[str, str], block: bytes) -> bytes:
    """A record written by hand, with nothing that is not given."""
    named = {"WARC-Type": kind, "Content-Length": str(len(block))} | fields
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def page(number: int, *, url: str | None = None, body: bytes | None = None, http: str = "", **fields: str) -> bytes:
    """A response with the page of a post; `http`: further header lines."""
    text = post(SITE, number).encode() if body is None else body
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {HTML}\r\n{http}\r\n".encode()
    named = {
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012}>",
        "WARC-Date": f"2024-04-{number:02}T10:00:00Z",
        "WARC-Target-URI": url or f"{SITE}/post/note-{number}",
        "Content-Type": "application/http; msgtype=response",
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    return record(fields.pop("kind", "response"), {k: v for k, v in named.items() if k != "kind"}, head + text)


def taken(folder: Path, *written: bytes, packed: bool = True) -> tuple[ImportResult, Path]:
    """The records as a file, imported; the archive agrees with itself."""
    path = folder / ("x.warc.gz" if packed else "x.warc")
    path.write_bytes(b"".join(gzip.compress(part, mtime=0) if packed else part for part in written))
    (result,) = bring(folder / "archive", path)
    agrees(folder / "archive")
    return result, folder / "archive"


def agrees(archive: Path, rounds: int = 2 if SOAK else 1) -> None:
    for _ in range(rounds):
        done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
        assert (done.exit_code, done.output) == (0, "")
        built = rebuild(archive)
        assert (built.differs, built.problems) == ([], [])


def titles(archive: Path) -> set[str]:
    return {title for (title,) in rows(archive, "SELECT revisions.title FROM posts JOIN revisions USING (post_id)")}


def chunked(body: bytes, size: int = 300) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(CHUNK % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize(
    ("name", "title"),
    [("fern-br", "Note 32"), ("w01", "Note 1"), ("w02", "Note 2"), ("w29", "Note 29"), ("w30", "Note 30")],
)
def test_bodies_under_headers_that_are_not_true(name: str, title: str, tmp_path: Path) -> None:
    if not FAULTS.exists():
        pytest.skip("the collected faults are not here")
    (result,) = bring(
        tmp_path / "a",
        FAULTS / f"{name}.warc.gz",
        clinic=Clinic(slug="fern", name="Fern", url="https://www.fern.example"),
    )
    assert (result.bad, result.refused, titles(tmp_path / "a")) == ([], None, {title})
    agrees(tmp_path / "a")


PLAIN = post(SITE, 1).encode()
END = b"0\r\n\r\n"
# Header lines, and the body that a tool stored under them.
Stored = Callable[[bytes], bytes]
READ: list[tuple[str, Stored]] = [
    *((f"Content-Encoding: {name}\r\n", bytes) for name in ("br", "gzip", "zstd", "deflate", "gzip, br", "utf-8")),
    ("Transfer-Encoding: chunked\r\n", bytes),
    ("Transfer-Encoding: Chunked\r\n", lambda body: chunked(body) + END),
    ("Transfer-Encoding: gzip, chunked\r\n", lambda body: chunked(body) + END),
    ("Transfer-Encoding: chunked\r\n", lambda body: chunked(body) + b"0\r\nX-Checksum: 1\r\nX-Other: 2\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\n", chunked),
    ("Transfer-Encoding: chunked\r\n", lambda body: chunked(body) + b"0"),
    ("Transfer-Encoding: chunked\r\nContent-Encoding: br\r\n", lambda body: chunked(brotli.compress(body)) + END),
    ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", bytes),
    ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", gzip.compress),
    ("Content-Encoding: gzip\r\n", lambda body: gzip.compress(body) + bytes(900)),
    ("Content-Encoding: gzip\r\n", lambda body: gzip.compress(body)[:-8]),
    ("Content-Encoding: deflate\r\n", lambda body: zlib.compress(body, wbits=-15)),
    ("Content-Encoding: br\r\n", lambda body: brotli.compress(body) + b"junk"),
]
NAMED: list[tuple[str, Stored, str]] = [
    ("Content-Encoding: gzip\r\n", lambda body: gzip.compress(body)[:-40], "cut-short"),
    ("Content-Encoding: br\r\n", lambda body: brotli.compress(body)[:-40], "cut-short"),
    ("Content-Encoding: br\r\n", lambda body: b"\xff" * 99, "undecodable"),
    ("Transfer-Encoding: chunked\r\n", lambda body: chunked(body)[:500], "cut-short"),
]


def test_what_can_be_read_is_read(tmp_path: Path) -> None:
    written = [
        page(number, body=stored(post(SITE, number).encode()), http=http)
        for number, (http, stored) in enumerate(READ, 1)
    ]
    result, archive = taken(tmp_path, *written)
    assert titles(archive) == {f"Note {number}" for number in range(1, len(READ) + 1)}
    assert (result.bad, rows(archive, "SELECT kind FROM problems")) == ([], [])
    agrees(archive, rounds=2)  # what a rebuild made, too


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    written = [
        page(number, body=stored(post(SITE, number).encode()), http=http)
        for number, (http, stored, _) in enumerate(NAMED, 1)
    ]
    _, archive = taken(tmp_path, *written, page(9))
    assert titles(archive) == {"Note 9"}
    found = rows(archive, "SELECT kind, substr(message, 1, instr(message, ': ') - 1) FROM problems ORDER BY 2")
    assert found == [(kind, f"{SITE}/post/note-{number}") for number, (*_, kind) in enumerate(NAMED, 1)]


def test_an_empty_revisit_under_such_a_header(tmp_path: Path) -> None:
    headers = ["Transfer-Encoding: chunked", "Content-Encoding: br", "Content-Encoding: gzip"]
    answers = (("200 OK", "identical-payload-digest"), ("304 Same", "server-not-modified"))
    written = []
    for number, (header, (status, name)) in enumerate(product(headers, answers), 1):
        again = record(
            "revisit",
            {
                "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number + 90:012}>",
                "WARC-Date": "2024-05-01T10:00:00Z", "WARC-Target-URI": f"{SITE}/post/note-{number}",
                "WARC-Profile": f"http://netpreserve.org/warc/1.0/revisit/{name}",
                "WARC-Refers-To": f"<urn:uuid:00000000-0000-4000-8000-{number:012}>",
                "Content-Type": "application/http; msgtype=response",
            },
            f"HTTP/1.1 {status}\r\nContent-Type: {HTML}\r\n{header}\r\n\r\n".encode(),
        )  # fmt: skip
        pack = {"br": brotli.compress, "gzip": gzip.compress}.get(header.rpartition(" ")[2], bytes)
        written += [page(number, body=pack(post(SITE, number).encode()), http=f"{header}\r\n"), again]
    result, archive = taken(tmp_path, *written)
    assert (result.bad, rows(archive, "SELECT kind FROM problems")) == ([], [])
    assert rows(archive, "SELECT last_seen_at FROM posts") == [("2024-05-01T10:00:00.000000Z",)] * 6


ODD: list[dict[str, str]] = [
    {"WARC_Target_URI": "http://[::1/x"},
    {"WARC_Target_URI": f"{SITE}:99999999/post/a"},
    {"WARC_Target_URI": ""},
    {"WARC_Target_URI": "http://[v1.x]/\x00"},
    {"WARC_Date": "9999-12-31T23:59:59-11:00"},
    {"WARC_Date": "0001-01-01T00:00:00+14:00"},
    {"WARC_Date": "last week"},
    {"WARC_Date": "2024-13-99"},
    {"WARC_Date": "٢٠٢٤"},
    {"WARC_Record_ID": ""},
    {"WARC_Payload_Digest": "sha256:" + "é" * 9},
    {"Content_Length": "9" * 5000},
]


@pytest.mark.parametrize("packed", [True, False])
def test_an_odd_record_leaves_the_others_in(packed: bool, tmp_path: Path) -> None:
    odd = [page(number, **fields) for number, fields in enumerate(ODD, 10)]
    result, archive = taken(
        tmp_path, page(1), *(part for each in odd for part in (each, page(2))), page(3), packed=packed
    )
    assert {"Note 1", "Note 2", "Note 3"} <= titles(archive)
    assert result.refused is None
    assert all(re.fullmatch(r"byte \d+: .+; left out", line) for line in result.bad), result.bad
    assert len(result.bad) + result.elsewhere >= len(ODD) - 1


def test_one_id_on_three_pages(tmp_path: Path) -> None:
    """The first keeps it, the others get ids of their places; a false one is found."""
    item = "<urn:uuid:11111111-1111-4111-8111-111111111111>"
    result, archive = taken(tmp_path, *(page(number, WARC_Record_ID=item) for number in (1, 2, 3)))
    assert (result.bad, result.captures) == ([], {"riverside": 3})
    ids = [capture_id for (capture_id,) in rows(archive, "SELECT capture_id FROM captures ORDER BY warc_offset")]
    assert ids[0] == item[10:-1]
    assert len(set(ids)) == 3
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        for table in ("captures", "revisions", "readings", "sightings"):
            db.execute(f"UPDATE {table} SET capture_id = ? WHERE capture_id = ?", ["x" * 36, ids[2]])
        db.commit()
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert done.exit_code == 6
    assert "the record says capture_id" in done.output


def test_the_collected_file_of_one_id(tmp_path: Path) -> None:
    if not FAULTS.exists():
        pytest.skip("the collected faults are not here")
    clinic = Clinic(slug="c", name="C", url="http://clinic.example")
    (result,) = bring(tmp_path / "a", FAULTS / "dup-id.warc", clinic=clinic)
    assert (result.bad, result.captures) == ([], {"c": 3})
    agrees(tmp_path / "a")


DIGEST = "sha1:" + "A2" * 16


def again(number: int, **fields: str) -> bytes:
    """A revisit of a note, months later."""
    profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    named = {"WARC_Profile": profile, "WARC_Date": "2024-06-01T10:00:00Z"} | fields
    return page(number + 500, url=f"{SITE}/post/note-{number}", body=b"", kind="revisit", **named)


def sha1(number: int) -> str:
    """The digest of the note's page, as it is written in most files."""
    return base64.b32encode(hashlib.sha1(post(SITE, number).encode()).digest()).decode()


def named_by_date(number: int, date: str) -> dict[str, str]:
    return {"WARC_Refers_To_Target_URI": f"{SITE}/post/note-{number}", "WARC_Refers_To_Date": date}


WAYS: list[Callable[[int], dict[str, str]]] = [
    lambda number: {"WARC_Payload_Digest": f"sha1:{sha1(number)}"},
    lambda number: {"WARC_Payload_Digest": f"SHA-1:{sha1(number).lower()}"},
    lambda number: {"WARC_Payload_Digest": "sha1:" + base64.b32decode(sha1(number)).hex()},
    lambda number: named_by_date(number, "2024-04-01T10:00:00Z"),
    lambda number: named_by_date(number, "2024-04-01T10:00Z"),
    lambda number: named_by_date(number, "2024-04-01"),
    lambda number: named_by_date(number, "2024-04"),
    lambda number: named_by_date(number, "2024"),
    lambda number: {"WARC_Refers_To": f"<urn:uuid:00000000-0000-4000-8000-{number:012}>"},
    lambda number: {"WARC_Refers_To": "<urn:uuid:gone>", "WARC_Payload_Digest": f"sha1:{sha1(number)}"},
]


@pytest.mark.parametrize("stated", [True, False])
def test_a_revisit_finds_its_original(stated: bool, tmp_path: Path) -> None:
    dates = ("2024-04-01T10:00:00Z", "2024-04-01T10:00:00.123456Z")
    numbers = range(1, len(WAYS) * len(dates) + 1)
    written = []
    for number, (way, date) in zip(numbers, product(WAYS, dates), strict=True):
        digest = {"WARC_Payload_Digest": f"sha1:{sha1(number)}"} if stated else {}
        written += [again(number, **way(number)), page(number, WARC_Date=date, **digest)]
    _, archive = taken(tmp_path, *written)
    assert rows(archive, "SELECT kind, message FROM problems") == []
    assert titles(archive) == {f"Note {number}" for number in numbers}
    assert rows(archive, "SELECT DISTINCT last_seen_at FROM posts") == [("2024-06-01T10:00:00.000000Z",)]
    assert rows(archive, "SELECT DISTINCT count(*) FROM readings GROUP BY post_id") == [(2,)]


def test_a_revisit_without_an_original_is_named(tmp_path: Path) -> None:
    _, archive = taken(tmp_path, page(1), again(1, WARC_Payload_Digest=DIGEST))
    ((kind, message),) = rows(archive, "SELECT kind, message FROM problems")
    assert kind == "missing-original"
    assert "it names no capture that is here" in message and "None" not in message


def test_a_brotli_body_is_packed_and_read(tmp_path: Path) -> None:
    body = brotli.compress(PLAIN)
    _, archive = taken(tmp_path, page(1, body=body, http="Content-Encoding: br\r\n"))
    with closing(open_archive(archive, "read")) as db:
        packed = write_wacz(tmp_path / "x.wacz", archive, db, clinic_id=None, with_comments=True, software="test")
    assert packed.captures == packed.pages == 1
    other = Foreign(tmp_path / "y.warc.gz")
    other.page(f"{SITE}/post/note-2", post(SITE, 2).encode(), datetime(2024, 4, 2, tzinfo=UTC), mime=HTML)
    results = bring(tmp_path / "b", tmp_path / "x.wacz", other.done())
    assert [result.captures for result in results] == [{"riverside": 1}] * 2
    assert titles(tmp_path / "b") == {"Note 1", "Note 2"}
