"""The log of a clinic, read from its WARC files: typed events in the order of the fold.

The WARC is the log: each event is recorded either as a note or as the record of a capture. This module reads only the
dates and the places of captures; `pipelines.replay.parsing` reads their bytes. Captures are ordered by (date,
capture_id). The start and the end of a run have the dates of its notes; a capture made by another program has its own
date.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.times import utc
from archive.warc import BadRecord, Failure, Group, Info, Note, Record, records
from archive.warc._file import OPEN_SUFFIX
from pipelines.events import CapturesEnded, ClinicListed, ClinicRun, Confirmed, Event, RunEnded, RunStarted
from pipelines.imports.foreign import scan_foreign
from pipelines.imports.identity import CaptureRef, ImportOrigin, first_of, resolve_revisits
from pipelines.replay.mementos import capture_of, memento_in

RUNS = "_runs"  # the folder below warc/ for files of whole runs; no slug begins with "_"
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A capture of the log whose bytes are not read yet; `replay.parsing.parsed` turns it into a `Captured`."""

    log: RunLog
    ref: CaptureRef


@dataclass(slots=True)
class RunLog:
    """One run at the clinic, or one import: the contents of its notes, and the places of its captures."""

    clinic_id: str
    files: list[str]
    kind: str = "crawl"
    crawl_id: str | None = None
    software: str = ""
    web_archive: str | None = None  # address of the archive whose answers a backfill recorded
    stanza: Mapping[str, Any] = field(default_factory=dict)
    started: datetime = EARLIEST  # date of its run-started note
    started_at: str = ""  # as that note states it
    ended: datetime | None = None  # date of its run-ended note
    end: dict[str, Any] | None = None  # fields of that note
    imports: list[Mapping[str, Any]] = field(default_factory=list)  # its notes on the files that it imported
    captures: list[CaptureRef] = field(default_factory=list)

    @property
    def run(self) -> ClinicRun:
        """The run in the form that events contain."""
        return ClinicRun(
            clinic_id=self.clinic_id,
            crawl_id=self.crawl_id,
            kind=self.kind,
            software=self.software,
            started_at=self.started_at,
            stanza=self.stanza,
            web_archive=self.web_archive,
        )

    @property
    def last_moment(self) -> datetime:
        """When the run ended; without a note of its end, the date of its last capture."""
        last = max((ref.at for ref in self.captures), default=self.started)
        return self.ended or max(last, self.started)


@dataclass(slots=True)
class ClinicLog:
    """All runs at a clinic, oldest first, and a line for each record of their files that could not be used."""

    clinic_id: str
    runs: list[RunLog]
    problems: list[str]
    listed: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)  # stanzas read without a visit
    confirmed: list[datetime] = field(default_factory=list)

    def events(self) -> list[Event | Recorded]:
        """Return the events of all runs in the order in which `Fold.apply` takes them.

        The first event is a ClinicListed with the clinic's oldest stanza, because imported captures may be older than
        any run. Then all events follow by date. At equal dates starts come first, then captures by capture_id, then
        ends and confirmations. A capture is `Recorded` here: its bytes are not read yet.

        Returns an empty list if no stanza of the clinic is known.
        """
        # (date, rank among events of the same date, capture_id, event)
        found: list[tuple[datetime, int, str, Event | Recorded]] = [
            (at, 0, "", ClinicListed(self.clinic_id, stanza, utc(at))) for at, stanza in self.listed
        ]
        for log in self.runs:
            found.append((log.started, 0, "", RunStarted(log.run)))
        starts = list(found)
        found += [(at, 2, "", Confirmed(self.clinic_id, utc(at))) for at in self.confirmed]
        for log in self.runs:
            captures = sorted(log.captures, key=lambda ref: (ref.at, ref.capture_id))
            found += [(ref.at, 1, ref.capture_id, Recorded(log, ref)) for ref in captures]
            if log.kind != "crawl" and captures:  # the notes of the run are younger than its captures
                found.append((captures[-1].at, 1, captures[-1].capture_id, CapturesEnded(log.run)))
            found.append((log.last_moment, 2, "", RunEnded(log.run, log.end)))
        if not starts:
            return []
        first = min(starts, key=lambda entry: entry[0])[3]
        assert isinstance(first, ClinicListed | RunStarted)
        stanza = first.stanza if isinstance(first, ClinicListed) else first.run.stanza
        ordered = [event for *_, event in sorted(found, key=lambda entry: entry[:3])]
        return [ClinicListed(self.clinic_id, stanza, None), *ordered]


