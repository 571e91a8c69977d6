"""Performs takedowns of grade purge: removes what they name from the recorded bytes, all at once or not at all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive.study.tables import fold_study
from archive.wal import WriteAheadLog
from archive.warc.joining import head_of
from archive.warc.rewrite import rewrite
from pipelines.events import Purged, Withdrawn
from pipelines.rebuild import refold_past
from pipelines.rewriting import journal as journals
from pipelines.rewriting.journal import Journal
from pipelines.run.policies import decision_time
from pipelines.run.recorded_runs import replaced_files, runs_of
from pipelines.run.run import Run
from pipelines.takedown.ledger import operator
from pipelines.takedown.purge.copies import copies_within, others_within
from pipelines.takedown.purge.places import MoreChanges, NewFile, update_locations
from pipelines.takedown.purge.planning import ClinicPlan, due, plan_purge
from pipelines.takedown.purge.studies import Replaced, Studies, of_study, write_draft

# "riverside-20260301093000-0123abcd-00002.warc.gz"; after ten purges "riverside-20260301093000-0123abcd-100002.warc.gz"
_OURS = re.compile(r"(?P<stem>.+)-(?P<serial>\d{5,})\.warc\.gz")
_STEP = 10_000  # between the numbers of a file and of the one that replaces it; a run never has as many files
_PURGED = re.compile(r"^purged-\d+-")
PATIENCE = 30.0  # seconds that a purge waits for readers of the database


class ReadersBusy(Exception):
    """A process reads the database all the time; the message says what follows."""


@dataclass(slots=True)
class PurgeResult:
    """What a purge did."""

    takedowns: list[str] = field(default_factory=list)
    records: int = 0  # that have another body now
    emptied: int = 0  # of these, the ones of which nothing is left
    damaged: int = 0  # regions of rewritten files that could not be read, and are gone
    files: dict[str, str] = field(default_factory=dict)  # replaced WARC file -> new one
    studies: dict[str, str] = field(default_factory=dict)  # the same of the files in study/
    removed: list[str] = field(default_factory=list)  # other files of the archive
    releases: list[str] = field(default_factory=list)  # names of those that hold what was purged
    outside: list[str] = field(default_factory=list)  # what else is in the archive's folder, and may hold it


@dataclass(frozen=True, slots=True)
class Preview:
    """What a purge would do."""

    plans: list[ClinicPlan]
    studies: dict[str, str]  # file in study/ -> what would take its place
    removed: list[str]
    outside: list[str]


def preview(run: Run) -> Preview:
    """Return what a purge would do; nothing is changed. Raises `BadKey`, `BadRecord`, OSError, `sqlite3.Error`."""
    clinics = sorted({each.clinic_id for each in due(run.archive, run.db)})
    plans = [plan_purge(run, clinic_id) for clinic_id in clinics]
    if not plans:
        return Preview([], {}, [], [])
    studies = Studies(run, plans)
    replaced = {old: each.file.name for old, each in studies.replaced().items()}
    outside = [*studies.others(), *others_within(run.archive)]
    return Preview(plans, replaced, copies_within(run.archive, clinics), outside)


def purge(run: Run) -> PurgeResult:
    """Perform the takedowns that are due.

    Raises `ReadersBusy`, `BadKey`, `BadJournal`, OSError: nothing is done then. Raises them also where a purge that is
    decided cannot be finished; then the next start of any command that writes does it.
    """
    waiting = due(run.archive, run.db)
    clinics = sorted({each.clinic_id for each in waiting})
    plans = [plan_purge(run, clinic_id) for clinic_id in clinics]
    result = PurgeResult()
    if not plans:
        return result
    _wait(run, "nothing done; end it, or try again later")
    found = Studies(run, plans)
    studies = found.replaced()
    result.outside = [*found.others(), *others_within(run.archive)]
    written = _write(run.archive, plans, studies, result)
    result.removed = copies_within(run.archive, clinics)
    journal = _journal(run, plans, written, studies, result)
    try:
        journals.decide(run.archive, journal)
    except journals.BadJournal:
        journals.remove_journal(run.archive)
        raise
    _finish(run, journal, {each.clinic_id: written for each in plans if each.is_exact})
    result.releases = sorted({name for each in waiting for name in each.releases})
    result.takedowns = [takedown for each in plans for takedown in each.takedowns]
    return result


def finish_purge(run: Run, journal: Journal) -> None:
    """Finish a purge that was decided before a kill. Raises as `purge`."""
    _finish(run, journal, {})


@dataclass(frozen=True, slots=True)
class _New:
    """A new file, and how it came about."""

    file: NewFile
    draft: str  # where it is until the purge is decided
    damaged: int


def _write(
    archive: Path, plans: Iterable[ClinicPlan], studies: Mapping[str, Replaced], result: PurgeResult
) -> dict[str, _New]:
    """Write the new files; return them by the files that they replace. After an error nothing is left of them."""
    bodies: dict[str, dict[int, bytes]] = {}
    for each in plans:
        for file, changes in each.bodies.items():
            bodies.setdefault(file, {}).update(changes)
    names = _free_names(archive, sorted(bodies))
    result.studies = {old: each.file.name for old, each in studies.items()}
    every = {**names, **result.studies}
    drafts = {file: journals.draft_of(new, number) for number, (file, new) in enumerate(every.items())}
    journals.begin(archive, list(drafts.values()))
    written: dict[str, _New] = {}
    try:
        for file, draft in drafts.items():
            if file in studies:
                write_draft(archive / draft, studies[file].file.data)
                written[file] = _New(NewFile(file, every[file], {}, ()), draft, 0)
                continue
            changes = bodies[file]
            done = rewrite(archive / file, archive / draft, name=Path(names[file]).name, bodies=changes)
            result.damaged += done.damaged
            written[file] = _New(NewFile(file, names[file], done.places, set(changes)), draft, done.damaged)
    except BaseException:
        journals.remove_journal(archive)
        raise
    result.files = names
    result.records = sum(map(len, bodies.values()))
    result.emptied = sum(body == b"" for changes in bodies.values() for body in changes.values())
    return written


def _free_names(archive: Path, files: Sequence[str]) -> dict[str, str]:
    """Return a path for the file that replaces each of the files. No path is used a second time."""
    used = {*replaced_files(runs_of(archive)), *files}
    names: dict[str, str] = {}
    for file in files:
        names[file] = next(new for new in _new_names(file) if new not in used and not (archive / new).exists())
        used.add(names[file])  # "a.arc" and "a.arc.warc.gz" would both become "purged-1-a.arc.warc.gz"
    return names


def _new_names(file: str) -> Iterator[str]:
    """Yield paths for the file that replaces one: that of the same run with another number, "purged-1-..." of others.

    "riverside-20260301093000-0123abcd-00002.warc.gz" gives "...-10002.warc.gz".
    """
    path = Path(file)
    names: Iterator[str]
    if ours := _OURS.fullmatch(path.name) if path.parts[0] == "warc" else None:
        steps = range(int(ours["serial"]) + _STEP, 10**9, _STEP)
        names = (f"{ours['stem']}-{serial:05}.warc.gz" for serial in steps)
    else:
        bare = _PURGED.sub("", path.name)
        ending = "" if bare.endswith((".warc.gz", ".warc")) else ".warc.gz"  # of an ARC file
        names = (f"purged-{turn}-{bare}{ending}" for turn in range(1, 10**9))
    return (path.with_name(name).as_posix() for name in names)


def _journal(
    run: Run, plans: list[ClinicPlan], written: Mapping[str, _New], studies: Mapping[str, Replaced], result: PurgeResult
) -> Journal:
    files = {each.clinic_id: [*each.bodies] for each in plans}
    for old, replaced in studies.items():
        for clinic_id in replaced.clinics:
            files[clinic_id].append(old)
    purged = tuple(
        Purged(
            purge_id=secrets.token_hex(6),
            clinic_id=each.clinic_id,
            takedowns=each.takedowns,
            files={
                **dict(_replaced(run.archive, each, written)),
                **{old: made.file.name for old, made in studies.items() if each.clinic_id in made.clinics},
            },
            records=each.records,
            emptied=each.emptied,
            damaged=sum(made.damaged for old, made in written.items() if old in each.bodies),
            at=decision_time(run.db, each.clinic_id),
            by=operator(),
        )
        for each in plans
    )
    return Journal(
        moves={made.file.new: old for old, made in written.items()},
        drafts={made.file.new: made.draft for made in written.values()},
        removed=tuple(result.removed),
        purged=purged,
        extended=tuple(more for each in plans for more in each.extended),
    )


def _replaced(archive: Path, of: ClinicPlan, written: Mapping[str, _New]) -> Iterator[tuple[str, str]]:
    """Yield each file that a clinic's purge replaces, and the new one.

    Files that a pack had joined hold what was purged, too: no copy of one is read again.
    """
    for old, made in written.items():
        if old in of.bodies:
            head = head_of(archive / old) if old.startswith("warc/") else None
            joined = (Path(old).with_name(name).as_posix() for name in (head.files if head else ()))
            yield from ((file, made.file.new) for file in (*joined, old))


def _finish(run: Run, journal: Journal, exact: Mapping[str, Mapping[str, _New]]) -> None:
    """Do what is decided. `exact`: by clinic, the new files whose rows only change their places."""
    files = list(journal.moves.values())
    marks = ", ".join("?" * len(files))
    find = f"SELECT DISTINCT clinic_id FROM captures WHERE warc_file IN ({marks})"
    clinics = {row[0] for row in run.db.execute(find, files).fetchall()} | {each.clinic_id for each in journal.purged}
    journals.move(run.archive, journal)
    events: list[Withdrawn | Purged] = [*journal.extended, *journal.purged]
    for each in events:
        run.record_unapplied(each, "takedown")
    journals.remove_reappeared(run.archive)  # copies that were beside them, of files that a pack had joined
    by_clinic = {each.clinic_id: each for each in journal.purged}
    for clinic_id in sorted(clinics):
        event, made = by_clinic.get(clinic_id), exact.get(clinic_id)
        if event is None or made is None or not _place(run, event, made):
            refold_past(run.db, run.archive, run.key, clinic_id)
    fold_study(run.archive, run.db)
    run.db.execute("VACUUM")
    _wait(run, "the purge is decided, and its last step is missing: give the command again once it has ended")
    journals.remove_journal(run.archive)


def _place(run: Run, event: Purged, made: Mapping[str, _New]) -> bool:
    """Write the new places of a clinic's captures; return False, with no row changed, where more would change."""
    try:
        with run.db.atomic():
            update_locations(
                run,
                event.clinic_id,
                [each.file for old, each in made.items() if old in event.files and not of_study(old)],
            )
            run.fold_of(event.clinic_id).apply(event)
    except MoreChanges:
        return False
    return True


def _wait(run: Run, what: str) -> None:
    """Empty the write-ahead log. Raises `ReadersBusy` where readers prevent it for `PATIENCE` seconds."""
    (version,) = run.db.execute("PRAGMA user_version").fetchone()
    run.db.execute(f"PRAGMA user_version = {int(version)}")  # a log without a page would not show that somebody reads
    if WriteAheadLog(run.db).truncate(PATIENCE) is not None:
        raise ReadersBusy(f"{run.archive}: a process has been reading archive.db for {PATIENCE:.0f} s; {what}")
