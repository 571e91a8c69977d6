"""Replay: yields the events of a clinic's log in order, with the captures parsed again on all cores.

Parsing is most of the work, so several processes share it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

from archive.warc import BadRecord, Capture, Failure, Group, derived_id, read_record
from pipelines.events import Captured, Event, RunEnded
from pipelines.imports.identity import CaptureRef
from pipelines.log import Recorded, RunLog
from pipelines.privacy.pseudonyms import names_people, pseudonymous
from pipelines.processes import Processes
from pipelines.replay.stored import Locate, body_of, choose_stored, extraction_of, stored_exchange
from pipelines.run.key import BadKey
from scraper.extract import extraction_by
from scraper.items import Exchange, Extraction, Problem
from scraper.platforms import is_home_answer, marked, platform_named, recognise

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
    chosen = _Platforms(pool.archive, events, locate)
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


UNKNOWN = "?"  # not determined yet; no platform has this name
UNREAD = "unsupported"  # the `blog_status` of a site that the version of that run could not read


def _noted(end: Mapping[str, Any]) -> str | None:
    """Return the name of the platform by whose rules a run's captures were read, as its run-ended note gives it.

    None where nobody read them; `UNKNOWN` where a note of an older version does not say that. Such a note names the
    maker of a site that nobody read, which a newer version may read.
    """
    if "reader" in end or end.get("blog_status") == UNREAD:
        named = platform_named(end.get("reader"))
        return named.name if named is not None else None
    named = platform_named(end.get("platform"))
    return named.name if named is not None else UNKNOWN


class _Platforms:
    """The platform of each run of a clinic: from its note, else recognised again from its own captures."""

    def __init__(self, archive: Path, events: Iterable[Event | Recorded], locate: Locate) -> None:
        self._archive, self._locate = archive, locate
        refs: dict[int, tuple[RunLog, list[CaptureRef]]] = {}
        for event in events:
            if isinstance(event, Recorded):
                refs.setdefault(id(event.log), (event.log, []))[1].append(event.ref)
        self.logs = [log for log, _ in refs.values()]
        self._refs = {key: found for key, (_, found) in refs.items()}
        self._names: dict[int, str | None] = {}
        self._own: str | None = UNKNOWN

    def of(self, log: RunLog) -> str | None:
        """Return the name of the run's platform; None where it recognised none."""
        if log.kind != "crawl":
            return None
        if id(log) not in self._names:
            noted = _noted(log.end or {})
            self._names[id(log)] = self._recognised(log) if noted is UNKNOWN else noted
        return self._names[id(log)]

    def of_run(self, event: RunEnded) -> str | None:
        """Return the name of the platform of the run that ends."""
        log = next((log for log in self.logs if log.run == event.run), None)
        if log is not None:
            return self.of(log)
        noted = _noted(event.fields or {}) if event.run.kind == "crawl" else None
        return None if noted is UNKNOWN else noted

    @property
    def clinics_own(self) -> str | None:
        """The platform of the clinic's last crawl; without one, of the first capture that carries a mark."""
        if self._own is UNKNOWN:
            crawls = [log for log in self.logs if log.kind == "crawl"]
            named = (self.of(log) for log in reversed(crawls))
            self._own = next((name for name in named if name is not None), None) or self._first_marked()
        return self._own

    def _first_marked(self) -> str | None:
        exchanges = (exchange for log in self.logs for exchange in self._exchanges(log))
        return next((platform.name for exchange in exchanges if (platform := marked(exchange)) is not None), None)

    def _recognised(self, log: RunLog) -> str | None:
        for exchange in self._exchanges(log):
            platform = recognise(exchange) if is_home_answer(exchange) else None
            if platform is not None:
                return platform.name
        return None

    def _exchanges(self, log: RunLog) -> Iterator[Exchange]:
        for ref in self._refs.get(id(log), ()):
            try:
                record = read_record(self._archive, ref.file, ref.offset)
                if isinstance(record, Group) and record.capture.via is None:
                    yield stored_exchange(record, body_of(self._archive, record, self._locate))
            except (BadRecord, OSError, ValueError):
                continue
