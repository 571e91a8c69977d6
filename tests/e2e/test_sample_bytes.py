"""Every row of the sample clinic's archive leads to its bytes, and the bytes say what the row says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from tests.e2e.conftest import Crawled
from tests.e2e.product import Row, column, rows, run, value_of, warcs, words


def body(found: Any) -> bytes:
    """The payload, its gzip undone."""
    payload: bytes = found.reader.read()
    return gzip.decompress(payload) if payload.startswith(b"\x1f\x8b") else payload


def record(archive: Path, capture: Row) -> Any:
    """The WARC record at the place that a capture names, read by another's library."""
    with (archive / capture["warc_file"]).open("rb") as file:
        file.seek(capture["warc_offset"])
        piece = file.read(capture["warc_length"])
    found = next(iter(ArchiveIterator(io.BytesIO(piece), parse_http=True, record_types=WarcRecordType.any_type)))
    found.freeze()
    return found


@pytest.fixture(scope="module")
def captures(third: Crawled) -> dict[str, Row]:
    return {row["capture_id"]: row for row in rows(third.archive, "SELECT * FROM captures")}


def test_every_capture_is_the_record_at_its_place(third: Crawled, captures: dict[str, Row]) -> None:
    for capture in captures.values():
        found = record(third.archive, capture)
        assert found.record_id == f"<urn:uuid:{capture['capture_id']}>"
        assert found.headers["WARC-Target-URI"] == capture["url"]
        assert found.headers["WARC-Date"] == capture["fetched_at"]
        kind = capture["record_type"]
        assert found.headers["WARC-Type"] == ("metadata" if kind == "failure" else kind)


def test_payloads_have_the_digests_that_captures_say(third: Crawled, captures: dict[str, Row]) -> None:
    whole = [capture for capture in captures.values() if capture["record_type"] == "response"]
    for capture in whole:
        payload = record(third.archive, capture).reader.read()
        assert hashlib.sha256(payload).hexdigest() == capture["payload_sha256"], capture["url"]
        assert len(payload) == capture["payload_length"]


def test_revisits_refer_to_a_whole_answer_to_the_same_question(captures: dict[str, Row]) -> None:
    revisits = [capture for capture in captures.values() if capture["record_type"] == "revisit"]
    assert revisits
    for capture in revisits:
        original = captures[capture["refers_to"]]
        assert (original["record_type"], original["url"]) == ("response", capture["url"])


def test_every_response_in_the_warc_is_a_capture(third: Crawled, captures: dict[str, Row]) -> None:
    wanted = WarcRecordType.response | WarcRecordType.revisit
    for path in warcs(third.archive):
        with path.open("rb") as file:
            for found in ArchiveIterator(file, parse_http=False, record_types=wanted):
                assert found.record_id.removeprefix("<urn:uuid:").rstrip(">") in captures


def test_captures_of_a_clinic_have_an_order(third: Crawled) -> None:
    moments = column(third.archive, "SELECT fetched_at FROM captures ORDER BY warc_file, warc_offset")
    assert moments == sorted(moments)
    assert len(set(moments)) == len(moments)


def test_revisions_read_again_from_their_bytes_say_the_same(third: Crawled, tmp_path: Path) -> None:
    """`clinic-archive parse` of the recorded page gives title, text and words of the revision."""
    sql = "SELECT revisions.*, captures.* FROM revisions JOIN captures USING (capture_id) WHERE source = 'html'"
    revisions = rows(third.archive, f"{sql} AND record_type = 'response' ORDER BY revision_id % 7, revision_id")
    assert len(revisions) > 60
    kinds = [each for each in revisions if each["kind"] == "content"] + revisions[:15]
    pages = [tmp_path / f"{number}.html" for number in range(len(kinds))]
    for page, revision in zip(pages, kinds, strict=True):
        page.write_bytes(body(record(third.archive, revision)))
    done = run("clinic-archive", "parse", *pages, "--url", third.url, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    for revision, reported in zip(kinds, map(json.loads, done.out.splitlines()), strict=True):
        assert (reported["title"], words(reported["body_text"])) == (revision["title"], words(revision["body_text"]))
        assert reported["word_count"] == revision["word_count"]


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("revisions", "capture_id"), ("readings", "capture_id"), ("comments", "capture_id"), ("problems", "capture_id"),
        ("comments", "last_capture_id"), ("sightings", "capture_id"), ("post_tags", "first_capture_id"),
        ("post_categories", "last_capture_id"), ("images", "first_capture_id"), ("related_posts", "last_capture_id"),
        ("post_addresses", "capture_id"), ("absences", "capture_id"), ("post_changes", "capture_id"),
    ],
)  # fmt: skip
def test_every_row_names_its_capture(third: Crawled, table: str, name: str) -> None:
    sql = f"SELECT count(*) FROM {table} WHERE {name} IS NULL OR {name} NOT IN (SELECT capture_id FROM captures)"
    assert value_of(third.archive, sql) == 0
    assert value_of(third.archive, f"SELECT count(*) FROM {table}") > 0


