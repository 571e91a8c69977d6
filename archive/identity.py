"""Which post an address means. A post is recognised by any address it ever had: URLs, and ids of its platform.

Addresses that were ever named together belong to one *entity*; an entity becomes a post when its text is first read.
An id outweighs a URL: when a known URL comes with another id of the same kind, the slug was given to a new post.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Entity:
    """A group of addresses: its number, its post where it has one, and the addresses that came to mean it just now."""

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
    for address in _ids_first(addresses):
        row = db.conn.execute(
            "SELECT post_id FROM post_addresses WHERE clinic_id = ? AND address = ? AND post_id IS NOT NULL",
            (clinic_id, address),
        ).fetchone()
        if row:
            return int(row[0])
    return None


def join(db: Database, clinic_id: str, addresses: Sequence[str], capture_id: str, matched_by: str) -> Entity:
    """Put the addresses into one entity, uniting what they belonged to, and give it back.

    Two posts united become the older one (`merge_posts`). Entities whose ids of one kind differ are never united: where
    an id is given, a URL of theirs moves to the entity of the id; where none is (a redirect), both stay as they are.
    """
    unique = tuple(dict.fromkeys(addresses))
    marks = ",".join("?" * len(unique))
    rows = db.conn.execute(
        f"SELECT address, entity_id, post_id FROM post_addresses WHERE clinic_id = ? AND address IN ({marks})",
        (clinic_id, *unique),
    ).fetchall()
    if len(rows) == len(unique) and len({row[1:] for row in rows}) == 1 and rows[0][2] is not None:
        return Entity(rows[0][1], rows[0][2], ())  # nothing to learn, as for nearly all that a second visit names
    known = {address: entity for address, entity, _ in rows}
    given = {kind_of(address): address for address in unique if kind_of(address) != "url"}
    if len(known) < len(unique) or len(set(known.values())) > 1:
        united = _agreeing(db, clinic_id, [known[one] for one in _ids_first(unique) if one in known], given)
    else:
        united = [known[unique[0]]]
    entity_id = min(united) if united else _next(db, clinic_id)
    for other in (one for one in united if one != entity_id):
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
    joining = [one for one in unique if one not in known or (given and known[one] not in united)]
    db.conn.executemany(
        "INSERT INTO post_addresses (clinic_id, address, kind, entity_id, matched_by, capture_id) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (clinic_id, address) DO UPDATE SET entity_id = excluded.entity_id, post_id = NULL,"
        " matched_by = excluded.matched_by, capture_id = excluded.capture_id",
        [(clinic_id, one, kind_of(one), entity_id, matched_by, capture_id) for one in joining],
    )
    if not posts:
        return Entity(entity_id, None, ())
    return Entity(entity_id, posts[0], _take(db, clinic_id, entity_id, posts[0]))


def _take(db: Database, clinic_id: str, entity_id: int, post_id: int) -> tuple[str, ...]:
    """All addresses of the entity mean this post; gives those that did not before."""
    rows = db.conn.execute(
        "UPDATE post_addresses SET post_id = ? WHERE clinic_id = ? AND entity_id = ? AND post_id IS NOT ?"
        " RETURNING address",
        (post_id, clinic_id, entity_id, post_id),
    ).fetchall()
    return tuple(sorted(row[0] for row in rows))


def _ids_first(addresses: Sequence[str]) -> list[str]:
    return sorted(addresses, key=lambda one: kind_of(one) == "url")


def become_post(db: Database, clinic_id: str, entity_id: int, post_id: int) -> list[str]:
    """The entity's text was read: all its addresses now mean this post. Returns them."""
    return list(_take(db, clinic_id, entity_id, post_id))


# Rows that one post has at most once for what else is in their key; both posts of a merge may have them.
_SHARED = {
    "post_categories": "category_id", "post_tags": "tag_id", "images": "kind || ' ' || url",
    "related_posts": "related_url",
}  # fmt: skip


def merge_posts(db: Database, *, keep: int, drop: int) -> None:
    """Two rows turned out to be one post: everything of `drop` moves to `keep`, whose own values stand."""
    execute = db.conn.execute
    for table, key in _SHARED.items():
        for end, best in (("first", "min"), ("last", "max")):
            execute(
                f"UPDATE {table} AS kept SET {end}_capture_id = (SELECT capture_id FROM (SELECT capture_id,"
                f" {best}(fetched_at) FROM captures WHERE capture_id IN (SELECT {end}_capture_id FROM {table} WHERE"
                f" post_id IN (?1, ?2) AND {key} = (SELECT {key} FROM {table} WHERE rowid = kept.rowid))))"
                " WHERE post_id = ?1",
                (keep, drop),
            )
    tables = [
        "post_addresses", "revisions", "sightings", "readings", "comments", "post_categories", "post_tags", "images",
        "related_posts", "post_changes", "absences",
    ]  # fmt: skip
    for table in tables:
        # OR IGNORE: where both have the same row (one capture's reading), the kept one stands.
        execute(f"UPDATE OR IGNORE {table} SET post_id = ? WHERE post_id = ?", (keep, drop))
        execute(f"DELETE FROM {table} WHERE post_id = ?", (drop,))
    _rename_firsts(db, keep)
    kept, dropped = (_row(db, post_id) for post_id in (keep, drop))
    filled = {name: value for name, value in dropped.items() if kept[name] is None and value is not None}
    sources = {name: how for name, how in json.loads(dropped["sources"]).items() if name in filled}
    filled["sources"] = json.dumps({**json.loads(kept["sources"]), **sources}, sort_keys=True)
    filled["first_seen_at"] = min(kept["first_seen_at"], dropped["first_seen_at"])
    filled["last_seen_at"] = max(kept["last_seen_at"], dropped["last_seen_at"])
    execute("DELETE FROM posts WHERE post_id = ?", (drop,))
    db.table("posts").update(keep, filled)


def _rename_firsts(db: Database, post_id: int) -> None:
    """After a merge only the oldest text is the first; another is the first of its source, or an edit."""
    rows = db.conn.execute(
        "SELECT revision_id, source, kind FROM revisions WHERE post_id = ? ORDER BY captured_at, revision_id",
        (post_id,),
    ).fetchall()
    earlier: list[str] = []
    for revision_id, source, kind in rows:
        if kind == "first" and earlier:
            known = "content" if source in earlier else "source"
            db.conn.execute("UPDATE revisions SET kind = ? WHERE revision_id = ?", (known, revision_id))
        earlier.append(source)


def _row(db: Database, post_id: int) -> dict[str, str]:
    cursor: sqlite3.Cursor = db.conn.execute("SELECT * FROM posts WHERE post_id = ?", (post_id,))
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def _agreeing(db: Database, clinic_id: str, entities: Sequence[int], given: dict[str, str]) -> list[int]:
    """Those of the entities, the most trusted first, that have no other id of a kind given now or found before."""
    ids, united = dict(given), list[int]()
    for entity_id in dict.fromkeys(entities):
        own = db.conn.execute(
            "SELECT kind, address FROM post_addresses WHERE clinic_id = ? AND entity_id = ? AND kind != 'url'",
            (clinic_id, entity_id),
        ).fetchall()
        if all(ids.get(kind, address) == address for kind, address in own):
            ids.update(own)
            united.append(entity_id)
    return united


def _next(db: Database, clinic_id: str) -> int:
    """A number that no entity of the clinic has: asked by clinic, the index answers without reading all of it."""
    sql = "SELECT coalesce(max(entity_id), 0) + 1 FROM post_addresses WHERE clinic_id = ?"
    return int(db.conn.execute(sql, (clinic_id,)).fetchone()[0])
