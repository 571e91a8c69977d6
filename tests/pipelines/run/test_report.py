"""How a run went: status, rows, note, exit code, one line a problem."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import CloseSpider
from twisted.internet.defer import Deferred, succeed

from archive.warc import Note, records
from pipelines.exit_codes import ExitCode
from pipelines.run.outcome.judgement import exit_code, judge
from pipelines.run.outcome.outcome import VisitOutcome, mark_failed
from pipelines.run.report import problem_lines, summary
from pipelines.workers.process import Process
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState
from scraper.items import Problem
from tests.visiting import CLINIC, Visiting, post_answer, post_url

PAGE = post_answer("sleep", "Sleep well.", views=3)


NEVER_THERE = (
    "posts answer that they do not exist, though the blog's lists name them; none of them was ever read; compare the"
    " addresses in the lists with those in a browser"
)


def outcome(status: str = "running", **visit: Any) -> VisitOutcome:
    done = VisitState(clinic_id="riverside", **({"finished": True, "attempted": 4} | visit))
    return VisitOutcome(clinic=CLINIC, started_at="2026", visit=done, status=status)


@pytest.mark.parametrize(
    ("visit", "broken", "status", "why"),
    [
        ({}, None, "done", None),
        ({"failed": 2}, None, "done", None),
        ({"failed": 3}, None, "failed", "3 of 4 posts could not be read"),
        ({"gone": 3, "never_there": 3}, None, "failed", f"3 of 4 {NEVER_THERE}"),
        ({"gone": 3, "never_there": 3, "not_due": 2}, None, "done", None),
        ({"gone": 4, "never_there": 2}, None, "done", None),
        ({"failed": 3, "gone": 1}, None, "failed", "3 of 4 posts could not be read"),
        ({"failed": 3, "expected": 1}, None, "done", None),
        ({"failed": 3, "expected": 3, "unreadable": 2}, None, "failed", "2 of 3 posts could not be read"),
        ({"gone": 4}, None, "done", None),
        ({"failure": "no blog", "finished": True}, None, "failed", "no blog"),
        ({"finished": False}, None, "cut-short", "ended early by a signal"),
        ({}, "disk full", "cut-short", "disk full"),
        ({"attempted": 0}, None, "done", None),
    ],
)
def test_judgement(visit: dict[str, Any], broken: str | None, status: str, why: str | None) -> None:
    assert judge(outcome(**visit), "by a signal", broken) == (status, why)


@pytest.mark.parametrize(
    ("gone", "attempted", "deferred", "why"),
    [
        (20, 60, 0, None), (21, 60, 0, "21 of 60 posts answer that they are gone"), (10, 30, 30, None),
        (11, 30, 30, "11 of the 30 posts that the day's budget allowed answer that they are gone"), (2, 2, 58, None),
    ],
)  # fmt: skip
def test_posts_that_vanish_many_at_once(gone: int, attempted: int, deferred: int, why: str | None) -> None:
    """Of 60; a budget that lets a few be asked for hides none."""
    found = outcome(attempted=attempted, deferred=deferred, gone=gone)
    found.vanished = gone, 60
    status, answer = judge(found, "finished", None)
    assert (status, (answer or "").partition(":")[0] or None) == ("moved_or_gone" if why else "done", why)


@pytest.mark.parametrize(
    ("statuses", "broken", "not_begun", "code"),
    [
        (["done", "done"], None, [], 0), ([], None, [], 0), (["done", "failed"], None, [], 3),
        (["done"], None, ["x"], 130), (["cut-short", "done"], None, [], 130),
        (["failed", "cut-short"], None, ["x"], 3),
        (["done"], "disk full", ["x"], 1), (["done", "running"], None, [], 1), ([], None, ["x"], 130),
    ],
)  # fmt: skip
def test_exit_codes(tmp_path: Path, statuses: list[str], broken: str | None, not_begun: list[str], code: int) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.run.outcomes = {str(n): outcome(status) for n, status in enumerate(statuses)}
        visiting.run.broken, visiting.run.not_begun = broken, not_begun
        assert exit_code(visiting.run) == code


@pytest.mark.parametrize(
    ("clinics", "failed", "share", "code"),
    [(100, 5, 0.05, 0), (100, 6, 0.05, 3), (100, 1, 0.0, 3), (50, 1, 0.05, 3), (51, 2, 0.05, 0)],
)
def test_of_a_large_frame_a_share_may_fail(tmp_path: Path, clinics: int, failed: int, share: float, code: int) -> None:
    with Visiting(tmp_path) as visiting:
        statuses = ["failed"] * failed + ["done"] * (clinics - failed)
        visiting.run.outcomes = {str(n): outcome(status) for n, status in enumerate(statuses)}
        visiting.run.failed_share = share
        assert exit_code(visiting.run) == code


def row(visiting: Visiting, columns: str) -> tuple[Any, ...]:
    ((*values,),) = visiting.run.db.execute(f"SELECT {columns} FROM clinic_runs").fetchall()
    return tuple(values)


def test_the_end_is_told_in_rows_and_in_the_warc(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.answer(post_url("sleep"), PAGE)
        visiting.visit.attempted = visiting.visit.fetched = 1
        visiting.end()
        assert row(visiting, "status, complete, fetched, posts, new_posts, readings") == ("done", 1, 1, 1, 1, 1)
        (path,) = (tmp_path / "warc" / "riverside").glob("*.warc.gz")
        (note,) = [item for item in records(path) if isinstance(item, Note) and item.kind == "run-ended"]
        found = {name: json.loads(text) for name, text in note.fields.items()}
        assert (found["finished"], found["blog_status"], found["platform"]) == (True, "blog", "wix")
        apart = ("finished", "blog_status", "platform", "maker", "reader", "fields")
        columns = {name: value for name, value in found.items() if name not in apart}
        assert row(visiting, ", ".join(columns)) == tuple(columns.values())
        ((status, platform, first),) = visiting.run.db.execute(
            "SELECT blog_status, platform, first_crawled_at FROM clinics"
        ).fetchall()
        assert (status, platform, first) == ("blog", "wix", found["ended_at"])
        assert list((tmp_path / "warc" / "riverside").rglob("*.open")) == []
        visiting.run.close(0, summary(visiting.run))
        assert exit_code(visiting.run) == 0


@pytest.mark.parametrize("visit", [{"limited": True}, {"failed": 1, "attempted": 9}])
def test_a_visit_that_left_something_out_is_not_complete(tmp_path: Path, visit: dict[str, Any]) -> None:
    with Visiting(tmp_path) as visiting:
        for name, value in visit.items():
            setattr(visiting.visit, name, value)
        visiting.end()
        assert row(visiting, "status, complete") == ("done", 0)


def test_a_visit_cut_short_is_not_complete(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.end(finished=False, status="unknown")
        assert row(visiting, "status, complete, note") == ("cut-short", 0, "ended early by a signal")
        assert exit_code(visiting.run) == 130
        assert problem_lines(visiting.run) == [
            "riverside: ended early by a signal; what was read is stored, the next run continues"
        ]


def test_a_visit_that_the_time_limit_ended(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.run.out_of_time = True
        visiting.end(finished=False, status="unknown")
        assert row(visiting, "status, note") == ("cut-short", "ended early by the time limit")


def test_a_recorded_answer_without_a_row_is_noticed(tmp_path: Path) -> None:
    """Whatever lost it on the way: the file stays unclosed, so that the next start folds it in."""
    with Visiting(tmp_path) as visiting:
        visiting.answer(post_url("sleep"), PAGE)
        request = visiting.request(post_url("rest"))
        from scrapy.http import Response

        served = Response(post_url("rest"), body=PAGE, request=request, protocol="HTTP/1.1")
        visiting.capture.process_response(request, served)  # and its extraction never comes
        visiting.end()
        assert row(visiting, "status") == ("running",)
        assert visiting.run.broken is not None
        assert "1 recorded answers have no row" in visiting.run.broken
        assert exit_code(visiting.run) == 1
    from pipelines.recover import recover
    from pipelines.run.run import Run

    run = Run(tmp_path)
    assert "1 recorded answers folded in" in recover(run)[0]
    assert run.db.execute("SELECT count(*) FROM captures").fetchone() == (2,)
    run.release()


def test_rows_that_cannot_be_written_end_the_run(tmp_path: Path) -> None:
    """Somebody holds the database with another program: nothing is lost, the next start goes on."""
    with Visiting(tmp_path) as visiting:
        visiting.run.db.execute("PRAGMA busy_timeout = 10")
        visiting.answer(post_url("sleep"), PAGE)
        other = sqlite3.connect(tmp_path / "archive.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            visiting.pipelines[-1].close_spider()  # type: ignore[union-attr]
        assert visiting.run.broken is not None
        assert "locked" in visiting.run.broken
        visiting.report.spider_closed(visiting.spider, "finished")
        assert exit_code(visiting.run) == 1
        assert problem_lines(visiting.run) == [visiting.run.broken]
        visiting.run.close(1, {})  # does not raise, and gives the lock back
        other.close()
    from pipelines.run.run import Run

    Run(tmp_path).release()


def test_a_disk_that_refuses_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.answer(post_url("sleep"), PAGE)
        file = visiting.run.writer("riverside")._file
        visiting.pipelines[-1].close_spider()  # type: ignore[union-attr]
        monkeypatch.setattr(file, "broken", True)
        visiting.report.spider_closed(visiting.spider, "finished")
        assert visiting.run.outcomes["riverside"].status == "cut-short"
        assert row(visiting, "status") == ("running",)  # the next start tells what became of it
        assert exit_code(visiting.run) == 1


def test_complaints_are_one_line_a_problem(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.run.outcomes = {}
        assert problem_lines(visiting.run) == []
        run = visiting.run
        run.outcomes = {"a": outcome("failed", failure="no such host"), "riverside": outcome("done", platform="wix")}
        problems = [Problem(kind="k", message=message) for message in ("x: odd", "x: odd", "y: odd")]
        run.outcomes["riverside"].problems += problems
        run.outcomes["c"] = outcome("cut-short", finished=False)
        run.outcomes["d"] = outcome("running")
        lines = problem_lines(run)
        assert lines[:3] == ["a: failed: no such host", "riverside: x: odd", "riverside: y: odd"]
        assert [line.partition(":")[0] for line in lines[3:]] == ["c", "d"]
        assert all("\n" not in line for line in lines)


def test_the_summary_keeps_no_path_in_the_database(tmp_path: Path) -> None:
    """The database is given to others; where it lay is nobody's business."""
    with Visiting(tmp_path) as visiting:
        visiting.note(Problem(kind="k", message="m"))
        visiting.end()
        found = summary(visiting.run)
        assert found["clinics"]["riverside"]["problem_lines"] == ["m"]
        assert found["archive"] == str(tmp_path)
        visiting.run.close(0, found)
    stored = sqlite3.connect(tmp_path / "archive.db")
    ((code, text),) = stored.execute("SELECT exit_code, summary FROM crawls").fetchall()
    stored.close()
    assert code == 0
    assert str(tmp_path) not in text
    assert json.loads(text)["clinics"]["riverside"]["status"] == "done"


