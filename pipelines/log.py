"""A clinic's history as its WARC files hold it: the runs and imports there were, and their captures in fold order.

Only places and dates are kept of a capture; its bytes are read again when their turn comes. The order is that of the
fold: (date, capture_id). A run begins and ends where its notes stand; what others captured stands at its own date.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.warc import BadRecord, Failure, Group, Info, Note, records
from archive.warc._file import OPEN_SUFFIX
from pipelines.fold import Provenance
from pipelines.foreign import CaptureRef, ImportOrigin, resolve_revisits, scan_foreign
from pipelines.mementos import capture_of, memento_in
from pipelines.run.run import RUNS, utc

EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class RunLog:
    """One run at the clinic, or one import: its notes, and the files that hold its captures."""

    clinic_id: str
    files: list[str]
    kind: str = "crawl"
    crawl_id: str | None = None
    software: str = ""
    web_archive: str | None = None  # whose answers a backfill recorded
    stanza: Mapping[str, Any] = field(default_factory=dict)
    started: datetime = EARLIEST  # date of its run-started note
    started_at: str = ""  # as that note tells it
    ended_at: datetime | None = None  # date of its run-ended note
    end: dict[str, Any] | None = None  # what that note tells
    imports: list[Mapping[str, Any]] = field(default_factory=list)  # files of others, as its notes tell of them
    captures: list[CaptureRef] = field(default_factory=list)

    @property
    def source(self) -> Provenance:
        """Whose captures they are, for the fold."""
        privacy, comments = (self.stanza.get(name) for name in ("privacy", "comments"))
        return Provenance(self.crawl_id, privacy or "pseudonymous", comments or "threads")


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at a moment: a run began (it has a stanza), one capture was made, or a run ended (neither).

    Without a series: a run found that the clinic is visited no more, or is to be (it has a stanza), or the operator
    confirmed what runs had reported.
    """

    at: datetime
    rank: int  # of what has the same date
    series: RunLog | None
    entry: CaptureRef | None = None
    stanza: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[datetime, int, str]:
        """By which events are ordered."""
        return self.at, self.rank, self.entry.capture_id if self.entry else ""


@dataclass(slots=True)
class History:
    """All series of a clinic, oldest first, and what of their files could not be used, in words."""

    clinic_id: str
    series: list[RunLog]
    problems: list[str]
    told: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)  # stanzas that no visit told, and when
    confirmed: list[datetime] = field(default_factory=list)

    def events(self) -> Iterator[Event]:
        """What happened, in order."""
        found = [Event(at, 0, None, stanza=stanza) for at, stanza in self.told]
        found += [Event(at, 2, None) for at in self.confirmed]
        for one in self.series:
            found.append(Event(one.started, 0, one, stanza=one.stanza))
            found += [Event(entry.at, 1, one, entry) for entry in one.captures]
            # A run that never told its end was over with its last capture, for all that is known.
            last = max((entry.at for entry in one.captures), default=one.started)
            found.append(Event(one.ended_at or max(last, one.started), 2, one))
        return iter(sorted(found, key=lambda event: event.key))


@dataclass(frozen=True, slots=True)
class RunHeader:
    """A run as a whole, as its own WARC file tells it."""

    crawl_id: str
    started_at: str
    software: str
    kind: str
    closed: Mapping[str, Any]  # stanzas of clinics that it visited no more, by slug
    end: Mapping[str, Any] | None  # ended_at, exit_code, summary
    listed: Mapping[str, Any] = field(default_factory=dict)  # of those that it was the first to list
    confirmed: tuple[tuple[str, str], ...] = ()  # clinics whose reports the operator confirmed, and when


def clinics_of(archive: Path, told: Collection[RunHeader]) -> list[str]:
    """Slugs of the clinics that have WARC files, or that a run told of."""
    recorded = {path.name for path in (archive / "warc").glob("*") if path.is_dir() and path.name != RUNS}
    return sorted(recorded.union(*(run.closed for run in told), *(run.listed for run in told)))


def history_of(archive: Path, clinic_id: str, told: Collection[RunHeader]) -> History:
    """Read the notes and the places of all captures of a clinic; `told`: see `runs_of`. Raises OSError."""
    folder = archive / "warc" / clinic_id
    series: dict[str, RunLog] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.warc.gz")):
        scanned = scan(archive, path.relative_to(archive).as_posix())
        problems += scanned.problems
        key = path.name.rpartition("-")[0]  # a long run has several files
        one = series.setdefault(key, RunLog(clinic_id, []))
        scanned.fill(one)
    ordered = sorted(series.values(), key=lambda one: (one.started, one.files))
    known: dict[str, CaptureRef] = {}
    for one in ordered:
        for note in one.imports:
            one.captures += imported(archive, clinic_id, note, problems)
        one.captures = [entry for entry in one.captures if _is_first(entry, known, problems)]
    whole = {entry.capture_id: entry for entry in resolve_revisits(known.values())}
    for one in ordered:
        if one.imports:
            one.captures = [whole[entry.capture_id] for entry in one.captures]
    stanzas = [
        (datetime.fromisoformat(run.started_at), stanzas[clinic_id])
        for run in told for stanzas in (run.closed, run.listed) if clinic_id in stanzas
    ]  # fmt: skip
    confirmed = [datetime.fromisoformat(at) for run in told for slug, at in run.confirmed if slug == clinic_id]
    return History(clinic_id, ordered, problems, stanzas, confirmed)