@dataclass(frozen=True, slots=True)
class RunHeader:
    """A run as a whole, as its own WARC file records it."""

    crawl_id: str
    started_at: str
    software: str
    kind: str
    closed: Mapping[str, Any]  # stanzas of closed clinics, by slug
    end: Mapping[str, Any] | None  # ended_at, exit_code, summary
    listed: Mapping[str, Any] = field(default_factory=dict)  # stanzas of clinics that the archive did not know, by slug
    confirmed: tuple[tuple[str, str], ...] = ()  # (slug, when) of each clinic whose reports the operator confirmed


def clinics_of(archive: Path, headers: Collection[RunHeader]) -> list[str]:
    """Return the slugs of the clinics that have WARC files, or that a run listed."""
    recorded = {path.name for path in (archive / "warc").glob("*") if path.is_dir() and path.name != RUNS}
    return sorted(recorded.union(*(run.closed for run in headers), *(run.listed for run in headers)))


def log_of(archive: Path, clinic_id: str, headers: Collection[RunHeader]) -> ClinicLog:
    """Read the log of a clinic: notes, and places of all captures. `headers`: from `runs_of`. Raises OSError."""
    folder = archive / "warc" / clinic_id
    logs: dict[str, RunLog] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.warc.gz")):
        scanned = scan(archive, path.relative_to(archive).as_posix())
        problems += scanned.problems
        scanned.fill(logs.setdefault(run_stem(path.name), RunLog(clinic_id, [])))
    ordered = sorted(logs.values(), key=lambda log: (log.started, log.files))
    known: dict[str, CaptureRef] = {}
    for log in ordered:
        for note in log.imports:
            log.captures += imported(archive, clinic_id, note, problems)
        log.captures = [first for ref in log.captures if (first := first_of(ref, known, problems)) is not None]
    whole = {ref.capture_id: ref for ref in resolve_revisits(known.values())}
    for log in ordered:
        if log.imports:
            log.captures = [whole[ref.capture_id] for ref in log.captures]
    listed = [
        (datetime.fromisoformat(header.started_at), stanzas[clinic_id])
        for header in headers
        for stanzas in (header.closed, header.listed)
        if clinic_id in stanzas
    ]
    confirmed = [datetime.fromisoformat(at) for header in headers for slug, at in header.confirmed if slug == clinic_id]
    return ClinicLog(clinic_id, ordered, problems, listed, confirmed)


def run_stem(name: str) -> str:
    """Return what all files of a run share: "a-20260301-0123abcd" of "a-20260301-0123abcd-00000.warc.gz"."""
    return name.rpartition("-")[0]


def imported(archive: Path, clinic_id: str, note: Mapping[str, Any], problems: list[str]) -> list[CaptureRef]:
    """Return the clinic's captures in an imported file, which the note of the import names."""
    path, at = archive / note["file"], datetime.fromisoformat(note["at"])
    if not path.exists():
        problems.append(f"{note['file']}: missing, but an import of {note['at']} refers to it; put it back")
        return []
    found = scan_foreign(path, note["file"], {clinic_id: note["site"]}, at)
    origin = ImportOrigin(origin=note["origin"], retrieved_at=at, retrieved_from=note["name"])
    return [replace(ref, brought=origin) for ref in found.entries.get(clinic_id, ())]


