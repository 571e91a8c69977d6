"""The crew: the workers of a run as their parent sees them, which holds the archive's lock and writes all rows.

Events of many clinics become rows in one transaction. A worker that dies costs the visits that it made: what they
recorded becomes rows, they end as cut short, and another worker takes its place.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from scrapy.settings import Settings

from archive.times import utc
from pipelines.recover import recover_visit
from pipelines.run.capacity import parallel_visits
from pipelines.run.outcome.outcome import VisitOutcome
from pipelines.run.progress import Show
from pipelines.run.run import Run
from pipelines.workers.messages import (
    Begin,
    CapturesOver,
    Committed,
    Dismissed,
    EndVisits,
    Halt,
    Halted,
    Noted,
    OfParent,
    OfWorker,
    Progressed,
    Ready,
    Recorded,
    Taken,
    VisitOver,
    WorkerRun,
)
from pipelines.workers.shared import make_shared, remove_shared
from pipelines.workers.worker import SIGNALS, work
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState

logger = logging.getLogger(__name__)

MAX_MESSAGES = 64  # of one worker that are read before their rows are committed


def task_of(run: Run, settings: Settings, arguments: Mapping[str, Any], *, shows_progress: bool) -> WorkerRun:
    """Return what the workers of a run have to know."""
    return WorkerRun(run.archive, run.key, run.crawl_id, run.started_at, settings, arguments, shows_progress)


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker as its parent sees it."""

    process: BaseProcess
    connection: Connection
    visiting: dict[str, Clinic] = field(default_factory=dict)  # clinics that it was given, and has not finished
    is_ready: bool = False
    is_dismissed: bool = False

    def tell(self, message: OfParent) -> None:
        """Send a message; a worker that has ended gets none, which is noticed elsewhere."""
        with suppress(OSError):
            self.connection.send(message)


