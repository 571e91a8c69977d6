"""What changed of a clinic's posts, counters and comments between two moments of one transaction, field by field."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlite_utils import Database

from archive.rows.stored_post import FIELDS

_ADDRESS = "(SELECT min(address) FROM post_addresses AS a WHERE a.post_id = t.post_id)"
# Table: what identifies a row whatever its number, and the fields that a parser reads.
_COMPARED: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "posts": ({"address": _ADDRESS}, (*FIELDS, "platform_post_id", "published_on")),
    "readings": (
        {"address": _ADDRESS, "capture_id": "t.capture_id", "source": "t.source", "evidence": "t.evidence"},
        ("views", "likes", "comments_count", "views_raw", "likes_raw", "comments_count_raw"),
    ),
    "comments": (
        {"name": "t.platform_comment_id"},
        ("author", "author_kind", "body_text", "body_html", "posted_at", "posted_at_precision", "likes", "status",
         "edited", "parent_platform_comment_id"),
    ),
}  # fmt: skip
_CLINIC = {
    "posts": "t.clinic_id = ?", "comments": "t.clinic_id = ?",
    "readings": "t.post_id IN (SELECT post_id FROM posts WHERE clinic_id = ?)",
}  # fmt: skip
_LONGEST = 80  # characters of a value in an example


@dataclass(slots=True)
class Difference:
    """How the rows of one clinic differ from what they were; empty where they do not."""

    changed: dict[str, int] = field(default_factory=dict)  # "posts.title": number of rows
    new: dict[str, int] = field(default_factory=dict)  # rows by table
    gone: dict[str, int] = field(default_factory=dict)
    examples: dict[str, tuple[str, str | None, str | None]] = field(default_factory=dict)  # field: row, before, after

    def __bool__(self) -> bool:
        return bool(self.changed or self.new or self.gone)


def snapshot(db: Database, clinic_id: str) -> None:
    """Keep what the clinic's rows say now in temporary tables, for `difference`."""
    for table in _COMPARED:
        db.conn.execute(f"DROP TABLE IF EXISTS temp.was_{table}")
        db.conn.execute(f"CREATE TEMP TABLE was_{table} AS {_said(table)}", (clinic_id,))
        db.conn.execute(f"CREATE INDEX temp.was_{table}_key ON was_{table} ({', '.join(_COMPARED[table][0])})")


def _said(table: str) -> str:
    keys, fields = _COMPARED[table]
    columns = [f"{how} AS {name}" for name, how in keys.items()] + [f"t.{name}" for name in fields]
    return f"SELECT {', '.join(columns)} FROM {table} AS t WHERE {_CLINIC[table]}"


def difference(db: Database, clinic_id: str) -> Difference:
    """What the clinic's rows say otherwise than when `snapshot` was called, which is forgotten."""
    found = Difference()
    for table, (keys, fields) in _COMPARED.items():
        db.conn.execute(f"DROP TABLE IF EXISTS temp.is_{table}")
        db.conn.execute(f"CREATE TEMP TABLE is_{table} AS {_said(table)}", (clinic_id,))
        db.conn.execute(f"CREATE INDEX temp.is_{table}_key ON is_{table} ({', '.join(keys)})")
        same = " AND ".join(f"n.{name} = o.{name}" for name in keys)
        for name, one, other in (("new", "is", "was"), ("gone", "was", "is")):
            ((number,),) = db.conn.execute(
                f"SELECT count(*) FROM {one}_{table} AS n WHERE NOT EXISTS (SELECT 1 FROM {other}_{table} AS o WHERE"
                f" {same})"
            ).fetchall()
            if number:
                getattr(found, name)[table] = number
        pairs = f"FROM is_{table} AS n JOIN was_{table} AS o ON {same}"
        for name in fields:
            where = f"WHERE n.{name} IS NOT o.{name}"
            ((number,),) = db.conn.execute(f"SELECT count(*) {pairs} {where}").fetchall()
            if number:
                found.changed[f"{table}.{name}"] = number
                first = next(iter(keys))
                row = db.conn.execute(f"SELECT n.{first}, o.{name}, n.{name} {pairs} {where} ORDER BY 1 LIMIT 1")
                key, before, after = row.fetchone()
                found.examples[f"{table}.{name}"] = (key, _short(before), _short(after))
        for when in ("is", "was"):
            db.conn.execute(f"DROP TABLE temp.{when}_{table}")
    return found


def _short(value: object) -> str | None:
    text = None if value is None else " ".join(str(value).split())
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
