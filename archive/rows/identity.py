"""Which post an address means. A post is recognised by any address it ever had: URLs, and ids of its platform.

Addresses that were ever named together belong to one *entity*; an entity becomes a post when its text is first read.
An id outweighs a URL: when a known URL comes with another id of the same kind, the slug was given to a new post.

Where a clinic moves to another site its posts get other ids. That a post there is one from before is proved by a
redirect, or by title and date together (`Addresses.unite`); `post_addresses.matched_by` says by which.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from archive.rows.batch import Batch


@dataclass(frozen=True, slots=True)
class Entity:
    """A group of addresses: its number, its post where it has one, and the addresses that came to mean it just now."""

    entity_id: int
    post_id: int | None
    joined: tuple[str, ...]


def kind_of(address: str) -> str:
    """The kind of an address, within which an entity has one value: "url", "wix uuid", "wix hex", "wordpress id"."""
    if is_url(address):
        return "url"
    prefix, _, value = address.partition(":")
    if len(value) == 36 and value.count("-") == 4:
        return f"{prefix} uuid"
    if len(value) == 24 and all(digit in "0123456789abcdef" for digit in value):
        return f"{prefix} hex"
    return f"{prefix} id"


class Identities:
    """All addresses of a clinic, kept in memory while it is folded: entity and post of each.

    What is learned waits in `batch` like any other row (`settle` puts it there); `write` makes all rows visible, which
    a merge of two posts needs.
    """

    def __init__(self, db: Database, clinic_id: str, batch: Batch, write: Callable[[], None]) -> None:
        self._db, self._clinic_id, self._batch, self._write = db, clinic_id, batch, write
        self._at: dict[str, tuple[int, int | None]] = {}  # entity and post
        self._of: dict[int, dict[str, None]] = {}  # addresses of an entity
        self.sites: set[str] = set()  # hosts of all addresses
        self._learned: dict[str, tuple[str, str]] = {}  # how, and from which capture
        self._moved: dict[str, None] = {}
        rows = db.conn.execute(
            "SELECT address, entity_id, post_id FROM post_addresses WHERE clinic_id = ?", (clinic_id,)
        )
        for address, entity_id, post_id in rows:
            self._place(address, entity_id, post_id)
        self._last = max(self._of, default=0)

    def find(self, addresses: Sequence[str]) -> int | None:
        """The post that any of the addresses means; ids are believed before URLs."""
        for address in _ids_first(addresses):
            post_id = self._at.get(address, _NOWHERE)[1]
            if post_id is not None:
                return post_id
        return None

    def join(self, addresses: Sequence[str], capture_id: str, matched_by: str) -> Entity:
        """Put the addresses into one entity, uniting what they belonged to, and give it back.

        Two posts united become the older one (`merge_posts`). Entities whose ids of one kind differ are never united:
        where an id is given, a URL of theirs moves to the entity of the id; where none is (a redirect), both stay as
        they are.
        """
        unique = tuple(dict.fromkeys(addresses))
        places = [self._at.get(one) for one in unique]
        first = places[0]
        if first is not None and first[1] is not None and all(place == first for place in places):
            return Entity(first[0], first[1], ())  # nothing to learn, as for nearly all that a second visit names
        known = {address: place[0] for address, place in zip(unique, places, strict=True) if place is not None}
        given = {kind_of(address): address for address in unique if not is_url(address)}
        if len(known) < len(unique) or len(set(known.values())) > 1:
            united = self._agreeing([known[one] for one in _ids_first(unique) if one in known], given)
        else:
            united = [known[unique[0]]]
        entity_id = min(united) if united else self._new()
        for other in united:
            if other != entity_id:
                self._moved.update(self._of[other])
                for address in self._of.pop(other):
                    self._place(address, entity_id, self._at[address][1])
        posts = sorted({post for one in self._of.get(entity_id, ()) if (post := self._at[one][1]) is not None})
        for drop in posts[1:]:
            self._merge(posts[0], drop)
        leaving = [one for one in known if given and known[one] not in united]
        if leaving:
            self._write()  # sightings that wait to be adopted with it are those from before it left
        for one in leaving:
            del self._of[known[one]][one]
        for one in unique:
            if one not in known or one in leaving:
                self._place(one, entity_id, None)
                self._learned[one] = (matched_by, capture_id)
        if not posts:
            return Entity(entity_id, None, ())
        return Entity(entity_id, posts[0], self.bind_post(entity_id, posts[0]))

    def merge_moved(self, old: str, new: str, capture_id: str, matched_by: str) -> Entity | None:
        """The posts that two addresses at different sites mean are one, though their ids differ; None where either is
        known at the other's site already: one post there is one post here."""
        places = (self._at.get(old), self._at.get(new))
        if places[0] is None or places[1] is None or places[0][0] == places[1][0]:
            return None
        if self._is_at(places[0][0], site_of(new)) or self._is_at(places[1][0], site_of(old)):
            return None
        entity_id, other = sorted((places[0][0], places[1][0]))
        self._moved.update(self._of[other])
        for address in self._of.pop(other):
            self._place(address, entity_id, self._at[address][1])
        self._learned[new] = (matched_by, capture_id)
        posts = sorted({post for one in self._of[entity_id] if (post := self._at[one][1]) is not None})
        for drop in posts[1:]:
            self._merge(posts[0], drop)
        return Entity(entity_id, posts[0], self.bind_post(entity_id, posts[0])) if posts else None

    def _is_at(self, entity_id: int, site: str) -> bool:
        return any(is_url(address) and site_of(address) == site for address in self._of[entity_id])

    def bind_post(self, entity_id: int, post_id: int) -> tuple[str, ...]:
        """All addresses of the entity mean this post from now on; gives those that did not before."""
        joined = [address for address in self._of[entity_id] if self._at[address][1] != post_id]
        for address in joined:
            self._place(address, entity_id, post_id)
            self._moved[address] = None
        return tuple(sorted(joined))

    def platform_id(self, entity_id: int) -> str | None:
        """The platform's id of the post: the one its other services use (Wix: 24 hex digits) before any other."""
        ids = [address for address in self._of[entity_id] if not is_url(address)]
        best = min(ids, key=lambda one: (not kind_of(one).endswith(" hex"), one), default=None)
        return best.partition(":")[2] or best if best else None

    def flush(self) -> None:
        """What was learned goes into the batch."""
        for address, (matched_by, capture_id) in self._learned.items():
            row = (self._clinic_id, address, kind_of(address), *self._at[address], matched_by, capture_id)
            self._batch.put("addresses", row)
        for address in self._moved.keys() - self._learned.keys():
            self._batch.put("addresses moved", (*self._at[address], self._clinic_id, address))
        self._learned, self._moved = {}, {}

    def _place(self, address: str, entity_id: int, post_id: int | None) -> None:
        self._at[address] = (entity_id, post_id)
        self._of.setdefault(entity_id, {})[address] = None
        if is_url(address):
            self.sites.add(site_of(address))

    def _merge(self, keep: int, drop: int) -> None:
        self._write()
        merge_posts(self._db, keep=keep, drop=drop)
        for address, (entity_id, post_id) in self._at.items():
            if post_id == drop:
                self._at[address] = (entity_id, keep)

    def _agreeing(self, entities: Sequence[int], given: dict[str, str]) -> list[int]:
        """Those of the entities, the most trusted first, that have no other id of a kind given now or found before."""
        ids, united = dict(given), list[int]()
        for entity_id in dict.fromkeys(entities):
            own: dict[str, list[str]] = {}  # one of a kind, but for a post that moved to another site
            for address in self._of[entity_id]:
                if not is_url(address):
                    own.setdefault(kind_of(address), []).append(address)
            if all(kind not in ids or ids[kind] in found for kind, found in own.items()):
                ids = {**{kind: found[0] for kind, found in own.items()}, **ids}
                united.append(entity_id)
        return united

    def _new(self) -> int:
        """A number that no entity of the clinic has."""
        self._last += 1
        return self._last