class Crew:
    """The workers of one run. `show`: shows the progress of visits."""

    def __init__(self, run: Run, task: WorkerRun, show: Show | None = None) -> None:
        self._run, self._task, self._show = run, task, show
        self._workers: list[_Worker] = []
        self._waiting: deque[Clinic] = deque()
        self._places = 1  # visits of a worker at a time
        self._stopped = False
        self._signals = 0  # that came so far
        self._alarm: tuple[int, int] = (-1, -1)  # a pipe that a signal writes to

    def visit(self, clinics: Sequence[Clinic], number: int, time_limit: float | None = None) -> bool:
        """Visit the clinics in their order with `number` workers; return whether the visits were ended early.

        `time_limit`: in seconds. The outcomes are in `Run.outcomes`, in the order of the clinics.
        """
        self._waiting = deque(clinics)
        self._places = max(1, parallel_visits() // number)
        until = time.monotonic() + time_limit if time_limit is not None else None
        self._run.on_halt(self._halt)
        make_shared(self._run.archive)
        with self._on_signals(), self._ending_all():
            for _ in range(number):
                self._hire()
            while self._workers:
                self._give_out()
                if until is not None and time.monotonic() >= until and not self._run.out_of_time:
                    logger.warning("the time limit of %.0f s is reached; the visits are ended", time_limit)
                    self._run.out_of_time = True
                    self._end_visits()
                self._receive(until)
        remove_shared(self._run.archive)
        outcomes = self._run.outcomes
        self._run.outcomes = {clinic.slug: outcomes[clinic.slug] for clinic in clinics if clinic.slug in outcomes}
        return self._stopped

    @property
    def _is_over(self) -> bool:
        """Whether no further visit begins."""
        return self._stopped or self._run.broken is not None or not self._waiting

    def _hire(self) -> None:
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=work, args=(theirs, self._task), daemon=True)
        # Until the worker handles them itself: a Ctrl-C reaches all processes of a terminal.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()  # so that the end of the worker is the end of what can be read from it
        self._workers.append(_Worker(process, ours))

    def _give_out(self) -> None:
        """Give waiting clinics to the workers that visit the fewest; dismiss workers for which none is left."""
        if not all(worker.is_ready for worker in self._workers):
            return  # else the first would get all clinics
        employed = [worker for worker in self._workers if not worker.is_dismissed]
        while employed and not self._is_over:
            worker = min(employed, key=lambda worker: len(worker.visiting))
            if len(worker.visiting) >= self._places:
                break
            clinic = self._waiting.popleft()
            worker.visiting[clinic.slug] = clinic
            begun = utc(datetime.now(UTC))
            self._run.outcomes[clinic.slug] = VisitOutcome(clinic, begun, VisitState(clinic_id=clinic.slug))
            worker.tell(Begin(clinic))
        for worker in employed if self._is_over else ():
            if not worker.visiting:
                worker.is_dismissed = True
                worker.tell(Dismissed())

    def _receive(self, until: float | None) -> None:
        """Wait for messages, make rows of those that came, and bury the workers that ended."""
        left = None if until is None or self._run.out_of_time else max(0.0, until - time.monotonic())
        found = wait([self._alarm[0], *(worker.connection for worker in self._workers)], left)
        if self._alarm[0] in found:
            os.read(self._alarm[0], 100)
            self._obey_signals()
        received: list[tuple[_Worker, OfWorker]] = []
        ended = []
        for worker in [worker for worker in self._workers if worker.connection in found]:
            try:
                messages = 0
                while worker.connection.poll() and messages < MAX_MESSAGES:
                    received.append((worker, worker.connection.recv()))
                    messages += 1
            except (EOFError, OSError):  # what it had begun to send is in its WARC file, if it is whole
                ended.append(worker)
        self._take(received)
        for worker in ended:
            self._bury(worker)

    def _take(self, received: Sequence[tuple[_Worker, OfWorker]]) -> None:
        """Commit the rows of all messages in one transaction, then answer them."""
        run = self._run
        of_rows = [message for _, message in received if isinstance(message, Recorded | Noted | CapturesOver)]
        if of_rows and not run.broken:
            try:
                with run.db.atomic():
                    for message in of_rows:
                        if isinstance(message, Recorded):
                            run.take_batch(message.events)
                        elif isinstance(message, Noted):
                            run.record_unapplied(message.decision, "crawl")
                        else:
                            run.commit(message.clinic_id, finished=message.finished)
                run.decide_extended()
            except Exception as error:
                run.halt(f"{run.archive}: rows could not be written: {error}")
                logger.exception("rows could not be written")
        for worker, answer in received:
            self._answer(worker, answer)

    def _answer(self, worker: _Worker, message: OfWorker) -> None:
        match message:
            case Ready():
                worker.is_ready = True
            case Recorded() if message.captures:
                worker.tell(Taken(message.captures))
            case CapturesOver() if not self._run.broken:
                worker.tell(Committed(message.clinic_id))
            case VisitOver():
                del worker.visiting[message.clinic_id]
                if message.outcome is None:
                    del self._run.outcomes[message.clinic_id]
                else:
                    self._run.outcomes[message.clinic_id] = message.outcome
            case Halted() if not self._run.broken:
                self._run.halt(message.why)
            case Progressed() if self._show is not None:
                self._show(message.clinic_id, message.read, message.found)

    def _bury(self, worker: _Worker) -> None:
        """Make rows of what a worker recorded that has ended, and start another where visits are left."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        if worker.is_dismissed:
            return
        how = f"exit code {worker.process.exitcode}; the log may say why"
        if not worker.is_ready:
            self._run.halt(f"{self._run.archive}: a worker process ended before its first visit ({how})")
        for clinic_id in worker.visiting:
            outcome = self._run.outcomes[clinic_id]
            outcome.status, outcome.why = "cut-short", f"its worker process ended unexpectedly ({how})"
            self._recover(clinic_id)
        if not self._is_over:
            self._hire()

    def _recover(self, clinic_id: str) -> None:
        if self._run.broken:
            return
        try:
            self._run.recovered += recover_visit(self._run, clinic_id)
        except Exception as error:
            self._run.halt(f"{clinic_id}: what its worker process recorded could not be read: {error}")
            logger.exception("%s: not recovered", clinic_id)

    def _end_visits(self) -> None:
        self._stopped = True
        for worker in self._workers:
            worker.tell(EndVisits(self._run.out_of_time))

    def _halt(self) -> None:
        for worker in self._workers:
            worker.tell(Halt(self._run.broken or ""))

    def _obey_signals(self) -> None:
        """End the visits at the first signal, the workers at the second: the next run recovers their visits."""
        if self._signals == 1:
            self._end_visits()
        elif self._signals > 1:
            self._kill()

    def _kill(self) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
        self._workers = []

    @contextmanager
    def _ending_all(self) -> Iterator[None]:
        """Leave no worker behind, whatever ends the block."""
        try:
            yield
        finally:
            self._kill()

    @contextmanager
    def _on_signals(self) -> Iterator[None]:
        """Count SIGINT and SIGTERM instead of ending, while the block runs."""
        self._alarm = os.pipe()

        def count(*_: object) -> None:
            self._signals += 1
            os.write(self._alarm[1], b".")

        before = {number: signal.signal(number, count) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in self._alarm:
                os.close(end)
