"""What a worker sends, how long it goes on asking, what several share; and a crew that loses one of its workers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from scrapy.settings import Settings

from pipelines.commands._process import crawl_settings, visit
from pipelines.events import Captured, Confirmed, VisitEnded
from pipelines.exit_codes import ExitCode
from pipelines.fold.fold import BATCH
from pipelines.run import locking
from pipelines.run.locking import Locked, are_alive, lock_archive
from pipelines.run.outcome.judgement import exit_code
from pipelines.run.report import brief
from pipelines.run.run import Run
from pipelines.workers import crew
from pipelines.workers.messages import CapturesOver, Halted, Noted, OfWorker, Outbox, Recorded, WorkerRun
from pipelines.workers.shared import Shared, make_shared, remove_shared
from pipelines.workers.worker import MAX_WAITING, WorkerVisits
from scraper.config.clinics import Clinic, Clinics, clinic_from_url
from scraper.crawl.state import VisitState
from scraper.items import Extraction, Problem
from tests.e2e.hostile import Blog, serving
from tests.e2e.killing import good
from tests.visiting import CLINIC
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]


class Pair:
    """A run, and the visits of a worker of it, in one process."""

    def __init__(self, archive: Path) -> None:
        self.run = Run(archive)
        self.run.register([CLINIC])
        self.run.open_run_file("crawl")
        others: Connection
        self.ours, others = Pipe()
        self.outbox = Outbox(others)
        task = WorkerRun(archive, self.run.key, self.run.crawl_id, self.run.started_at, Settings())
        self.visits = WorkerVisits(task, self.outbox)
        self.visits.begin(CLINIC, VisitState(clinic_id=CLINIC.slug), "agent")

    def capture(self, number: int) -> None:
        """A fetch that got no answer: a capture with a problem."""
        url, clinic_id = f"{CLINIC.url}/{number}", CLINIC.slug
        made = self.visits.writer(clinic_id).write_failure(
            url=url, method="GET", request_body=b"", reason="timeout", message="late", at=datetime.now(UTC)
        )
        problem = Problem(kind="timeout", message="late", url=url)
        extraction = Extraction(clinic_id=clinic_id, capture=made, items=(problem,), extractor_version=1)
        self.visits.record(Captured(self.visits.visit_at(clinic_id), extraction))

    def received(self) -> list[OfWorker]:
        """All messages up to now."""
        self.outbox.put(Halted("the last of them"))
        found: list[OfWorker] = [self.ours.recv()]
        while not isinstance(found[-1], Halted):
            found.append(self.ours.recv())
        return found[:-1]

    def stored(self) -> int:
        return int(self.run.db.execute("SELECT count(*) FROM captures").fetchone()[0])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    found = Pair(tmp_path / "archive")
    yield found
    found.outbox.close()
    found.visits.db.close()
    found.run.release()


def test_captures_come_in_batches_and_become_rows_when_the_visit_ends(pair: Pair) -> None:
    async def visiting() -> None:
        for number in range(BATCH + 2):
            pair.capture(number)
        wanted = pair.visits.commit(CLINIC.slug, finished=True)
        started, first, second, over = pair.received()
        assert [isinstance(each, Recorded) and each.captures for each in (started, first, second)] == [0, BATCH, 2]
        assert isinstance(over, CapturesOver)
        for each in (started, first, second):
            assert isinstance(each, Recorded)
            pair.run.take_batch(each.events)
        pair.run.commit(CLINIC.slug, finished=over.finished)
        assert pair.stored() == BATCH + 2
        pair.visits.committed(CLINIC.slug)
        await wanted
        pair.visits.record(VisitEnded(pair.visits.visit_at(CLINIC.slug), None))
        (ended,) = pair.received()
        assert isinstance(ended, Recorded)
        pair.run.take_batch(ended.events)

    asyncio.run(visiting())
    assert not list((pair.run.archive / "warc" / CLINIC.slug).glob("*.open"))
    assert pair.run.db.execute("SELECT status FROM clinic_runs").fetchall() == [("cut-short",)]


def test_a_worker_stops_asking_while_its_captures_wait(pair: Pair) -> None:
    async def visiting() -> None:
        for number in range(MAX_WAITING):
            assert pair.visits.room() is None
            pair.capture(number)
        held = pair.visits.room()
        assert held is not None
        pair.visits.taken(BATCH)
        await held
        assert pair.visits.room() is None

    asyncio.run(visiting())


def test_a_worker_that_cannot_write_says_so_and_holds_nothing_back(pair: Pair) -> None:
    async def visiting() -> None:
        for number in range(MAX_WAITING):
            pair.capture(number)
        held, wanted = pair.visits.room(), pair.visits.commit(CLINIC.slug, finished=True)
        pair.visits.halt("the disk is full")
        assert held is not None
        await held
        await wanted
        assert pair.visits.room() is None

    asyncio.run(visiting())
    assert pair.visits.broken == "the disk is full"


def test_what_is_decided_on_the_way_is_the_parents_to_record(pair: Pair) -> None:
    decision = Confirmed(CLINIC.slug, "2026-03-01T09:00:00.000000Z")
    pair.visits.record_unapplied(decision, "crawl")
    assert pair.received()[1:] == [Noted(decision)]


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is a worker of the archive, until its stdin ends."""
    make_shared(tmp_path)
    code = (
        "import sys; from pathlib import Path; from pipelines.workers.shared import Shared\n"
        "shared = Shared(Path(sys.argv[1]))\n"
        "with shared.alone(): shared['wix '] = 107.5\n"
        "print(shared.get('elm.example', 3.0), flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "3.0\n"
        yield process
        process.stdin.close()


def test_workers_share_their_turns(alive: subprocess.Popen[str], tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    with shared.alone():
        assert shared.get("wix ", 0.0) == 107.5
        assert shared.get("fern.example", 1.0) == 1.0


def test_the_next_run_waits_for_workers_of_a_killed_one(
    alive: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert are_alive(tmp_path)
    monkeypatch.setattr(locking, "LONGEST_END", 0.1)
    with pytest.raises(Locked, match="worker processes of a killed run are still ending"):
        lock_archive(tmp_path)
    monkeypatch.undo()
    Thread(target=alive.kill).start()
    lock_archive(tmp_path).release()
    assert not are_alive(tmp_path)
    remove_shared(tmp_path)
    assert not are_alive(tmp_path)


class Deadly(Blog):
    """A blog that kills the process that asks for its sitemap: the worker that visits it, each time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.answers["/sitemap.xml"] = self._kill

    def _kill(self, _: int) -> Any:
        port = int(self.url.rpartition(":")[2])
        for child in psutil.Process(os.getpid()).children():
            if any(each.raddr and each.raddr.port == port for each in child.net_connections()):
                child.kill()
        raise OSError("nobody waits for an answer")


def test_another_worker_takes_the_place_of_one_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "parallel_visits", lambda: 2)  # one a worker
    archive = tmp_path / "archive"
    with ExitStack() as stack:
        blogs = [stack.enter_context(serving(kind())) for kind in (Deadly, Blog, Blog, Deadly, Blog)]
        clinics = [_clinic(number, blog) for number, blog in enumerate(blogs)]
        run = Run(archive)
        settings = crawl_settings(archive, tmp_path / "clinics.toml", Clinics(), 0, False)
        visit(run, settings, clinics, workers=2)
    statuses = {slug: outcome.status for slug, outcome in run.outcomes.items()}
    assert statuses == {"c0": "cut-short", "c1": "done", "c2": "done", "c3": "cut-short", "c4": "done"}
    assert exit_code(run) == ExitCode.STOPPED
    assert [line.partition(":")[0] for line in brief(run)] == ["c0", "c3"]
    assert all("its worker process ended unexpectedly (exit code -9" in line for line in brief(run))
    rows = "SELECT clinic_id, status, note FROM clinic_runs WHERE status <> 'done' ORDER BY 1"
    killed = "killed; what lay whole in its WARC was folded in afterwards"
    assert run.db.execute(rows).fetchall() == [("c0", "cut-short", killed), ("c3", "cut-short", killed)]
    run.close(130, {})
    assert all(blog.paths.count("/robots.txt") == 1 for blog in blogs)
    wait_until(lambda: not are_alive(archive))
    good("verify", "--archive", archive)


def _clinic(number: int, blog: Blog) -> Clinic:
    return replace(clinic_from_url(blog.url), slug=f"c{number}", allow_private=True)
