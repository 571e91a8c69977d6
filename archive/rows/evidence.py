"""What runs are evidence of, posts removed and fields no longer given; and what the operator confirmed.

A single odd visit proves nothing. What it shows is stored with it, and counts when a second visit, or a person,
confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlite_utils import Database


class Measured(NamedTuple):
    """How many posts gave a field in a run.

    Expected are the posts that were read in the run and had given the field before, or give a counter now.
    """

    field: str
    expected: int
    given: int

    @property
    def is_lost(self) -> bool:
        """Whether over half of the posts no longer give the field."""
        return self.given * 2 < self.expected


def save_fields(db: Database, crawl_id: str, clinic_id: str, fields: Iterable[Iterable[object]]) -> None:
    """Write how often the posts of a clinic gave each field in a run; each entry has the values of `Measured`."""
    measured = [Measured(*values) for values in fields]  # type: ignore[arg-type]
    db.conn.executemany(
        "INSERT INTO run_fields (crawl_id, clinic_id, field, expected, told, lost) VALUES (?,?,?,?,?,?)",
        [(crawl_id, clinic_id, *entry, int(entry.is_lost)) for entry in measured],
    )


class Loss(NamedTuple):
    """A field that posts stopped giving. Its names are keys of printed JSON."""

    field: str
    expected: int  # posts that had given it, in the newest run that could tell
    told: int  # those of them that still gave it
    since: str  # start of the first run that missed it
    accepted: bool = False  # the operator has confirmed it since


def losses(db: Database, clinic_id: str) -> list[Loss]:
    """Return the fields that were lost in the newest run that could tell, by name."""
    rows = db.conn.execute(
        "WITH measured AS (SELECT run_fields.*, started_at FROM run_fields JOIN clinic_runs USING (crawl_id, clinic_id)"
        " WHERE clinic_id = ?1), well AS (SELECT field, coalesce(max(started_at) FILTER (WHERE lost = 0), '') AS at"
        " FROM measured GROUP BY field), ill AS (SELECT field, min(started_at) AS since, max(started_at) AS last FROM"
        " measured JOIN well USING (field) WHERE started_at > at GROUP BY field)"
        " SELECT field, expected, told, since, since <= (SELECT coalesce(max(confirmed_at), '') FROM confirmations"
        " WHERE clinic_id = ?1) FROM ill JOIN measured USING (field) WHERE started_at = last ORDER BY field",
        (clinic_id,),
    )
    return [Loss(field, expected, given, since, bool(accepted)) for field, expected, given, since, accepted in rows]


def vanished(db: Database, crawl_id: str, clinic_id: str) -> tuple[int, int]:
    """Return how many posts answered as gone in this run and were not seen since, and how many posts there are.

    Posts that are marked as removed are in neither number; those whose absence the operator has confirmed are not in
    the first.
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
    """Write that the operator confirms what runs have reported of a clinic: posts gone, fields no longer given."""
    db.conn.execute(
        "INSERT OR IGNORE INTO confirmations (clinic_id, confirmed_at) VALUES (?,?)", (clinic_id, confirmed_at)
    )
    confirm_removals(db, clinic_id)


def confirm_removals(db: Database, clinic_id: str) -> None:
    """Mark posts as removed that answered as gone, and were not seen since, in complete runs at least 20 hours apart.

    They are removed at the first of these answers. A post that is seen again loses the mark when it is stored.

    A run in which another address of the post failed is no evidence. A run in which too many posts were gone at once
    counts as complete when the operator has confirmed it since.
    """
    # CROSS JOIN: go from the clinic's posts to their absences, because the absences of all clinics are many more.
    db.execute(
        "UPDATE posts SET removed_at = evidence.first FROM (SELECT absences.post_id, min(seen_at) AS first,"
        " max(seen_at) AS last FROM posts CROSS JOIN absences ON absences.post_id = posts.post_id JOIN captures USING"
        " (capture_id) JOIN clinic_runs ON clinic_runs.crawl_id = captures.crawl_id AND clinic_runs.clinic_id ="
        " captures.clinic_id WHERE posts.clinic_id = ?1 AND posts.removed_at IS NULL AND +comment_id IS NULL AND"
        " seen_at > posts.last_seen_at AND (complete = 1 OR (status = 'moved_or_gone' AND limited = 0 AND"
        " clinic_runs.ended_at <= (SELECT max(confirmed_at) FROM confirmations WHERE clinic_id = ?1)))"
        # A post whose other address answers with an error may still be there.
        " AND NOT EXISTS (SELECT 1 FROM post_addresses AS a JOIN captures AS c ON c.url = a.address AND c.clinic_id ="
        " a.clinic_id WHERE a.post_id = absences.post_id AND c.crawl_id = captures.crawl_id AND c.via IS NULL AND"
        " (c.http_status IS NULL OR (c.http_status >= 400 AND c.http_status NOT IN (404, 410))))"
        " GROUP BY absences.post_id HAVING count(DISTINCT captures.crawl_id) > 1) AS evidence"
        " WHERE posts.post_id = evidence.post_id AND julianday(evidence.last) - julianday(evidence.first) >= 20 / 24.0",
        [clinic_id],
    )
