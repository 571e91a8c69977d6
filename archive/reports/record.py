"""A capture's WARC record for readers: the request, the response, and whether the hash still matches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.warc import (
    BadRecord,
    CutShort,
    Failure,
    RecordGroup,
    TooLarge,
    Undecodable,
    derived_id,
    payload,
    read_record,
)


@dataclass(slots=True)
class RecordView:
    """The parts of a record that its page shows."""

    request_line: str = ""
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    status_line: str = ""
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    message: str = ""  # why a fetch got no response
    digest: str = ""  # SHA-256 of the payload as it is in the file now
    problems: list[str] = field(default_factory=list)
    unreadable: str | None = None


def view(folder: Path, capture: dict[str, Any]) -> RecordView:
    """Read the record of a capture (a row of `captures`). Never raises: `unreadable` says why it cannot be read."""
    try:
        found = read_record(folder, capture["warc_file"], capture["warc_offset"])
    except BadRecord as error:
        return RecordView(unreadable=error.why)
    except (OSError, ValueError) as error:
        return RecordView(unreadable=getattr(error, "strerror", None) or str(error))
    if isinstance(found, Failure):
        return RecordView(message=f"{found.reason}: {found.message}", problems=list(found.problems))
    place = derived_id(capture["warc_file"], capture["warc_offset"])
    if not isinstance(found, RecordGroup) or capture["capture_id"] not in (found.capture.capture_id, place):
        return RecordView(unreadable="the WARC file has another record at this offset")
    content = RecordView(problems=list(found.problems))
    if found.protocol:
        content.status_line = f"{found.protocol} {found.capture.http_status} {found.reason}"
    if found.request_headers:
        content.request_line = f"{found.capture.method} {found.capture.url}"
    content.request_headers, content.response_headers = _text(found.request_headers), _text(found.response_headers)
    if found.body is not None:
        content.digest = hashlib.sha256(found.body).hexdigest()
    return content


def robots_text(folder: Path, capture: dict[str, Any]) -> str | None:
    """Return the text of a captured robots.txt, at most 20,000 characters; None if its record cannot be read."""
    try:
        found = read_record(folder, capture["warc_file"], capture["warc_offset"])
        if not isinstance(found, RecordGroup) or found.capture.http_status != 200:
            return None
        return payload(found).decode("utf-8", "replace")[:20_000]
    except (BadRecord, CutShort, OSError, TooLarge, Undecodable, ValueError):
        return None


def _text(headers: tuple[tuple[bytes, bytes], ...]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
