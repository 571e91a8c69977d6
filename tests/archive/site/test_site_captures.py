"""Each row's record on the site: its headers and hash, and the bytes to download, but for those that name people."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from datasette.app import Datasette
from fastwarc.warc import ArchiveIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from archive.db import DATABASE
from tests.archive.site.test_site import get, site_of
from tests.pipelines.test_importer import Foreign, bring, sleep
from tests.pipelines.test_rebuild import visit
from tests.visiting import post_url

pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    steps: list[Any] = [("post", ("sleep", "Sleep well.", 3)), ("thread", "sleep"), ("same", ""), ("fail", "rest")]
    visit(folder / "a", steps, "ended")
    visit(folder / "a", [("same", ""), ("gone", HOSTILE)], "ended")
    foreign = Foreign(folder / "old.warc", gzipped=False)
    foreign.page(post_url("sleep"), sleep("Sleep tight.", 1))
    coding = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    body = gzip.compress(sleep("Sleep tighter.", 1))
    foreign._response(post_url("sleep"), "200 OK", coding, body, datetime(2022, 5, 1, tzinfo=UTC))
    bring(folder / "a", foreign.done())
    return folder / "a"


@pytest.fixture(scope="module")
def site(archive: Path) -> Datasette:
    return site_of(archive)


def capture_where(archive: Path, where: str) -> dict[str, Any]:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        db.row_factory = sqlite3.Row
        return dict(db.execute(f"SELECT * FROM captures WHERE {where} ORDER BY fetched_at").fetchone())


def page(site: Datasette, capture: dict[str, Any], more: str = "") -> httpx.Response:
    return get(site, f"/-/capture/{capture['capture_id']}{more}")


def test_a_page_tells_what_was_asked_and_answered(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "url LIKE '%robots.txt' AND record_type = 'response'")
    answer = page(site, capture)
    assert answer.status_code == 200
    for part in (capture["url"], capture["payload_sha256"], "it matches", "HTTP/1.1 200 OK", "Content-Type: text/plain",
                 f"{capture['warc_offset']:,}", capture["warc_file"], "this archive's own crawler"):  # fmt: skip
        assert part in answer.text


def test_a_page_leads_to_what_allowed_the_fetch(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "url LIKE '%robots.txt' AND record_type = 'response'")
    (link,) = re.findall(r'href="([^"]+)">What allowed this fetch\?', page(site, capture).text)
    answer = get(site, link)
    assert answer.status_code == 200
    assert "is robots.txt" in answer.text


def test_the_record_is_the_one_in_the_archive(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "url LIKE '%robots.txt' AND record_type = 'response'")
    given = page(site, capture, "/record.warc.gz")
    assert (given.status_code, given.headers["content-type"]) == (200, "application/warc")
    assert re.search(r'filename="riverside-\d{14}-[0-9a-f]{8}\.warc\.gz"', given.headers["content-disposition"])
    found = list(ArchiveIterator(io.BytesIO(given.content), parse_http=True))
    assert [record.headers["WARC-Type"] for record in found] == ["response", "request"]
    (record, _) = list(WarcioIterator(io.BytesIO(given.content), check_digests="raise"))
    assert record.rec_headers.get_header("WARC-Record-ID") == f"<urn:uuid:{capture['capture_id']}>"
    lies = (archive / capture["warc_file"]).read_bytes()
    assert given.content in lies
    first = next(iter(ArchiveIterator(io.BytesIO(given.content), parse_http=True)))
    assert hashlib.sha256(first.reader.read()).hexdigest() == capture["payload_sha256"]


def test_a_revisit_leads_to_its_original(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "record_type = 'revisit'")
    assert f"/-/capture/{capture['refers_to']}" in page(site, capture).text


def test_captures_of_others_say_whose_they_are(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "origin != 'crawl'")
    text = page(site, capture).text
    assert "Somecrawler/2.1" in text and "old.warc" in text
    given = page(site, capture, "/record.warc.gz")
    assert gzip.decompress(given.content).startswith(b"WARC/1.")


@pytest.mark.parametrize("where", ["fetched_at LIKE '2022-05-01%'", "record_type = 'response'"])
def test_the_command_of_the_page_prints_the_hash_of_the_page(site: Datasette, archive: Path, where: str) -> None:
    capture = capture_where(archive, f"{where} AND payload_sha256 IS NOT NULL")
    recipe = BeautifulSoup(page(site, capture).text, "html.parser").select("pre.capture-head")[-1].get_text()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        recipe, shell=True, cwd=archive, env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == capture["payload_sha256"]


def test_a_fetch_without_an_answer(site: Datasette, archive: Path) -> None:
    assert "No answer" in page(site, capture_where(archive, "record_type = 'failure'")).text


@pytest.mark.parametrize(
    "where", ["url LIKE '%list-by-resource%'", "url LIKE '%members%'", "url LIKE '%access-tokens%'"]
)
def test_records_that_name_people_are_not_given_out(
    site: Datasette, archive: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = capture_where(archive, where)
    assert capture["holds_comments"] == 1
    answer, given = page(site, capture), page(site, capture, "/record.warc.gz")
    assert given.status_code == 403
    assert "Marisol" not in answer.text + given.text
    assert "cannot be downloaded" in answer.text and "Download the record" not in answer.text
    monkeypatch.setenv("CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES", "1")
    assert page(site, capture, "/record.warc.gz").status_code == 200


def test_what_a_page_says_runs_nowhere(site: Datasette, archive: Path) -> None:
    text = page(site, capture_where(archive, "url LIKE '%script%'")).text
    assert "<script>alert" not in text


def test_unknown_captures(site: Datasette) -> None:
    for name in ("00000000-0000-4000-8000-000000000000", "..%2f..%2fetc", "x"):
        answer = get(site, f"/-/capture/{name}")
        assert answer.status_code == 404
        assert "captures" in answer.text


@pytest.mark.parametrize("forged", ["../../../etc/passwd", "warc/none.warc.gz", "/etc/passwd"])
def test_a_forged_place_gives_nothing(archive: Path, tmp_path: Path, forged: str) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as live, closing(sqlite3.connect(tmp_path / DATABASE)) as copy:
        live.backup(copy)
        copy.execute("UPDATE captures SET warc_file = ? WHERE url LIKE '%robots.txt'", (forged,))
        copy.commit()
    forging = site_of(tmp_path)
    capture = capture_where(archive, "url LIKE '%robots.txt'")
    answer = page(forging, capture)
    assert answer.status_code == 200 and "cannot be read" in answer.text
    assert page(forging, capture, "/record.warc.gz").status_code == 404


@pytest.mark.parametrize("table", ["revisions", "readings", "comments", "captures", "problems", "provenance"])
def test_rows_lead_to_their_record(site: Datasette, table: str) -> None:
    assert re.search(r'href="/-/capture/[0-9a-f-]{36}"', get(site, f"/archive/{table}").text)


def test_a_post_leads_to_the_record_of_its_text(site: Datasette, archive: Path) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        post_id, capture_id = db.execute(
            "SELECT p.post_id, capture_id FROM posts AS p JOIN revisions USING (revision_id)"
        ).fetchone()
    assert f"/-/capture/{capture_id}" in get(site, f"/archive/posts/{post_id}").text


def test_what_stands_on_a_capture_is_listed(site: Datasette, archive: Path) -> None:
    capture = capture_where(archive, "capture_id IN (SELECT capture_id FROM revisions)")
    text = page(site, capture).text
    place = re.search(r'href="(/archive/revisions\?[^"]+)"', text)
    assert place is not None
    assert "Sleep" in get(site, place[1].replace("&amp;", "&")).text
