"""Reads one WARC file of this program: its warcinfo, its notes, the dates and places of its captures.

A packed file (`archive.warc.joining`) has the records of several runs; it is read run by run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from archive.warc import BadRecord, Failure, Info, Note, Record, RecordGroup, records
from archive.warc.joining import PACK, joined_names
from pipelines.imports.identity import CaptureRef
from pipelines.replay.mementos import capture_of, memento_in

EARLIEST = datetime.min.replace(tzinfo=UTC)
_STARTS = ("run-started", "crawl-started")  # notes that a run begins with


@dataclass(slots=True)
class FileScan:
    """The contents of one file of this program, of one run: its warcinfo, its notes, the places of its captures."""

    file: str
    name: str = ""  # of the file that the run wrote, without its folder; another one than `file` is after a pack
    info: Mapping[str, str] = field(default_factory=dict)
    made_at: datetime = EARLIEST  # date of its warcinfo
    notes: list[Note] = field(default_factory=list)
    captures: list[CaptureRef] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Add the next record. A damaged record is reported as a problem and left out."""
        if isinstance(record, Info):
            if not self.info:
                self.info, self.made_at, self.name = record.fields, record.at, record.filename or ""
        elif isinstance(record, Note):
            note_fields(record)  # raises where they cannot be read
            self.notes.append(record)
        elif isinstance(record, RecordGroup | Failure):
            wrong = [why for why in record.problems if "digest" in why]
            self.problems += [f"{self.file}: byte {record.capture.warc_offset}: {why}; left out" for why in wrong]
            self.captures += [] if wrong else [_ref_of(record, self.info.get("web-archive"))]

    def try_take(self, record: Record | BadRecord) -> None:
        """Add the next record as `take` does; one that cannot be read is reported as a problem, too."""
        if isinstance(record, BadRecord):
            self.problems.append(f"{record}; left out")
            return
        try:
            self.take(record)
        except Exception as error:  # of one record: the others are taken
            offset = record.capture.warc_offset if isinstance(record, RecordGroup | Failure) else record.warc_offset
            self.problems.append(f"{self.file}: byte {offset}: cannot be read ({type(error).__name__}); left out")

    @property
    def joined(self) -> tuple[str, ...]:
        """The names of the files whose records a packed file has; only its head states them."""
        return tuple(name for note in self.notes for name in joined_names(note))

    @property
    def is_head(self) -> bool:
        """Whether these are the first records of a packed file, which no run wrote."""
        return self.info.get("kind") == PACK or bool(self.joined)


def scan(file: str, found: Iterable[Record | BadRecord]) -> FileScan:
    """Read these records of the file of one run. Raises OSError."""
    scanned = FileScan(file)
    for record in found:
        scanned.try_take(record)
    return scanned


def scan_runs(archive: Path, file: str) -> list[FileScan]:
    """Read one file of this program run by run, in its order. Raises OSError."""
    found = [FileScan(file)]
    for record in records(archive / file, archive=archive):
        if isinstance(record, Info) and (found[-1].info or found[-1].notes):
            found.append(FileScan(file))
        elif len(found) > 1 and isinstance(record, Note) and record.kind in _STARTS:
            crawl_id = _crawl_of(record)
            if crawl_id is not None and crawl_id != found[-1].info.get("isPartOf"):  # its warcinfo is damaged
                found.append(FileScan(file, info={"isPartOf": crawl_id}, made_at=record.at))
        found[-1].try_take(record)
    if len(found) == 1:  # whoever renamed it
        found[0].name = PurePosixPath(file).name
    return found


def _crawl_of(start: Note) -> str | None:
    try:
        crawl_id = json.loads(start.fields["crawl"])
    except (KeyError, ValueError, RecursionError):
        return None
    return crawl_id if isinstance(crawl_id, str) else None


def _ref_of(record: RecordGroup | Failure, web_archive: str | None) -> CaptureRef:
    capture = record.capture
    if web_archive is not None and isinstance(record, RecordGroup):
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


def note_fields(note: Note) -> dict[str, Any]:
    """Return the fields of a note, decoded from JSON."""
    return {name: json.loads(text) for name, text in note.fields.items()}
