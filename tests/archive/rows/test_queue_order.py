"""Who is visited first: whoever has waited longest, so that a run that cannot come to all starves none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.rows.runs import queue_order
from pipelines.rebuild import rebuild
from pipelines.recover import recover
from pipelines.run import report
from pipelines.run.locking import lock_archive
from pipelines.run.run import Run
from scraper.config.clinics import Clinic
from tests.archive.reports.test_coverage import visited
from tests.making import CLINIC, Made, natural
from tests.visiting import Visiting

NOW = datetime(2026, 3, 10, 21, 0, tzinfo=UTC)
OTHERS = [Clinic(slug=slug, name=slug, url=f"https://{slug}.example") for slug in ("harbour", "mill")]


@pytest.mark.parametrize(
    ("visits", "since"),
    [
        ((), ""),
        (("03-05 done", "03-07 failed"), "03-07"),
        (("03-05 done", "03-07 cut-short"), "03-05"),  # it may try once more
        (("03-05 done", "03-07 cut-short", "03-08 cut-short"), "03-08"),  # else it would keep others out for ever
        (("03-07 cut-short",), ""),
        (("03-07 cut-short", "03-08 cut-short"), "03-08"),
        (("03-07 cut-short", "03-08 cut-short", "03-09 no-blog"), "03-09"),
        (("03-05 done", "03-07 running"), "03-05"),
    ],
)
def test_since_when_a_clinic_waits(archive: Made, visits: tuple[str, ...], since: str) -> None:
    for visit in visits:
        day, status = visit.split()
        visited(archive, f"2026-{day}", status)
    visited(archive, "2026-03-09", kind="backfill")
    visited(archive, "2036-03-09")  # of a wrong clock
    ended, began = queue_order(archive.db.conn, CLINIC, NOW)
    assert ended == (f"2026-{since}T09:06:00.000000Z" if since else "")
    went = [visit.split()[0] for visit in visits if "running" not in visit]
    assert began == (f"2026-{went[-1]}T09:00:00.000000Z" if went else "")


def test_clinics_enter_before_they_are_visited_and_a_rebuild_knows_them(tmp_path: Path) -> None:
    with Visiting(tmp_path, first=lambda run: run.register(OTHERS)) as visiting:
        visiting.end()
        live = natural(visiting.run.db)
        assert {"harbour", "mill", "riverside"} == {row["clinic_id"] for row in visiting.run.db["clinics"].rows}
        visiting.run.close(0, {})
    with Visiting(tmp_path, first=lambda run: run.register(OTHERS)) as visiting:
        assert visiting.run._listed == []
        visiting.end()
        visiting.run.close(0, {})
    lock = lock_archive(tmp_path)
    done = rebuild(tmp_path)
    lock.release()
    assert done.differs == []
    assert live["clinics"]


def test_killed_before_they_had_rows(tmp_path: Path) -> None:
    with Visiting(tmp_path, first=lambda run: run.register(OTHERS)) as visiting:
        visiting.run.db.execute("DELETE FROM clinics WHERE clinic_id IN ('harbour', 'mill')")
        visiting.kill()
    run = Run(tmp_path)
    recover(run)
    assert [row[0] for row in run.db.execute("SELECT clinic_id FROM clinics ORDER BY 1")] == [
        "harbour", "mill", "riverside",
    ]  # fmt: skip
    run.release()


def test_the_line_that_says_who_was_not_begun(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        run = visiting.run
        assert report.not_begun(run) == []
        run.not_begun = ["a", "b"]
        assert report.not_begun(run) == [
            "2 of 3 clinics not begun when a signal ended the run: a, b; the next run begins with those that have"
            " waited longest"
        ]
        run.out_of_time, run.not_begun = True, [f"c{number}" for number in range(12)]
        (line,) = report.brief(run)[:1]
        assert line.startswith("12 of 13 clinics not begun when its time limit ended the run: c0, c1, c2, ")
        assert ", c9 and 2 more; " in line
        assert report.summary(run)["not_begun"] == run.not_begun
        run.broken = "disk full"
        assert report.not_begun(run) == []
