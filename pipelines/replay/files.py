"""Reads one WARC file of this program: its warcinfo, its notes, the dates and places of its captures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.warc import BadRecord, Failure, Group, Info, Note, Record, records
from pipelines.imports.identity import CaptureRef
from pipelines.replay.mementos import capture_of, memento_in

EARLIEST = datetime.min.replace(tzinfo=UTC)


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


def fields_of(note: Note) -> dict[str, Any]:
    """Return the fields of a note, decoded from JSON."""
    return {name: json.loads(text) for name, text in note.fields.items()}
