"""Verify: reads and parses each stored record again, and compares the result with its rows (`row_comparison`).

Records of our own WARC files that have no row are reported too. Rows that an older version of the parser read are no
fault where today's version reads them differently: such captures are counted for `clinic-archive reparse`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows import runs
from archive.times import utc
from archive.warc import Capture, Info, records
from archive.warc._file import OPEN_SUFFIX
from pipelines.imports.identity import CaptureRef, ImportOrigin
from pipelines.log import RUNS, scan
from pipelines.replay.parsing import Damaged, ParseJob, ParserPool
from pipelines.row_comparison import compare_rows
from pipelines.sanitise import storable
from scraper.items import Extraction

NO_KEY = bytes(32)  # pseudonyms are not compared


@dataclass(slots=True)
class Verification:
    """The result of verifying an archive."""

    captures: int = 0  # that were checked
    stored_bytes: int = 0  # of their records
    faults: list[str] = field(default_factory=list)  # one line each, with the ids
    outdated: int = 0  # captures that today's parser reads differently than the older one did
    notes: list[str] = field(default_factory=list)


def verify(
    archive: Path, db: Database, *, sample: int | None, seed: int, closed: frozenset[str], cores: int | None = None
) -> Verification:
    """Check every capture, or a random `sample` of them, of the snapshot that `db` reads. Raises `sqlite3.Error`.

    `closed`: the `closed_files`, as they were before the snapshot.
    """
    result = Verification()
    rows = db.execute("SELECT capture_id FROM captures ORDER BY warc_file, warc_offset").fetchall()
    chosen = [row[0] for row in rows]
    if sample is not None and sample < len(chosen):
        drawn = set(random.Random(seed).sample(chosen, sample))  # noqa: S311  not used for secrets
        chosen = [capture_id for capture_id in chosen if capture_id in drawn]
    with ParserPool(archive, NO_KEY, cores) as pool:
        jobs = (_job(archive, db, _row(db, capture_id)) for capture_id in chosen)
        for capture_id, found in zip(chosen, pool.parse(jobs, len(chosen)), strict=True):
            row = _row(db, capture_id)
            result.captures += 1
            result.stored_bytes += row["warc_length"]
            if isinstance(found, Damaged):
                result.faults.append(_line(db, row, found.why))
                continue
            extraction = storable(found)
            compared = compare_rows(db, row, extraction)
            result.faults += [_line(db, row, why) for why in [*_compare_record(row, extraction), *compared.faults]]
            result.outdated += compared.outdated
    if sample is None:
        faults, notes = _orphans(archive, db, closed, "\n".join(result.faults))
        result.faults += faults
        result.notes += notes
    return result


def closed_files(archive: Path) -> frozenset[str]:
    """Return the WARC files that no run writes to, by their names in `captures`.

    Call it before the database is read: a run commits its rows before it closes its last file, so all rows of a file
    that is closed now are in every later snapshot.
    """
    paths = (archive / "warc").rglob("*.warc.gz")
    return frozenset(
        path.relative_to(archive).as_posix() for path in paths if not path.with_name(path.name + OPEN_SUFFIX).exists()
    )


def _row(db: Database, capture_id: str) -> dict[str, Any]:
    """Return the row of `captures` with facts about its run and its clinic."""
    cursor = db.conn.execute(
        "SELECT captures.*, coalesce(crawls.kind, 'crawl') AS kind, crawls.software, clinic_runs.status AS run_status,"
        " clinic_runs.platform AS run_platform, clinics.platform AS clinics_own FROM captures JOIN clinics USING"
        " (clinic_id) LEFT JOIN crawls USING (crawl_id) LEFT JOIN clinic_runs ON clinic_runs.crawl_id ="
        " captures.crawl_id AND clinic_runs.clinic_id = captures.clinic_id WHERE capture_id = ?",
        (capture_id,),
    )
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def _job(archive: Path, db: Database, row: Mapping[str, Any]) -> ParseJob:
    """Return the capture as a job of `ParserPool`."""
    original = None
    if row["refers_to"]:
        original = db.conn.execute(
            "SELECT warc_file, warc_offset FROM captures WHERE capture_id = ?", (row["refers_to"],)
        ).fetchone()
    brought = None
    if row["kind"] == "import":
        brought = ImportOrigin(row["origin"], datetime.fromisoformat(row["retrieved_at"]), row["retrieved_from"])
    ref = CaptureRef(
        at=datetime.fromisoformat(row["fetched_at"]),
        capture_id=row["capture_id"],
        payload_sha256=row["payload_sha256"] or "",
        file=row["warc_file"],
        offset=row["warc_offset"],
        refers_to=row["refers_to"],
        brought=brought,
    )
    web_archive = _web_archive(archive / row["warc_file"]) if row["kind"] == "backfill" else None
    return ParseJob(ref, row["clinic_id"], row["kind"], row["run_platform"], row["clinics_own"], web_archive, original)


@cache
def _web_archive(path: Path) -> str | None:
    """Return the address of the web archive whose answers the file holds, from its warcinfo."""
    try:
        first = next(iter(records(path)), None)
    except OSError:
        return None
    return first.fields.get("web-archive") if isinstance(first, Info) else None


def _compare_record(row: Mapping[str, Any], found: Extraction) -> list[str]:
    """Compare the columns of `captures` with the facts of the record; return the faults."""
    assert isinstance(found.capture, Capture)
    return [
        f"the record says {name} {value!r}, its row {row[name]!r}"
        for name, value in _facts(found.capture).items()
        if value != row[name] and not (name == "refers_to" and row[name] is None)
    ]


def _facts(capture: Capture) -> dict[str, Any]:
    """Return the facts of a record by the columns of `captures`."""
    return {
        "capture_id": capture.capture_id,
        "url": capture.url,
        "method": capture.method,
        "request_sha256": capture.request_sha256,
        "fetched_at": utc(capture.fetched_at),
        "http_status": capture.http_status,
        "mime": capture.mime,
        "etag": capture.etag,
        "last_modified": capture.last_modified,
        "payload_sha256": capture.payload_sha256 or None,
        "payload_length": capture.payload_length,
        "record_type": capture.record_type,
        "refers_to": capture.refers_to,
        "warc_length": capture.warc_length,
        "via": capture.via,
        "page_url": capture.page,
    }


def _line(db: Database, row: Mapping[str, Any], why: str) -> str:
    """Return a fault as one line: the capture, what is wrong, the rows that depend on the capture."""
    capture = {"id": row["capture_id"]}
    with_revisits = "IN (SELECT capture_id FROM captures WHERE capture_id = :id OR refers_to = :id)"
    revisions = db.execute(
        f"SELECT revision_id FROM revisions WHERE capture_id {with_revisits} ORDER BY 1", capture
    ).fetchall()
    (readings,) = db.execute(f"SELECT count(*) FROM readings WHERE capture_id {with_revisits}", capture).fetchone()
    dependent = [f"revision {', '.join(str(number) for (number,) in revisions)}"] if revisions else []
    dependent += [f"{readings} readings"] if readings else []
    return (
        f"{row['clinic_id']}: capture {row['capture_id']} of {row['url']} ({row['warc_file']}, byte"
        f" {row['warc_offset']}): {why}" + (f"; it is the source of {' and '.join(dependent)}" if dependent else "")
    )


def _orphans(archive: Path, db: Database, closed: frozenset[str], reported: str) -> tuple[list[str], list[str]]:
    """Find whole records of our own WARC files that have no row; return faults, and notes on files not checked.

    A run writes rows after records, so a file proves nothing while its run is running, or after a kill. `closed`: the
    `closed_files` as they were before the snapshot that `db` reads; `reported`: faults that are not to be repeated.
    Raises `sqlite3.Error`, OSError.
    """
    faults: list[str] = []
    notes: list[str] = []
    running = {(clinic_id, crawl_id[:8]) for crawl_id, clinic_id in runs.running(db)}
    for path in sorted((archive / "warc").rglob("*.warc.gz")):
        name = path.relative_to(archive).as_posix()
        if path.parent.name == RUNS:
            continue
        # The run of "riverside/riverside-20260301093000-0123abcd-00000.warc.gz", which may write its next file by now.
        if name not in closed or (path.parent.name, path.name.rpartition("-")[0][-8:]) in running:
            notes.append(
                f"{name}: its run is still running, or was killed; records without a row are not checked (after a kill"
                " the next crawl adds their rows)"
            )
            continue
        scanned = scan(archive, name)
        known = {row[0] for row in db.execute("SELECT capture_id FROM captures WHERE warc_file = ?", [name]).fetchall()}
        faults += [
            f"{name}: byte {ref.offset}: a record without a row (capture {ref.capture_id}); `clinic-archive rebuild`"
            " adds it"
            for ref in scanned.captures
            if ref.capture_id not in known
        ]
        reported = "\n".join([reported, *faults])
        faults += [line for line in scanned.problems if not _is_reported(line, reported)]
    return faults, notes


def _is_reported(line: str, reported: str) -> bool:
    """Return whether the damage of the line is already reported, in the same words or for the capture at its place."""
    if line.partition(";")[0] in reported:
        return True
    place = line.split(": ", 2)
    return len(place) > 1 and f"({place[0]}, {place[1]})" in reported
