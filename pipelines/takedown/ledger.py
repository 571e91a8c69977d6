"""The ledger of takedowns: each is recorded in the file of a run, and holds until it is lifted."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from archive.rows.withdrawals import path_sha256
from pipelines.events import Lifted, Withdrawn
from pipelines.run.key import BadKey
from pipelines.run.policies import decision_time
from pipelines.run.recorded_runs import RunFileContents, purges, runs_of, takedowns_in_force
from pipelines.run.run import Run
from pipelines.takedown.finding import Subject, UnknownSubject
from pipelines.takedown.marks import key_check, mark, post_values
from pipelines.takedown.withheld import GRADES, PURGE


class Dates(NamedTuple):
    """When a request to withdraw something arrived, and until when it must be done (None: no date)."""

    received: date
    due: date | None


def withdraw(
    run: Run, found: Subject, grade: str, reason: str, dates: Dates, releases: tuple[str, ...] = ()
) -> Withdrawn:
    """Record a takedown, and make the rows of its clinic again. Raises what `Run.decide` raises.

    `releases`: the names of those that hold it.
    """
    takedown = Withdrawn(
        takedown_id=secrets.token_hex(6),
        clinic_id=found.clinic_id,
        kind=found.kind,
        grade=grade,
        subjects=tuple(sorted(mark(run.key, found.clinic_id, value) for value in found.values)),
        permalinks=tuple(path_sha256(found.clinic_id, slug) for slug in found.slugs),
        key_check=key_check(run.key),
        at=decision_time(run.db, found.clinic_id),
        received=dates.received.isoformat(),
        due=dates.due.isoformat() if dates.due else None,
        reason=reason,
        by=operator(),
        releases=releases,
    )
    run.decide(takedown, "takedown")
    return takedown


def lift(run: Run, takedown: Withdrawn, reason: str) -> None:
    """Record that a takedown holds no longer, and make its clinic's rows again.

    Raises `UnknownSubject` for one that was purged, and what `Run.decide` raises.
    """
    done = next((each for each in purges(runs_of(run.archive)) if takedown.takedown_id in each.takedowns), None)
    if done is not None:
        raise UnknownSubject(
            f"takedown {takedown.takedown_id}: purged on {done.at[:10]}: its recorded bytes are gone, so that nothing"
            " can bring it back"
        )
    at = decision_time(run.db, takedown.clinic_id)
    lifted = Lifted(takedown_id=takedown.takedown_id, clinic_id=takedown.clinic_id, at=at, reason=reason, by=operator())
    run.decide(lifted, "takedown")


def adopt_takedowns(run: Run, archive: Path) -> None:
    """Record the takedowns of grade purge of another archive, of which the run's is a copy, and hide what they name.

    Raises `BadKey` where the two have different keys, with nothing recorded, and what `Run.decide` raises.
    """
    known = {(each.takedown_id, each.subjects) for each in takedowns_in_force(runs_of(run.archive))}
    wanted = [each for each in takedowns_in_force(runs_of(archive)) if each.grade == PURGE]
    # A whole clinic is named by its slug, which another archive may have, too: only the key tells a copy.
    if any(each.key_check != key_check(run.key) for each in wanted):
        raise BadKey(f"{run.archive}: its pseudonym.key is not that of {archive}: it is no copy of that archive")
    for takedown in wanted:
        if (takedown.takedown_id, takedown.subjects) not in known:
            run.decide(takedown, "takedown")


def already(run: Run, text: str, *, comments: bool = False) -> Withdrawn | None:
    """Return the takedown, of the highest grade, of what the text names; None if it is not withdrawn.

    `comments`: it names all comments of a clinic. Its rows are gone, so that only the marks know it.
    """
    values = post_values([text]) if "://" in text else {f"comment {text}", f"person {text}"}
    values = {value for value in values if not value.startswith("word ")}
    kind = "comments" if comments else "clinic"
    matching = [
        each
        for each in takedowns_in_force(runs_of(run.archive))
        if (each.kind == kind and each.clinic_id == text)
        or not {mark(run.key, each.clinic_id, value) for value in values}.isdisjoint(each.subjects)
    ]
    return max(matching, key=lambda each: GRADES.index(each.grade), default=None)


def raised(run: Run, before: Withdrawn, grade: str, reason: str, dates: Dates) -> Withdrawn:
    """Record a takedown of a higher grade for what is withdrawn already. Raises `UnknownSubject`, as `Run.decide`."""
    if GRADES.index(grade) <= GRADES.index(before.grade):
        raise UnknownSubject(f"withdrawn already: takedown {before.takedown_id}, grade {before.grade}")
    takedown = replace(
        before,
        takedown_id=secrets.token_hex(6),
        grade=grade,
        at=decision_time(run.db, before.clinic_id),
        received=dates.received.isoformat(),
        due=dates.due.isoformat() if dates.due else None,
        reason=reason,
        by=operator(),
    )
    run.decide(takedown, "takedown")
    return takedown


def by_id(archive: Path, takedown_id: str) -> Withdrawn:
    """Return a takedown that holds. Raises `UnknownSubject`, OSError."""
    run_files = runs_of(archive)
    found = next((each for each in takedowns_in_force(run_files) if each.takedown_id == takedown_id), None)
    if found is None:
        was = any(takedown_id == each.takedown_id for each in all_of(run_files))
        why = "was lifted already" if was else "is not in this archive; `clinic-archive takedown list` has all"
        raise UnknownSubject(f"takedown {takedown_id} {why}")
    return found


def all_of(run_files: Iterable[RunFileContents]) -> list[Withdrawn]:
    """Return all takedowns, lifted ones too, oldest first."""
    found = [each for run_file in run_files for each in run_file.decisions if isinstance(each, Withdrawn)]
    return sorted({each.takedown_id: each for each in found}.values(), key=lambda each: each.at)


def today() -> date:
    """Return the day of UTC."""
    return datetime.now(UTC).date()


def operator() -> str:
    """Return the name of the account that gives the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
