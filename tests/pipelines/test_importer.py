"""Captures of others: kept as they came, dated by themselves, taken once; what is not to be trusted is left out."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import stat
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from archive.compare import canonical
from archive.db import open_archive
from archive.warc.format import _frame
from pipelines import rebuild
from pipelines.commands import main
from pipelines.imports import importer as ingesting
from pipelines.imports.adopt import adopt
from pipelines.imports.importer import ImportResult, import_files
from pipelines.recover import recover
from pipelines.run import run as run_module
from pipelines.run import visits as visits_module
from pipelines.run.run import Run
from scraper.config.clinics import Clinic
from tests.making import begun, faults
from tests.pipelines.test_rebuild import said, visit
from tests.visiting import CLINIC, SITE, post_answer, post_url

SAMPLES = Path(__file__).parents[3] / "shared" / "warc-samples"
SEED = Path(__file__).parents[3] / "shared" / "seed"
THEN = datetime(2019, 5, 4, 3, 2, 1, tzinfo=UTC)
# warcio's writer leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
TEXT = "top of page\n\nOn sleep\n\n{}\n\n16 views0 comments\n\nbottom of page"


class Foreign:
    """A WARC file written by warcio, as other tools' are."""

    def __init__(self, path: Path, *, gzipped: bool = True, software: str = "Somecrawler/2.1") -> None:
        self.path, self._buffer = path, io.BytesIO()
        self._writer = WARCWriter(self._buffer, gzip=gzipped)
        self._writer.write_record(self._writer.create_warcinfo_record(path.name, {"software": software}))

    def page(self, url: str, body: bytes, at: datetime = THEN, **headers: str) -> str:
        """A response; its record id."""
        http = StatusAndHeaders(
            "200 OK", [("Content-Type", headers.pop("mime", "application/json"))], protocol="HTTP/1.1"
        )
        named = {"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")} | {
            name.replace("_", "-"): v for name, v in headers.items()
        }
        record = self._writer.create_warc_record(
            url, "response", payload=io.BytesIO(body), http_headers=http, warc_headers_dict=named
        )
        self._writer.write_record(record)
        return str(record.rec_headers.get_header("WARC-Record-ID"))

    def redirect(self, url: str, target: str, at: datetime) -> None:
        self._response(url, "301 Moved Permanently", [("Location", target)], b"", at)

    def missing(self, url: str, at: datetime) -> None:
        self._response(url, "404 Not Found", [("Content-Type", "text/html")], b"<html>not found</html>", at)

    def _response(self, url: str, status: str, headers: list[tuple[str, str]], body: bytes, at: datetime) -> None:
        record = self._writer.create_warc_record(
            url, "response", payload=io.BytesIO(body),
            http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )  # fmt: skip
        self._writer.write_record(record)

    def revisit(self, url: str, at: datetime, original: datetime, digest: str) -> None:
        record = self._writer.create_revisit_record(
            url, digest, url, original.strftime("%Y-%m-%dT%H:%M:%SZ"),
            http_headers=StatusAndHeaders("200 OK", [("Content-Type", "application/json")], protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )  # fmt: skip
        self._writer.write_record(record)

    def text(self, url: str, body: str, at: datetime = THEN) -> None:
        """A record as Common Crawl's WET files have them."""
        record = self._writer.create_warc_record(
            url, "conversion", payload=io.BytesIO(body.encode()), warc_content_type="text/plain",
            warc_headers_dict={"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )  # fmt: skip
        self._writer.write_record(record)

    def done(self) -> Path:
        self.path.write_bytes(self._buffer.getvalue())
        return self.path


def bring(
    archive: Path, *paths: Path, url: str | None = None, at: datetime | None = None, clinic: Clinic = CLINIC
) -> list[ImportResult]:
    run = Run(begun(archive))
    recover(run)
    found = import_files(run, paths, {clinic.slug: clinic}, url, at)
    run.close(0, {})
    return found


def rows(archive: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(open_archive(archive, "read")) as db:
        return [tuple(row) for row in db.execute(sql, list(values)).fetchall()]


def sleep(text: str, views: int | None = None) -> bytes:
    return post_answer("sleep", text, views)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """What another tool saw years ago: a text, an edit, a picture, another site."""
    foreign = Foreign(tmp_path / "old.warc.gz")
    foreign.page(post_url("sleep"), sleep("Sleep tight.", 1))
    foreign.page(post_url("sleep"), sleep("Sleep well.", 5), THEN + timedelta(days=400))
    foreign.page(f"{SITE}/logo.png", b"\x89PNG", mime="image/png")
    foreign.page("https://elsewhere.example/post/x", b"{}")
    return foreign.done()


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """An archive whose first crawl is of today."""
    visit(tmp_path / "archive", [("post", ("sleep", "Sleep well.", 9)), ("thread", "sleep"), ("gone", "rest")], "ended")
    return tmp_path / "archive"


def test_a_history_before_the_first_crawl(grown: Path, old: Path) -> None:
    (found,) = bring(grown, old)
    assert (found.captures, found.unread, found.elsewhere, found.bad, found.refused) == (
        {"riverside": 2},
        1,
        1,
        [],
        None,
    )
    assert rows(grown, "SELECT kind, body_text FROM revisions ORDER BY captured_at") == [
        ("first", "Sleep tight."), ("content", "Sleep well.")
    ]  # fmt: skip
    assert rows(grown, "SELECT first_seen_at, first_seen_origin FROM posts WHERE slug = 'sleep'") == [
        ("2019-05-04T03:02:01.000000Z", "Somecrawler/2.1")
    ]
    assert [row[0] for row in rows(grown, "SELECT views FROM readings WHERE views IS NOT NULL ORDER BY read_at")] == [
        1,
        5,
        9,
    ]
    sql = "SELECT origin, retrieved_from, retrieved_at IS NOT NULL FROM captures WHERE fetched_at < '2021'"
    assert rows(grown, sql) == [("Somecrawler/2.1", "old.warc.gz", 1)] * 2
    assert rows(grown, "SELECT count(*) FROM comments WHERE body_text LIKE '%[name]%'") == [(2,)]
    with closing(open_archive(grown, "write")) as db:
        assert faults(db) == []


def test_the_original_is_kept_byte_for_byte(grown: Path, old: Path) -> None:
    bring(grown, old)
    (stored,) = (grown / "imports").rglob("*.warc.gz")
    assert stored.read_bytes() == old.read_bytes()
    for file, offset, length in rows(
        grown, "SELECT warc_file, warc_offset, warc_length FROM captures WHERE origin != 'crawl'"
    ):
        assert grown / file == stored
        assert b"WARC/1." in gzip.decompress(stored.read_bytes()[offset : offset + length])


def test_imported_twice_nothing_changes(grown: Path, old: Path) -> None:
    bring(grown, old)
    before, files = said(grown), sorted(grown.rglob("*.warc.gz"))
    (found,) = bring(grown, old)
    assert (found.captures, found.known, found.refused) == ({}, 2, None)
    assert said(grown) == before
    assert sorted(grown.rglob("*.warc.gz")) == files
    again = shutil.copy(old, old.with_name("renamed.warc.gz"))
    bring(grown, again)
    assert said(grown) == before


def test_a_rebuild_gives_the_same(grown: Path, old: Path, tmp_path: Path) -> None:
    bring(grown, old)
    visit(grown, [("post", ("sleep", "Sleep better.", 12))], "ended")
    before = said(grown)
    done = rebuild.rebuild(grown)
    assert (done.differs, done.problems) == ([], [])
    assert canonical.archive_digest(before) == done.digest


@pytest.mark.parametrize("step", range(5))
def test_killed_while_importing(
    grown: Path, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """At the next start, or after the same import again, the archive says what an undisturbed one does."""
    shutil.copytree(grown, tmp_path / "calm")
    bring(tmp_path / "calm", old)

    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    places: list[tuple[Any, str]] = [
        (ingesting, "copy_durably"), (visits_module, "Writer"), (run_module, "refold"), (ingesting, "_record"),
        (ingesting, "_new_captures"),
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(*places[step], kill)
        run = Run(grown)
        with pytest.raises(Killed):
            import_files(run, [old], {"riverside": CLINIC}, None, None)
        run.broken = "killed"
        run.release()
    bring(grown, old)
    but = ("crawls", "clinic_runs")
    calm, disturbed = said(tmp_path / "calm"), said(grown)
    for table in ("posts", "revisions", "readings", "comments", "sightings", "absences", "problems", "links"):
        assert table in but or calm[table] == disturbed[table], table
    assert rebuild.rebuild(grown).differs == []


def test_the_same_day_as_a_crawl_of_our_own(tmp_path: Path) -> None:
    """What others saw in the middle of a thread leaves the thread as it is: its names come last."""
    visit(tmp_path / "a", [("post", ("sleep", "Sleep well.", 9)), ("thread", "sleep")], "ended")
    ((middle,),) = rows(tmp_path / "a", "SELECT fetched_at FROM captures ORDER BY fetched_at LIMIT 1 OFFSET 2")
    foreign = Foreign(tmp_path / "x.warc.gz")
    foreign.page(post_url("sleep"), sleep("Sleep well.", 10), WARC_Date=middle)
    bring(tmp_path / "a", foreign.done())
    texts = [row[0] for row in rows(tmp_path / "a", "SELECT body_text FROM comments")]
    assert texts == ["[name] helped me."] * 2


def test_revisits_by_url_and_date(tmp_path: Path) -> None:
    """Browsers' recorders name the original so, also where it lies in another file."""
    first = Foreign(tmp_path / "1.warc.gz")
    first.page(post_url("sleep"), sleep("Sleep tight.", 1))
    second = Foreign(tmp_path / "2.warc.gz")
    digest = "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    second.revisit(post_url("sleep"), THEN + timedelta(days=9), THEN, digest)
    second.revisit(post_url("rest"), THEN + timedelta(days=9), THEN, digest)
    bring(tmp_path / "a", first.done(), second.done())
    assert len(rows(tmp_path / "a", "SELECT 1 FROM readings WHERE views = 1")) == 2
    assert rows(tmp_path / "a", "SELECT kind FROM problems") == [("missing-original",)]
    assert rebuild.rebuild(tmp_path / "a").differs == []


def test_wet(tmp_path: Path) -> None:
    foreign = Foreign(tmp_path / "CC-MAIN.warc.wet.gz", software="extractor")
    foreign.text(f"{SITE}/post/on-sleep", TEXT.format("A bed is a place."))
    foreign.text(f"{SITE}/about", "We are here.")
    bring(tmp_path / "a", foreign.done())
    assert rows(tmp_path / "a", "SELECT title, body_text, url FROM posts") == [
        ("On sleep", "A bed is a place.", f"{SITE}/post/on-sleep")
    ]
    assert rows(tmp_path / "a", "SELECT views, source, read_at FROM readings") == [
        (16, "text", "2019-05-04T03:02:01.000000Z")
    ]
    assert rows(tmp_path / "a", "SELECT record_type FROM captures") == [("conversion",)] * 2


def test_saved_pages(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(TEXT.format("A bed is a place."))
    url = f"{SITE}/post/on-sleep"
    (found,) = bring(tmp_path / "a", page, url=url, at=THEN)
    assert (found.captures, found.origin) == ({"riverside": 1}, "a saved page")
    assert rows(tmp_path / "a", "SELECT views, read_at FROM readings") == [(16, "2019-05-04T03:02:01.000000Z")]
    assert rows(tmp_path / "a", "SELECT url, retrieved_from FROM captures") == [(url, "page.txt")]
    (stored,) = (tmp_path / "a" / "imports").rglob("*.warc.gz")
    assert page.read_bytes() in gzip.decompress(stored.read_bytes())
    assert bring(tmp_path / "a", page, url=url, at=THEN)[0].known == 1
    assert rebuild.rebuild(tmp_path / "a").differs == []


def test_a_saved_page_tells_where_it_was_saved_from(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!-- saved from url=(0042){SITE}/about -->\n<html><meta name=generator content='Wix.com'></html>")
    bring(tmp_path / "a", page)
    assert rows(tmp_path / "a", "SELECT url FROM captures") == [(f"{SITE}/about",)]


def test_a_saved_page_without_an_address_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text(TEXT.format("A bed is a place."))
    assert "--url" in (bring(tmp_path / "a", page)[0].refused or "")


def wacz(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as package:
        for name, data in members:
            package.writestr(name, data)
    return path


def test_wacz(tmp_path: Path, old: Path) -> None:
    package = wacz(
        tmp_path / "x.wacz", ("archive/data.warc.gz", old.read_bytes()), ("datapackage.json", b"{}"),
        compression=zipfile.ZIP_DEFLATED,
    )  # fmt: skip
    (found,) = bring(tmp_path / "a", package)
    assert found.captures == {"riverside": 2}
    assert rows(tmp_path / "a", "SELECT DISTINCT retrieved_from FROM captures") == [("x.wacz",)]
    assert list((tmp_path / "a" / "imports").glob("*.part")) == []


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "why"),
    [
        ("../../etc/x", "leaves the folder"), ("/etc/x", "leaves the folder"),
        ("archive\\..\\..\\x.warc.gz", "leaves the folder"),
        ("C:x", "leaves the folder"), (link("archive/x.warc.gz"), "symbolic link"),
    ],
)  # fmt: skip
def test_a_package_that_climbs_out(tmp_path: Path, old: Path, member: str | zipfile.ZipInfo, why: str) -> None:
    package = wacz(tmp_path / "x.wacz", ("archive/data.warc.gz", old.read_bytes()), (member, b"x"))
    (found,) = bring(tmp_path / "a", package)
    assert why in (found.refused or "")
    assert list((tmp_path / "a").rglob("x*")) == []


def test_packages_that_are_none(tmp_path: Path, old: Path) -> None:
    whole = wacz(tmp_path / "x.wacz", ("archive/data.warc.gz", old.read_bytes())).read_bytes()
    (tmp_path / "cut.wacz").write_bytes(whole[: len(whole) // 2])
    wacz(tmp_path / "empty.wacz", ("readme", b"x"))
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "none.txt").write_bytes(b"")
    names = ("cut.wacz", "empty.wacz", "x.pdf", "none.txt")
    refused = [item.refused or "" for item in bring(tmp_path / "a", *(tmp_path / name for name in names))]
    assert [name in line for name, line in zip(("ZIP", "WACZ", "not a WARC", "empty"), refused, strict=True)] == [
        True
    ] * 4
    assert rows(tmp_path / "a", "SELECT count(*) FROM crawls") == [(0,)]


def test_a_package_that_unpacks_to_more_than_the_disk_has(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = wacz(tmp_path / "x.wacz", ("archive/data.warc.gz", bytes(50_000_000)), compression=zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 10**8, 10**8))
    found = bring(tmp_path / "a", package, old)
    assert "free on the archive's disk" in (found[0].refused or "")
    assert found[1].captures == {"riverside": 2}


def test_a_package_that_unpacks_to_a_thousand_times_its_size(tmp_path: Path) -> None:
    package = wacz(tmp_path / "x.wacz", ("archive/x.warc", bytes(120_000_000)), compression=zipfile.ZIP_DEFLATED)
    (result,) = bring(tmp_path / "a", package)
    assert "times its own size" in (result.refused or "")
    assert list((tmp_path / "a" / "imports").iterdir()) == []


def test_a_file_larger_than_the_disk(tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    (found,) = bring(tmp_path / "a", old)
    assert "free on the archive's disk" in (found.refused or "")
    assert list((tmp_path / "a" / "imports").iterdir()) == []
    assert rows(tmp_path / "a", "SELECT count(*) FROM captures") == [(0,)]


def test_bad_records_are_left_out_with_their_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_frame, "MAX_RECORD", 1 << 20)
    foreign = Foreign(tmp_path / "x.warc.gz")
    foreign.page(post_url("sleep"), sleep("From tomorrow."), datetime.now(UTC) + timedelta(days=90))
    foreign.page(post_url("sleep"), sleep("Before the web."), datetime(1980, 1, 1, tzinfo=UTC))
    cut = gzip.compress(b"")[:10]
    foreign.page(post_url("rest"), sleep("Sound."), THEN)
    path = foreign.done()
    path.write_bytes(path.read_bytes() + gzip.compress(b"WARC/1.0\r\n" + bytes(2 << 20)) + cut)
    liar = Foreign(tmp_path / "liar.warc", gzipped=False)
    liar.page(post_url("sleep"), sleep("A lie."))
    lies = re.sub(rb"(Payload-Digest: sha1:)\w{32}", rb"\1" + b"A" * 32, liar.done().read_bytes())
    liar.path.write_bytes(lies)
    found, lied = bring(tmp_path / "a", path, liar.path)
    assert found.captures == {"riverside": 1}
    assert "digest differs" in (lied.refused or "")
    assert [all(line.startswith("byte ") for line in found.bad)] == [True]
    said_of = "\n".join(found.bad)
    for why in ("in the future", "before the web", "inflates to more than"):
        assert why in said_of


def test_two_records_of_one_id(tmp_path: Path) -> None:
    twin = "<urn:uuid:00000000-0000-4000-8000-000000000001>"
    foreign = Foreign(tmp_path / "x.warc.gz")
    foreign.page(post_url("sleep"), sleep("The first."), WARC_Record_ID=twin)
    foreign.page(post_url("sleep"), sleep("The second."), WARC_Record_ID=twin)
    path = foreign.done()
    bring(tmp_path / "a", path)
    both = [("The first.",), ("The second.",)]
    assert sorted(rows(tmp_path / "a", "SELECT body_text FROM revisions")) == both
    later = Foreign(tmp_path / "y.warc.gz")
    later.page(post_url("sleep"), sleep("The third."), WARC_Record_ID=twin)
    (result,) = bring(tmp_path / "a", later.done())
    assert (result.bad, result.captures) == ([], {"riverside": 1})
    assert sorted(rows(tmp_path / "a", "SELECT body_text FROM revisions")) == [*both, ("The third.",)]
    assert len(set(rows(tmp_path / "a", "SELECT capture_id FROM captures"))) == 3
    for again in (path, later.done()):
        (result,) = bring(tmp_path / "a", again)
        assert (result.captures, result.known) == ({}, 2 if again is path else 1)


def test_a_body_that_was_cut_is_no_edit(tmp_path: Path) -> None:
    """Common Crawl keeps the first megabyte of a page."""
    foreign = Foreign(tmp_path / "x.warc.gz")
    foreign.page(post_url("sleep"), sleep("Sleep tight."))
    foreign.page(post_url("sleep"), sleep("Sleep"), THEN + timedelta(days=1), WARC_Truncated="length")
    bring(tmp_path / "a", foreign.done())
    assert rows(tmp_path / "a", "SELECT body_text FROM revisions") == [("Sleep tight.",)]
    assert rows(tmp_path / "a", "SELECT kind FROM problems") == [("cut-short",)]


def test_where_no_comments_are_wanted_those_of_others_become_no_rows(grown: Path, tmp_path: Path) -> None:
    (own,) = (grown / "warc" / "riverside").glob("*.warc.gz")
    taken = shutil.copy(own, tmp_path / "others.warc.gz")
    bring(tmp_path / "a", taken, clinic=replace(CLINIC, comments="counts"))
    assert rows(tmp_path / "a", "SELECT count(*) FROM posts") == [(1,)]
    assert rows(tmp_path / "a", "SELECT count(*) FROM comments") == [(0,)]


def test_what_this_program_wrote_is_an_import_all_the_same(grown: Path, tmp_path: Path) -> None:
    """Also in a rebuild elsewhere, where its warcinfo names a clinic and a run."""
    (own,) = (grown / "warc" / "riverside").glob("*.warc.gz")
    bring(tmp_path / "a", own)
    before = said(tmp_path / "a")
    adopt([tmp_path / "a"], tmp_path / "new", None)
    rebuild.rebuild(tmp_path / "new")
    assert said(tmp_path / "new") == before


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/warc-samples is not here")
def test_every_sample_is_imported_or_refused_by_name(tmp_path: Path) -> None:
    paths = sorted(SAMPLES.iterdir())
    clinic = Clinic(slug="example", name="Example", url="http://example.com")
    found = bring(tmp_path / "a", *paths, clinic=clinic)
    taken = {item.path.name for item in found if item.captures}
    assert taken == {
        "example-resource.warc.gz", "example-wget-bad-target-uri.warc.gz", "example.arc.gz", "example.warc.gz"
    }  # fmt: skip
    assert all(item.refused for item in found if item.path.name not in taken)
    assert rebuild.rebuild(tmp_path / "a").differs == []


@pytest.mark.skipif(not SEED.is_dir(), reason="../shared/seed is not here")
def test_the_seed_by_the_command(tmp_path: Path) -> None:
    (seed,) = SEED.glob("*.txt")
    url = "https://www.ketamine.example/post/how-does-ketamine-work"
    arguments = ["import", str(seed), "--archive", str(tmp_path / "a"), "--clinics-file", str(tmp_path / "none.toml")]
    done = CliRunner().invoke(main, [*arguments, "--url", url, "--date", "2023-04-05", "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["files"][0]["captures"] == {"www-ketamine-example": 1}
    assert rows(tmp_path / "a", "SELECT title, first_seen_at FROM posts") == [
        ("How does Ketamine work?", "2023-04-05T00:00:00.000000Z")
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "--url" in done.stderr
