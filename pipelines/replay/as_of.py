"""The logs of an archive as the rows of a snapshot can show them, although a run may write rows and files meanwhile.

A run writes a note or a record first and its rows later, and a killed run leaves some without rows until the next
start. What a run recorded after the snapshot, or had no rows of by then, is left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlite_utils import Database

from pipelines.events import ClinicVisit, Event, PolicySet, Purged, Retroactive, VisitEnded, Withdrawn
from pipelines.imports.identity import CaptureRef
from pipelines.log import ClinicLog, LoggedCapture, VisitLog
from pipelines.privacy.policy import Policy
from pipelines.run.policies import stored_policy
from pipelines.run.recorded_runs import RunFileContents


@dataclass(frozen=True, slots=True)
class RowsAsOf:
    """The rows of an archive at one moment, and the WARC files that no run wrote to shortly before it."""

    db: Database
    closed: frozenset[str]

    def is_closed(self, run_file: RunFileContents) -> bool:
        """Return whether the file of a run as a whole was closed."""
        return run_file.file in self.closed


@dataclass(slots=True)
class LogAsOf:
    """A clinic's log without what has no rows yet."""

    log: ClinicLog
    running: list[ClinicVisit] = field(default_factory=list)  # runs that have not ended in the snapshot
    unsettled: list[str] = field(default_factory=list)  # files whose records may have no rows yet
    orphans: list[CaptureRef] = field(default_factory=list)  # captures of other files without a row
    problems: list[str] = field(default_factory=list)  # a line for each record of other files that cannot be used

    def events(self) -> list[Event | LoggedCapture]:
        """Return the events in the order in which `Fold.apply` takes them; runs that have not ended do not end."""
        unended = {run.crawl_id for run in self.running}
        events = self.log.events()
        return [event for event in events if not (isinstance(event, VisitEnded) and event.visit.crawl_id in unended)]


def run_files_as_of(run_files: Iterable[RunFileContents], snapshot: RowsAsOf) -> list[RunFileContents]:
    """Return the runs as a whole that have a row, or whose file was closed. Raises `sqlite3.Error`."""
    known = {row[0] for row in snapshot.db.execute("SELECT crawl_id FROM crawls").fetchall()}
    clinics = {row[0] for row in snapshot.db.execute("SELECT clinic_id FROM clinics").fetchall()}
    withdrawn = dict(snapshot.db.execute("SELECT takedown_id, purged FROM withdrawals").fetchall())
    policies = {clinic_id: stored_policy(snapshot.db, clinic_id) for clinic_id in clinics}
    confirmed = set(snapshot.db.execute("SELECT clinic_id, confirmed_at FROM confirmations").fetchall())
    found = []
    for run_file in run_files:
        if snapshot.is_closed(run_file):
            found.append(run_file)
        elif run_file.crawl_id in known:
            listed = {slug: stanza for slug, stanza in run_file.new_clinics.items() if slug in clinics}
            stored = tuple(each for each in run_file.confirmed if each in confirmed)
            applied = tuple(each for each in run_file.decisions if _is_applied(each, policies, withdrawn))
            found.append(replace(run_file, new_clinics=listed, confirmed=stored, decisions=applied))
    return found


def _is_applied(
    decision: Retroactive | Purged, policies: Mapping[str, Policy | None], withdrawn: Mapping[str, str | None]
) -> bool:
    """Return whether the rows were made again after the decision. `withdrawn`: day of the purge by takedown."""
    match decision:
        case PolicySet():
            return policies.get(decision.clinic_id) == decision.policy
        case Withdrawn():
            return decision.takedown_id in withdrawn
        case Purged():
            return all(withdrawn.get(takedown_id) for takedown_id in decision.takedowns)
    return decision.takedown_id not in withdrawn


def log_as_of(log: ClinicLog, snapshot: RowsAsOf) -> LogAsOf:
    """Return the log as the snapshot can show it; the log itself is changed. Raises `sqlite3.Error`."""
    of_clinic = [log.clinic_id]
    find = "SELECT crawl_id, status FROM clinic_runs WHERE clinic_id = ?"
    statuses = dict(snapshot.db.execute(find, of_clinic).fetchall())
    if any(each.kind == "clinic" for each in log.withdrawn):  # no record of it has a row
        log.problems = []
        for run in log.runs:
            run.captures = []
        return LogAsOf(log)
    find = "SELECT capture_id FROM captures WHERE clinic_id = ?"
    stored = {row[0] for row in snapshot.db.execute(find, of_clinic).fetchall()}
    found, runs = LogAsOf(log), list[VisitLog]()
    for run in log.runs:
        unclosed = [file for file in run.files if file not in snapshot.closed]
        is_running = statuses.get(run.crawl_id) == "running"
        found.unsettled += run.files if is_running else unclosed
        if unclosed and run.crawl_id is not None and run.crawl_id not in statuses:
            continue  # it began after the snapshot
        orphans = [ref for ref in run.captures if ref.capture_id not in stored]
        if not is_running:
            found.orphans += [ref for ref in orphans if ref.file not in unclosed]
        run.captures = [ref for ref in run.captures if ref.capture_id in stored]
        runs.append(run)
        if is_running:
            run.end = run.ended = None
            found.running.append(run.visit)
    log.runs = runs
    found.problems = [line for line in log.problems if line.partition(": ")[0] not in found.unsettled]
    return found
