"""Verify: compares the rows of an archive with the recorded bytes.

The whole archive: every clinic's captures are folded again in a scratch archive, and every cell is compared
(`fold_comparison`); records without a row and rows without a record are reported. Where that is not possible, because
records are damaged, and for a sample, each capture's rows are compared with the items read from it
(`row_comparison`).

Rows that an older version made are no fault where today's version makes them differently: `clinic-archive reparse` is
due then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.times import utc
from archive.warc import BadRecord, Capture, Info, records
from archive.warc._file import OPEN_SUFFIX
from pipelines.events import Captured
from pipelines.fold.sanitise import storable
from pipelines.imports.identity import CaptureRef, ImportOrigin
from pipelines.log import clinics_of, locations, log_of
from pipelines.reparse import is_older
from pipelines.replay.as_of import LogAsOf, RowsAsOf, log_as_of, run_files_as_of
from pipelines.replay.parsing import Damaged, ParseJob, ParserPool
from pipelines.run.key import KEY_FILE, BadKey, has_pseudonyms, key_in
from pipelines.run.recorded_runs import runs_of
from pipelines.verify.fold_comparison import FoldComparison, is_of_parser, lines
from pipelines.verify.row_comparison import compare_rows
from scraper.items import Extraction

NO_KEY = bytes(32)  # for captures whose pseudonyms are not compared
_REPARSE = "clinic-archive reparse"
_CAPTURES = "SELECT capture_id, warc_file, warc_offset FROM captures"
_BYTES = "SELECT coalesce(sum(warc_length), 0) FROM captures WHERE clinic_id = ?"
_ORPHAN = "{}: byte {}: a record without a row (capture {}); `clinic-archive rebuild` adds it"
_NOT_FOLDED = (
    "{}: records are damaged, or have no row, so that its rows could not be made again: each capture was compared alone"
)
_UNSETTLED = (
    "{}: its run is still running, or was killed; records without a row are not checked (after a kill the next crawl"
    " adds their rows)"
)


@dataclass(slots=True)
class Verification:
    """The result of verifying an archive."""

    captures: int = 0  # that were checked
    stored_bytes: int = 0  # of their records
    faults: list[str] = field(default_factory=list)  # one line each, with the ids
    outdated: int = 0  # captures that today's parser reads differently than the older one did
    older: list[str] = field(default_factory=list)  # clinics with rows that an older version made differently
    notes: list[str] = field(default_factory=list)
    derived_up_to: str | None = None  # the first moment of which a text is not derived yet; None where all is


def verify(
    archive: Path, db: Database, *, sample: int | None, seed: int, closed: frozenset[str], cores: int | None = None
) -> Verification:
    """Compare every row of the snapshot that `db` reads with the recorded bytes, or check a `sample` of captures.

    `closed`: the `closed_files`, as they were before the snapshot. Raises OSError, `sqlite3.Error`.
    """
    result = Verification()
    if sample is None:
        _verify_whole(archive, RowsAsOf(db, closed), cores, result)
        return result
    chosen = [row[0] for row in db.execute(f"{_CAPTURES} ORDER BY warc_file, warc_offset").fetchall()]
    if sample < len(chosen):
        drawn = set(random.Random(seed).sample(chosen, sample))  # noqa: S311  not used for secrets
        chosen = [capture_id for capture_id in chosen if capture_id in drawn]
    with ParserPool(archive, NO_KEY, cores) as pool:
        _check_captures(db, pool, chosen, result)
    result.captures = len(chosen)
    return result


def _verify_whole(archive: Path, snapshot: RowsAsOf, cores: int | None, result: Verification) -> None:
    db = snapshot.db
    key, why = _key(archive, db)
    result.notes += [why] if why else []
    run_files = run_files_as_of(runs_of(archive), snapshot)
    stored = (row[0] for row in db.execute("SELECT clinic_id FROM clinics").fetchall())
    with (
        ParserPool(archive, key or NO_KEY, cores) as pool,
        closing(FoldComparison(snapshot, pool, run_files, keyless=key is None)) as new,
    ):
        for clinic_id in sorted({*clinics_of(archive, run_files), *stored}):
            log = log_as_of(log_of(archive, clinic_id, run_files), snapshot)
            _verify_clinic(db, pool, new, log, result)
        result.faults += lines(new.differences_of_runs(), "clinic-archive rebuild")


def _key(archive: Path, db: Database) -> tuple[bytes | None, str | None]:
    """Return the key of the pseudonyms; None, and a line that says why pseudonyms are not compared, without one."""
    try:
        return key_in(archive / KEY_FILE), None
    except BadKey:
        why = "is damaged" if (archive / KEY_FILE).exists() else "is not there"
        return None, f"pseudonyms were not compared: {KEY_FILE} {why}" if has_pseudonyms(db) else None


def _verify_clinic(db: Database, pool: ParserPool, new: FoldComparison, log: LogAsOf, result: Verification) -> None:
    """Verify all rows of a clinic, and that its records have rows."""
    clinic_id = log.log.clinic_id
    rows = db.execute(f"{_CAPTURES} WHERE clinic_id = ? ORDER BY warc_file, warc_offset", [clinic_id]).fetchall()
    chosen = [row[0] for row in rows]
    result.captures += len(chosen)
    places = dict(locations(ref for run in log.log.runs for ref in run.captures))
    elsewhere = Verification()
    _check_captures(db, pool, [row[0] for row in rows if places.get(row[0]) != row[1:]], elsewhere)
    found, unreadable = None, None
    if not (elsewhere.faults or log.orphans or log.problems):
        try:
            found = _compare_fold(db, new, log)
        except BadRecord as error:
            unreadable = f"{clinic_id}: {error}"
    if found is None:
        found = Verification(notes=[_NOT_FOLDED.format(clinic_id)])
        _check_captures(db, pool, chosen, found)
        found.faults += [unreadable] if unreadable and not found.faults else []
    found.faults += [_ORPHAN.format(ref.file, ref.offset, ref.capture_id) for ref in log.orphans]
    reported = "\n".join(found.faults)
    found.faults += [line for line in log.problems if not _is_reported(line, reported)]
    result.stored_bytes += db.execute(_BYTES, [clinic_id]).fetchone()[0]
    result.faults += found.faults
    result.outdated += found.outdated
    result.older += found.older
    result.notes += found.notes
    result.notes += [_UNSETTLED.format(file) for file in log.unsettled]


def _compare_fold(db: Database, new: FoldComparison, log: LogAsOf) -> Verification:
    """Compare the clinic's rows with those of a new fold. Raises `BadRecord` where a record cannot be read."""
    found, clinic_id = Verification(), log.log.clinic_id
    older = is_older(db, clinic_id)

    def compare(event: Captured) -> None:
        if older:
            assert isinstance(event.extraction.capture, Capture)
            row = _row(db, event.extraction.capture.capture_id)
            _check_rows(db, row, storable(event.extraction), found)

    new.fold(log, compare)
    differences = new.differences(clinic_id)
    explained = [each for each in differences if older and is_of_parser(each)]
    faults = lines([each for each in differences if not (older and is_of_parser(each))], f"{_REPARSE} {clinic_id}")
    found.faults += [f"{clinic_id}: {line}" for line in faults]
    if explained and not found.older:
        found.older.append(clinic_id)
    return found


