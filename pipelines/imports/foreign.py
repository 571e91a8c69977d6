"""Foreign WARC files: finds the captures of clinics in files that another program wrote.

A record counts if it is a page, a feed, a sitemap or an answer of a service at the clinic's own address. Images and
scripts stay in the file, which is stored whole; untrustworthy records are reported with their offset and the reason.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from archive.warc import BadRecord, Info, RecordGroup, records
from archive.warc._build import sha1_label
from pipelines.imports.identity import CaptureRef, with_own_id
from scraper.addresses import is_within

# The date of the first web page: an earlier date comes from a wrong clock.
FIRST_PAGE = datetime(1990, 12, 20, tzinfo=UTC)
FUTURE = timedelta(days=1)  # tolerance for wrong clocks
# The media types that are read: "text/html", "application/json", "application/rss+xml", "text/plain"
READABLE = re.compile(r"(text/(html|plain|xml)|application/(json|xml|(xhtml|rss|atom)\+xml))$")


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
    known: dict[str, CaptureRef] = {}
    for record in records(path):
        if isinstance(record, BadRecord):
            found.bad.append(f"byte {record.offset}: {record.why}")
        elif isinstance(record, Info):
            found.software = " ".join(record.fields.get("software", found.software).split())
        elif isinstance(record, RecordGroup):
            try:
                _take(record, found, name, sites, now, known)
            except Exception as error:  # whatever somebody wrote into one record, the others are taken
                found.bad.append(f"byte {record.capture.warc_offset}: cannot be read ({type(error).__name__}: {error})")
    return found


def _take(
    record: RecordGroup,
    found: ForeignFile,
    name: str,
    sites: Mapping[str, str],
    now: datetime,
    known: dict[str, CaptureRef],
) -> None:
    """Add a record. `known`: the entries so far, by id."""
    why = _distrust(record, now)
    if why:
        found.bad.append(f"byte {record.capture.warc_offset}: {record.capture.url}: {why}")
        return
    clinic_id = _clinic_of(record.capture.url, sites)
    if clinic_id is None:
        found.hosts[urlsplit(record.capture.url).netloc] += 1
    elif _is_readable(record):
        found.entries.setdefault(clinic_id, []).append(with_own_id(_entry(record, name), known))
    else:
        found.unread += 1


def _entry(record: RecordGroup, name: str) -> CaptureRef:
    capture = record.capture
    is_revisit = record.profile is not None
    stated = record.payload_digest if record.profile != "server-not-modified" else None
    digests = [stated] if stated else []
    if record.body is not None:
        digests.append("sha256:" + base64.b32encode(bytes.fromhex(capture.payload_sha256)).decode().rstrip("="))
        digests += [] if stated else [sha1_label(record.body)]
    return CaptureRef(
        at=capture.fetched_at,
        capture_id=capture.capture_id,
        payload_sha256=capture.payload_sha256,
        file=name,
        offset=capture.warc_offset,
        refers_to=capture.refers_to,
        url=capture.url,
        original=record.original,
        digests=tuple(digests),
        is_revisit=is_revisit,
    )


def _clinic_of(url: str, sites: Mapping[str, str]) -> str | None:
    """Return the clinic whose site contains the URL; of two sites on one host the one with the longer path."""
    mine = [(len(site), clinic_id) for clinic_id, site in sites.items() if is_within(url, site)]
    return max(mine)[1] if mine else None


def _distrust(record: RecordGroup, now: datetime) -> str | None:
    """Return why a record cannot be trusted, or None."""
    at = record.capture.fetched_at
    if at > now + FUTURE:
        return f"dated in the future ({at:%Y-%m-%d})"
    if at < FIRST_PAGE:
        return f"dated before the web ({at:%Y-%m-%d})"
    return next((why for why in record.problems if "digest" in why), None)


def _is_readable(record: RecordGroup) -> bool:
    capture = record.capture
    if capture.method not in ("GET", "POST"):
        return False
    return capture.http_status in (301, 302, 303, 307, 308, 404, 410) or bool(
        capture.mime is None or READABLE.match(capture.mime)
    )
