"""What is withdrawn is in no row, whatever table it would be in, until it is lifted."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archive.db import open_archive
from archive.derived.store import progress
from archive.rows.withdrawals import withdrawn_texts
from archive.site.pages.permalinks import is_withdrawn
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.recover import recover
from pipelines.run import report
from pipelines.run.key import KEY_FILE
from pipelines.run.recorded_runs import RUNS
from pipelines.run.run import Run
from pipelines.takedown.ledger import today
from pipelines.takedown.withheld import HIDDEN_EVERY, is_not_requested
from pipelines.verify.verify import closed_files, verify
from tests.archive.site.test_site import site_of
from tests.making import faults
from tests.visiting import HEXES, SITE, UUIDS, Visiting, post_answer, post_url

REASON = ("--reason", "The clinic wishes it")
SECRET = ("sleep", HEXES["sleep"], "0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f")  # what names the hidden post


def answer(slug: str, text: str, *, views: int) -> bytes:
    """A post with an author, a label, a picture, a link to the post on sleep."""
    post = json.loads(post_answer(slug, text, views=views))
    inner = post["postPage"]["post"]
    inner |= {"owner": {"name": f"Author of {slug}"}, "tags": [{"label": f"tag-{slug}"}], "excerpt": f"About {slug}"}
    inner["richContent"]["nodes"].append(
        {"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {"text": "see", "decorations": [
            {"type": "LINK", "linkData": {"link": {"url": f"{SITE}/post/sleep"}}}]}}]}
    )  # fmt: skip
    return json.dumps(post).encode()


def visit(archive: Path) -> None:
    """A post on sleep and one on rest, both edited; a sitemap that names both; threads; an old address; a problem."""
    with Visiting(archive) as visiting:
        sitemap = "".join(f"<url><loc>{SITE}/post/{slug}</loc></url>" for slug in ("sleep", "rest"))
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{sitemap}</urlset>'
        xml = {"Content-Type": "application/xml"}
        visiting.answer(f"{SITE}/blog-posts-sitemap.xml", sitemap.encode(), headers=xml)
        for slug in ("sleep", "rest"):
            visiting.answer(post_url(slug), answer(slug, f"All about {slug}.", views=3))
            visiting.answer(post_url(slug), answer(slug, f"More about {slug}, {slug} again.", views=5))
            visiting.thread(slug, Vega="Marisol Vega", Roe="Ada Roe")
        visiting.answer(f"{SITE}/post/sleep", status=404, headers={"Content-Type": "text/html"})
        visiting.answer(f"{SITE}/post/old-sleep", status=301, headers={"Location": f"{SITE}/post/sleep"})
        visiting.fail(f"{SITE}/post/sleep", TimeoutError("slow"))
        visiting.end()
        visiting.run.close(0, report.summary(visiting.run))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("visited") / "archive"
    visit(archive)
    assert CliRunner().invoke(main, ["derive", "--archive", str(archive)]).exit_code == 0
    return archive


@pytest.fixture
def archive(visited: Path, tmp_path: Path) -> Path:
    shutil.copytree(visited, tmp_path / "archive")
    return tmp_path / "archive"


def takedown(archive: Path, verb: str, *given: str) -> Result:
    return CliRunner().invoke(main, ["takedown", verb, *given, "--archive", str(archive)])


def hidden(archive: Path, subject: str, grade: str = "hide", *more: str) -> str:
    """The id of the takedown."""
    done = takedown(archive, "add", subject, "--grade", grade, *REASON, "--yes", "--json", *more)
    assert done.exit_code == 0, done.output
    found: str = json.loads(done.output)["takedown_id"]
    return found


def rows(archive: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(open_archive(archive, "read")) as db:
        return list(db.execute(sql, list(values)).fetchall())


def cells(archive: Path) -> Iterator[tuple[str, str, str]]:
    """Table, column and text of every cell of every table and view, by the schema."""
    with closing(open_archive(archive, "read")) as db:
        # Rules of lexicons are given by people, and name no post.
        tables = (name for name in db.table_names() if not name.startswith(("_", "lexicon")) and "_fts" not in name)
        for name in (*tables, *db.view_names()):
            cursor = db.execute(f"SELECT * FROM [{name}]")
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                for column, value in zip(columns, row, strict=True):
                    yield name, column, str(value)


def naming(archive: Path, *needles: str) -> set[tuple[str, str]]:
    pattern = re.compile("|".join(rf"(?<![a-z-]){re.escape(each)}" for each in needles), re.IGNORECASE)
    # What runs say of themselves has no place for a post's name; "Sleep" in a text of another post is its own.
    return {(table, column) for table, column, text in cells(archive) if pattern.search(text)}


def is_sound(archive: Path) -> None:
    closed = closed_files(archive)
    with closing(open_archive(archive, "read")) as db:
        assert verify(archive, db, sample=None, seed=0, closed=closed, cores=1).faults == []
        assert verify(archive, db, sample=99, seed=0, closed=closed, cores=1).faults == []
    assert rebuild(archive, cores=1).differs == []
    run = Run(archive)
    assert faults(run.db) == []
    run.release()


def test_a_hidden_post_is_in_no_cell_until_it_is_lifted(archive: Path) -> None:
    before = rows(archive, "SELECT url, title, body_text FROM posts ORDER BY url")
    named = {table for table, _ in naming(archive, *SECRET)}
    assert named >= {"posts", "captures", "cache_edits"}  # the control
    takedown_id = hidden(archive, f"{SITE}/post/sleep")
    assert naming(archive, *SECRET, "old-sleep") == set()
    assert rows(archive, "SELECT slug FROM posts") == [("rest",)]
    assert rows(archive, "SELECT kind, grade, clinic FROM withdrawals") == [("post", "hide", "riverside")]
    disk = b"".join(path.read_bytes() for path in archive.glob("archive.db*"))
    assert b"/post/sleep" not in disk
    assert b"about sleep" not in disk
    with closing(open_archive(archive, "read")) as db:
        assert is_withdrawn(db.conn, "riverside", "sleep")
        assert not is_withdrawn(db.conn, "riverside", "rest")
    is_sound(archive)
    visit(archive)
    assert CliRunner().invoke(main, ["derive", "--archive", str(archive)]).exit_code == 0
    assert naming(archive, *SECRET, "old-sleep") == set()
    is_sound(archive)
    assert takedown(archive, "lift", takedown_id, *REASON).exit_code == 0
    assert rows(archive, "SELECT url, title, body_text FROM posts ORDER BY url") == before
    assert rows(archive, "SELECT * FROM withdrawals") == []
    is_sound(archive)


def test_a_rename_is_recognised_by_the_id(archive: Path) -> None:
    """The sitemap names the new address before its page says whose it is; no row of either is left."""
    hidden(archive, f"{SITE}/post/sleep")
    for _ in range(2):
        with Visiting(archive) as visiting:
            sitemap = (
                f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{SITE}/post/tea-time</loc>'
            )
            xml = {"Content-Type": "application/xml"}
            visiting.answer(f"{SITE}/blog-posts-sitemap.xml", f"{sitemap}</url></urlset>".encode(), headers=xml)
            renamed = answer("sleep", "All about tea.", views=9).replace(b"/post/sleep", b"/post/tea-time")
            visiting.answer(post_url("tea-time"), renamed.replace(b'"slug": "sleep"', b'"slug": "tea-time"'))
            visiting.end()
            visiting.run.close(0, report.summary(visiting.run))
        assert naming(archive, *SECRET, "tea-time") == set()
        with closing(open_archive(archive, "read")) as db:
            assert is_withdrawn(db.conn, "riverside", "tea-time")
    assert len(json.loads(takedown(archive, "list", "--json").output)["takedowns"]) == 1
    is_sound(archive)


def test_permalinks_of_other_posts_stay(archive: Path) -> None:
    find = "SELECT content_sha256 FROM revisions JOIN posts USING (post_id) WHERE slug = 'rest' ORDER BY 1"
    before = rows(archive, find)
    hidden(archive, f"{SITE}/post/sleep")
    assert rows(archive, find) == before


def test_a_comment_and_a_person(archive: Path) -> None:
    ((name, author),) = rows(
        archive, "SELECT platform_comment_id, author FROM comments ORDER BY platform_comment_id LIMIT 1"
    )
    hidden(archive, name)
    assert naming(archive, name) == set()
    assert rows(archive, "SELECT count(*) FROM comments") == [(3,)]
    hidden(archive, author, "block")
    assert naming(archive, author) == set()
    assert rows(archive, "SELECT count(*) FROM comments") == [(2,)]
    is_sound(archive)
    visit(archive)
    assert naming(archive, name, author) == set()


def test_a_clinic(archive: Path) -> None:
    takedown_id = hidden(archive, "riverside", "block")
    with_rows = {table for table, _, _ in cells(archive)} - {"crawls", "cache_due"}
    assert with_rows == {"withdrawals"}
    is_sound(archive)
    takedown(archive, "lift", takedown_id, *REASON)
    assert rows(archive, "SELECT count(*) FROM posts") == [(2,)]
    is_sound(archive)


def test_what_is_blocked_is_not_requested(archive: Path) -> None:
    hidden(archive, f"{SITE}/post/sleep", "block")
    run = Run(archive)
    for day in (None, date(2026, 11, 30)):
        is_blocked = is_not_requested(run.db, archive, "riverside", run.key, day)
        assert is_blocked is not None
        assert [url for url in (f"{SITE}/post/sleep/", post_url("sleep"), f"{SITE}/post/rest") if is_blocked(url)] == [
            f"{SITE}/post/sleep/", post_url("sleep")
        ]  # fmt: skip
    run.release()


def test_what_is_hidden_is_requested_once_a_month(archive: Path) -> None:
    hidden(archive, f"{SITE}/post/sleep")
    run = Run(archive)
    skipped = []
    for number in range(HIDDEN_EVERY):
        is_skipped = is_not_requested(run.db, archive, "riverside", run.key, date(2026, 11, 1) + timedelta(number))
        assert is_skipped is not None
        assert not is_skipped(f"{SITE}/post/rest")
        skipped.append(is_skipped(post_url("sleep")))
    run.release()
    assert sorted(skipped) == [False, *[True] * (HIDDEN_EVERY - 1)]


def test_what_is_derived_is_there_again(archive: Path) -> None:
    sql = "SELECT removed, added FROM edits WHERE url LIKE '%/rest' ORDER BY edit_id"
    edits = rows(archive, sql)
    assert edits
    takedown_id = hidden(archive, f"{SITE}/post/sleep")
    assert rows(archive, sql) == edits
    assert takedown(archive, "lift", takedown_id, *REASON).exit_code == 0
    with closing(open_archive(archive, "read")) as db:
        assert progress(db.conn).derived == progress(db.conn).revisions


def test_without_yes_nothing_is_done(archive: Path) -> None:
    done = takedown(archive, "add", f"{SITE}/post/sleep", "--grade", "hide", *REASON)
    assert done.exit_code == 0
    assert "posts 1" in done.output
    assert rows(archive, "SELECT count(*) FROM posts") == [(2,)]


@pytest.mark.parametrize("subject", ["https://other.example/post/x", SITE, "reader-aaaaaaaaaaaa", "nothing", "99999"])
def test_an_unknown_subject(archive: Path, subject: str) -> None:
    done = takedown(archive, "add", subject, "--grade", "hide", *REASON, "--yes")
    assert done.exit_code == 4
    assert "nothing withdrawn" in done.output
    assert rows(archive, "SELECT count(*) FROM posts") == [(2,)]


def test_twice_and_a_higher_grade(archive: Path) -> None:
    takedown_id = hidden(archive, f"{SITE}/post/sleep")
    done = takedown(archive, "add", f"{SITE}/post/sleep", "--grade", "hide", *REASON, "--yes")
    assert (done.exit_code, takedown_id in done.output) == (4, True)
    hidden(archive, f"{SITE}/post/sleep", "block")
    assert rows(archive, "SELECT grade FROM withdrawals ORDER BY 1") == [("block",), ("hide",)]
    assert takedown(archive, "lift", "0" * 12, *REASON).exit_code == 4
    assert takedown(archive, "lift", takedown_id, "--reason", "mail a@b.example").exit_code == 2
    listed = json.loads(takedown(archive, "list", "--json").output)["takedowns"]
    assert [(each["grade"], each["lifted"]) for each in listed] == [("hide", None), ("block", None)]
    assert "sleep" not in json.dumps(listed)


def test_another_key_is_refused(archive: Path) -> None:
    hidden(archive, f"{SITE}/post/sleep")
    (archive / KEY_FILE).write_text("ab" * 32)
    assert takedown(archive, "add", "riverside", "--grade", "hide", *REASON, "--yes").exit_code == 4
    (archive / KEY_FILE).unlink()
    done = CliRunner().invoke(main, ["rebuild", "--archive", str(archive)])
    assert done.exit_code == 4
    assert rows(archive, "SELECT slug FROM posts") == [("rest",)]


def test_a_kill_before_the_rows_were_made_again(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.run.run.refold_past", killed)
        takedown(archive, "add", f"{SITE}/post/sleep", "--grade", "hide", *REASON, "--yes")
    Run._open.pop(str(archive), None)
    run = Run(archive)
    recover(run)
    run.release()
    assert naming(archive, *SECRET) == set()
    is_sound(archive)


def test_texts_of_studies(archive: Path) -> None:
    hidden(archive, f"{SITE}/post/sleep")
    with closing(open_archive(archive, "read")) as db:
        is_gone = withdrawn_texts(db)
    names = ("sleep", "rest")
    assert [is_gone("riverside", f"/riverside/{name}/20260301093000-0123abcd") for name in names] == [True, False]
    assert not is_gone("elsewhere", "/elsewhere/sleep/20260301093000-0123abcd")


def test_the_access_list(archive: Path) -> None:
    hidden(archive, f"{SITE}/post/sleep")
    lines = takedown(archive, "export").output.splitlines()
    assert any(line.startswith("example,riverside)/post/sleep### - ") for line in lines)
    assert not any("/post/rest" in line for line in lines)


async def get(archive: Path, *paths: str) -> list[tuple[int, str]]:
    site = site_of(archive)
    found = [await site.client.get(path) for path in paths]
    return [(answer.status_code, answer.text) for answer in found]


def test_the_site(archive: Path, tmp_path: Path) -> None:
    ((capture_id, other),) = rows(
        archive,
        "SELECT (SELECT capture_id FROM revisions JOIN posts USING (post_id) WHERE slug = 'sleep'), (SELECT capture_id"
        " FROM revisions JOIN posts USING (post_id) WHERE slug = 'rest')",
    )
    hidden(archive, f"{SITE}/post/sleep")
    pages = ["/riverside/sleep", f"/-/capture/{capture_id}", f"/-/capture/{capture_id}/record.warc.gz"]
    pages += ["/riverside/rest", f"/-/capture/{other}", "/", "/riverside", "/-/search?q=sleep"]
    answers = asyncio.run(get(archive, *pages))
    assert [status for status, _ in answers] == [410, 410, 410, 200, 410, 200, 200, 200]  # it links to sleep
    words = re.compile(r"/post/sleep|On sleep|about sleep", re.IGNORECASE)
    assert [page for page, (_, text) in zip(pages, answers, strict=True) if words.search(text)] == []
    target = tmp_path / "all.wacz"
    done = CliRunner().invoke(main, ["wacz", "-o", str(target), "--archive", str(archive), "--with-comment-captures"])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as package:
        packed = b"".join(package.read(name) for name in package.namelist() if not name.endswith(".warc.gz"))
        records = b"".join(
            gzip.decompress(package.read(name)) for name in package.namelist() if name.endswith(".warc.gz")
        )
    assert b"helped me" in records
    assert b"about sleep" not in records + packed
    assert b"/post/sleep" not in packed


def test_a_published_copy_of_before_is_not_served(archive: Path) -> None:
    assert CliRunner().invoke(main, ["publish", "--archive", str(archive)]).exit_code == 0
    yesterday = (today() - timedelta(days=1)).isoformat()
    hidden(archive, f"{SITE}/post/sleep", "hide", "--due", yesterday)
    assert asyncio.run(get(archive / "published", "/", "/riverside/sleep"))[0][0] == 503
    refused = CliRunner().invoke(main, ["serve", "--published", "--archive", str(archive)])
    assert (refused.exit_code, "withdrawn" in refused.output) == (4, True)
    status = CliRunner().invoke(main, ["status", "--quiet", "--archive", str(archive)])
    assert "was due on" in status.output
    assert CliRunner().invoke(main, ["publish", "--archive", str(archive)]).exit_code == 0
    assert asyncio.run(get(archive / "published", "/", "/riverside/sleep"))[1][0] == 410
    assert "was due on" not in CliRunner().invoke(main, ["status", "--quiet", "--archive", str(archive)]).output


def test_the_end_of_a_run_reads_no_earlier_run(archive: Path) -> None:
    """What is withdrawn is known from the rows, however many runs there were; verify finds the same in the files."""
    hidden(archive, f"{SITE}/post/sleep")
    line = f"riverside: {SITE}/post/sleep: 404; {SITE}/post/rest: 404"
    opened, counting = list[str](), [True]
    sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" and counting else None)
    with Visiting(archive) as visiting:
        visiting.end()
        assert any(f"{RUNS}/" in path for path in opened)  # the control: the visit looks up what is withdrawn here
        opened.clear()
        visiting.run.close(0, {"problems": [line]})
    counting.clear()
    assert [path for path in opened if f"{RUNS}/" in path] == []
    ((summary,),) = rows(archive, "SELECT summary FROM crawls ORDER BY started_at DESC LIMIT 1")
    assert json.loads(summary)["problems"] == [f"riverside: [withdrawn]: 404; {SITE}/post/rest: 404"]
    is_sound(archive)


def test_an_address_that_a_purged_post_gets(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next crawl learns it from the id, before it records an empty answer: rows and run's file agree."""
    done = takedown(archive, "add", f"{SITE}/post/sleep", "--grade", "purge", *REASON, "--yes")
    assert done.exit_code == 0
    assert takedown(archive, "purge").exit_code == 0
    before = rows(archive, "SELECT count(*) FROM withdrawn_permalinks")
    for names in (UUIDS, HEXES):
        monkeypatch.setitem(names, "slumber", names["sleep"])
    with Visiting(archive) as visiting:
        visiting.answer(post_url("slumber"), post_answer("slumber", "All about sleep."))
        visiting.end()
        visiting.run.close(0, {"problems": [f"riverside: {SITE}/post/slumber: 404"]})
    assert rows(archive, "SELECT count(*) FROM withdrawn_permalinks") > before
    ((summary,),) = rows(archive, "SELECT summary FROM crawls ORDER BY started_at DESC LIMIT 1")
    assert json.loads(summary)["problems"] == ["riverside: [withdrawn]: 404"]
    is_sound(archive)
