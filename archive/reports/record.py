"""A capture's record as people read it: what was asked, what was answered, whether its hash is still the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.warc import BadRecord, Failure, Group, payload, read_record


@dataclass(slots=True)
class RecordView:
    """What is read of a record for its page."""

    request_line: str = ""
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    status_line: str = ""
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    message: str = ""  # of a fetch without an answer
    digest: str = ""  # of the payload, as it lies there
    problems: list[str] = field(default_factory=list)
    unreadable: str | None = None


def view(folder: Path, capture: dict[str, Any]) -> RecordView:
    """Read the record of a capture; what cannot be read is told, never raised."""
    try:
        found = read_record(folder, capture["warc_file"], capture["warc_offset"])
    except BadRecord as error:
        return RecordView(unreadable=error.why)
    except (OSError, ValueError) as error:
        return RecordView(unreadable=getattr(error, "strerror", None) or str(error))
    if isinstance(found, Failure):
        return RecordView(message=f"{found.reason}: {found.message}", problems=list(found.problems))
    if not isinstance(found, Group) or found.capture.capture_id != capture["capture_id"]:
        return RecordView(unreadable="another record lies at its place")
    told = RecordView(problems=list(found.problems))
    if found.protocol:
        told.status_line = f"{found.protocol} {found.capture.http_status} {found.reason}"
    if found.request_headers:
        told.request_line = f"{found.capture.method} {found.capture.url}"
    told.request_headers, told.response_headers = _text(found.request_headers), _text(found.response_headers)
    if found.body is not None:
        told.digest = hashlib.sha256(found.body).hexdigest()
    return told


def robots(folder: Path, capture: dict[str, Any]) -> str | None:
    """The text of a robots.txt as it was captured, at most 20,000 characters; None where its record cannot be read."""
    try:
        found = read_record(folder, capture["warc_file"], capture["warc_offset"])
        if not isinstance(found, Group) or found.capture.http_status != 200:
            return None
        return payload(found).decode("utf-8", "replace")[:20_000]
    except (BadRecord, OSError, ValueError):
        return None


def _text(headers: tuple[tuple[bytes, bytes], ...]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
