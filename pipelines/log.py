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
from datetime import datetime
from pathlib import Path
from typing import Any

from archive.times import utc
from pipelines.events import (
    USER_AGENT,
    CapturesEnded,
    ClinicListed,
    ClinicVisit,
    Confirmed,
    Event,
    PolicySet,
    Purged,
    VisitEnded,
    VisitStarted,
    Withdrawn,
)
from pipelines.imports.foreign import scan_foreign
from pipelines.imports.identity import CaptureRef, ImportOrigin, first_of, resolve_revisits
from pipelines.privacy.policy import Policy, Statement, in_force
from pipelines.replay.files import EARLIEST, FileScan, note_fields
from pipelines.run.recorded_runs import (
    RUNS,
    RunFileContents,
    is_there,
    purges,
    replaced_files,
    scans_of,
    takedowns_in_force,
)


@dataclass(frozen=True, slots=True)
class LoggedCapture:
    """A capture of the log whose bytes are not read yet; `replay.parsing.parsed` turns it into a `Captured`."""

    log: VisitLog
    ref: CaptureRef


@dataclass(slots=True)
class VisitLog:
    """One run at the clinic, or one import: the contents of its notes, and the places of its captures."""

    clinic_id: str
    files: list[str]
    kind: str = "crawl"
    crawl_id: str | None = None
    software: str = ""
    web_archive: str | None = None  # address of the archive whose answers a backfill recorded
    user_agent: str | None = None
    stanza: Mapping[str, Any] = field(default_factory=dict)
    started: datetime = EARLIEST  # date of its run-started note
    started_at: str = ""  # as that note states it
    ended: datetime | None = None  # date of its run-ended note
    end: dict[str, Any] | None = None  # fields of that note
    imports: list[Mapping[str, Any]] = field(default_factory=list)  # its notes on the files that it imported
    captures: list[CaptureRef] = field(default_factory=list)
    in_force: Policy | None = None  # for its captures; None until the whole log is read

    @property
    def visit(self) -> ClinicVisit:
        """The run in the form that events contain."""
        return ClinicVisit(
            clinic_id=self.clinic_id,
            crawl_id=self.crawl_id,
            kind=self.kind,
            software=self.software,
            started_at=self.started_at,
            stanza=self.stanza,
            web_archive=self.web_archive,
            user_agent=self.user_agent,
            in_force=self.in_force,
        )

    def add(self, found: FileScan) -> None:
        """Add a file of the run; its files come in the order of their names."""
        self.files.append(found.file)
        self.captures += found.captures
        self.crawl_id = self.crawl_id or found.info.get("isPartOf")
        self.software = self.software or found.info.get("software", "")
        self.kind = found.info.get("kind", "crawl")
        self.web_archive = found.info.get("web-archive")
        self.user_agent = self.user_agent or found.info.get(USER_AGENT)
        if not self.stanza:  # a kill may have come before the note run-started
            self.stanza = json.loads(found.info.get("stanza", "{}"))
            self.started, self.started_at = found.made_at, utc(found.made_at)
        for note in found.notes:
            fields = note_fields(note)
            if note.kind == "run-started":
                self.started, self.stanza = note.at, fields["stanza"]
                self.started_at = fields.get("started_at") or utc(note.at)
            elif note.kind == "import":
                self.imports.append(fields)
            elif note.kind == "run-ended":
                self.ended, self.end = note.at, fields

    @property
    def last_moment(self) -> datetime:
        """When the run ended; without a note of its end, the date of its last capture."""
        last = max((ref.at for ref in self.captures), default=self.started)
        return self.ended or max(last, self.started)


@dataclass(slots=True)
class ClinicLog:
    """All runs at a clinic, oldest first, and a line for each record of their files that could not be used."""

    clinic_id: str
    runs: list[VisitLog]
    problems: list[str]
    listed: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)  # stanzas read without a visit
    confirmed: list[datetime] = field(default_factory=list)
    policies: list[PolicySet] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)  # takedowns that were not lifted
    purged: list[Purged] = field(default_factory=list)
    extended: list[Withdrawn] = field(default_factory=list)  # those of which a fold learned further addresses

    def set_policies(self) -> None:
        """Set the policy in force for the captures of each run.

        Captures by others, and of a web archive, may be older than the run that brought them: what held at any time
        since the oldest of them holds for all.
        """
        said = [Statement(log.started, Policy.of(log.stanza)) for log in self.runs]
        said += [Statement(at, Policy.of(stanza)) for at, stanza in self.listed]
        said += [Statement(datetime.fromisoformat(each.at), each.policy, each.loosens) for each in self.policies]
        for log in self.runs:
            others = (ref.at for ref in log.captures if log.kind != "crawl")
            log.in_force = in_force(Policy.of(log.stanza), min(others, default=log.started), said)

    def events(self) -> list[Event | LoggedCapture]:
        """Return the events of all runs in the order in which `Fold.apply` takes them.

        The first event is a ClinicListed with the clinic's oldest stanza, because imported captures may be older than
        any run. Then all events follow by date. At equal dates starts come first, then captures by capture_id, then
        ends and confirmations. A capture is `LoggedCapture` here: its bytes are not read yet.

        Returns an empty list if no stanza of the clinic is known.
        """
        self.set_policies()
        # (date, rank among events of the same date, capture_id, event)
        found: list[tuple[datetime, int, str, Event | LoggedCapture]] = [
            (at, 0, "", ClinicListed(self.clinic_id, stanza, utc(at))) for at, stanza in self.listed
        ]
        for log in self.runs:
            found.append((log.started, 0, "", VisitStarted(log.visit)))
        starts = list(found)
        found += [(at, 2, "", Confirmed(self.clinic_id, utc(at))) for at in self.confirmed]
        retroactive: list[PolicySet | Withdrawn | Purged] = [*self.policies, *self.withdrawn, *self.purged]
        found += [(datetime.fromisoformat(each.at), 0, "", each) for each in retroactive]
        for log in self.runs:
            captures = sorted(log.captures, key=lambda ref: (ref.at, ref.capture_id))
            found += [(ref.at, 1, ref.capture_id, LoggedCapture(log, ref)) for ref in captures]
            if log.kind != "crawl" and captures:  # the notes of the run are younger than its captures
                found.append((captures[-1].at, 1, captures[-1].capture_id, CapturesEnded(log.visit)))
            found.append((log.last_moment, 2, "", VisitEnded(log.visit, log.end)))
        if not starts:
            return []
        first = min(starts, key=lambda entry: entry[0])[3]
        assert isinstance(first, ClinicListed | VisitStarted)
        stanza = first.stanza if isinstance(first, ClinicListed) else first.visit.stanza
        ordered = [event for *_, event in sorted(found, key=lambda entry: entry[:3])]
        return [ClinicListed(self.clinic_id, stanza, None), *ordered]