def _check_captures(db: Database, pool: ParserPool, chosen: Sequence[str], result: Verification) -> None:
    """Read the records of captures, and compare their facts and items with the rows; adds all but their number."""
    jobs = (_job(pool.archive, db, _row(db, capture_id)) for capture_id in chosen)
    for capture_id, found in zip(chosen, pool.parse(jobs, len(chosen)), strict=True):
        row = _row(db, capture_id)
        result.stored_bytes += row["warc_length"]
        if isinstance(found, Damaged):
            result.faults.append(_line(db, row, found.why))
        else:
            _check_rows(db, row, storable(found), result)


def _check_rows(db: Database, row: Mapping[str, Any], extraction: Extraction, result: Verification) -> None:
    """Compare a capture's rows with its record and with the items read from it, unless something is withdrawn."""
    if row["withdrawn"]:  # only a new fold of all captures shows what is left of it
        return
    compared = compare_rows(db, row, extraction)
    result.faults += [_line(db, row, why) for why in [*_compare_record(row, extraction), *compared.faults]]
    result.outdated += compared.outdated
    if compared.outdated and row["clinic_id"] not in result.older:
        result.older.append(row["clinic_id"])


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
    numbers = ", ".join(str(number) for (number,) in revisions)
    dependent = [f"revision{'' if len(revisions) == 1 else 's'} {numbers}"] if revisions else []
    dependent += [f"{readings} reading{'' if readings == 1 else 's'}"] if readings else []
    return (
        f"{row['clinic_id']}: capture {row['capture_id']} of {row['url']} ({row['warc_file']}, byte"
        f" {row['warc_offset']}): {why}" + (f"; it is the source of {' and '.join(dependent)}" if dependent else "")
    )


def _is_reported(line: str, reported: str) -> bool:
    """Return whether the damage of the line is already reported, in the same words or for the capture at its place."""
    if line.partition(";")[0] in reported:
        return True
    place = line.split(": ", 2)
    return len(place) > 1 and f"({place[0]}, {place[1]})" in reported
