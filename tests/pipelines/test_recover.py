"""After a kill: what lies whole in the WARC becomes rows, once; what is torn is cut; names stay out."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.db import DATABASE
from archive.rows import runs
from archive.warc import HttpExchange, Original
from pipelines.events import ClinicListed
from pipelines.fold import fold as folding
from pipelines.recover import recover
from pipelines.run.run import Run
from scraper.items import Problem
from tests.making import faults, natural
from tests.soak import SOAK, sampled
from tests.visiting import (
    CLINIC,
    HEXES,
    SITE,
    Visiting,
    comments_answer,
    comments_url,
    members_answer,
    post_answer,
    post_url,
    with_privacy,
)

NAMES = ("Marisol", "Vega", "Roe")
BATCHES = (1, 3, 64)  # events that one transaction holds
TOLD = {"p1": "Marisol Vega", "p2": "Ada Roe"}


def script(visiting: Visiting) -> list[Any]:
    """A visit, step by step: posts, an edit, a refusal, a note, threads with names."""
    return [
        lambda: visiting.answer(post_url("sleep"), post_answer("sleep", "Sleep well.", views=3)),
        lambda: visiting.answer(post_url("rest"), post_answer("rest", "Rest well.")),
        lambda: visiting.answer(post_url("sleep"), post_answer("sleep", "Sleep better.", views=4)),
        lambda: visiting.fail(f"{SITE}/post/gone", TimeoutError("slow")),
        lambda: visiting.answer(f"{SITE}/post/none", status=404, headers={"Content-Type": "text/html"}),
        lambda: visiting.note(Problem(kind="robots-refused", message="forbidden", url=f"{SITE}/x")),
        lambda: visiting.thread("sleep", Vega="Marisol Vega", Roe="Ada Roe"),
        lambda: visiting.answer(post_url("rest"), b"{not json", headers={"Location": "http://[x"}, status=200),
        lambda: visiting.answer(f"{SITE}/old", status=301, headers={"Location": "http://[x"}),
        lambda: visiting.thread("rest", Vega="Marisol Vega"),
    ]


def caught_up(archive: Path) -> tuple[list[str], dict[str, list[tuple[Any, ...]]]]:
    """The lines and tables after the next start; the full text agrees, no name is anywhere."""
    run = Run(archive)
    try:
        lines = recover(run)
        assert faults(run.db) == []
        dump = "\n".join(run.db.conn.iterdump())
        assert not [name for name in NAMES if name in dump]
        return lines, natural(run.db)
    finally:
        run.release()


def forgotten(archive: Path, target: Path) -> Path:
    """A copy whose database knows that the runs began, and nothing else."""
    shutil.copytree(archive, target)
    run = Run(target)
    with run.db.atomic():
        run.db.execute("PRAGMA defer_foreign_keys = ON")
        for table in run.db.table_names():
            if not table.startswith("_") and "_fts" not in table and table not in ("clinics", "crawls", "clinic_runs"):
                run.db.execute(f"DELETE FROM [{table}]")
        run.db.execute("UPDATE clinic_runs SET status = 'running'")
        run.db.execute("UPDATE clinics SET platform = NULL, language = NULL")
    run.release()
    return target


# Each step with one of the sizes; with SOAK with all.
KILLS = [(steps, batch) for steps in range(11) for batch in BATCHES if SOAK or batch == BATCHES[steps % 3]]


@pytest.mark.parametrize(("steps", "batch"), KILLS)
def test_killed_after_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, batch: int) -> None:
    """The archive that caught up equals one folded from the same bytes alone, and a second start changes nothing."""
    monkeypatch.setattr(folding, "BATCH", batch)
    with Visiting(tmp_path / "a") as visiting:
        for step in script(visiting)[:steps]:
            step()
        recorded = visiting.run.outcomes["riverside"].recorded
        visiting.kill()
    rebuilt = forgotten(tmp_path / "a", tmp_path / "b")
    lines, tables = caught_up(tmp_path / "a")
    assert [line for line in lines if "killed" in line]
    assert len(tables["captures"]) == recorded
    assert list((tmp_path / "a").rglob("*.open")) == []
    assert caught_up(tmp_path / "a") == ([], tables)
    _, others = caught_up(rebuilt)
    for table in tables:
        if table not in ("clinics", "crawls", "clinic_runs"):
            assert others[table] == tables[table], table


@pytest.mark.parametrize("finished", [True, False])
def test_a_fold_of_the_bytes_equals_the_live_visit(tmp_path: Path, finished: bool) -> None:
    """Ended well, or by Ctrl-C in the middle of a thread."""
    with Visiting(tmp_path / "a") as visiting:
        for step in script(visiting):
            step()
        if not finished:
            visiting.answer(comments_url("sleep"), comments_answer(("late", "p1", "Vega again.")))
        visiting.end(finished=finished)
        live = natural(visiting.run.db)
        assert faults(visiting.run.db) == []
        visiting.run.close(0, {})
    _, again = caught_up(forgotten(tmp_path / "a", tmp_path / "b"))
    for table in live:
        if table not in ("crawls", "clinic_runs"):
            assert again[table] == live[table], table
    assert {row[:4] for row in again["clinic_runs"]} == {row[:4] for row in live["clinic_runs"]}
    texts = {
        row[0] for row in _rows(tmp_path / "b", "SELECT body_text FROM comments WHERE platform_comment_id = 'late'")
    }
    assert texts == (set() if finished else {None})


def _rows(archive: Path, sql: str) -> list[tuple[Any, ...]]:
    run = Run(archive)
    try:
        return run.db.execute(sql).fetchall()
    finally:
        run.release()


@pytest.mark.parametrize("torn", [1, 40, 200])
def test_a_torn_tail_is_cut_and_no_row_stands_on_it(tmp_path: Path, torn: int) -> None:
    """Also where the answer is whole and only its request is torn: it is about to be cut with it."""
    with Visiting(tmp_path) as visiting:
        for step in script(visiting)[:3]:
            step()
        visiting.kill()
    (path,) = (tmp_path / "warc" / "riverside").glob("*.warc.gz")
    whole = path.stat().st_size
    with path.open("rb+") as file:
        file.truncate(whole - torn)
    lines, tables = caught_up(tmp_path)
    assert len(tables["captures"]) == 2
    assert [line for line in lines if "torn" in line]
    assert path.with_name(path.name + ".torn").exists()
    size = path.stat().st_size
    run = Run(tmp_path)
    for offset, length in run.db.execute("SELECT warc_offset, warc_length FROM captures").fetchall():
        assert offset + length <= size
    run.release()


def test_an_answer_without_its_request_is_not_folded_in(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        answer = script(visiting)[1]().capture
        visiting.kill()
    (path,) = (tmp_path / "warc" / "riverside").glob("*.warc.gz")
    with path.open("rb+") as file:
        file.truncate(answer.warc_offset + answer.warc_length)
    _, tables = caught_up(tmp_path)
    assert len(tables["captures"]) == 1


def test_a_long_run_of_several_files(tmp_path: Path) -> None:
    """The rows of a file that was full, and closed, may not have been committed yet."""
    with Visiting(tmp_path) as visiting:
        visiting.run.writer("riverside")._max_bytes = 1
        for step in script(visiting):
            step()
        recorded = visiting.run.outcomes["riverside"].recorded
        visiting.kill()
    assert len(list(tmp_path.rglob("*.warc.gz"))) > 5
    lines, tables = caught_up(tmp_path)
    assert len(tables["captures"]) == recorded
    assert len([line for line in lines if "killed" in line]) == 1


def test_runs_of_one_second_are_folded_in_the_order_of_their_starts(tmp_path: Path) -> None:
    """Names of files say the second, then the run's random id."""
    live = tmp_path / "live"
    for number in range(6):
        with Visiting(live) as visiting:
            visiting.answer(post_url("sleep"), post_answer("sleep", f"Wording {number}.", views=number))
            visiting.end()
            visiting.run.close(0, {})
    _, tables = caught_up(forgotten(live, tmp_path / "copy"))
    assert tables["posts"] == caught_up(live)[1]["posts"]
    assert "Wording 5." in repr(tables["posts"])


