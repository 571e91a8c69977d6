"""Applies the privacy settings of a stanza to the rows that are already stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archive.backup.published import FOLDER
from archive.db import DATABASE, ArchiveError
from pipelines.events import PolicySet
from pipelines.log import log_of
from pipelines.privacy.policy import Policy
from pipelines.run.policies import decision_time, is_masked_otherwise, mask_again, stored_policy
from pipelines.run.recorded_runs import runs_of
from pipelines.run.run import Run
from scraper.config.clinics import Clinic

# Rows of comments whose author no settings of that kind permit.
_WRONG_AUTHOR = {
    "keep": "0",
    "pseudonymous": "author NOT LIKE 'reader-%' AND author_kind <> 'staff'",
    "omit": "author IS NOT NULL AND author_kind <> 'staff'",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What the settings of a stanza did to the rows of its clinic."""

    policy: str  # the settings, as a stanza writes them
    changed: bool  # the rows were made again
    looser: bool  # a setting is looser than before, and holds from the next crawl on
    comments: int  # rows of comments now
    unwanted: int  # captures whose records hold comments that the settings do not want


def apply_policy(run: Run, clinic: Clinic, loosen_because: str | None) -> Applied | None:
    """Apply the settings of a stanza to all rows of its clinic; None for a clinic that the archive does not know.

    `loosen_because`: the reason for which looser settings also hold for the past. Raises what `Run.decide` raises,
    and `ArchiveError` where texts cannot be masked again by the rules of this version.
    """
    before, policy = stored_policy(run.db, clinic.slug), Policy.of(clinic.as_stanza())
    if before is None:
        return None
    looser = before.is_stricter_than(policy)
    loosens = loosen_because is not None
    changed = loosens or policy.is_stricter_than(before) or not _is_applied(run, clinic.slug)
    if changed:
        said = policy if loosens else policy.strictest(before)
        run.decide(PolicySet(clinic.slug, said, decision_time(run.db, clinic.slug), loosens, loosen_because), "privacy")
    elif is_masked_otherwise(run.db, clinic.slug):
        if why := mask_again(run.db, run.archive, run.key, clinic.slug):
            raise ArchiveError(why)
        changed = True
    (comments,) = run.db.execute("SELECT count(*) FROM comments WHERE clinic_id = ?", [clinic.slug]).fetchone()
    find = "SELECT count(*) FROM captures WHERE clinic_id = ? AND holds_comments = 1"
    (held,) = run.db.execute(find, [clinic.slug]).fetchone()
    unwanted = held if policy.comments != "threads" else 0
    return Applied(policy.words(), changed, looser and not loosens, comments, unwanted)


def _is_applied(run: Run, clinic_id: str) -> bool:
    """Return whether the rows of the clinic are as the policies in its log want them.

    An earlier version of the program left the rows of earlier captures as they were.
    """
    log = log_of(run.archive, clinic_id, runs_of(run.archive))
    log.set_policies()
    of_run = "SELECT 1 FROM comments JOIN captures USING (capture_id) WHERE comments.clinic_id = ? AND crawl_id IS ?"
    for each in log.runs:
        policy = each.visit.policy
        if policy != Policy.of(each.stanza):
            wrong = "1" if policy.comments != "threads" else _WRONG_AUTHOR[policy.privacy]
            if run.db.execute(f"{of_run} AND {wrong} LIMIT 1", [clinic_id, each.crawl_id]).fetchone():
                return False
    return True


def stale_copies(archive: Path) -> list[str]:
    """Return the databases in the archive's folder that were made before its rows were made again, by their names."""
    found = [archive / FOLDER / DATABASE, *archive.glob("archive-before-*.db")]
    return [path.relative_to(archive).as_posix() for path in sorted(found) if path.exists()]