def test_every_post_has_its_shown_revision(third: Crawled) -> None:
    sql = (
        "SELECT count(*) FROM posts LEFT JOIN revisions USING (revision_id) WHERE revisions.body_text IS NOT"
        " posts.body_text OR revisions.title IS NOT posts.title OR revisions.post_id IS NOT posts.post_id"
    )
    assert value_of(third.archive, sql) == 0


def test_full_text_indexes_agree_with_their_tables(third: Crawled, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(":memory:")) as copy, closing(sqlite3.connect(third.archive / "archive.db")) as live:
        live.backup(copy)
        for table in ("posts", "comments"):
            copy.execute(f"INSERT INTO {table}_fts({table}_fts, rank) VALUES ('integrity-check', 1)")


def test_no_text_is_empty(third: Crawled) -> None:
    empty = []
    tables = column(
        third.archive, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%fts%'"
    )  # fmt: skip
    for table in tables:
        for each in rows(third.archive, f"PRAGMA table_info([{table}])"):
            sql = f"SELECT count(*) FROM [{table}] WHERE [{each['name']}] = ''"
            if value_of(third.archive, sql):
                empty.append(f"{table}.{each['name']}")
    assert empty == []


def test_only_what_belongs_to_unreadable_posts_waits_for_them(third: Crawled) -> None:
    """The counters of a members-only post are told beside those of the others."""
    hidden = {f"wix:{post['post_id']}" for post in third.truth["posts"] if post["access"] == "members"}
    assert set(column(third.archive, "SELECT address FROM unplaced")) <= hidden


def plain(archive: Path) -> dict[str, bytes]:
    """Every record of every WARC, headers and decoded payload, by what it is."""
    found: dict[str, list[bytes]] = {}
    for path in warcs(archive):
        with path.open("rb") as file:
            for each in ArchiveIterator(file, parse_http=True, record_types=WarcRecordType.any_type):
                head = each.http_headers.asdict() if each.http_headers else {}
                text = json.dumps(head, ensure_ascii=False).encode() + body(each)
                found.setdefault(each.headers["WARC-Type"], []).append(text)
    return {kind: b"\n".join(texts) for kind, texts in found.items()}


@pytest.fixture(scope="module")
def recorded(first: Crawled) -> dict[str, bytes]:
    return plain(first.archive)


def test_no_token_is_in_the_warc(recorded: dict[str, bytes]) -> None:
    """Tokens are signed packings; each names the app it is for. Comment cursors are signed alike, and are no secret."""
    everything = b"\n".join(recorded.values())
    assert b"OauthNG.JWS." not in everything
    assert not re.search(rb"[\w-]{43}\.eyJpbnN0YW5jZUlk", everything)  # a signature, and {"instanceId in base64
    assert re.search(rb'"visitorId": ""', everything)


def test_headers_that_identify_a_visitor_are_blanked(recorded: dict[str, bytes]) -> None:
    for name in ("Authorization", "Cookie", "Set-Cookie"):
        values = re.findall(rf'"{name}": "([^"]*)"'.encode(), b"\n".join(recorded.values()), re.IGNORECASE)
        assert {part for value in values for part in value.split(b",")} <= {b"[blanked]"}, name
    assert re.search(rb'"Authorization": "\[blanked\]"', recorded["request"], re.IGNORECASE)
    assert re.search(rb'"Set-Cookie": "\[blanked\]', recorded["response"], re.IGNORECASE)


def test_no_token_is_in_the_database_or_the_log(first: Crawled) -> None:
    paths = [*first.archive.glob("archive.db*"), *(first.archive / "log").rglob("*")]
    disk = b"".join(path.read_bytes() for path in paths if path.is_file())
    assert b"OauthNG.JWS." not in disk
    assert not re.search(rb"[\w-]{43}\.eyJpbnN0YW5jZUlk", disk)
    assert b"svSession" not in disk


def test_nobody_but_the_clinic_was_asked(third: Crawled) -> None:
    """Also not for the pictures, scripts and services that its pages name."""
    hosts = set(column(third.archive, "SELECT DISTINCT substr(url, 1, length(?)) FROM captures", third.url))
    assert hosts == {third.url}


def test_requests_say_who_asks(recorded: dict[str, bytes]) -> None:
    agents = set(re.findall(rb'"User-Agent": "([^"]*)"', recorded["request"]))
    assert len(agents) == 1
    assert agents.pop().startswith(b"clinic-blog-archive/")