_NOWHERE: tuple[int, int | None] = (0, None)


def is_url(address: str) -> bool:
    """The address is a web address, not an id."""
    return address.startswith(("http:", "https:"))


def site_of(url: str) -> str:
    """ "clinic.example" of "https://www.clinic.example/post/sleep"."""
    return url.split("/", 3)[2].removeprefix("www.")


def _ids_first(addresses: Sequence[str]) -> Sequence[str]:
    return addresses if len(addresses) == 1 else sorted(addresses, key=is_url)


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
    filled: dict[str, str | None] = {
        name: value for name, value in dropped.items() if kept[name] is None and value is not None
    }
    sources = {name: how for name, how in json.loads(dropped["sources"]).items() if name in filled}
    filled["sources"] = json.dumps({**json.loads(kept["sources"]), **sources}, sort_keys=True)
    first = min(kept, dropped, key=lambda row: row["first_seen_at"])
    filled |= {name: first[name] for name in ("first_seen_at", "first_seen_origin")}
    seen = filled["last_seen_at"] = max(kept["last_seen_at"], dropped["last_seen_at"])
    # One that was removed may be there under the other's address.
    marks = [row["removed_at"] for row in (kept, dropped) if row["removed_at"] and row["removed_at"] > seen]
    filled["removed_at"] = min(marks, default=None)
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
