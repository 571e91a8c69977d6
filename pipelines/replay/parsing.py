"""Replay: yields the events of a clinic's log in order, with the captures parsed again on all cores.

Parsing is most of the work, so several processes share it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

from archive.warc import BadRecord, Capture, Failure, RecordGroup, derived_id, read_record
from pipelines.events import Captured, Event, VisitEnded
from pipelines.imports.identity import CaptureRef
from pipelines.log import LoggedCapture
from pipelines.privacy.pseudonyms import names_people, pseudonymous
from pipelines.processes import Processes
from pipelines.replay.run_platforms import RunPlatforms
from pipelines.replay.stored import Locate, choose_stored, extraction_of
from pipelines.run.key import BadKey
from scraper.extract import extraction_by
from scraper.items import Extraction, Problem

logger = logging.getLogger(__name__)

CHUNK = 24  # captures that a process reads at a time
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


class ParserPool:
    """Processes that parse stored captures of one archive; `cores`: how many may be busy, this process included."""

    def __init__(self, archive: Path, key: bytes | None, cores: int | None = None) -> None:
        self.archive, self.key = archive, key
        self._processes = Processes(cores)

    def parse(self, jobs: Iterable[ParseJob], number: int) -> Iterator[Extraction | Damaged]:
        """Yield the extraction of each capture, in order. Raises `BadKey` if a capture names people without a key."""
        if self._processes.cores < 2 or number < FEWEST:
            for job in jobs:
                yield _parse(self.archive, self.key, job)
            return
        source = iter(jobs)
        chunks = iter(lambda: list(islice(source, CHUNK)), [])
        yield from self._processes.map(partial(_parse_all, self.archive, self.key), chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.__exit__()


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
    if not isinstance(record, RecordGroup | Failure):
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
    events: Sequence[Event | LoggedCapture], pool: ParserPool, locate: Locate, stored: Collection[str] = frozenset()
) -> Iterator[Event]:
    """Yield the events with their captures parsed. Raises `BadKey`, and `BadRecord` for an unreadable capture.

    `stored`: ids of captures that already have rows; they are left out.
    """
    recorded = [event for event in events if isinstance(event, LoggedCapture) and event.ref.capture_id not in stored]
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
        if isinstance(event, LoggedCapture):
            if event.ref.capture_id in stored:
                continue
            result = next(results)
            if isinstance(result, Damaged):
                raise BadRecord(result.ref.file, result.ref.offset, result.why)
            yield Captured(event.log.visit, result)
        elif isinstance(event, VisitEnded):
            yield replace(event, platform=chosen.of_run(event))
        else:
            yield event
