"""What runs are evidence of: posts that were removed, fields that pages ceased to give; and the operator's word on it.

A single odd visit proves nothing. What it shows is kept with it, and counts when a second one, or a person, says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlite_utils import Database


class Measured(NamedTuple):
    """How many posts gave a field in a run, of those that were read and had given it before, or gave a counter now."""

    field: str
    expected: int
    told: int

    @property
    def lost(self) -> bool:
        """Over half of the posts give it no more."""
        return self.told * 2 < self.expected


def save_fields(db: Database, crawl_id: str, clinic_id: str, fields: Iterable[Iterable[object]]) -> None:
    """How a run found the fields of a clinic's posts: (field, expected, told) each."""
    found = [Measured(*one) for one in fields]  # type: ignore[arg-type]
    db.conn.executemany(
        "INSERT INTO run_fields (crawl_id, clinic_id, field, expected, told, lost) VALUES (?,?,?,?,?,?)",
        [(crawl_id, clinic_id, *one, int(one.lost)) for one in found],
    )


class Loss(NamedTuple):
    """A field that posts ceased to give."""

    field: str
    expected: int  # posts that had given it, in the newest run that could tell
    told: int  # of these, those that still gave it
    since: str  # start of the first run that missed it
    accepted: bool = False  # somebody has confirmed it since


def losses(db: Database, clinic_id: str) -> list[Loss]:
    """Fields lost in the newest run that could tell."""
    rows = db.conn.execute(
        "WITH kept AS (SELECT run_fields.*, started_at FROM run_fields JOIN clinic_runs USING (crawl_id, clinic_id)"
        " WHERE clinic_id = ?1), well AS (SELECT field, coalesce(max(started_at) FILTER (WHERE lost = 0), '') AS at"
        " FROM kept GROUP BY field), ill AS (SELECT field, min(started_at) AS since, max(started_at) AS last FROM kept"
        " JOIN well USING (field) WHERE started_at > at GROUP BY field)"
        " SELECT field, expected, told, since, since <= (SELECT coalesce(max(confirmed_at), '') FROM confirmations"
        " WHERE clinic_id = ?1) FROM ill JOIN kept USING (field) WHERE started_at = last ORDER BY field",
        (clinic_id,),
    )
    return [Loss(field, expected, told, since, bool(accepted)) for field, expected, told, since, accepted in rows]


def vanished(db: Database, crawl_id: str, clinic_id: str) -> tuple[int, int]:
    """Posts that answered as gone in this run and never as there since, of all that are not marked as removed.

    Those whose absence somebody has confirmed are not counted.
    """
    gone, all_posts = db.conn.execute(
        "WITH here AS (SELECT post_id, last_seen_at FROM posts WHERE clinic_id = ?2 AND removed_at IS NULL),"
        " confirmed AS (SELECT coalesce(max(confirmed_at), '') AS at FROM confirmations WHERE clinic_id = ?2)"
        " SELECT (SELECT count(DISTINCT here.post_id) FROM here JOIN absences USING (post_id) JOIN captures USING"
        " (capture_id) WHERE crawl_id = ?1 AND comment_id IS NULL AND seen_at > last_seen_at AND NOT EXISTS (SELECT 1"
        " FROM absences AS earlier, confirmed WHERE earlier.post_id = here.post_id AND earlier.comment_id IS NULL AND"
        " earlier.seen_at > last_seen_at AND earlier.seen_at <= confirmed.at)), (SELECT count(*) FROM here)",
        (crawl_id, clinic_id),
    ).fetchone()
    return gone, all_posts


def save_confirmation(db: Database, clinic_id: str, confirmed_at: str) -> None:
    """The operator says that what the runs so far reported of a clinic is so: posts gone, fields not told any more."""
    db.conn.execute("INSERT OR IGNORE INTO confirmations (clinic_id, confirmed_at) VALUES (?,?)",
                    (clinic_id, confirmed_at))  # fmt: skip
    confirm_removals(db, clinic_id)


def confirm_removals(db: Database, clinic_id: str) -> None:
    """Posts that answered as gone, and never as there since, in complete runs at least 20 hours apart: removed at the
    first of these answers. A post that is seen again loses the mark where it is seen.

    A run in which another address of the post failed is no evidence. One that met too many at once counts as complete
    when somebody has confirmed it since.
    """
    # From the clinic's posts to their absences: those of all clinics, over all years, are many more.
    db.execute(
        "UPDATE posts SET removed_at = evidence.first FROM (SELECT absences.post_id, min(seen_at) AS first,"
        " max(seen_at) AS last FROM posts CROSS JOIN absences ON absences.post_id = posts.post_id JOIN captures USING"
        " (capture_id) JOIN clinic_runs ON clinic_runs.crawl_id = captures.crawl_id AND clinic_runs.clinic_id ="
        " captures.clinic_id WHERE posts.clinic_id = ?1 AND posts.removed_at IS NULL AND +comment_id IS NULL AND"
        " seen_at > posts.last_seen_at AND (complete = 1 OR (status = 'moved_or_gone' AND limited = 0 AND"
        " clinic_runs.ended_at <= (SELECT max(confirmed_at) FROM confirmations WHERE clinic_id = ?1)))"
        # What answers under another address with a fault may be there.
        " AND NOT EXISTS (SELECT 1 FROM post_addresses AS a JOIN captures AS c ON c.url = a.address AND c.clinic_id ="
        " a.clinic_id WHERE a.post_id = absences.post_id AND c.crawl_id = captures.crawl_id AND c.via IS NULL AND"
        " (c.http_status IS NULL OR (c.http_status >= 400 AND c.http_status NOT IN (404, 410))))"
        " GROUP BY absences.post_id HAVING count(DISTINCT captures.crawl_id) > 1) AS evidence"
        " WHERE posts.post_id = evidence.post_id AND julianday(evidence.last) - julianday(evidence.first) >= 20 / 24.0",
        [clinic_id],
    )
