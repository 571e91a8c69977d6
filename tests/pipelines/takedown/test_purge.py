"""After a purge no byte of what it names is left in the archive, and everything else is as it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archive.db import open_archive
from archive.warc import RecordGroup, records
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.run.key import KEY_FILE
from pipelines.takedown.purge.purge import _free_names
from pipelines.verify.verify import closed_files, verify
from scraper.platforms import platform_named
from tests.golden import PAGES, exchange_of
from tests.making import faults
from tests.pipelines.test_importer import Foreign
from tests.visiting import (
    MEMBERS_URL,
    SITE,
    Visiting,
    comments_url,
    members_answer,
    post_answer,
    post_url,
)

REASON = ("--reason", "The clinic wishes it")
# "helped me": the end of the text of each comment
VEGA, ROE = "0b5e4ad3-0000-4a1b-8f6e-2f8a3c1d0001", "0b5e4ad3-0000-4a1b-8f6e-2f8a3c1d0002"


def thread(*comments: tuple[str, str, str]) -> bytes:
    listed = [
        {
            "id": name, "status": "PUBLISHED", "author": {"memberId": who}, "createdDate": "2026-01-03T00:00:00Z",
            "content": {"richContent": {"nodes": [{"type": "PARAGRAPH", "nodes": [
                {"type": "TEXT", "textData": {"text": text}}]}]}},
        }
        for name, who, text in comments
    ]  # fmt: skip
    return json.dumps({"comments": listed}).encode()


def visit(archive: Path, *, views: int = 3) -> None:
    """Two posts with threads: Marisol Vega and Ada Roe comment on both, and Ada Roe names Marisol."""
    with Visiting(archive) as visiting:
        sitemap = "".join(f"<url><loc>{SITE}/post/{slug}</loc></url>" for slug in ("sleep", "rest"))
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{sitemap}</urlset>'
        visiting.answer(f"{SITE}/sitemap.xml", sitemap.encode(), headers={"Content-Type": "application/xml"})
        for slug in ("sleep", "rest"):
            visiting.answer(post_url(slug), post_answer(slug, f"All about {slug}.", views=views), headers={
                "Content-Type": "application/json", "ETag": f'"{slug}"'})  # fmt: skip
            visiting.answer(comments_url(slug), thread(
                (f"{slug}-1", VEGA, f"The {slug} of my mother, says Quillwort."),
                (f"{slug}-2", ROE, "Dear Marisol, thank you for Thistledown."),
            ))  # fmt: skip
            names = {VEGA: "Marisol Vega", ROE: "Ada Roe"}
            visiting.answer(MEMBERS_URL, members_answer(**names), method="POST")
        visiting.end()
        visiting.run.close(0, {"problems": []})


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("visited") / "archive"
    visit(archive)
    visit(archive, views=5)
    return archive


@pytest.fixture
def archive(visited: Path, tmp_path: Path) -> Path:
    shutil.copytree(visited, tmp_path / "archive")
    return tmp_path / "archive"


def run(archive: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--archive", str(archive)])


def withdrawn(archive: Path, subject: str) -> str:
    done = run(archive, "takedown", "add", subject, "--grade", "purge", *REASON, "--yes", "--json")
    assert done.exit_code == 0, done.output
    found: str = json.loads(done.output)["takedown_id"]
    return found


def purged(archive: Path) -> dict[str, Any]:
    done = run(archive, "takedown", "purge", "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(archive: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(open_archive(archive, "read")) as db:
        return list(db.execute(sql).fetchall())


def decoded(path: Path) -> bytes:
    """The bytes of a file, and what its gzip members hold."""
    data = path.read_bytes()
    out, rest = [data], data
    while rest.startswith(b"\x1f\x8b"):
        inflater = zlib.decompressobj(31)
        out.append(inflater.decompress(rest))
        rest = inflater.unused_data
    return b"\n".join(out)


def holding(archive: Path, *needles: str) -> set[tuple[str, str]]:
    """Which file holds which of the texts."""
    files = [path for path in archive.rglob("*") if path.is_file()]
    return {
        (path.relative_to(archive).as_posix(), needle)
        for path in files
        for content in [decoded(path)]
        for needle in needles
        if needle.encode() in content
    }


def others(archive: Path, *gone: str) -> dict[str, tuple[bytes, ...]]:
    """Type, address, headers and body of each record of the clinic that holds none of the texts, by its id."""
    found = {}
    for path in sorted((archive / "warc" / "riverside").glob("*.warc.gz")):
        for record in records(path, archive=archive):
            if isinstance(record, RecordGroup) and not any(each.encode() in (record.body or b"") for each in gone):
                capture = record.capture
                found[capture.capture_id] = (
                    capture.record_type.encode(), capture.url.encode(), str(capture.fetched_at).encode(),
                    repr(record.response_headers).encode(), record.body or b"", record.request_body,
                )  # fmt: skip
    return found


def is_sound(archive: Path) -> None:
    closed = closed_files(archive)
    with closing(open_archive(archive, "read")) as db:
        assert verify(archive, db, sample=None, seed=0, closed=closed, cores=1).faults == []
        assert verify(archive, db, sample=99, seed=0, closed=closed, cores=1).faults == []
    with closing(open_archive(archive, "write")) as db:
        assert faults(db) == []


def test_a_person(archive: Path) -> None:
    words = ("Quillwort", "Marisol", "Vega", "of my mother")
    assert {needle for _, needle in holding(archive, *words)} == set(words)  # the control
    ((author,),) = rows(archive, "SELECT DISTINCT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    before = others(archive, *words)
    find = "SELECT platform_comment_id, body_text, author FROM comments"
    texts = [row for row in rows(archive, find) if row[2] != author]
    withdrawn(archive, author)
    assert rows(archive, "SELECT grade, kind, purged FROM withdrawals") == [("purge", "person", None)]
    assert {needle for _, needle in holding(archive, *words)} == set(words)
    done = purged(archive)
    assert holding(archive, *words, author) == set()
    assert done["emptied"] == 0
    assert done["records"] == 4  # those of the later visit refer to them
    after = others(archive)
    assert {name: after[name] for name in before} == before
    assert rows(archive, find) == texts
    assert [len(each) for (each,) in rows(archive, "SELECT purged FROM withdrawals")] == [10]
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert holding(archive, *words) == set()


def test_a_comment(archive: Path) -> None:
    withdrawn(archive, "rest-1")
    purged(archive)
    assert holding(archive, "The rest of my mother") == set()
    assert {needle for _, needle in holding(archive, "The sleep of my mother")} == {"The sleep of my mother"}
    is_sound(archive)


def test_a_post(archive: Path) -> None:
    before = others(archive, "All about sleep", "sleep-1")
    withdrawn(archive, f"{SITE}/post/sleep")
    done = purged(archive)
    assert holding(archive, "All about sleep", "The sleep of my mother") == set()
    assert {needle for _, needle in holding(archive, "All about rest")} == {"All about rest"}
    assert (done["records"], done["emptied"]) == (3, 2)  # the third is the thread, without its comments
    after = others(archive)
    assert {name: after[name] for name in before} == before
    assert rows(archive, "SELECT slug FROM posts") == [("rest",)]
    is_sound(archive)


def test_a_clinic(archive: Path) -> None:
    withdrawn(archive, "riverside")
    purged(archive)
    assert holding(archive, "All about", "of my mother", "Marisol") == set()
    is_sound(archive)


@pytest.mark.parametrize("kind", ["person", "comment", "post"])
def test_a_later_crawl_does_not_bring_it_back(archive: Path, kind: str) -> None:
    ((author,),) = rows(archive, "SELECT DISTINCT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    words = {
        "person": ("Quillwort", "Marisol", "Vega", "of my mother"), "comment": ("The sleep of my mother",),
        "post": ("All about sleep", "The sleep of my mother"),
    }[kind]  # fmt: skip
    withdrawn(archive, {"person": author, "comment": "sleep-1", "post": f"{SITE}/post/sleep"}[kind])
    purged(archive)
    find = "SELECT platform_comment_id, body_text FROM comments ORDER BY 1"
    texts = rows(archive, find)
    for views in (7, 7, 9):
        visit(archive, views=views)
        assert holding(archive, *words) == set()
    assert rows(archive, find) == texts
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert holding(archive, *words) == set()


def test_what_is_no_longer_there_is_lifted_by_nobody(archive: Path) -> None:
    takedown_id = withdrawn(archive, "sleep-1")
    purged(archive)
    done = run(archive, "takedown", "lift", takedown_id, *REASON)
    assert (done.exit_code, "purged on" in done.output) == (4, True)
    assert purged(archive)["takedowns"] == []
    assert run(archive, "takedown", "add", "sleep-1", "--grade", "purge", *REASON, "--yes").exit_code == 4


# warcio's writer leaves its temporary files to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_imported_files(archive: Path, tmp_path: Path) -> None:
    """Records of another program go whole; the same file is not imported a second time, nor another with the same."""
    words = ("Old Quillwort", "Old Thistledown")
    given = [tmp_path / "one.warc.gz", tmp_path / "two.warc.gz"]
    for path in given:
        foreign = Foreign(path, software=path.name)
        foreign.page(post_url("rest"), post_answer("rest", "Old words about rest."))
        comments = thread(("rest-9", VEGA, "Old Quillwort of my mother."), ("rest-8", ROE, "Old Thistledown."))
        foreign.page(comments_url("rest"), comments)
        foreign.page("https://elsewhere.example/x", b"Elsewhere.", mime="text/html")
        foreign.done()
    stanza = tmp_path / "clinics.toml"
    stanza.write_text(f'[crawler]\ncontact = "a@b.edu"\n[clinics.riverside]\nname = "R"\nurl = "{SITE}"\n')

    def imported(path: Path) -> int:
        return run(archive, "import", str(path), "--clinics-file", str(stanza)).exit_code

    assert imported(given[0]) == 0
    assert {needle for _, needle in holding(archive, *words)} == set(words)
    ((author,),) = rows(archive, "SELECT DISTINCT author FROM comments WHERE platform_comment_id = 'rest-9'")
    withdrawn(archive, author)
    done = purged(archive)
    assert {Path(file).name for file in done["files"].values() if file.startswith("imports/")} == {
        "purged-1-one.warc.gz"
    }
    assert holding(archive, *words) == set()
    assert {needle for _, needle in holding(archive, "Old words", "Elsewhere.")} == {"Old words", "Elsewhere."}
    is_sound(archive)
    number = rows(archive, "SELECT count(*) FROM captures")
    for path in given:
        imported(path)
        assert holding(archive, *words) == set()
        is_sound(archive)
    assert rows(archive, "SELECT count(*) FROM captures") != [(0,)]
    assert number <= rows(archive, "SELECT count(*) FROM captures")
    assert rebuild(archive, cores=1).differs == []
    assert holding(archive, *words) == set()


def test_backups_copies_and_other_files(archive: Path, tmp_path: Path) -> None:
    """Earlier databases, logs and the published copy go at once; a backup and a copy when they are named."""
    words = ("Quillwort", "Marisol", "of my mother")
    backup, copy = tmp_path / "backup", tmp_path / "copy"
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert run(archive, "publish", "--full").exit_code == 0
    shutil.copytree(archive, copy)
    (archive / "log").mkdir(exist_ok=True)
    (archive / "log" / "crawl.log").write_text("Marisol")
    (archive / "warc" / "riverside" / "a-00000.warc.gz.torn").write_text("Marisol")
    shutil.copy(archive / "archive.db", archive / "archive-before-rebuild-20260301.db")
    ((author,),) = rows(archive, "SELECT DISTINCT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    withdrawn(archive, author)
    assert run(archive, "takedown", "purge", "--in", str(backup)).exit_code == 4  # the archive comes first
    planned = json.loads(run(archive, "takedown", "purge", "--dry-run", "--json").output)
    assert planned["clinics"]["riverside"]["records"] == 4
    assert holding(archive, "Marisol") != set()
    done = purged(archive)
    assert set(done["removed"]) == {
        "archive-before-rebuild-20260301.db", "log/crawl.log", "published/archive.db",
        "warc/riverside/a-00000.warc.gz.torn",
    }  # fmt: skip
    assert holding(archive, *words) == set()
    for folder in (backup, copy):
        assert {needle for _, needle in holding(folder, *words)} == set(words)  # the control
        assert run(archive, "takedown", "purge", "--in", str(folder)).exit_code == 0
        assert holding(folder, *words) == set()
    is_sound(copy)
    assert run(archive, "takedown", "purge", "--in", str(tmp_path)).exit_code == 4
    restored = tmp_path / "restored"
    assert CliRunner().invoke(main, ["restore", str(backup), "--archive", str(restored)]).exit_code == 0
    is_sound(restored)
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert run(archive, "export", "--all", str(tmp_path / "csv")).exit_code == 0
    assert holding(tmp_path / "csv", *words, author) == set()


def test_an_old_file_that_comes_back(archive: Path, tmp_path: Path) -> None:
    """A copy of a replaced file is no part of the archive, and goes at the next rebuild."""
    copies = tmp_path / "copies"
    shutil.copytree(archive / "warc" / "riverside", copies)
    withdrawn(archive, "sleep-1")
    purged(archive)
    for path in copies.glob("*.warc.gz"):
        shutil.copy(path, archive / "warc" / "riverside" / path.name)
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert holding(archive, "The sleep of my mother") == set()


def test_a_reader_that_does_not_end(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    withdrawn(archive, "sleep-1")
    monkeypatch.setattr("pipelines.takedown.purge.purge.PATIENCE", 0.1)
    with closing(sqlite3.connect(archive / "archive.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM posts").fetchone()
        done = run(archive, "takedown", "purge")
        assert (done.exit_code, "nothing done" in done.output) == (75, True)
    assert {needle for _, needle in holding(archive, "The sleep of my mother")} == {"The sleep of my mother"}
    is_sound(archive)
    purged(archive)
    assert holding(archive, "The sleep of my mother") == set()


def test_while_a_crawl_runs_and_with_another_key(archive: Path) -> None:
    withdrawn(archive, "sleep-1")
    with Visiting(archive):
        assert run(archive, "takedown", "purge").exit_code == 75
    key = (archive / KEY_FILE).read_text()
    (archive / KEY_FILE).write_text("ab" * 32)
    assert run(archive, "takedown", "purge").exit_code == 4
    (archive / KEY_FILE).unlink()
    assert run(archive, "takedown", "purge").exit_code == 4
    (archive / KEY_FILE).write_text(key)
    assert {needle for _, needle in holding(archive, "The sleep of my mother")} == {"The sleep of my mother"}
    purged(archive)
    is_sound(archive)


def test_all_comments_of_a_clinic(archive: Path) -> None:
    words = ("Quillwort", "Thistledown", "Marisol", "Ada Roe")
    assert {needle for _, needle in holding(archive, *words)} == set(words)  # the control
    given = ("takedown", "add", "riverside", "--comments", "--grade", "purge", *REASON, "--yes")
    assert run(archive, *given).exit_code == 0
    assert run(archive, *given).exit_code == 4
    purged(archive)
    assert holding(archive, *words) == set()
    visit(archive, views=8)
    assert holding(archive, *words) == set()
    assert rows(archive, "SELECT count(*) FROM comments") == [(0,)]
    assert rows(archive, "SELECT body_text FROM posts ORDER BY slug") == [("All about rest.",), ("All about sleep.",)]
    is_sound(archive)
    assert run(archive, "takedown", "add", "nowhere", "--comments", "--grade", "hide", *REASON).exit_code == 4


def page(name: str) -> tuple[str, bytes]:
    """A page of `tests/pages`: its address and its bytes."""
    exchange = exchange_of(PAGES / f"{name}.html")
    return exchange.url, exchange.body


def test_pages_feeds_and_a_rendered_page_go_whole(tmp_path: Path) -> None:
    """Of HTML no comment can be taken out; the next answer at the same address is emptied before it is recorded."""
    archive, (url, body) = tmp_path / "archive", page("wordpress/classic_theme")
    html = {"Content-Type": "text/html; charset=utf-8", "ETag": '"1"'}

    def visit_page() -> None:
        with Visiting(archive) as visiting:
            visiting.visit.recognised = platform_named("wordpress")
            visiting.answer(url, body, headers=html)
            visiting.end()
            visiting.run.close(0, {})

    visit_page()
    ((name, text),) = rows(archive, "SELECT platform_comment_id, body_text FROM comments WHERE body_text <> '' LIMIT 1")
    words = text.split("\n")[0][:25]
    assert holding(archive, words) != set()
    withdrawn(archive, name)
    assert purged(archive)["emptied"] == 1
    for _ in range(2):
        assert holding(archive, words) == set()
        is_sound(archive)
        assert rebuild(archive, cores=1).differs == []
        found = rows(archive, "SELECT url, payload_length, etag, withdrawn FROM captures")
        assert set(found) == {(url, 0, None, 0)}
        assert rows(archive, "SELECT count(*) FROM problems") == [(0,)]
        visit_page()


def test_files_that_are_replaced_together_get_names_of_their_own(tmp_path: Path) -> None:
    files = ["imports/x/a.arc", "imports/x/a.arc.warc.gz", "warc/c/c-20260301093000-0123abcd-00002.warc.gz"]
    names = _free_names(tmp_path, files)
    assert list(names) == files
    assert len({*names.values()}) == 3
    assert {*names.values()}.isdisjoint(files)
