"""Two stored posts that turned out to be one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from archive.rows.posts.stored_post import FIELDS, rank_among

# Tables of which a post has at most one row for each value of this key; both posts of a merge may have it.
_UNIQUE_PER_POST = {
    "post_categories": "category_id",
    "post_tags": "tag_id",
    "images": "kind || ' ' || url",
    "related_posts": "related_url",
}
_TABLES_OF_A_POST = (
    "post_addresses",
    "revisions",
    "sightings",
    "readings",
    "comments",
    "post_categories",
    "post_tags",
    "images",
    "related_posts",
    "post_changes",
    "absences",
)


# Columns without a source of their own, and the field that they are computed from.
_COMPUTED = {"published_on": "published_at", "author_id": "author", "revision_id": "body_text"}
# Where the post is now: a later capture says so, not a better source.
_OWN = {"url", "slug"}


def merge_posts(db: Database, *, keep: int, drop: int, ranking: Sequence[str] = ()) -> None:
    """Merge two rows that turned out to be one post: all of `drop` moves to `keep`.

    Each field has the value of the better source, as `ranking` has them (best first); of equal ones that of `keep`.
    Raises `sqlite3.Error`.
    """
    _merge_rows(db, keep, drop)
    _rename_firsts(db, keep)
    kept_row, dropped_row = (_row(db, post_id) for post_id in (keep, drop))
    values = _merged_values(kept_row, dropped_row, ranking)
    db.conn.execute("DELETE FROM posts WHERE post_id = ?", (drop,))
    db.table("posts").update(keep, values)


def _merge_rows(db: Database, keep: int, drop: int) -> None:
    """Move the rows that belong to one post to the other; of two equal rows the row of `keep` stays."""
    execute = db.conn.execute
    for table, key in _UNIQUE_PER_POST.items():
        for end, best in (("first", "min"), ("last", "max")):
            execute(
                f"UPDATE {table} AS target SET {end}_capture_id = (SELECT capture_id FROM (SELECT capture_id,"
                f" {best}(fetched_at) FROM captures WHERE capture_id IN (SELECT {end}_capture_id FROM {table} WHERE"
                f" post_id IN (?1, ?2) AND {key} = (SELECT {key} FROM {table} WHERE rowid = target.rowid))))"
                " WHERE post_id = ?1",
                (keep, drop),
            )
    for table in _TABLES_OF_A_POST:
        # OR IGNORE: both may have the same row (a reading of one capture).
        execute(f"UPDATE OR IGNORE {table} SET post_id = ? WHERE post_id = ?", (keep, drop))
        execute(f"DELETE FROM {table} WHERE post_id = ?", (drop,))


def _merged_values(
    kept_row: Mapping[str, str], dropped_row: Mapping[str, str], ranking: Sequence[str]
) -> dict[str, str | None]:
    """The columns of the kept row that change: what the other row alone has, or has of a better source; the dates."""
    rows = (kept_row, dropped_row)
    kept_sources, dropped_sources = (json.loads(row["sources"]) for row in rows)

    def rank(source: str) -> int:
        return rank_among(ranking, source)

    better = {
        name
        for name in FIELDS
        if name not in _OWN
        and name in kept_sources
        and name in dropped_sources
        and dropped_row[name] is not None
        and rank(dropped_sources[name]) < rank(kept_sources[name])
    }
    taken = better | {name for name, value in dropped_row.items() if kept_row[name] is None and value is not None}
    for name, field in _COMPUTED.items():
        if field in taken:
            taken.add(name)
        elif kept_row[field] is not None:
            taken.discard(name)
    values: dict[str, str | None] = {name: dropped_row[name] for name in taken}
    sources = {name: source for name, source in dropped_sources.items() if name in values}
    values["sources"] = json.dumps({**kept_sources, **sources}, sort_keys=True)
    first = min(rows, key=lambda row: row["first_seen_at"])
    values |= {name: first[name] for name in ("first_seen_at", "first_seen_origin")}
    last_seen_at = values["last_seen_at"] = max(row["last_seen_at"] for row in rows)
    # A post that was removed under one address may have been seen since under the other.
    removals = [row["removed_at"] for row in rows if row["removed_at"] and row["removed_at"] > last_seen_at]
    values["removed_at"] = min(removals, default=None)
    return values


def _rename_firsts(db: Database, post_id: int) -> None:
    """After a merge only the oldest text is of kind `first`; any other is the first of its source, or an edit.

    One that repeats the text before it, read under the other address, is no revision.
    """
    rows = db.conn.execute(
        "SELECT revision_id, source, kind, content_sha256 FROM revisions WHERE post_id = ? ORDER BY captured_at,"
        " revision_id",
        (post_id,),
    ).fetchall()
    before: dict[str, tuple[int, str]] = {}  # the last revision of each source, and its text
    for revision_id, source, kind, sha256 in rows:
        if kind == "first" and before:
            earlier = before.get(source)
            if earlier is not None and earlier[1] == sha256:
                _replace_revision(db, revision_id, earlier[0])
                continue
            new_kind = "source" if earlier is None else "content"
            db.conn.execute("UPDATE revisions SET kind = ? WHERE revision_id = ?", (new_kind, revision_id))
        before[source] = (revision_id, sha256)


def _replace_revision(db: Database, drop: int, keep: int) -> None:
    """Delete a revision; what refers to it refers to an equal one from now on."""
    db.conn.execute("DELETE FROM links WHERE revision_id = ?", (drop,))
    for table in ("posts", "sightings", "images"):
        db.conn.execute(f"UPDATE {table} SET revision_id = ? WHERE revision_id = ?", (keep, drop))
    db.conn.execute("DELETE FROM revisions WHERE revision_id = ?", (drop,))


def _row(db: Database, post_id: int) -> dict[str, str]:
    cursor: sqlite3.Cursor = db.conn.execute("SELECT * FROM posts WHERE post_id = ?", (post_id,))
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
