"""Replay: yields the events of a clinic's log in order, with the captures parsed again on all cores.

Parsing is most of the work, so several processes share it.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Self

from archive.warc import BadRecord, Capture, Failure, Group, derived_id, read_record
from pipelines.events import Captured, Event, RunEnded
from pipelines.imports.identity import CaptureRef
from pipelines.log import Recorded
from pipelines.privacy.pseudonyms import names_people, pseudonymous
from pipelines.replay.run_platforms import RunPlatforms
from pipelines.replay.stored import Locate, choose_stored, extraction_of
from pipelines.run.key import BadKey
from scraper.extract import extraction_by
from scraper.items import Extraction, Problem

logger = logging.getLogger(__name__)

CHUNK = 24  # captures that a process reads at a time
AHEAD = 3  # chunks for each process that are read ahead of the fold
FEWEST = 60  # captures; for fewer no processes are started


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A capture to be parsed: its place, its clinic, its platform, and the place of the payload that it refers to."""

    ref: CaptureRef
    clinic_id: str
    kind: str = "crawl"  # of the run that made it
    platform: str | None = None  # that the run recognised
    clinics_own: str | None = None  # the clinic's platform, for captures that others made
    web_archive: str | None = None
    original: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Damaged:
    """A capture whose record cannot be read, and why."""

    ref: CaptureRef
    why: str


@dataclass(slots=True)
class _Chunk:
    """Captures that are parsed together, by another process or by this one."""

    jobs: list[ParseJob]
    future: Future[list[Extraction | Damaged]]
    results: list[Extraction | Damaged] | None = None

    def is_read(self) -> bool:
        """Return whether the results are there. Raises the error of the parsing process."""
        if self.results is None and self.future.done():
            self.results = self.future.result()
        return self.results is not None


class ParserPool:
    """Processes that parse stored captures of one archive; `cores`: how many may be busy, this process included."""

    def __init__(self, archive: Path, key: bytes | None, cores: int | None = None) -> None:
        self.archive, self.key = archive, key
        self._cores = cores or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def parse(self, jobs: Iterable[ParseJob], number: int) -> Iterator[Extraction | Damaged]:
        """Yield the extraction of each capture, in order. Raises `BadKey` if a capture names people without a key."""
        if self._cores < 2 or number < FEWEST:
            for job in jobs:
                yield _parse(self.archive, self.key, job)
            return
        waiting: deque[_Chunk] = deque()
        source = iter(jobs)
        while True:
            while len(waiting) < AHEAD * self._cores and (chunk := list(islice(source, CHUNK))):
                waiting.append(_Chunk(chunk, self._submit(chunk)))
            if not waiting:
                return
            while not waiting[0].is_read():
                self._help(waiting)
            yield from waiting.popleft().results or ()

    def _submit(self, chunk: list[ParseJob]) -> Future[list[Extraction | Damaged]]:
        if self._pool is None:
            # Not forked: a crawl's threads may hold locks that a copy of this process would wait for.
            self._pool = ProcessPoolExecutor(self._cores - 1, get_context("spawn"), _end_with_parent)
        return self._pool.submit(_parse_all, self.archive, self.key, chunk)

    def _help(self, waiting: deque[_Chunk]) -> None:
        """Parse the last chunk that no process has begun, instead of waiting for the first."""
        mine = next((chunk for chunk in reversed(waiting) if chunk.results is None and chunk.future.cancel()), None)
        if mine is None:
            waiting[0].future.exception()  # returns when it is read
        else:
            mine.results = _parse_all(self.archive, self.key, mine.jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this process with its parent: it would wait for work for ever after the parent was killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _parse_all(archive: Path, key: bytes | None, jobs: list[ParseJob]) -> list[Extraction | Damaged]:
    return [_parse(archive, key, job) for job in jobs]


def _parse(archive: Path, key: bytes | None, job: ParseJob) -> Extraction | Damaged:
    """Parse one stored capture, and replace people by pseudonyms as a live crawl does. Raises `BadKey`."""
    ref = job.ref
    try:
        record = read_record(archive, ref.file, ref.offset)
    except BadRecord as error:
        return Damaged(ref, error.why)
    except (OSError, ValueError) as error:
        return Damaged(ref, getattr(error, "strerror", None) or str(error))
    if not isinstance(record, Group | Failure):
        return Damaged(ref, "another kind of record lies there")
    wrong = [why for why in record.problems if "digest" in why]
    if wrong:
        return Damaged(ref, "; ".join(wrong))
    if ref.brought is not None:
        is_derived = ref.capture_id == derived_id(ref.file, ref.offset)
        capture = replace(
            record.capture,
            capture_id=ref.capture_id if is_derived else record.capture.capture_id,
            refers_to=ref.refers_to,
            origin=ref.brought.origin,
            retrieved_at=ref.brought.retrieved_at,
            retrieved_from=ref.brought.retrieved_from,
            payload_sha256=record.capture.payload_sha256 or ref.payload_sha256,  # a revisit may not state it
        )
        record = replace(record, capture=capture)
    choose = choose_stored(job.kind, job.platform, job.clinics_own)
    try:
        extraction = extraction_of(archive, job.clinic_id, record, choose, _only(job), job.web_archive)
    except Exception as error:  # whatever is in one record, the others are read
        extraction = _unread(job, record.capture, error)
    if key is None:
        if names_people(extraction):
            raise BadKey(
                f"{ref.file}: byte {ref.offset}: names people, and there is no pseudonym.key to make pseudonyms with;"
                " give the archive's own with --key FILE"
            )
        return extraction
    return pseudonymous(extraction, key)


def _unread(job: ParseJob, capture: Capture, error: Exception) -> Extraction:
    logger.exception("%s: byte %d: reading failed", job.ref.file, job.ref.offset)
    where = f"{capture.url}: {job.ref.file}, byte {job.ref.offset}"
    message = f"{where}: reading failed ({type(error).__name__}); the page is in the WARC; please report this"
    problem = Problem(kind="parser-error", message=message, url=capture.url)
    return extraction_by(None, job.clinic_id, capture, (problem,), capture.url, None)


def _only(job: ParseJob) -> Locate:
    return lambda capture_id: job.original if capture_id == job.ref.refers_to else None


def parsed(
    events: Sequence[Event | Recorded], pool: ParserPool, locate: Locate, stored: Collection[str] = frozenset()
) -> Iterator[Event]:
    """Yield the events with their captures parsed. Raises `BadKey`, and `BadRecord` for an unreadable capture.

    `stored`: ids of captures that already have rows; they are left out.
    """
    recorded = [event for event in events if isinstance(event, Recorded) and event.ref.capture_id not in stored]
    chosen = RunPlatforms(pool.archive, events, locate)
    jobs = (
        ParseJob(
            event.ref,
            event.log.clinic_id,
            event.log.kind,
            chosen.of(event.log),
            chosen.clinics_own if event.log.kind != "crawl" else None,
            event.log.web_archive,
            locate(event.ref.refers_to) if event.ref.refers_to else None,
        )
        for event in recorded
    )
    results = pool.parse(jobs, len(recorded))
    for event in events:
        if isinstance(event, Recorded):
            if event.ref.capture_id in stored:
                continue
            result = next(results)
            if isinstance(result, Damaged):
                raise BadRecord(result.ref.file, result.ref.offset, result.why)
            yield Captured(event.log.run, result)
        elif isinstance(event, RunEnded):
            yield replace(event, platform=chosen.of_run(event))
        else:
            yield event