def imported(archive: Path, clinic_id: str, told: Mapping[str, Any], problems: list[str]) -> list[CaptureRef]:
    """A clinic's captures of a file of others, which an import's note tells of."""
    path, at = archive / told["file"], datetime.fromisoformat(told["at"])
    if not path.exists():
        problems.append(f"{told['file']}: gone, but an import of {told['at']} stands on it; put it back")
        return []
    found = scan_foreign(path, told["file"], {clinic_id: told["site"]}, at)
    whence = ImportOrigin(origin=told["origin"], retrieved_at=at, retrieved_from=told["name"])
    return [replace(entry, brought=whence) for entry in found.entries.get(clinic_id, ())]


def _is_first(entry: CaptureRef, known: dict[str, CaptureRef], problems: list[str]) -> bool:
    """The capture has not been met; the same record in two files is one, another under its id is told."""
    other = known.setdefault(entry.capture_id, entry)
    if other is not entry and (other.at, other.payload_sha256) != (entry.at, entry.payload_sha256):
        problems.append(
            f"{entry.file}: byte {entry.offset}: another record has the id {entry.capture_id} already"
            f" ({other.file}, byte {other.offset}); left out"
        )
    return other is entry


@dataclass(slots=True)
class FileScan:
    """What one file of ours holds: its warcinfo, its notes, the places of its captures."""

    file: str
    info: Mapping[str, str] = field(default_factory=dict)
    made_at: datetime = EARLIEST  # date of its warcinfo
    notes: list[Note] = field(default_factory=list)
    entries: list[CaptureRef] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def read_info(self, record: Info) -> None:
        """Whose file it is."""
        if not self.info:
            self.info, self.made_at = record.fields, record.at

    def fill(self, one: RunLog) -> None:
        """Add this file to its series."""
        one.files.append(self.file)
        one.captures += self.entries
        one.crawl_id = one.crawl_id or self.info.get("isPartOf")
        one.software = one.software or self.info.get("software", "")
        one.kind = self.info.get("kind", "crawl")
        one.web_archive = self.info.get("web-archive")
        if not one.stanza:  # a kill may have come before the note that the run began
            one.stanza = json.loads(self.info.get("stanza", "{}"))
            one.started, one.started_at = self.made_at, utc(self.made_at)
        for note in self.notes:
            told = {name: json.loads(text) for name, text in note.fields.items()}
            if note.kind == "run-started":
                one.started, one.stanza = note.at, told["stanza"]
                one.started_at = told.get("started_at") or utc(note.at)
            elif note.kind == "import":
                one.imports.append(told)
            elif note.kind == "run-ended":
                one.ended_at, one.end = note.at, told


def scan(archive: Path, file: str) -> FileScan:
    """One file of ours, record by record. A damaged record is told, and the rest is read. Raises OSError."""
    found = FileScan(file)
    for record in records(archive / file, archive=archive):
        if isinstance(record, BadRecord):
            found.problems.append(f"{record}; left out")
        elif isinstance(record, Info):
            found.read_info(record)
        elif isinstance(record, Note):
            found.notes.append(record)
        elif isinstance(record, Group | Failure):
            lies = [why for why in record.problems if "digest" in why]
            found.problems += [f"{file}: byte {record.capture.warc_offset}: {why}; left out" for why in lies]
            found.entries += [] if lies else [_entry(record, found.info.get("web-archive"))]
    return found


def _entry(record: Group | Failure, web_archive: str | None) -> CaptureRef:
    capture = record.capture
    if web_archive is not None and isinstance(record, Group):
        memento = memento_in(record, web_archive)
        capture = capture_of(capture, memento, web_archive) if memento else capture
    return CaptureRef(
        at=capture.fetched_at, capture_id=capture.capture_id, payload_sha256=capture.payload_sha256,
        file=capture.warc_file, offset=capture.warc_offset, refers_to=capture.refers_to,
    )  # fmt: skip


def runs_of(archive: Path, *, unclosed: bool = False) -> list[RunHeader]:
    """The runs that told of themselves, oldest first; `unclosed`: those alone whose file was not closed. Raises
    OSError."""
    found = []
    ending = ".warc.gz" + OPEN_SUFFIX * unclosed
    sidecars = sorted((archive / "warc" / RUNS).glob(f"*{ending}"))
    for path in (one.with_name(one.name.removesuffix(OPEN_SUFFIX)) for one in sidecars):
        if not path.exists():
            continue
        written = scan(archive, path.relative_to(archive).as_posix()).notes
        notes = {note.kind: _fields(note) for note in written}
        confirmed = [_fields(note) for note in written if note.kind == "confirmed"]
        start = notes.get("crawl-started")
        if start is not None:
            told = {name: start[name] for name in ("started_at", "software", "kind", "closed")}
            pairs = tuple((one["clinic"], one["at"]) for one in confirmed)
            listed = start.get("listed", {})  # runs of older versions told of none
            found.append(
                RunHeader(crawl_id=start["crawl"], **told, listed=listed, end=notes.get("crawl-ended"), confirmed=pairs)
            )
    return sorted(found, key=lambda one: one.started_at)


def _fields(note: Note) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in note.fields.items()}


def locations(entries: Iterable[CaptureRef]) -> dict[str, tuple[str, int]]:
    """File and offset of each capture by its id: where the payload of a revisit is found."""
    return {entry.capture_id: (entry.file, entry.offset) for entry in entries}
