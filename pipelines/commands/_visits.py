"""The visits of a worker: threads of Dramatiq ask for them, and Scrapy's reactor in the main thread makes them.

Each visit is a run of its own in the log of the archive. An answer comes when the run's end is committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, NamedTuple

from scrapy.crawler import Crawler
from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from archive.rows.due import MAX_KILLS, Due, past_of
from archive.rows.withdrawals import blocked_clinics
from archive.times import utc
from pipelines.commands._run import fold_in
from pipelines.printing import echo
from pipelines.rewriting.finishing import finish_first
from pipelines.run import report
from pipelines.run.locking import Locked
from pipelines.run.notices import emit
from pipelines.run.outcome.judgement import exit_code, resolved
from pipelines.run.outcome.outcome import mark_failed
from pipelines.run.run import Run
from pipelines.workers.process import Process
from scraper.config.clinics import Clinic, Clinics, read_clinics
from scraper.config.shard import Shard
from scraper.config.toml_file import ConfigError
from scraper.guard import running_reactor
from scraper.items import Problem
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders.blog import BlogSpider

logger = logging.getLogger(__name__)

SUSPECT, SUSPECTS = 2, 16  # visits in a row that were killed; how many such clinics are visited at once
WAIT = 1.0  # seconds between two looks at a lock that another process holds


class Verdict(Enum):
    """What became of a message."""

    DONE = auto()  # the visit ended in the log, or none is needed
    LATER = auto()  # it could not be made now
    BROKEN = auto()  # an error of the program ended it


class Limits(NamedTuple):
    """When a clinic is due again, and how long a visit may take."""

    every: timedelta
    longest: float  # seconds


class Standing(Process):
    """Scrapy's process that waits for visits; at a signal it ends those that run, and then itself."""

    ending = False

    def stop(self) -> Deferred[Any]:
        """End all visits; the first time wait until each has ended in the log."""
        first, self.ending = not self.ending, True
        ended: Deferred[Any] = super().stop()
        return ended.addCallback(lambda _: self.join()) if first else ended

    def end(self) -> None:
        """End the visits and the process, from any thread."""
        running_reactor().callFromThread(self._graceful_stop_reactor)


class GivenUp(ClinicSpider):
    """A visit that requests nothing: it records why the clinic is not visited today."""

    name = "given-up"
    kind = "crawl"

    def __init__(self, clinic: Clinic, reason: str, **kwargs: Any) -> None:
        super().__init__(clinic, **kwargs)
        self._reason = reason

    async def start(self) -> AsyncIterator[Any]:
        """Note the problem; yields no request."""
        self.visit.failure = self._reason
        self.report_problem(Problem(kind="given-up", message=self._reason, url=self.clinic.url))
        return
        yield


class ShardClinics:
    """The clinics of a shard, read again when clinics.toml has changed."""

    def __init__(self, path: Path, shard: Shard) -> None:
        """Read the file. Raises ConfigError."""
        self._path, self._shard, self._read_at = path, shard, path.stat().st_mtime_ns if path.exists() else 0
        self._clinics = self._of_shard()

    def find(self, slug: str) -> Clinic | None:
        """Return the clinic that is to be visited; None if it is closed, or not in this shard."""
        changed = self._path.stat().st_mtime_ns if self._path.exists() else self._read_at
        if changed != self._read_at:
            self._read_at = changed
            try:
                self._clinics = self._of_shard()
            except ConfigError as error:
                echo(f"{error}; the clinics of before are visited", err=True)
        return self._clinics.get(slug)

    def _of_shard(self) -> dict[str, Clinic]:
        listed = read_clinics(self._path).of_shard(self._shard)
        return {clinic.slug: clinic for clinic in listed.to_visit([])}


