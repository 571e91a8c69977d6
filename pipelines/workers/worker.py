"""A worker: a process that visits clinics, and sends what it records to the parent, which alone writes rows.

It reads the archive for what is known of a clinic. It ends at once when its parent has ended: what it recorded is on
the disk, and the next run makes the rows.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio import Future
from collections.abc import Awaitable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from threading import Thread

from twisted.internet.defer import Deferred, succeed

from archive.db import open_archive
from pipelines.events import Captured, Decision, Event, VisitEnded
from pipelines.fold.fold import BATCH, PATIENCE
from pipelines.run.locking import tighten_umask
from pipelines.run.progress import observe
from pipelines.run.visits import Visits
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
    Outbox,
    Progressed,
    Ready,
    Recorded,
    Taken,
    VisitOver,
    WorkerRun,
)
from pipelines.workers.process import Process, mark_broken_off, process_of
from pipelines.workers.shared import Shared
from scraper.config.clinics import Clinic
from scraper.guard import running_reactor
from scraper.spiders._throttle import share
from scraper.spiders.blog import BlogSpider

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # the parent has them, too, and says what to do
MAX_WAITING = 256  # captures that are sent and not taken yet, beyond which a worker makes no request


@dataclass(slots=True)
class _Batch:
    """Captures of one clinic that are not sent yet."""

    captures: list[Captured] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    @property
    def is_due(self) -> bool:
        return len(self.captures) >= BATCH or time.monotonic() - self.since > PATIENCE


class WorkerVisits(Visits):
    """The visits of a worker: their events go to the parent, once their bytes are on the disk."""

    def __init__(self, task: WorkerRun, outbox: Outbox) -> None:
        """Open the archive for reading. Raises what `open_archive` raises."""
        super().__init__(task.archive, open_archive(task.archive, "read"), task.key, task.crawl_id, task.started_at)
        self._outbox = outbox
        self._batches: dict[str, _Batch] = {}  # by clinic
        self._wanted: dict[str, Future[None]] = {}  # of clinics whose rows are to be committed
        self._sent = 0  # captures that the parent has not taken yet
        self._held_back: list[Future[None]] = []  # requests that wait for that

    def take(self, event: Event) -> None:
        """Send an event that is recorded; captures a batch at a time, each synced to the disk once.

        Raises `WarcWriteError`, OSError.
        """
        if isinstance(event, Captured):
            batch = self._batches.setdefault(event.clinic_id, _Batch())
            batch.captures.append(event)
            if batch.is_due:
                self._send_batch(event.clinic_id)
            return
        if isinstance(event, VisitEnded):
            self._writers.pop(event.clinic_id).close()
            del self._visits[event.clinic_id]
        self._outbox.put(Recorded((event,), 0))

    def record_unapplied(self, decision: Decision, kind: str) -> None:
        """Have the parent record what was decided: the run's own file is the parent's."""
        self._outbox.put(Noted(decision))

    def _send_batch(self, clinic_id: str) -> None:
        batch = self._batches.pop(clinic_id, None)
        if batch is None:
            return
        self._writers[clinic_id].sync()
        self._sent += len(batch.captures)
        self._outbox.put(Recorded(tuple(batch.captures), len(batch.captures)))

    def commit(self, clinic_id: str, *, finished: bool) -> Awaitable[None]:
        """Have the parent commit the rows of all captures of the clinic; what is returned ends when it has."""
        self._send_batch(clinic_id)
        self._outbox.put(CapturesOver(clinic_id, finished))
        wanted = self._wanted[clinic_id] = asyncio.get_running_loop().create_future()
        return wanted

    def committed(self, clinic_id: str) -> None:
        """End the waiting for the rows of the clinic."""
        _end(self._wanted.pop(clinic_id))

    def room(self) -> Awaitable[None] | None:
        """Hold a request back while too many captures wait for the parent."""
        if self._sent < MAX_WAITING or self.broken:
            return None
        held = asyncio.get_running_loop().create_future()
        self._held_back.append(held)
        return held

    def taken(self, captures: int) -> None:
        """Let requests go on, where few enough captures wait now."""
        self._sent -= captures
        if self._sent < MAX_WAITING:
            self._let_go()

    def halt(self, why: str) -> None:
        """End every visit, and tell the parent why."""
        if not self.broken:
            self._outbox.put(Halted(why))
        super().halt(why)
        self._let_go()
        while self._wanted:
            _end(self._wanted.popitem()[1])

    def _let_go(self) -> None:
        held, self._held_back = self._held_back, []
        for each in held:
            _end(each)


def _end(future: Future[None]) -> None:
    if not future.done():  # else whoever waited was cancelled
        future.set_result(None)


def work(connection: Connection, task: WorkerRun) -> None:
    """Visit the clinics that the parent names, until it names no more: all that the process of a worker does."""
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    tighten_umask()
    shared = Shared(task.archive)
    share(shared, shared.alone)
    outbox = Outbox(connection)
    worker = _Worker(task, outbox, WorkerVisits(task, outbox))
    outbox.put(Ready())
    try:
        worker.run(connection)
    except EOFError:  # the parent ended before the first visit
        os._exit(1)
    outbox.close()


class _Worker:
    """The visits of this process as its parent orders them."""

    def __init__(self, task: WorkerRun, outbox: Outbox, visits: WorkerVisits) -> None:
        self._task, self._outbox, self._visits = task, outbox, visits
        self._process: Process = process_of(task.settings)
        if task.shows_progress:
            observe(self._process, lambda *progress: outbox.put(Progressed(*progress)))

    def run(self, connection: Connection) -> None:
        """Obey the messages until the last. Raises EOFError where the parent ends before the first visit."""
        while not isinstance(message := connection.recv(), Begin):  # Scrapy's reactor comes with the first visit
            if isinstance(message, Dismissed):
                return
            self.obey(message)
        self.obey(message)
        Thread(target=self._listen, args=(connection,), daemon=True).start()
        self._process.start(stop_after_crawl=False, install_signal_handlers=False)

    def _listen(self, connection: Connection) -> None:
        """Pass the parent's messages on; end this process where the parent has ended."""
        message: OfParent | None = None
        while not isinstance(message, Dismissed):
            try:
                message = connection.recv()
            except (EOFError, OSError):
                os._exit(1)
            running_reactor().callFromThread(self.obey, message)

    def obey(self, message: OfParent) -> None:
        """Do what a message says."""
        match message:
            case Begin():
                self._begin(message.clinic)
            case Taken():
                self._visits.taken(message.captures)
            case Committed():
                self._visits.committed(message.clinic_id)
            case EndVisits():
                self._visits.out_of_time = message.out_of_time
                self._process.stopped = True
                self._process.end_visits()
            case Halt():
                self._visits.halt(message.why)
            case Dismissed():
                running_reactor().stop()

    def _begin(self, clinic: Clinic) -> None:
        visit: Deferred[None]
        if self._process.stopped or self._visits.broken:
            visit = succeed(None)
        else:
            visit = self._process.crawl(BlogSpider, clinic=clinic, **self._task.arguments)
        visit.addErrback(lambda failure: mark_broken_off(self._visits.outcomes, clinic, failure))
        visit.addBoth(lambda _: self._end(clinic.slug))

    def _end(self, clinic_id: str) -> None:
        self._outbox.put(VisitOver(clinic_id, self._visits.outcomes.pop(clinic_id, None)))
