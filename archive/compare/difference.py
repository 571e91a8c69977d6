"""What changed in a clinic's posts, counters and comments between two moments of a transaction, field by field."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlite_utils import Database

from archive.rows.posts.counters import COUNTER_COLUMNS
from archive.rows.posts.stored_post import FIELDS

_ADDRESS = "(SELECT min(address) FROM post_addresses AS a WHERE a.post_id = t.post_id)"
# For each table: what identifies a row other than its integer key, and the fields that a parser reads.
_COMPARED: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "posts": (
        {"address": _ADDRESS},
        (*FIELDS, "platform_post_id", "published_on", "comment_service", "comment_thread"),
    ),
    "readings": (
        {"address": _ADDRESS, "capture_id": "t.capture_id", "source": "t.source", "evidence": "t.evidence"},
        COUNTER_COLUMNS,
    ),
    "comments": (
        {"name": "t.platform_comment_id"},
        (
            "author",
            "author_kind",
            "body_text",
            "body_html",
            "posted_at",
            "posted_at_precision",
            "likes",
            "status",
            "edited",
            "type",
            "parent_platform_comment_id",
        ),
    ),
}
_CLINIC = {
    "posts": "t.clinic_id = ?",
    "comments": "t.clinic_id = ?",
    "readings": "t.post_id IN (SELECT post_id FROM posts WHERE clinic_id = ?)",
}
_LONGEST = 80  # characters of a value in an example


@dataclass(slots=True)
class RowDifference:
    """How the rows of a clinic differ from what they were; empty, and false, where they do not."""

    changed: dict[str, int] = field(default_factory=dict)  # "posts.title": number of rows
    new: dict[str, int] = field(default_factory=dict)  # rows by table
    gone: dict[str, int] = field(default_factory=dict)
    examples: dict[str, tuple[str, str | None, str | None]] = field(default_factory=dict)  # field: row, before, after

    def __bool__(self) -> bool:
        return bool(self.changed or self.new or self.gone)


def snapshot(db: Database, clinic_id: str) -> None:
    """Copy what the clinic's rows say now into temporary tables, for `rows_difference`."""
    for table in _COMPARED:
        _copy(db, "was", table, clinic_id)


def _copy(db: Database, when: str, table: str, clinic_id: str) -> None:
    keys, fields = _COMPARED[table]
    columns = [f"{expression} AS {name}" for name, expression in keys.items()] + [f"t.{name}" for name in fields]
    db.conn.execute(f"DROP TABLE IF EXISTS temp.{when}_{table}")
    db.conn.execute(
        f"CREATE TEMP TABLE {when}_{table} AS SELECT {', '.join(columns)} FROM {table} AS t WHERE {_CLINIC[table]}",
        (clinic_id,),
    )
    db.conn.execute(f"CREATE INDEX temp.{when}_{table}_key ON {when}_{table} ({', '.join(keys)})")


def rows_difference(db: Database, clinic_id: str) -> RowDifference:
    """Return how the clinic's rows differ from the last `snapshot`, whose temporary tables are dropped."""
    result = RowDifference()
    for table, (keys, fields) in _COMPARED.items():
        _copy(db, "is", table, clinic_id)
        same = " AND ".join(f"n.{name} = o.{name}" for name in keys)
        result.new |= _count_unmatched(db, table, "is", "was", same)
        result.gone |= _count_unmatched(db, table, "was", "is", same)
        pairs = f"FROM is_{table} AS n JOIN was_{table} AS o ON {same}"
        for name in fields:
            where = f"WHERE n.{name} IS NOT o.{name}"
            ((number,),) = db.conn.execute(f"SELECT count(*) {pairs} {where}").fetchall()
            if number:
                result.changed[f"{table}.{name}"] = number
                first = next(iter(keys))
                row = db.conn.execute(f"SELECT n.{first}, o.{name}, n.{name} {pairs} {where} ORDER BY 1 LIMIT 1")
                key, before, after = row.fetchone()
                result.examples[f"{table}.{name}"] = (key, _short(before), _short(after))
        for when in ("is", "was"):
            db.conn.execute(f"DROP TABLE temp.{when}_{table}")
    return result


def _count_unmatched(db: Database, table: str, side: str, other: str, same: str) -> dict[str, int]:
    """The number of rows of one side that the other side lacks, by table; empty where there are none."""
    ((number,),) = db.conn.execute(
        f"SELECT count(*) FROM {side}_{table} AS n WHERE NOT EXISTS (SELECT 1 FROM {other}_{table} AS o WHERE {same})"
    ).fetchall()
    return {table: number} if number else {}


def _short(value: object) -> str | None:
    text = None if value is None else " ".join(str(value).split())
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