def test_killed_between_the_note_of_the_end_and_its_rows(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        for step in script(visiting):
            step()
        visiting.end()
        runs.close_unended_crawls(visiting.run.db)  # as the next start does
        wanted = natural(visiting.run.db)
        visiting.run.db.execute(
            "UPDATE clinic_runs SET status = 'running', ended_at = NULL, complete = NULL, fetched = NULL, note = NULL"
        )
        visiting.run.db.execute("UPDATE clinics SET blog_status = 'unknown', first_crawled_at = NULL")
        visiting.kill()
    _, tables = caught_up(tmp_path)
    assert tables == wanted


def test_a_killed_run_is_not_running_any_more(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        visiting.kill()
    caught_up(tmp_path)
    ((status, complete, posts, ended),) = _rows(tmp_path, "SELECT status, complete, posts, ended_at FROM clinic_runs")
    assert (status, complete, posts) == ("cut-short", 0, 1)
    assert _rows(tmp_path, "SELECT max(fetched_at) FROM captures") == [(ended,)]
    assert _rows(tmp_path, "SELECT ended_at, exit_code FROM crawls") == [(ended, None)]


PAGE = f"{SITE}/post/sleep"
SHOWN = """<html lang="en"><head><meta name="generator" content="Wix.com Website Builder">
<meta property="article:published_time" content="2026-02-20T10:00:00.000Z"></head><body>
<div data-hook="post-page"><article data-hook="post"><h1 data-hook="post-title">On sleep</h1><div>
<div data-hook="rcv-block-first"></div><p>Sleep well.</p><div data-hook="rcv-block-last"></div></div>
<div data-hook="post-stats">{stats}</div></article></div>{widget}</body></html>"""
WIDGET = f"""<div data-hook="wc-root {HEXES["sleep"]}"><div id="C-old" data-hook="list-item top-level">
<span data-hook="comments-author">Ada Roe</span><span data-hook="time-ago">3h</span><div data-hook="comment-content">
<p>Roe was here before.</p></div></div></div>"""


def rendered(visiting: Visiting) -> list[Any]:
    """The steps of a rendered visit: what the browser received, in order of completion, then the DOM."""
    writer, json_type = visiting.run.writer("riverside"), [(b"Content-Type", b"application/json")]

    def received(via: str, url: str, body: bytes, **changes: Any) -> Any:
        mime = [(b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Encoding", b"br")]
        values: dict[str, Any] = {
            "url": url, "method": "GET", "request_headers": [], "request_body": b"", "status": 200, "reason": "OK",
            "protocol": "h2", "response_headers": mime if via == "document" else json_type, "body": body, "ip": None,
            "fetched_at": datetime.now(UTC), "via": via, "page": PAGE,
        }  # fmt: skip
        return lambda: writer.write_exchange(HttpExchange(**values | changes))

    waiting = SHOWN.format(stats='<div style="--width:40px"> </div>', widget="").encode()
    visible = SHOWN.format(stats="<span>9 views</span><span>3 comments</span>", widget=WIDGET).encode()
    counts = json.dumps({"postPageMetadata": {"id": "sleep", "postMetadata": {"viewCount": 9}}}).encode()
    answer = comments_answer(("c1", "p1", "Marisol Vega helped me."), ("c2", "p2", "Roe did."), following="")
    members = {"method": "POST", "request_body": b'{"query": {}}'}
    return [
        received("document", PAGE, waiting),
        received("script", "https://cdn.example/viewer.js", b"go()"),
        received("fetch", f"{SITE}/_srv/beat/sleep", counts),
        received("xhr", f"{SITE}/_srv/voices?resourceId={HEXES['sleep']}", answer),
        received("xhr", f"{SITE}/_srv/faces", members_answer(**TOLD), **members),
        lambda: writer.write_dom(url=PAGE, page=PAGE, body=visible, at=datetime.now(UTC)),
    ]


@pytest.mark.parametrize("steps", [*sampled(range(1, 6), 2), 6])
def test_killed_while_a_page_was_rendered(tmp_path: Path, steps: int) -> None:
    """Its whole records are folded in like any other, and say that they came through a browser."""
    with Visiting(tmp_path / "a") as visiting:
        for step in rendered(visiting)[:steps]:
            step()
        visiting.kill()
    rebuilt = forgotten(tmp_path / "a", tmp_path / "b")
    lines, tables = caught_up(tmp_path / "a")
    assert [line for line in lines if f"; {steps} recorded answers folded in" in line]
    assert caught_up(rebuilt)[1] == tables
    types = [row[0] for row in _rows(tmp_path / "a", "SELECT record_type FROM captures ORDER BY fetched_at")]
    assert types == ["response"] * min(steps, 5) + ["resource"] * (steps == 6)
    readings = _rows(tmp_path / "a", "SELECT views, comments_count, source FROM readings ORDER BY read_at")
    assert readings == [(9, None, "rendered"), (None, 3, "rendered")][: (steps > 2) + (steps > 5)]
    assert _rows(tmp_path / "a", "SELECT kind, source FROM revisions ORDER BY captured_at") == [
        ("first", "html"), ("source", "rendered"),
    ][: 1 + (steps > 5)]  # fmt: skip
    if steps == 6:  # the DOM is what joins the comments' key to the post
        found = _rows(tmp_path / "a", "SELECT platform_comment_id, source, body_text FROM comments ORDER BY 1")
        assert found == [
            ("c1", "rendered", "[name] helped me."), ("c2", "rendered", "[name] did."),
            ("old", "rendered", "[name] was here before."),
        ]  # fmt: skip
    assert _rows(tmp_path / "a", "SELECT count(*) FROM problems WHERE kind <> 'thread-cut-short'") == [(0,)]


@pytest.mark.parametrize("missing", ["late", "refused"])
def test_a_page_whose_names_never_came_keeps_its_texts_back(tmp_path: Path, missing: str) -> None:
    """The page was left before they came, or the site refused them, and the visit went on: nobody can mask them."""
    anonymous = (
        WIDGET.replace("C-old", "C-c1").replace("Ada Roe", "Unknown member").replace("Roe was here", "It was so")
    )
    visible = SHOWN.format(stats="<span>9 views</span><span>2 comments</span>", widget=anonymous).encode()
    with Visiting(tmp_path / "a") as visiting:
        for step in rendered(visiting)[:4]:
            step()
        if missing == "refused":
            visiting.run.writer("riverside").write_dom(url=PAGE, page=PAGE, body=visible, at=datetime.now(UTC))
        visiting.answer(post_url("rest"), post_answer("rest", "Rest well."))
        visiting.kill()
    caught_up(tmp_path / "a")  # looks for names itself
    texts = _rows(tmp_path / "a", "SELECT DISTINCT body_text FROM comments WHERE platform_comment_id IN ('c1', 'c2')")
    assert texts in ([], [(None,)])
    assert _rows(tmp_path / "a", "SELECT count(*) FROM problems WHERE kind = 'thread-cut-short'") == [(1,)]


def test_one_whom_the_page_shows_without_a_name_is_a_member_no_more(tmp_path: Path) -> None:
    """Names of others came, so that they were told to all who have one."""
    widget = WIDGET.replace("C-old", "C-c2").replace("Ada Roe", "Unknown member").replace("Roe was", "It was")
    visible = SHOWN.format(stats="<span>9 views</span><span>2 comments</span>", widget=widget).encode()
    with Visiting(tmp_path / "a") as visiting:
        for step in rendered(visiting)[:3]:
            step()
        writer, headers = visiting.run.writer("riverside"), [(b"Content-Type", b"application/json")]
        answer = comments_answer(("c1", "p1", "Marisol Vega helped me."), ("c2", "p9", "It did."), following="")
        for url, body in ((f"{SITE}/_srv/voices?resourceId={HEXES['sleep']}", answer),
                          (f"{SITE}/_srv/faces", members_answer(p1="Marisol Vega"))):  # fmt: skip
            writer.write_exchange(HttpExchange(
                url=url, method="GET", request_headers=[], request_body=b"", status=200, reason="OK", protocol="h2",
                response_headers=headers, body=body, ip=None, fetched_at=datetime.now(UTC), via="xhr", page=PAGE,
            ))  # fmt: skip
        writer.write_dom(url=PAGE, page=PAGE, body=visible, at=datetime.now(UTC))
        visiting.answer(post_url("rest"), post_answer("rest", "Rest well."))
        visiting.kill()
    caught_up(tmp_path / "a")
    texts = _rows(tmp_path / "a", "SELECT body_text FROM comments ORDER BY platform_comment_id")
    assert texts == [("[name] helped me.",), ("It did.",)]


def test_an_answer_that_a_page_got_twice_is_read_from_the_first(tmp_path: Path) -> None:
    """Its second record is a revisit of one whose row is not committed yet, and what it tells are names."""
    with Visiting(tmp_path) as visiting:
        steps = rendered(visiting)
        for step in steps[:4]:
            step()
        first = steps[4]()
        original = Original(first.capture_id, first.url, first.fetched_at, first.payload_sha256)
        visiting.run.writer("riverside").write_exchange(HttpExchange(
            url=first.url, method="POST", request_headers=[], request_body=b'{"query": {}}', status=200, reason="OK",
            protocol="h2", response_headers=[(b"Content-Type", b"application/json")], body=members_answer(**TOLD),
            ip=None, fetched_at=datetime.now(UTC), refers_to=original, via="xhr", page=PAGE,
        ))  # fmt: skip
        visiting.kill()
    caught_up(tmp_path)
    assert _rows(tmp_path, "SELECT record_type FROM captures ORDER BY fetched_at DESC LIMIT 1") == [("revisit",)]
    assert _rows(tmp_path, "SELECT message FROM problems WHERE kind = 'missing-original'") == []


def test_a_visit_that_was_cut_off_before_its_first_row_is_found(tmp_path: Path) -> None:
    """A worker that is killed had recorded the start of its visit; the process that writes rows never read of it."""
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        visiting.run.db.execute("DELETE FROM clinic_runs")
        visiting.run.is_cut_off = True
        visiting.run.close(130, {})
    assert len(list((tmp_path / "warc").rglob("*.open"))) == 2
    lines, tables = caught_up(tmp_path)
    assert [line.partition(": ")[2] for line in lines] == ["an earlier run was killed; 1 recorded answers folded in"]
    assert len(tables["captures"]) == 1
    assert not list((tmp_path / "warc").rglob("*.open"))
    assert caught_up(tmp_path)[0] == []


def test_killed_before_anything_was_fetched(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.kill()
    caught_up(tmp_path)
    assert _rows(tmp_path, "SELECT status FROM clinic_runs") == [("cut-short",)]


def test_a_thread_cut_in_two_leaves_no_names(tmp_path: Path) -> None:
    with Visiting(tmp_path / "a") as visiting:
        script(visiting)[0]()
        visiting.answer(comments_url("sleep"), comments_answer(("c1", "p1", "Marisol Vega helped me.")))
        visiting.kill()
    caught_up(tmp_path / "a")  # looks for names itself
    assert _rows(tmp_path / "a", "SELECT platform_comment_id, body_text FROM comments") == [("c1", None)]
    with Visiting(tmp_path / "a") as visiting:
        visiting.thread("sleep", **TOLD)
        visiting.answer(comments_url("sleep"), comments_answer(("c1", "p1", "Thank you.")))
        visiting.end()
        assert visiting.run.db.execute("SELECT body_text FROM comments WHERE body_text IS NULL").fetchall() == []
        visiting.run.close(0, {})


def test_the_stanzas_privacy_holds_after_a_kill_too(tmp_path: Path) -> None:
    with Visiting(tmp_path, with_privacy("omit")) as visiting:
        script(visiting)[0]()
        visiting.thread("sleep", **TOLD)
        visiting.kill()
    caught_up(tmp_path)
    assert _rows(tmp_path, "SELECT DISTINCT author FROM comments") == [(None,)]


def test_a_revisit_whose_original_is_gone_is_a_problem(tmp_path: Path) -> None:
    """The database was put back from before; the file that the revisit stands on is lost."""
    page = post_answer("sleep", "Sleep well.")
    with Visiting(tmp_path) as visiting:
        visiting.answer(post_url("sleep"), page)
        visiting.end()
        visiting.run.close(0, {})
    (first,) = (tmp_path / "warc" / "riverside").glob("*.warc.gz")
    with Visiting(tmp_path) as visiting:
        visiting.answer(post_url("sleep"), page)
        visiting.answer(post_url("sleep"), status=304)
        visiting.kill()
    first.unlink()
    caught_up(tmp_path)
    kinds = _rows(tmp_path, "SELECT kind FROM problems ORDER BY happened_at")
    assert ("missing-original",) in kinds


def _without_database(archive: Path) -> Path:
    for path in archive.glob(f"{DATABASE}*"):
        path.unlink()
    return archive


def _forget_clinic(archive: Path) -> None:
    """As in a database from before the clinic came."""
    run = Run(archive)
    with run.db.atomic():
        run.db.execute("PRAGMA defer_foreign_keys = ON")
        for table in run.db.table_names():
            if not table.startswith("_") and "_fts" not in table:
                run.db.execute(f"DELETE FROM [{table}]")
        stanza = {**CLINIC.as_stanza(), "url": "https://other.example"}
        run.fold_of("other").apply(ClinicListed("other", stanza, None))
    run.release()


def test_a_clinic_that_the_database_does_not_know_is_left_for_a_rebuild(tmp_path: Path) -> None:
    """A database that holds only the last run of many would pass for the archive; each start says so."""
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        visiting.end()
        visiting.run.close(0, {})
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        visiting.kill()
    _forget_clinic(tmp_path)
    for _ in range(2):
        lines, tables = caught_up(tmp_path)
        assert [line for line in lines if "rebuild" in line] == lines[:1] == lines
        assert tables["captures"] == []
        assert len(list((tmp_path / "warc" / "riverside").glob("*.open"))) == 1


def test_a_first_run_killed_before_it_had_a_row(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        script(visiting)[0]()
        visiting.kill()
    _, wanted = caught_up(shutil.copytree(tmp_path, tmp_path / "copy"))
    _, tables = caught_up(_without_database(tmp_path))
    assert tables == wanted


@pytest.mark.parametrize("letters", ["f\u00fcr".encode(), "f\u00fcr".encode("latin-1")])
def test_letters_beyond_ascii_in_a_location_are_the_same_from_the_record(tmp_path: Path, letters: bytes) -> None:
    with Visiting(tmp_path / "a") as visiting:
        visiting.answer(f"{SITE}/post/old", status=301, headers={"Location": SITE.encode() + b"/post/" + letters})
        visiting.end()
        live = natural(visiting.run.db)
        visiting.run.close(0, {})
    _, again = caught_up(forgotten(tmp_path / "a", tmp_path / "b"))
    assert again["post_addresses"] == live["post_addresses"]
    assert f"{SITE}/post/f%C3%BCr" in {row[1] for row in live["post_addresses"]}
