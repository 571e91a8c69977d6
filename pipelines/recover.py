"""Recovery after a kill: applies the events that a killed run recorded whole in its WARC and that have no row.

A thread of comments that the kill cut in two is stored without its texts (`privacy.threads.mask_thread`): some of its
names were never recorded, so that no fold of these bytes, now or in a rebuild, could mask them. The next visit reads
the whole thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.rows import runs
from archive.warc import BadRecord, Failure, Record, RecordGroup, records
from archive.warc._file import OPEN_SUFFIX
from archive.warc.repair import Repaired, repair, repair_files, whole_until
from pipelines.events import ClinicListed, Confirmed, Event, VisitEnded, VisitStarted
from pipelines.log import LoggedCapture, VisitLog, locations, run_stem
from pipelines.rebuild import refold, refold_past
from pipelines.replay.files import scan
from pipelines.replay.parsing import ParserPool, parsed
from pipelines.replay.stored import in_database
from pipelines.run.recorded_runs import RUNS, RunFileContents, runs_of
from pipelines.run.run import Run
from pipelines.takedown.summaries import save_ends


@dataclass(slots=True)
class _Unended:
    """The files of one run at one clinic, and what they record whole."""

    clinic_id: str
    paths: list[Path]
    log: VisitLog


def recover(run: Run) -> list[str]:
    """Apply whole records that have no row, mark the killed runs as ended, cut torn records off their files.

    Returns a line for each run. In this order a kill in between loses nothing: until its rows are committed, a run
    counts as running and its file as unclosed. Raises OSError and `sqlite3.Error`.
    """
    lines, untouched = [], list[Path]()
    if not _has_unended(run):
        return []
    run_files = runs_of(run.archive, unclosed=True)
    for run_file in run_files:
        runs.save_crawl(run.db, run_file.crawl_id, run_file.started_at, run_file.software, run_file.kind)
    for unended in _unended(run):
        name = unended.paths[-1].relative_to(run.archive)
        if _has_a_past(run, unended):
            lines.append(
                f"{name}: not recovered: archive.db does not know the clinic, whose older files lie beside it; recreate"
                " archive.db with `clinic-archive rebuild`"
            )
            untouched += unended.paths
            continue
        number = _apply(run, unended)
        lines.append(f"{name}: an earlier run was killed; {number} recorded answers folded in")
    for crawl_id, clinic_id in runs.running(run.db):
        runs.save_killed_run(run.db, crawl_id, clinic_id)
    for run_file in run_files:
        _apply_run_file(run, run_file)
    if run_files:
        save_ends(run.db, run.archive)
    runs.close_unended_crawls(run.db)
    if untouched:  # the runs' own files, too, so that the next start looks again
        untouched += [sidecar.with_suffix("") for sidecar in _unclosed_runs(run.archive)]
    return lines + _lines(repair(run.archive, untouched))


def recover_visit(run: Run, clinic_id: str) -> list[str]:
    """Do the same for one visit of this run, whose process has ended while others continue.

    Returns a line for each of its files that was torn. Raises as `recover`.
    """
    run.forget(clinic_id)
    paths = sorted((run.archive / "warc" / clinic_id).glob(f"*-{run.crawl_id[:8]}-*.warc.gz"))
    if not paths:
        return []
    _apply(run, _read(run, clinic_id, paths))
    return _lines(repair_files(run.archive, paths))


def _lines(files: Iterable[Repaired]) -> list[str]:
    return [
        f"{repaired.warc_file}: {repaired.cut} bytes of a torn record set aside in {repaired.torn.name}"
        for repaired in files
        if repaired.torn is not None
    ]


def _has_unended(run: Run) -> bool:
    """Return whether an earlier run may have left files unclosed; all files are looked at only then."""
    return any(_unclosed_runs(run.archive)) or bool(runs.running(run.db))


def _unclosed_runs(archive: Path) -> Iterator[Path]:
    return (archive / "warc" / RUNS).glob(f"*{OPEN_SUFFIX}")


def _apply_run_file(run: Run, run_file: RunFileContents) -> None:
    """Apply the events of a run's own file: listed clinics, the operator's confirmations, the end of the run."""
    known = {row[0] for row in run.db.execute("SELECT clinic_id FROM clinics").fetchall()}
    for clinic_id, stanza in run_file.new_clinics.items():
        if clinic_id not in known:
            run.fold_of(clinic_id).apply(ClinicListed(clinic_id, stanza, run_file.started_at))
    for clinic_id, at in run_file.confirmed:
        if clinic_id in known:  # else the database is new, and `rebuild` reads the whole clinic
            run.fold_of(clinic_id).apply(Confirmed(clinic_id, at))
    for clinic_id in {each.clinic_id for each in run_file.decisions}:
        refold_past(run.db, run.archive, run.key, clinic_id)


def _unended(run: Run) -> list[_Unended]:
    """Return the runs with an unclosed file, or with a row that says "running", in the order in which they started.

    A long run has several files. Names of files tell the order of runs only to the second.
    """
    folder = run.archive / "warc"
    stems = {_stem(sidecar) for sidecar in folder.rglob("*.warc.gz.open") if sidecar.parent.name != RUNS}
    for crawl_id, clinic_id in runs.running(run.db):
        stems |= {_stem(path) for path in (folder / clinic_id).glob(f"*-{crawl_id[:8]}-*.warc.gz")}
    paths = {stem: sorted(stem.parent.glob(f"{stem.name}-*.warc.gz")) for stem in stems}
    found = [_read(run, stem.parent.name, of_run) for stem, of_run in paths.items() if of_run]
    return sorted(found, key=lambda unended: (unended.log.started, unended.log.files))


def _read(run: Run, clinic_id: str, paths: list[Path]) -> _Unended:
    log = VisitLog(clinic_id, [])
    for path in paths:
        # The rows about to be committed refer to these bytes, which the killed run may never have made durable.
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        name = path.relative_to(run.archive).as_posix()
        log.add(scan(name, _whole(path, name, run.archive)))
    return _Unended(clinic_id, paths, log)


def _has_a_past(run: Run, unended: _Unended) -> bool:
    """Return whether the database does not know the clinic, although older files of it exist."""
    if run.db.execute("SELECT 1 FROM clinics WHERE clinic_id = ?", [unended.clinic_id]).fetchone():
        return False
    return bool(set(unended.paths[0].parent.glob("*.warc.gz")) - set(unended.paths))


def _stem(path: Path) -> Path:
    return path.with_name(run_stem(path.name))


def _apply(run: Run, unended: _Unended) -> int:
    """Apply the run's events that have no row; return the number of captures among them."""
    log = unended.log
    if log.kind != "crawl":  # its captures may be older than the stored ones
        refold(run.db, run.archive, run.key, unended.clinic_id)
        return len(log.captures)
    files = ", ".join("?" * len(log.files))
    rows = run.db.execute(f"SELECT capture_id FROM captures WHERE warc_file IN ({files})", log.files).fetchall()
    stored = {row[0] for row in rows}
    known = dict(locations(log.captures))
    in_rows = in_database(run.db)
    events: list[Event | LoggedCapture] = [
        VisitStarted(log.visit),
        *(LoggedCapture(log, ref) for ref in log.captures),
        VisitEnded(log.visit, log.end),
    ]
    fold = run.fold_of(unended.clinic_id)
    with ParserPool(run.archive, run.key, cores=1) as pool:
        for event in parsed(events, pool, lambda capture_id: known.get(capture_id) or in_rows(capture_id), stored):
            fold.apply(event)
    return len(log.captures) - len(stored & set(known))


def _whole(path: Path, name: str, archive: Path) -> Iterator[Record]:
    """Yield the records before the first torn group, where `repair` will cut the file.

    A response without its request is torn.
    """
    end = whole_until(path, name)
    for record in records(path, archive=archive):
        if isinstance(record, BadRecord):
            return
        place = record.capture.warc_offset if isinstance(record, RecordGroup | Failure) else record.warc_offset
        if place >= end:
            return
        yield record
