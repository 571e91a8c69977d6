"""Captures that others made: what of a WARC file by another tool is a clinic's, and can be read.

A record is taken where it is a page, a feed, a sitemap or an answer of a service at the clinic's own address. Pictures
and scripts stay in the file, which is kept whole; what cannot be trusted is left out with its offset and the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from archive.warc import BadRecord, Group, Info, records
from scraper.addresses import is_within

# The first page of the web is older than any clinic's; a date before it is a fault of a clock.
FIRST_PAGE = datetime(1990, 12, 20, tzinfo=UTC)
FUTURE = timedelta(days=1)  # clocks of others may be wrong by so much
# What is read of an answer's kinds: "text/html", "application/json", "application/rss+xml", "text/plain"
READABLE = re.compile(r"(text/(html|plain|xml)|application/(json|xml|(xhtml|rss|atom)\+xml))$")


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """Whence captures of others came."""

    origin: str  # the tool that made them, as the file says it
    retrieved_at: datetime  # when they were brought in
    retrieved_from: str  # name of the file that they were brought in


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """One capture of a history: what it is found by, and where its record lies."""

    at: datetime
    capture_id: str
    payload_sha256: str
    file: str  # relative to the archive
    offset: int
    refers_to: str | None
    # Of a capture that somebody else made: whence it came, its URL, and URL and date of the original of a revisit.
    brought: ImportOrigin | None = None
    url: str = ""
    original: tuple[str, datetime] | None = None


@dataclass(slots=True)
class ForeignFile:
    """What a file of others holds."""

    software: str = "unknown software"
    entries: dict[str, list[CaptureRef]] = field(default_factory=dict)  # of each clinic
    hosts: Counter[str] = field(default_factory=Counter)  # of what is no clinic's
    unread: int = 0  # pictures, scripts and the like, of clinics
    bad: list[str] = field(default_factory=list)  # what was left out, in words


def scan_foreign(path: Path, name: str, sites: Mapping[str, str], now: datetime) -> ForeignFile:
    """Read a file by another tool (WARC, ARC, WET; plain or gzipped by record). Raises OSError.

    `name`: what entries call the file; `sites`: address of each clinic by its slug; `now`: when it is brought in.
    """
    found = ForeignFile()
    for record in records(path):
        if isinstance(record, BadRecord):
            found.bad.append(f"byte {record.offset}: {record.why}")
        elif isinstance(record, Info):
            found.software = " ".join(record.fields.get("software", found.software).split())
        elif isinstance(record, Group):
            why = _distrust(record, now)
            if why:
                found.bad.append(f"byte {record.capture.warc_offset}: {record.capture.url}: {why}")
                continue
            clinic_id = _clinic_of(record.capture.url, sites)
            if clinic_id is None:
                found.hosts[urlsplit(record.capture.url).netloc] += 1
                continue
            if _is_readable(record):
                found.entries.setdefault(clinic_id, []).append(_entry(record, name))
            else:
                found.unread += 1
    return found


def resolve_revisits(entries: Iterable[CaptureRef]) -> Iterator[CaptureRef]:
    """The entries of one clinic, in order; a revisit that names its original by URL and date gets its id, and with it
    the digest of the payload."""
    listed = list(entries)
    by_id = {entry.capture_id: entry for entry in listed}
    by_date = {(entry.url, entry.at): entry for entry in reversed(listed) if entry.url and not entry.original}
    for entry in listed:
        named = by_id.get(entry.refers_to or "") or by_date.get(entry.original or ("", entry.at))
        if entry.brought is None or named is None or named is entry:
            yield entry
        else:
            sha256 = entry.payload_sha256 or named.payload_sha256
            yield replace(entry, refers_to=named.capture_id, payload_sha256=sha256)


def _entry(record: Group, name: str) -> CaptureRef:
    capture = record.capture
    return CaptureRef(
        at=capture.fetched_at, capture_id=capture.capture_id, payload_sha256=capture.payload_sha256, file=name,
        offset=capture.warc_offset, refers_to=capture.refers_to, url=capture.url, original=record.original,
    )  # fmt: skip


def _clinic_of(url: str, sites: Mapping[str, str]) -> str | None:
    """The clinic at whose address it is; of two sites on one host the one that lies deeper."""
    mine = [(len(site), clinic_id) for clinic_id, site in sites.items() if is_within(url, site)]
    return max(mine)[1] if mine else None


def _distrust(record: Group, now: datetime) -> str | None:
    """Why a record cannot be trusted."""
    at = record.capture.fetched_at
    if at > now + FUTURE:
        return f"dated in the future ({at:%Y-%m-%d})"
    if at < FIRST_PAGE:
        return f"dated before the web ({at:%Y-%m-%d})"
    return next((why for why in record.problems if "digest" in why), None)


def _is_readable(record: Group) -> bool:
    capture = record.capture
    if capture.method not in ("GET", "POST"):
        return False
    return capture.http_status in (301, 302, 303, 307, 308, 404, 410) or bool(
        capture.mime is None or READABLE.match(capture.mime)
    )