def clinics_of(archive: Path, run_files: Collection[RunFileContents]) -> list[str]:
    """Return the slugs of the clinics that have WARC files, or that a run listed."""
    recorded = {path.name for path in (archive / "warc").glob("*") if path.is_dir() and path.name != RUNS}
    return sorted(recorded.union(*(run.closed for run in run_files), *(run.new_clinics for run in run_files)))


def log_of(archive: Path, clinic_id: str, run_files: Collection[RunFileContents]) -> ClinicLog:
    """Read the log of a clinic: notes, and places of all captures. `run_files`: from `runs_of`. Raises OSError."""
    folder = archive / "warc" / clinic_id
    logs: dict[str, VisitLog] = {}
    problems: list[str] = []
    replaced = replaced_files(run_files)
    paths = []
    for path in sorted(folder.glob("*.warc.gz")):
        name = path.relative_to(archive).as_posix()
        if name not in replaced:
            paths.append(path)
        elif not is_there(archive, replaced[name]):  # a copy from elsewhere
            problems.append(f"{name}: purged; {replaced[name]}, which replaced it, is missing: put it back")
    for scanned in scans_of(archive, paths):
        problems += scanned.problems
        if scanned.is_head:
            continue
        key = run_stem(scanned.name) or scanned.info.get("isPartOf", scanned.file)
        logs.setdefault(key, VisitLog(clinic_id, [])).add(scanned)
    ordered = sorted(logs.values(), key=lambda log: (log.started, log.files))
    known: dict[str, CaptureRef] = {}
    for log in ordered:
        for note in log.imports:
            log.captures += imported(archive, clinic_id, note, replaced, problems)
        log.captures = [first for ref in log.captures if (first := first_of(ref, known, problems)) is not None]
    whole = {ref.capture_id: ref for ref in resolve_revisits(known.values())}
    for log in ordered:
        if log.imports:
            log.captures = [whole[ref.capture_id] for ref in log.captures]
    listed = [
        (datetime.fromisoformat(run_file.started_at), stanzas[clinic_id])
        for run_file in run_files
        for stanzas in (run_file.closed, run_file.new_clinics)
        if clinic_id in stanzas
    ]
    confirmed = [
        datetime.fromisoformat(at) for run_file in run_files for slug, at in run_file.confirmed if slug == clinic_id
    ]
    policies = [each for run_file in run_files for each in run_file.policies if each.clinic_id == clinic_id]
    withdrawn = [each for each in takedowns_in_force(run_files) if each.clinic_id == clinic_id]
    purged = [each for each in purges(run_files) if each.clinic_id == clinic_id]
    return ClinicLog(clinic_id, ordered, problems, listed, confirmed, policies, withdrawn, purged)


def run_stem(name: str) -> str:
    """Return what all files of a run share: "a-20260301-0123abcd" of "a-20260301-0123abcd-00000.warc.gz"."""
    return name.rpartition("-")[0]


def imported(
    archive: Path, clinic_id: str, note: Mapping[str, Any], replaced: Mapping[str, str], problems: list[str]
) -> list[CaptureRef]:
    """Return the clinic's captures in an imported file, which the note of the import names.

    `replaced`: files in whose place purges put others.
    """
    file = replaced.get(note["file"], note["file"])
    path, at = archive / file, datetime.fromisoformat(note["at"])
    if not path.exists():
        problems.append(f"{file}: missing, but an import of {note['at']} refers to it; put it back")
        return []
    found = scan_foreign(path, file, {clinic_id: note["site"]}, at)
    origin = ImportOrigin(origin=note["origin"], retrieved_at=at, retrieved_from=note["name"])
    return [replace(ref, brought=origin) for ref in found.entries.get(clinic_id, ())]


def locations(refs: Iterable[CaptureRef]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield (capture_id, (file, offset)) of each capture: there the payload of a revisit is found."""
    for ref in refs:
        yield ref.capture_id, (ref.file, ref.offset)