@dataclass(slots=True)
class FileScan:
    """The contents of one file of this program: its warcinfo, its notes, the places of its captures."""

    file: str
    info: Mapping[str, str] = field(default_factory=dict)
    made_at: datetime = EARLIEST  # date of its warcinfo
    notes: list[Note] = field(default_factory=list)
    captures: list[CaptureRef] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Add the next record. A damaged record is reported as a problem and left out."""
        if isinstance(record, Info):
            if not self.info:
                self.info, self.made_at = record.fields, record.at
        elif isinstance(record, Note):
            fields_of(record)  # raises where they cannot be read
            self.notes.append(record)
        elif isinstance(record, Group | Failure):
            wrong = [why for why in record.problems if "digest" in why]
            self.problems += [f"{self.file}: byte {record.capture.warc_offset}: {why}; left out" for why in wrong]
            self.captures += [] if wrong else [_ref_of(record, self.info.get("web-archive"))]

    def fill(self, log: RunLog) -> None:
        """Add this file to the log of its run."""
        log.files.append(self.file)
        log.captures += self.captures
        log.crawl_id = log.crawl_id or self.info.get("isPartOf")
        log.software = log.software or self.info.get("software", "")
        log.kind = self.info.get("kind", "crawl")
        log.web_archive = self.info.get("web-archive")
        if not log.stanza:  # a kill may have come before the note run-started
            log.stanza = json.loads(self.info.get("stanza", "{}"))
            log.started, log.started_at = self.made_at, utc(self.made_at)
        for note in self.notes:
            fields = fields_of(note)
            if note.kind == "run-started":
                log.started, log.stanza = note.at, fields["stanza"]
                log.started_at = fields.get("started_at") or utc(note.at)
            elif note.kind == "import":
                log.imports.append(fields)
            elif note.kind == "run-ended":
                log.ended, log.end = note.at, fields


def scan(archive: Path, file: str, found: Iterable[Record | BadRecord] | None = None) -> FileScan:
    """Read one file of this program; `found`: its records, where not all are wanted. Raises OSError."""
    scanned = FileScan(file)
    for record in records(archive / file, archive=archive) if found is None else found:
        if isinstance(record, BadRecord):
            scanned.problems.append(f"{record}; left out")
            continue
        try:
            scanned.take(record)
        except Exception as error:  # of one record: the others are taken
            offset = record.capture.warc_offset if isinstance(record, Group | Failure) else record.warc_offset
            scanned.problems.append(f"{file}: byte {offset}: cannot be read ({type(error).__name__}); left out")
    return scanned


def _ref_of(record: Group | Failure, web_archive: str | None) -> CaptureRef:
    capture = record.capture
    if web_archive is not None and isinstance(record, Group):
        memento = memento_in(record, web_archive)
        capture = capture_of(capture, memento, web_archive) if memento else capture
    return CaptureRef(
        at=capture.fetched_at,
        capture_id=capture.capture_id,
        payload_sha256=capture.payload_sha256,
        file=capture.warc_file,
        offset=capture.warc_offset,
        refers_to=capture.refers_to,
    )


def runs_of(archive: Path, *, unclosed: bool = False) -> list[RunHeader]:
    """Return the runs that have a file of their own, oldest first; `unclosed`: only those whose file is not closed.

    Raises OSError.
    """
    found = []
    ending = ".warc.gz" + OPEN_SUFFIX * unclosed
    sidecars = sorted((archive / "warc" / RUNS).glob(f"*{ending}"))
    for path in (sidecar.with_name(sidecar.name.removesuffix(OPEN_SUFFIX)) for sidecar in sidecars):
        if not path.exists():
            continue
        written = scan(archive, path.relative_to(archive).as_posix()).notes
        notes = {note.kind: fields_of(note) for note in written}
        confirmed = [fields_of(note) for note in written if note.kind == "confirmed"]
        start = notes.get("crawl-started")
        if start is not None:
            found.append(
                RunHeader(
                    **{name: start[name] for name in ("started_at", "software", "kind", "closed")},
                    crawl_id=start["crawl"],
                    listed=start.get("listed", {}),  # runs of older versions recorded none
                    end=notes.get("crawl-ended"),
                    confirmed=tuple((fields["clinic"], fields["at"]) for fields in confirmed),
                )
            )
    return sorted(found, key=lambda header: header.started_at)


def fields_of(note: Note) -> dict[str, Any]:
    """Return the fields of a note, decoded from JSON."""
    return {name: json.loads(text) for name, text in note.fields.items()}


def locations(refs: Iterable[CaptureRef]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield (capture_id, (file, offset)) of each capture: there the payload of a revisit is found."""
    for ref in refs:
        yield ref.capture_id, (ref.file, ref.offset)
