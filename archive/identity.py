"""Which post an address means. A post is recognised by any address it ever had: URLs, and ids of its platform.

Addresses that were ever named together belong to one *entity*; an entity becomes a post when its text is first read.
An id outweighs a URL: when a known URL comes with another id of the same kind, the slug was given to a new post.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Entity:
    """A group of addresses: its number, its post where it has one, and the addresses that joined it just now."""

    entity_id: int
    post_id: int | None
    joined: tuple[str, ...]


def kind_of(address: str) -> str:
    """The kind of an address, within which an entity has one value: "url", "wix uuid", "wix hex", "wordpress id"."""
    prefix, _, value = address.partition(":")
    if prefix in ("http", "https"):
        return "url"
    if len(value) == 36 and value.count("-") == 4:
        return f"{prefix} uuid"
    if len(value) == 24 and all(digit in "0123456789abcdef" for digit in value):
        return f"{prefix} hex"
    return f"{prefix} id"


def find_post(db: Database, clinic_id: str, addresses: Sequence[str]) -> int | None:
    """The post that any of the addresses means; ids are believed before URLs."""
    for address in sorted(addresses, key=lambda one: kind_of(one) == "url"):
        row = db.conn.execute(
            "SELECT post_id FROM post_addresses WHERE clinic_id = ? AND address = ? AND post_id IS NOT NULL",
            (clinic_id, address),
        ).fetchone()
        if row:
            return int(row[0])
    return None


def join(db: Database, clinic_id: str, addresses: Sequence[str], capture_id: str, matched_by: str) -> Entity:
    """Put the addresses into one entity, uniting what they belonged to, and give it back.

    Two posts united become the older one (`merge_posts`). Addresses of an entity that has another id of a kind given
    here are not followed: the URL moves to the entity of the id.
    """
    unique = tuple(dict.fromkeys(addresses))
    marks = ",".join("?" * len(unique))
    rows = db.conn.execute(
        f"SELECT address, entity_id, post_id FROM post_addresses WHERE clinic_id = ? AND address IN ({marks})",
        (clinic_id, *unique),
    ).fetchall()
    known = {address: (entity, post) for address, entity, post in rows}
    if len(known) == len(unique) and len({entity for entity, _ in known.values()}) == 1:
        entity_id, post_id = next(iter(known.values()))
        return Entity(entity_id, post_id, ())
    given = {kind_of(address): address for address in unique if kind_of(address) != "url"}
    united = sorted(
        entity for entity in {entity for entity, _ in known.values()} if not _disagrees(db, clinic_id, entity, given)
    )
    entity_id = united[0] if united else _next(db)
    for other in united[1:]:
        db.conn.execute(
            "UPDATE post_addresses SET entity_id = ? WHERE clinic_id = ? AND entity_id = ?",
            (entity_id, clinic_id, other),
        )
    posts = [
        row[0]
        for row in db.conn.execute(
            "SELECT DISTINCT post_id FROM post_addresses WHERE clinic_id = ? AND entity_id = ? AND post_id IS NOT NULL"
            " ORDER BY post_id",
            (clinic_id, entity_id),
        )
    ]
    for drop in posts[1:]:
        merge_posts(db, keep=posts[0], drop=drop)
    post_id = posts[0] if posts else None
    joined = tuple(one for one in unique if one not in known or known[one][0] not in united)
    db.conn.executemany(
        "INSERT INTO post_addresses (clinic_id, address, kind, entity_id, post_id, matched_by, capture_id)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (clinic_id, address) DO UPDATE SET entity_id = excluded.entity_id,"
        " post_id = excluded.post_id, matched_by = excluded.matched_by, capture_id = excluded.capture_id",
        [(clinic_id, one, kind_of(one), entity_id, post_id, matched_by, capture_id) for one in joined],
    )
    if post_id is not None:
        db.conn.execute(
            "UPDATE post_addresses SET post_id = ? WHERE clinic_id = ? AND entity_id = ? AND post_id IS NOT ?",
            (post_id, clinic_id, entity_id, post_id),
        )
        joined = tuple(unique) if united[1:] else joined
    return Entity(entity_id, post_id, joined)


def become_post(db: Database, clinic_id: str, entity_id: int, post_id: int) -> list[str]:
    """The entity's text was read: all its addresses now mean this post. Returns them."""
    db.conn.execute(
        "UPDATE post_addresses SET post_id = ? WHERE clinic_id = ? AND entity_id = ?", (post_id, clinic_id, entity_id)
    )
    return [
        row[0]
        for row in db.conn.execute(
            "SELECT address FROM post_addresses WHERE clinic_id = ? AND entity_id = ?", (clinic_id, entity_id)
        )
    ]


def merge_posts(db: Database, *, keep: int, drop: int) -> None:
    """Two rows turned out to be one post: everything of `drop` moves to `keep`, whose own values stand."""
    tables = [
        "post_addresses", "revisions", "sightings", "readings", "comments", "post_categories", "post_tags", "images",
        "related_posts", "post_changes", "absences",
    ]  # fmt: skip
    for table in tables:
        # OR IGNORE: where both have the same row (one capture's reading), the kept one stands.
        db.conn.execute(f"UPDATE OR IGNORE {table} SET post_id = ? WHERE post_id = ?", (keep, drop))
        db.conn.execute(f"DELETE FROM {table} WHERE post_id = ?", (drop,))
    kept, dropped = (_row(db, post_id) for post_id in (keep, drop))
    filled = {name: value for name, value in dropped.items() if kept[name] is None and value is not None}
    filled["first_seen_at"] = min(kept["first_seen_at"], dropped["first_seen_at"])
    filled["last_seen_at"] = max(kept["last_seen_at"], dropped["last_seen_at"])
    db.conn.execute("DELETE FROM posts WHERE post_id = ?", (drop,))
    db.table("posts").update(keep, filled)


def _row(db: Database, post_id: int) -> dict[str, str]:
    cursor: sqlite3.Cursor = db.conn.execute("SELECT * FROM posts WHERE post_id = ?", (post_id,))
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def _disagrees(db: Database, clinic_id: str, entity_id: int, given: dict[str, str]) -> bool:
    """The entity already has an id of a kind given now, with another value."""
    return any(
        given.get(kind, address) != address
        for kind, address in db.conn.execute(
            "SELECT kind, address FROM post_addresses WHERE clinic_id = ? AND entity_id = ? AND kind != 'url'",
            (clinic_id, entity_id),
        )
    )


def _next(db: Database) -> int:
    return int(db.conn.execute("SELECT coalesce(max(entity_id), 0) + 1 FROM post_addresses").fetchone()[0])