def test_codes_are_those_of_the_docs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "exit-codes.md").read_text("utf-8")
    for code in (
        ExitCode.DONE,
        ExitCode.UNEXPECTED,
        ExitCode.CLINICS_FAILED,
        ExitCode.BAD_CONFIG,
        ExitCode.STALE,
        ExitCode.LOCKED,
        ExitCode.STOPPED,
    ):
        assert f"| {code} |" in text


def test_a_visit_that_could_not_begin_is_a_failed_one(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        visiting.end()
        mark_failed(
            visiting.run.outcomes,
            Clinic(slug="other", name="O", url="https://other.example"),
            "broke off (KeyError: x)",
        )
        mark_failed(visiting.run.outcomes, CLINIC, "broke off afterwards")
        assert exit_code(visiting.run) == 3
        assert problem_lines(visiting.run)[-1] == "other: failed: broke off (KeyError: x)"
        assert visiting.run.outcomes["riverside"].visit.failure == "broke off afterwards"


def test_nothing_is_fetched_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Clinics that still waited for their turn when the disk ran full, and a folder that cannot be made."""
    with Visiting(tmp_path) as visiting:
        visiting.end()
        visiting.run.outcomes.clear()
        (tmp_path / "warc" / "riverside").rename(tmp_path / "warc" / "kept")
        (tmp_path / "warc" / "riverside").write_text("a file where a folder should be")
        visiting.run.db.execute("DELETE FROM clinic_runs")
        with pytest.raises(CloseSpider):
            visiting.freshness.spider_opened(visiting.spider)
        assert visiting.run.broken is not None
        assert "could not begin" in visiting.run.broken
        assert exit_code(visiting.run) == 1
        with pytest.raises(CloseSpider):
            visiting.freshness.spider_opened(visiting.spider)


class Crawling:
    """A visit under way, as far as Scrapy's process knows it."""

    crawling = False

    def stop_async(self) -> Deferred[None]:
        return succeed(None)


def test_asked_to_stop_it_begins_no_further_visit() -> None:
    """Scrapy calls `stop` at the end of all visits as well; that is no request."""
    process = Process.__new__(Process)  # made as Scrapy does, it would take over the logging of all tests
    process._crawlers = set()
    process.stop()
    assert not process.stopped
    process._crawlers = {Crawling()}  # type: ignore[arg-type]
    process.stop()
    assert process.stopped
