"""Whole records of our own WARC files that have no row: something was lost between the two.

A run writes its rows after its records, so that a file says nothing while its run goes on, or was killed.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from archive.rows import runs
from archive.warc._file import OPEN_SUFFIX
from pipelines.log import RUNS, scan


def closed_files(archive: Path) -> frozenset[str]:
    """WARC files that nobody writes to, by their names in `captures`. To be asked before the database is read: when a
    run closes its last file its rows are committed, but a reader may look at the moment before."""
    paths = (archive / "warc").rglob("*.warc.gz")
    return frozenset(
        path.relative_to(archive).as_posix() for path in paths if not path.with_name(path.name + OPEN_SUFFIX).exists()
    )


def orphans(archive: Path, db: Database, closed: frozenset[str], told: str) -> tuple[list[str], list[str]]:
    """Faults, a line each, and notes of files that were not looked at.

    `closed`: the `closed_files` as they were before the snapshot that `db` reads; `told`: faults that need not be told
    twice. Raises `sqlite3.Error`, OSError.
    """
    faults: list[str] = []
    notes: list[str] = []
    going = {(clinic_id, crawl_id[:8]) for crawl_id, clinic_id in runs.running(db)}
    for path in sorted((archive / "warc").rglob("*.warc.gz")):
        name = path.relative_to(archive).as_posix()
        if path.parent.name == RUNS:
            continue
        # The run of "riverside/riverside-20260301093000-0123abcd-00000.warc.gz", which may be at its next file by now.
        if name not in closed or (path.parent.name, path.name.rpartition("-")[0][-8:]) in going:
            notes.append(
                f"{name}: of a run that goes on, or was killed; what has no row yet is not looked at (after a kill the"
                " next crawl folds it in)"
            )
            continue
        scanned = scan(archive, name)
        known = {row[0] for row in db.execute("SELECT capture_id FROM captures WHERE warc_file = ?", [name]).fetchall()}
        faults += [
            f"{name}: byte {entry.offset}: a record without a row (capture {entry.capture_id}); `clinic-archive"
            " rebuild` takes it in"
            for entry in scanned.captures
            if entry.capture_id not in known
        ]
        told = "\n".join([told, *faults])
        faults += [line for line in scanned.problems if line.partition(";")[0] not in told and not _same(line, told)]
    return faults, notes


def _same(line: str, told: str) -> bool:
    """The damage is told of the capture that lies there."""
    place = line.split(": ", 2)
    return len(place) > 1 and f"({place[0]}, {place[1]})" in told
