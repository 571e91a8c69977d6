"""A worker: it holds the lock of a shard's archive while it lives, and visits the clinics of the shard's queue."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import dramatiq
import redis
from dramatiq import Broker, Message
from dramatiq.brokers.redis import RedisBroker
from scrapy.settings import Settings
from scrapy.utils.reactor import install_reactor

from archive.rows.due import Due
from pipelines.cluster.leases import Leases
from pipelines.cluster.queue import ACTOR, VERSION, message, queue_of
from pipelines.commands._run import unlock_on_error
from pipelines.commands._visits import (
    WAIT,
    Limits,
    ShardClinics,
    Standing,
    Verdict,
    VisitsOnDemand,
    prepare,
    wait_for_run,
)
from pipelines.printing import echo
from pipelines.run.capacity import parallel_visits
from pipelines.workers.process import install_log
from scraper.config.clinics import Clinics
from scraper.config.shard import Shard
from scraper.guard import running_reactor

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_ATTEMPTS = 3  # at a visit that an error of the program ends
SOON, AGAIN, MUCH_LATER = 5.0, 30.0, 600.0  # seconds until a message is delivered again
ENDING = 20_000  # milliseconds for the last acknowledgements, where Redis does not answer


class ShardWorker(NamedTuple):
    """What a worker works on."""

    archive: Path
    clinics_file: Path
    shard: Shard
    limits: Limits
    take_over: bool  # the shard's archive was lost, and this is the one restored from its backup


class Actor:
    """What a thread of Dramatiq does with a message. It returns when the message may be acknowledged."""

    def __init__(self, broker: Broker, queue: str, visits: VisitsOnDemand, leases: Leases) -> None:
        self._broker, self._queue, self._visits, self._leases = broker, queue, visits, leases
        self._warned = False
        dramatiq.Actor(self, broker=broker, actor_name=ACTOR, queue_name=queue, priority=0, options={})

    __name__ = ACTOR

    def __call__(self, *_: object, **fields: object) -> None:
        """Visit the clinic of a message, or put the message back; a message of another program is dropped."""
        version, attempt = fields.get("version", 1), fields.get("attempt", 1)
        due = Due(fields.get("slug"), fields.get("due"))  # type: ignore[arg-type]  # written by anybody
        if isinstance(version, int) and version > VERSION:
            if not self._warned:
                echo(f"{self._queue}: message of version {version}: this worker is older; update it", err=True)
            self._warned = True
            self._put_back(Message(self._queue, ACTOR, (), fields, {}), MUCH_LATER)
        elif isinstance(attempt, int) and all(isinstance(value, str) for value in due):
            self._visit(due, attempt)
        else:
            logger.warning("a message that no version wrote is dropped: %.80r", fields)

    def _visit(self, due: Due, attempt: int) -> None:
        holder = self._patiently(lambda: self._leases.take(due.slug))
        if holder is not None:
            logger.info("%s: not visited: %s visits it now", due.slug, holder)
            return
        verdict = self._visits.ask(due)
        if verdict is Verdict.BROKEN and attempt >= MAX_ATTEMPTS:
            why = f"an error of the program ended {attempt} visits; see the log, and please report it"
            verdict = self._visits.ask(due, why)
        self._patiently(lambda: self._leases.drop(due.slug))
        if verdict is not Verdict.DONE:
            broken = verdict is Verdict.BROKEN
            self._put_back(message(self._queue, due, attempt + broken), AGAIN if broken else SOON)

    def _put_back(self, again: Message[None], seconds: float) -> None:
        self._patiently(lambda: self._broker.enqueue(again, delay=int(seconds * 1000)))

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call until Redis answers, and has space: to give up would lose the message. The process may end meanwhile."""
        while True:
            try:
                return call()
            except redis.RedisError as error:
                logger.warning("%s: Redis: %s", self._queue, error)
                time.sleep(WAIT)


def work(job: ShardWorker, broker: RedisBroker, settings: Callable[[], Settings], listed: Clinics) -> str | None:
    """Wait for the shard, and visit its clinics until a signal; return why it ended, if that was no signal.

    `settings` is called under the lock of the archive. Raises `redis.RedisError`, `OtherCopy`, and as `Run` and
    `recover`.
    """
    queue = queue_of(job.shard)
    leases = Leases(broker.client, job.shard, job.archive)
    if not job.take_over:
        leases.refuse_other_copy()
    base = wait_for_run(job.archive)
    with unlock_on_error(base):
        process = Standing(settings())
        install_log(process.settings)
        install_reactor(process.settings["TWISTED_REACTOR"])
        _wait_for_shard(leases, job)
        leases.start(process.end)
        prepare(base, listed)
    gc.set_threshold(5_000, 10, 10)  # as for a crawl (`pipelines.commands._process.visit`)
    try:
        visits = VisitsOnDemand(base, process, ShardClinics(job.clinics_file, job.shard), job.limits)
        Actor(broker, queue, visits, leases)
        worker = dramatiq.Worker(broker, queues={queue}, worker_threads=parallel_visits())
        worker.queue_prefetch = worker.worker_threads  # one for each thread: no message waits for a visit to end
        running_reactor().callWhenRunning(worker.start)
        process.start(stop_after_crawl=False)
        visits.answer_all()
        worker.stop(timeout=ENDING)
        base.broken = visits.broken
        leases.stop()
    finally:
        base.release()
    return visits.broken or leases.lost


def _wait_for_shard(leases: Leases, job: ShardWorker) -> None:
    waits = False
    while (holder := leases.take_shard()) is not None:
        if not waits:
            echo(f"shard {job.shard}: another archive of it is at work: {holder}; this worker waits", err=True)
        waits = True
        time.sleep(WAIT)