class VisitsOnDemand:
    """Makes the visits of one archive, whose lock `base` holds. All but `ask` runs in the reactor's thread."""

    def __init__(self, base: Run, process: Standing, shard_clinics: ShardClinics, limits: Limits) -> None:
        self.broken: str | None = None  # why nothing more can be written
        self._base, self._process, self._shard_clinics, self._limits = base, process, shard_clinics, limits
        self._running: dict[str, int] = {}  # by slug: how many visits before it were killed
        self._over = self._warned = False
        self._unanswered: set[Future[Verdict]] = set()

    def ask(self, due: Due, given_up: str | None = None) -> Verdict:
        """Make a visit, and return when its end is committed; `given_up`: only record why there is none.

        Called in a thread of its own. Once the process ends, the answer comes from `answer_all`.
        """
        answer: Future[Verdict] = Future()
        self._unanswered.add(answer)
        if self._over:
            return Verdict.LATER
        running_reactor().callFromThread(self._begin, due, given_up, answer)
        return answer.result()

    def answer_all(self) -> None:
        """Answer LATER to all who wait; called when the reactor has ended."""
        self._over = True
        for answer in self._unanswered.copy():
            self._answer(answer, Verdict.LATER)

    def _answer(self, answer: Future[Verdict], verdict: Verdict) -> None:
        self._unanswered.discard(answer)
        if not answer.done():
            answer.set_result(verdict)

    def _begin(self, due: Due, given_up: str | None, answer: Future[Verdict]) -> None:
        if self._process.ending:
            return
        try:
            verdict = self._visit(due, given_up, answer)
        except Exception:
            logger.exception("%s: the visit could not begin", due.slug)
            verdict = Verdict.BROKEN
        if verdict is not None:
            self._answer(answer, verdict)

    def _visit(self, due: Due, given_up: str | None, answer: Future[Verdict]) -> Verdict | None:
        """Begin a visit, which gives the answer at its end; or return the answer where there is none."""
        slug = due.slug
        clinic = self._shard_clinics.find(slug)
        if clinic is None or slug in self._running or slug in blocked_clinics(self._base.db):
            logger.info("%s: not visited: no clinic of this shard, withdrawn, or visited just now", slug)
            return Verdict.DONE
        now = datetime.now(UTC)
        past = past_of(self._base.db.conn, slug, self._limits.every, now)
        if past.since > utc(now):
            logger.info("%s: not visited: not due before %s", slug, past.since)
            self._compare_intervals(due, past.since)
            return Verdict.DONE
        if past.killed >= MAX_KILLS:
            given_up = f"its last {past.killed} visits ended with the death of the worker; the next is when it is due"
        elif self._must_wait(past.killed):
            return Verdict.LATER
        run = self._base.another()
        crawler = Crawler(GivenUp if given_up else BlogSpider, self._process.settings)
        crawler.settings.set("RUN", run.crawl_id, priority="cmdline")
        self._running[slug] = past.killed
        more = {"reason": given_up} if given_up else {}
        ended: Deferred[Any] = self._process.crawl(crawler, clinic=clinic, **more)
        limit = running_reactor().callLater(self._limits.longest, self._end_in_time, run, clinic, crawler)
        ended.addErrback(self._mark_broken_off, run, clinic)
        ended.addCallback(self._end, run, clinic, answer, limit)
        ended.addErrback(lambda failure: self._break(f"{self._base.archive}: {failure.value}", answer))
        return None

    def _compare_intervals(self, due: Due, since: str) -> None:
        """Print a line, once, where a clinic was not visited since it was due: `enqueue` has another interval."""
        last_visit = utc(datetime.fromisoformat(since) - self._limits.every)
        if due.since > last_visit and not self._warned:
            self._warned = True
            seconds = self._limits.every.total_seconds()
            echo(
                f"{due.slug}: queued, but not due before {since} by this worker's --every ({seconds:g} seconds), and"
                " not visited; give `enqueue` and `worker` the same --every",
                err=True,
            )

    def _must_wait(self, killed: int) -> bool:
        """Whether a clinic of killed visits waits for others of that kind: which of them kills the worker shows so.

        At the last attempt no other is visited beside it.
        """
        others = [before for before in self._running.values() if before >= SUSPECT]
        most = 1 if max([*others, killed]) == MAX_KILLS - 1 else SUSPECTS
        return killed >= SUSPECT and len(others) >= most

    def _end_in_time(self, run: Run, clinic: Clinic, crawler: Crawler) -> None:
        logger.warning("%s: the visit has reached its time limit", clinic.slug)
        run.out_of_time = True
        self._process.end_visit(crawler)

    def _mark_broken_off(self, failure: Failure, run: Run, clinic: Clinic) -> str:
        logger.error("%s: the visit broke off", clinic.slug, exc_info=failure.value)
        why = f"the visit broke off ({type(failure.value).__name__}: {failure.value}); please report it"
        mark_failed(run.outcomes, clinic, why)
        return why

    def _end(
        self, broke_off: str | None, run: Run, clinic: Clinic, answer: Future[Verdict], limit: DelayedCall
    ) -> None:
        """Record the end of the run, report its problems, and answer."""
        if limit.active():
            limit.cancel()
        notices = report.problem_notices(run)
        for notice in notices:
            logger.warning("%s", notice.line)
        run.end(exit_code(run), report.summary(run))
        emit(run.archive, notices, unrequested=resolved(run))
        del self._running[clinic.slug]
        if run.broken:
            self._break(run.broken, answer)
        elif not self._process.ending or not any(each.status == "cut-short" for each in run.outcomes.values()):
            self._answer(answer, Verdict.BROKEN if broke_off else Verdict.DONE)

    def _break(self, why: str, answer: Future[Verdict]) -> None:
        """End the process: nothing more can be written. The message is put back."""
        self.broken = self.broken or why
        self._answer(answer, Verdict.LATER)
        self._process.end()


def wait_for_run(archive: Path) -> Run:
    """Open the archive for writing as soon as no other process holds it, and finish a purge or pack that was killed.

    Raises as `finish_first`, but not `Locked`.
    """
    waits = False
    while True:
        try:
            return finish_first(Run(archive))
        except Locked:
            if not waits:
                echo(f"{archive}: another process holds it; this worker is a standby", err=True)
            waits = True
            time.sleep(WAIT)


def prepare(base: Run, listed: Clinics) -> None:
    """Fold in what a killed worker left, and record the clinics that the archive does not know in a run of their own.

    Raises as `recover` and `Run.register`.
    """
    fold_in(base)
    run = base.another()
    clinics = listed.to_visit([])
    run.register_closed(listed)
    run.tighten(clinics)
    run.register(clinics)
    run.end(exit_code(run), report.summary(run))
