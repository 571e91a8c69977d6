"""Reparse: reads stored captures again after an upgrade of a parser.

A clinic's rows are a fold of its captures, so all of them are folded again, in one transaction. Texts and counters as
the older parser read them stay beside the new ones (`archive.compare.superseded`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from archive.compare.difference import RowDifference, rows_difference, snapshot
from pipelines.fold.fold import SOFTWARE
from pipelines.rebuild import newest_version, refold
from pipelines.run.run import Run


@dataclass(frozen=True, slots=True)
class Reparsed:
    """The rows of one clinic that today's parser reads differently."""

    difference: RowDifference
    texts: int  # new revisions of kind `extractor`
    problems: list[str]  # a line for each record that could not be read


class _DryRun(Exception):
    """Raised to roll the transaction back."""


def outdated(db: Database) -> list[str]:
    """Return the clinics whose rows an older version made: those that `verify` names, or with captures and no post.

    A clinic without captures has nothing to be read again.
    """
    find = "SELECT clinic_id FROM clinics WHERE clinic_id IN (SELECT clinic_id FROM captures) ORDER BY clinic_id"
    clinics = [row[0] for row in db.execute(find).fetchall()]
    return [clinic_id for clinic_id in clinics if is_older(db, clinic_id) or _has_no_post(db, clinic_id)]


def is_older(db: Database, clinic_id: str) -> bool:
    """Return whether an older version of the program made rows of the clinic, or of the parser read some.

    Such rows may differ from what today's version makes of the same captures, and are no fault.
    """
    mine = "post_id IN (SELECT post_id FROM posts WHERE clinic_id = :clinic)"
    # A text that an older version read stays as a revision; it counts only until a newer version has read the capture.
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM clinics WHERE clinic_id = :clinic AND folded_by IS NOT :software) OR"
        " EXISTS (SELECT 1 FROM readings WHERE extractor_version < :version AND evidence = 'read' AND"
        f" {mine}) OR EXISTS (SELECT 1 FROM posts JOIN revisions USING (revision_id) WHERE clinic_id = :clinic AND"
        " extractor_version < :version) OR EXISTS (SELECT 1 FROM revisions AS r WHERE extractor_version < :version AND"
        f" r.{mine} AND NOT EXISTS (SELECT 1 FROM revisions AS n WHERE n.post_id = r.post_id AND n.capture_id ="
        " r.capture_id AND n.source = r.source AND n.extractor_version > r.extractor_version))",
        {"clinic": clinic_id, "version": newest_version(db, clinic_id), "software": SOFTWARE},
    ).fetchone()
    return bool(row[0])


def _has_no_post(db: Database, clinic_id: str) -> bool:
    """Return whether the clinic has no post: an older version may not have found any in its captures."""
    return db.execute("SELECT 1 FROM posts WHERE clinic_id = ? LIMIT 1", [clinic_id]).fetchone() is None


def reparse(run: Run, clinic_id: str, *, dry_run: bool) -> Reparsed:
    """Read a clinic's captures again, and commit the result unless `dry_run`. Raises what `refold` does."""
    found: Reparsed | None = None
    try:
        with run.db.atomic():
            count = (
                "SELECT count(*) FROM revisions JOIN posts USING (post_id) WHERE kind = 'extractor' AND clinic_id = ?"
            )
            (before,) = run.db.execute(count, [clinic_id]).fetchone()
            snapshot(run.db, clinic_id)
            history = refold(run.db, run.archive, run.key, clinic_id)
            (after,) = run.db.execute(count, [clinic_id]).fetchone()
            found = Reparsed(rows_difference(run.db, clinic_id), after - before, history.problems)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    assert found is not None
    return found
