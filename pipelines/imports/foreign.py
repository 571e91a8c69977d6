"""Foreign WARC files: finds the captures of clinics in files that another program wrote.

A record counts if it is a page, a feed, a sitemap or an answer of a service at the clinic's own address. Images and
scripts stay in the file, which is stored whole; untrustworthy records are reported with their offset and the reason.
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

# The date of the first web page: an earlier date comes from a wrong clock.
FIRST_PAGE = datetime(1990, 12, 20, tzinfo=UTC)
FUTURE = timedelta(days=1)  # tolerance for wrong clocks
# The media types that are read: "text/html", "application/json", "application/rss+xml", "text/plain"
READABLE = re.compile(r"(text/(html|plain|xml)|application/(json|xml|(xhtml|rss|atom)\+xml))$")


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """The origin of an imported capture."""

    origin: str  # the program that made it, as the file says
    retrieved_at: datetime  # when it was imported
    retrieved_from: str  # name of the imported file


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """A reference to one capture: its id and its date, and the place of its record."""

    at: datetime
    capture_id: str
    payload_sha256: str
    file: str  # relative to the archive
    offset: int
    refers_to: str | None
    # Of an imported capture: its origin, its URL, and (URL, date) of the original if it is a revisit.
    brought: ImportOrigin | None = None
    url: str = ""
    original: tuple[str, datetime] | None = None


@dataclass(slots=True)
class ForeignFile:
    """The contents of a foreign file."""

    software: str = "unknown software"
    entries: dict[str, list[CaptureRef]] = field(default_factory=dict)  # by clinic
    hosts: Counter[str] = field(default_factory=Counter)  # hosts of captures of no clinic
    unread: int = 0  # images, scripts and the like of clinics
    bad: list[str] = field(default_factory=list)  # a line for each record that was left out


def scan_foreign(path: Path, name: str, sites: Mapping[str, str], now: datetime) -> ForeignFile:
    """Read a file by another program (WARC, ARC, WET; plain or gzipped by record). Raises OSError.

    `name`: the file's name in the entries; `sites`: address of each clinic by its slug; `now`: date of the import.
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
    """Yield the captures of one clinic, in order, with the originals of imported revisits.

    A revisit may name its original by URL and date: it gets the original's id and the digest of its payload.
    """
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
        at=capture.fetched_at,
        capture_id=capture.capture_id,
        payload_sha256=capture.payload_sha256,
        file=name,
        offset=capture.warc_offset,
        refers_to=capture.refers_to,
        url=capture.url,
        original=record.original,
    )


def _clinic_of(url: str, sites: Mapping[str, str]) -> str | None:
    """Return the clinic whose site contains the URL; of two sites on one host the one with the longer path."""
    mine = [(len(site), clinic_id) for clinic_id, site in sites.items() if is_within(url, site)]
    return max(mine)[1] if mine else None


def _distrust(record: Group, now: datetime) -> str | None:
    """Return why a record cannot be trusted, or None."""
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
