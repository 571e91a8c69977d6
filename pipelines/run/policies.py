"""The policies of stanzas, compared with those that the rows of an archive were made under."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from archive.times import utc
from archive.warc import BadRecord
from pipelines.events import PolicySet
from pipelines.privacy.masking import MASKED_BY
from pipelines.privacy.policy import Policy
from pipelines.rebuild import refold_past
from scraper.config.clinics import Clinic

logger = logging.getLogger(__name__)


def stored_policy(db: Database, clinic_id: str) -> Policy | None:
    """Return the policy of the stanza that was recorded last; None for a clinic that the archive does not know."""
    row = db.execute("SELECT comments_policy, privacy FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone()
    return Policy.of({"comments": row[0], "privacy": row[1]}) if row else None


def stricter(db: Database, clinics: Iterable[Clinic]) -> list[PolicySet]:
    """Return an event for each clinic whose stanza is stricter than the one that was recorded last."""
    found = []
    for clinic in clinics:
        before, policy = stored_policy(db, clinic.slug), Policy.of(clinic.as_stanza())
        if before is not None and policy.is_stricter_than(before):
            found.append(PolicySet(clinic.slug, policy, decision_time(db, clinic.slug)))
    return found


def decision_time(db: Database, clinic_id: str) -> str:
    """Return the present time, or where the clock went back, a moment after the start of the clinic's last run."""
    find = "SELECT max(started_at) FROM clinic_runs WHERE clinic_id = ?"
    (last,) = db.execute(find, [clinic_id]).fetchone()
    after = datetime.fromisoformat(last) + timedelta(microseconds=1) if last else datetime.min.replace(tzinfo=UTC)
    return utc(max(datetime.now(UTC), after))


class _FewerCaptures(Exception):
    """Raised to roll the transaction back."""


def is_masked_otherwise(db: Database, clinic_id: str) -> bool:
    """Return whether texts of comments of a clinic were masked by other rules than those of this version."""
    row = db.execute(
        "SELECT 1 FROM clinics WHERE clinic_id = ? AND privacy <> 'keep' AND coalesce(folded_by, '') NOT LIKE ? AND"
        " EXISTS (SELECT 1 FROM comments WHERE comments.clinic_id = clinics.clinic_id AND body_text IS NOT NULL)",
        [clinic_id, f"% {MASKED_BY}"],
    ).fetchone()
    return row is not None


def mask_again(db: Database, archive: Path, key: bytes | None, clinic_id: str) -> str | None:
    """Fold a clinic again whose texts were masked by other rules; return None, or why its rows stay, which is logged.

    Without it the next crawl would store each text that the rules of today mask differently as an edit by the
    commenter. Rows of captures that cannot be read any more would be lost; then all rows stay. Raises `sqlite3.Error`.
    """
    if not is_masked_otherwise(db, clinic_id):
        return None
    count = "SELECT count(*) FROM captures WHERE clinic_id = ?"
    (before,) = db.execute(count, [clinic_id]).fetchone()
    try:
        with db.atomic():
            refold_past(db, archive, key, clinic_id)
            (after,) = db.execute(count, [clinic_id]).fetchone()
            if after < before:
                raise _FewerCaptures
    except _FewerCaptures:
        why = f"{before - after} captures cannot be read"
    except (BadRecord, OSError) as error:
        why = str(error)
    else:
        return None
    line = f"{clinic_id}: comments stay masked by the rules of an earlier version: {why}; run `clinic-archive verify`"
    logger.warning("%s", line)
    return line
