"""Other people's programs read what we write, and we read what they write."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from archive.release.documents import About, citation_cff
from tests.clinic import running
from tests.e2e.conftest import Crawled
from tests.e2e.fault_cases import keep_few
from tests.e2e.product import Row, column, crawl, faults, rows, run, value_of, warcs
from tests.waiting import HANG, wait_until


@contextmanager
def pywb(peers: Path, folder: Path, **collections: list[Path]) -> Iterator[str]:
    """pywb, serving files as collections of those names; its address."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for arguments in (item for name, files in collections.items() for item in (["init", name], ["add", name, *files])):
        subprocess.run([peers / "wb-manager", *arguments], cwd=folder, env=environment, capture_output=True, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [peers / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=folder, env=environment, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), server)
        yield url
    finally:
        server.terminate()
        server.wait(HANG)


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        httpx.get(url, timeout=HANG)
        return True
    return False


@pytest.mark.parametrize("maker", ["The operators of the archive", 'Sleep "Lab": R&D\n- é \u2028#', "yes"])
def test_the_citation_of_a_release_is_valid(maker: str, peers: Path, tmp_path: Path) -> None:
    about = About("2026-11", "2026-11-30T01:02:03.000000Z", "clinic-blog-archive/1", maker, "", "counts", None)
    (tmp_path / "CITATION.cff").write_text(citation_cff(about), "utf-8")
    done = subprocess.run(
        [peers / "cffconvert", "--validate", "-i", tmp_path / "CITATION.cff"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "valid according to schema version 1.2.0" in done.stdout) == (0, True), done.stderr[-300:]


def bodies_of(files: list[Path]) -> dict[str, bytes]:
    """The body of each response, by its id."""
    bodies: dict[str, bytes] = {}
    for path in files:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response):
                bodies[record.record_id.removeprefix("<urn:uuid:").rstrip(">")] = record.reader.read()
    return bodies


# Pages, sitemaps and feeds that were the only ones at their address in their second.
ASKED = (
    "SELECT coalesce(refers_to, capture_id) AS original, url, fetched_at, record_type FROM captures WHERE method ="
    " 'GET' AND http_status = 200 AND payload_length > 0 AND mime IN ('text/html', 'application/xml',"
    " 'application/rss+xml') AND (url, substr(fetched_at, 1, 19)) NOT IN (SELECT url, substr(fetched_at, 1, 19) FROM"
    " captures GROUP BY 1, 2 HAVING count(*) > 1) ORDER BY capture_id"
)


def assert_replayed(place: str, bodies: dict[str, bytes], some: list[Row]) -> None:
    """pywb gives the recorded bytes of each capture."""
    with httpx.Client(timeout=30, follow_redirects=True) as client:
        for row in some:
            stamp = "".join(digit for digit in row["fetched_at"][:19] if digit.isdigit())
            wanted = bodies[row["original"]]
            answer = client.get(f"{place}/{stamp}id_/{row['url']}", headers={"Accept-Encoding": "gzip"})
            assert answer.status_code == 200, row
            plain = gzip.decompress(wanted) if wanted.startswith(b"\x1f\x8b") else wanted
            assert hashlib.sha256(answer.content).digest() == hashlib.sha256(plain).digest(), row["url"]


def test_pywb_replays_pages_byte_for_byte_before_and_after_a_purge(small: Crawled, peers: Path, tmp_path: Path) -> None:
    """Each answer at its own moment, revisits as well; after a purge every other one, from the new files."""
    archive = tmp_path / "archive"
    shutil.copytree(small.archive, archive)
    old = [path for path in warcs(small.archive) if path.parent.name != "_runs"]
    before = bodies_of(old)
    (who,) = rows(
        archive,
        "SELECT author, count(*) FROM comments WHERE author LIKE 'reader-%' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1",
    )
    given = ["takedown", "add", who["author"], "--grade", "purge", "--reason", "On request", "--yes"]
    for words in (given, ["takedown", "purge"], ["verify"]):
        done = run("clinic-archive", *words, "--archive", str(archive), cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), words
    new = [path for path in warcs(archive) if path.parent.name != "_runs"]
    after = bodies_of(new)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert 0 < len(changed) < len(after) / 2
    requests = rows(small.archive, ASKED)
    assert {row["record_type"] for row in requests} == {"response", "revisit"} and len(requests) > 25
    left = [row for row in rows(archive, ASKED) if row["original"] not in changed]
    with pywb(peers, tmp_path, before=old, after=new) as url:
        revisits = [row for row in requests if row["record_type"] == "revisit"]
        assert_replayed(f"{url}/before", before, [*revisits[:10], *requests[:: max(1, len(requests) // 20)]])
        assert_replayed(f"{url}/after", after, left[:: max(1, len(left) // 20)])


@pytest.mark.skipif(shutil.which("wget") is None, reason="no wget on this machine")
def test_what_wget_wrote_gives_the_same_posts(tmp_path: Path) -> None:
    """The same site, recorded by another tool and imported, and crawled by us."""
    with running(tmp_path / "clinic") as clinic:
        keep_few(clinic)
        done = crawl(tmp_path / "own", clinic.url)
        assert done.code == 0, done.err
        given = ["--quiet", "--execute", "robots=off", "--delete-after", "--no-warc-keep-log"]
        pages = [
            clinic.url + path for path in ("/", "/blog", "/sitemap.xml", "/blog-posts-sitemap.xml", "/blog-feed.xml")
        ]
        pages += [post["url"] for post in clinic.truth()["posts"] if not post["deleted"]]
        command = ["wget", *given, f"--warc-file={tmp_path / 'site'}", "-P", str(tmp_path / "files"), *pages]
        subprocess.run(command, cwd=tmp_path, check=False, timeout=HANG)
    done = run("clinic-archive", "import", "site.warc.gz", "--archive", "wget", "--url", clinic.url, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    sql = "SELECT url, slug, title, author, published_at, language, word_count, body_text FROM posts ORDER BY url"
    assert rows(tmp_path / "wget", sql) == rows(tmp_path / "own", sql)
    texts = "SELECT DISTINCT content_sha256 FROM revisions WHERE source = 'html' ORDER BY 1"
    assert column(tmp_path / "wget", texts) == column(tmp_path / "own", texts)
    assert value_of(tmp_path / "wget", "SELECT DISTINCT origin FROM captures").startswith("Wget/")
    assert [fault for fault in faults(tmp_path / "wget") if "imports" not in fault] == []
    assert run("clinic-archive", "verify", "--archive", "wget", cwd=tmp_path).code == 0
    done = run("clinic-archive", "rebuild", "--archive", "wget", "--json", cwd=tmp_path)
    assert (done.code, done.json["differs"]) == (0, [])
