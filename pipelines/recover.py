"""After a kill: what lies whole in the WARC of a run that never ended, and has no row, is folded in before the next.

A thread of comments that the kill cut in two is stored without its texts (`privacy.masked_thread`): its names were
never recorded, so that no fold of these bytes, now or in a rebuild, could mask them. The next visit reads it whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.rows import runs
from archive.rows.evidence import save_confirmation
from archive.warc import BadRecord, Failure, Group, Info, Note, Record, records
from archive.warc.repair import repair, whole_until
from pipelines.log import FileScan, RunLog, runs_of
from pipelines.privacy.pseudonyms import pseudonymous
from pipelines.replay import Refolding, refold
from pipelines.reread import extraction_of
from pipelines.run.run import RUNS, Run, save_listed_stanza


@dataclass(slots=True)
class _Unended:
    """The files of one run at one clinic."""

    clinic_id: str
    paths: list[Path]


def recover(run: Run) -> list[str]:
    """Fold in whole records without a row, tell how the killed runs ended, cut the files back; one line a run.

    In this order, so that a kill in between loses nothing: a run counts as running, and its file as unclosed, until its
    rows are there. Raises OSError and `sqlite3.Error`.
    """
    lines, left = [], list[Path]()
    told = runs_of(run.archive, unclosed=True)
    for one in told:
        runs.save_crawl(run.db, one.crawl_id, one.started_at, one.software, one.kind)
    for unended in _unended(run):
        name = unended.paths[-1].relative_to(run.archive)
        if _has_a_past(run, unended):
            lines.append(
                f"{name}: left as it is: archive.db does not know the clinic, whose older files lie beside it; make"
                " archive.db anew with `clinic-archive rebuild`"
            )
            left += unended.paths
            continue
        folded = _fold_in(run, unended)
        lines.append(f"{name}: an earlier run was killed; {folded} recorded answers folded in")
    for crawl_id, clinic_id in runs.running(run.db):
        runs.save_killed_run(run.db, crawl_id, clinic_id)
    known = {row[0] for row in run.db.execute("SELECT clinic_id FROM clinics").fetchall()}
    for one in told:
        with run.db.atomic():
            for clinic_id, stanza in one.listed.items():
                if clinic_id not in known:
                    save_listed_stanza(run.db, clinic_id, stanza, one.started_at)
            for clinic_id, at in one.confirmed:
                if clinic_id in known:  # else the database is new, and `rebuild` reads all of the clinic
                    save_confirmation(run.db, clinic_id, at)
        if one.end is not None:
            runs.save_crawl_end(run.db, one.crawl_id, one.end)
    runs.close_unended_crawls(run.db)
    for mended in repair(run.archive, left):
        if mended.torn is not None:
            lines.append(f"{mended.warc_file}: {mended.cut} bytes of a torn record set aside in {mended.torn.name}")
    return lines


def _unended(run: Run) -> list[_Unended]:
    """Runs with an unclosed file, or with a row that says they still run; a long one has several files."""
    folder = run.archive / "warc"
    stems = {_stem(sidecar) for sidecar in folder.rglob("*.warc.gz.open") if sidecar.parent.name != RUNS}
    for crawl_id, clinic_id in runs.running(run.db):
        stems |= {_stem(path) for path in (folder / clinic_id).glob(f"*-{crawl_id[:8]}-*.warc.gz")}
    found = [_Unended(stem.parent.name, sorted(stem.parent.glob(f"{stem.name}-*.warc.gz"))) for stem in sorted(stems)]
    return [unended for unended in found if unended.paths]


def _has_a_past(run: Run, unended: _Unended) -> bool:
    """The database knows nothing of the clinic although other files of it are there: it is not theirs."""
    if run.db.execute("SELECT 1 FROM clinics WHERE clinic_id = ?", [unended.clinic_id]).fetchone():
        return False
    return bool(set(unended.paths[0].parent.glob("*.warc.gz")) - set(unended.paths))


def _stem(path: Path) -> Path:
    """ "CLINIC-YYYYMMDDhhmmss-CRAWL8" of "CLINIC-YYYYMMDDhhmmss-CRAWL8-00000.warc.gz"."""
    return path.with_name(path.name.rpartition("-")[0])


def _fold_in(run: Run, unended: _Unended) -> int:
    """Fold in what has no row; the number of captures."""
    series = RunLog(unended.clinic_id, [])
    for path in unended.paths:
        # The rows about to be committed stand on these bytes, which the killed run may never have made safe.
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        scanned = FileScan(path.relative_to(run.archive).as_posix())
        for record in _whole(path, scanned.file, run.archive):
            if isinstance(record, Info):
                scanned.read_info(record)
            elif isinstance(record, Note):
                scanned.notes.append(record)
        scanned.fill(series)
    if series.kind != "crawl":  # what others captured is older than what is there
        history = refold(run.db, run.archive, run.key, unended.clinic_id)
        return sum(len(one.captures) for one in history.series if one.crawl_id == series.crawl_id)
    refolding = Refolding(run.db, run.archive, unended.clinic_id)
    refolding.begin(series)
    places: dict[str, tuple[str, int]] = {}  # of records whose rows are not committed yet
    for path, name in zip(unended.paths, series.files, strict=True):
        known = {row[0] for row in run.db.execute("SELECT capture_id FROM captures WHERE warc_file = ?", [name])}
        for record in _whole(path, name, run.archive):
            if isinstance(record, Group | Failure) and record.capture.capture_id not in known:
                places[record.capture.capture_id] = (name, record.capture.warc_offset)
                told = extraction_of(run.archive, run.db, unended.clinic_id, record, places)
                refolding.take(pseudonymous(told, run.key), series)
    refolding.end(series)
    return len(places)


def _whole(path: Path, name: str, archive: Path) -> Iterator[Record]:
    """Records up to the first torn group, where the file is about to end: a response without its request is torn."""
    end = whole_until(path, name)
    for record in records(path, archive=archive):
        if isinstance(record, BadRecord):
            return
        place = record.capture.warc_offset if isinstance(record, Group | Failure) else record.warc_offset
        if place >= end:
            return
        yield record
