"""Which post an address means. A post is recognised by any address it ever had: URLs, and ids of its platform.

Addresses that were ever named together belong to one *entity* (found by union-find); an entity becomes a post when its
text is first read. An id takes precedence over a URL: when a known URL comes with another id of the same kind, the slug
was given to a new post.

When a clinic moves to another site, its posts get other ids. That a post there is an earlier one is proved by a
redirect, or by title and date together (`Identities.merge_moved`); `post_addresses.matched_by` says by which.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlite_utils import Database

from archive.rows.batch import Batch
from archive.rows.identity.merge import merge_posts


@dataclass(frozen=True, slots=True)
class Entity:
    """A group of addresses: its number, its post where it has one, and the addresses that were just given that post."""

    entity_id: int
    post_id: int | None
    joined: tuple[str, ...]


def address_kind(address: str) -> str:
    """Return the kind of an address, of which an entity has one: "url", "wix uuid", "wix hex", "wordpress id"."""
    if is_url(address):
        return "url"
    prefix, _, value = address.partition(":")
    if len(value) == 36 and value.count("-") == 4:
        return f"{prefix} uuid"
    if len(value) == 24 and all(digit in "0123456789abcdef" for digit in value):
        return f"{prefix} hex"
    return f"{prefix} id"


class _Holder(NamedTuple):
    """What an address stands for: its entity, and the entity's post where it has one."""

    entity_id: int
    post_id: int | None


class Identities:
    """All addresses of a clinic, held in memory while its captures are folded, with the entity and post of each.

    New rows wait in `batch` like any others (`flush` puts them there). `write` makes all waiting rows visible to
    queries, which a merge of two posts needs.
    """

    def __init__(self, db: Database, clinic_id: str, batch: Batch, write: Callable[[], None]) -> None:
        self._db, self._clinic_id, self._batch, self._write = db, clinic_id, batch, write
        self._holders: dict[str, _Holder] = {}
        self._addresses: dict[int, dict[str, None]] = {}  # of each entity, in the order in which they were learned
        self.sites: set[str] = set()  # hosts of all addresses
        self.ranking: Sequence[str] = ()  # the sources of the current capture's platform, best first
        self._learned: dict[str, tuple[str, str]] = {}  # new rows: matched_by and capture_id
        self._moved: dict[str, None] = {}  # rows whose entity or post changed
        rows = db.conn.execute(
            "SELECT address, entity_id, post_id FROM post_addresses WHERE clinic_id = ?", (clinic_id,)
        )
        for address, entity_id, post_id in rows:
            self._place(address, entity_id, post_id)
        self._last_entity = max(self._addresses, default=0)

    def find(self, addresses: Sequence[str]) -> int | None:
        """Return the post that any of the addresses belongs to. Ids take precedence over URLs."""
        for address in _ids_first(addresses):
            post_id = self._holders.get(address, _NOBODY).post_id
            if post_id is not None:
                return post_id
        return None

    def join(self, addresses: Sequence[str], capture_id: str, matched_by: str) -> Entity:
        """Put the addresses into one entity, merging the entities that they belonged to, and return it.

        Two posts that are merged become the older one (`merge_posts`). Entities whose ids of one kind differ are never
        merged: where an id is given, a URL of theirs moves to the entity of the id; where none is (a redirect), both
        stay as they are.
        """
        unique = tuple(dict.fromkeys(addresses))
        holders = [self._holders.get(address) for address in unique]
        first = holders[0]
        if first is not None and first.post_id is not None and all(holder == first for holder in holders):
            return Entity(first.entity_id, first.post_id, ())  # nothing new, as for nearly all that a later visit names
        known = {
            address: holder.entity_id for address, holder in zip(unique, holders, strict=True) if holder is not None
        }
        ids = {address_kind(address): address for address in unique if not is_url(address)}
        merged = self._to_merge(unique, known, ids)
        entity_id = min(merged) if merged else self._new_entity()
        for other in merged:
            if other != entity_id:
                self._absorb(entity_id, other)
        post_id = self._merge_posts_of(entity_id)
        moving = {address for address in known if ids and known[address] not in merged}
        self._detach(moving)
        for address in unique:
            if address not in known or address in moving:
                self._place(address, entity_id, None)
                self._learned[address] = (matched_by, capture_id)
        return self._with_post(entity_id, post_id)

    def _to_merge(self, addresses: Sequence[str], known: Mapping[str, int], ids: Mapping[str, str]) -> list[int]:
        """The entities of the known addresses that become one, the most trusted first."""
        if len(known) < len(addresses) or len(set(known.values())) > 1:
            return self._agreeing([known[address] for address in _ids_first(addresses) if address in known], ids)
        return [known[addresses[0]]]

    def _agreeing(self, entities: Sequence[int], ids: Mapping[str, str]) -> list[int]:
        """Those of the entities, the most trusted first, that have no other id of a kind in `ids` or of one before."""
        ids, merged = dict(ids), list[int]()
        for entity_id in dict.fromkeys(entities):
            own: dict[str, list[str]] = {}  # a single id of each kind, except for a post that moved to another site
            for address in self._addresses[entity_id]:
                if not is_url(address):
                    own.setdefault(address_kind(address), []).append(address)
            if all(kind not in ids or ids[kind] in values for kind, values in own.items()):
                ids = {**{kind: values[0] for kind, values in own.items()}, **ids}
                merged.append(entity_id)
        return merged

    def _absorb(self, entity_id: int, other: int) -> None:
        """Move all addresses of another entity to this one; each keeps its post until `_merge_posts_of`."""
        self._moved.update(self._addresses[other])
        for address in self._addresses.pop(other):
            self._place(address, entity_id, self._holders[address].post_id)

    def _merge_posts_of(self, entity_id: int) -> int | None:
        """Merge the posts of an entity's addresses into the oldest and return it; None where there is no post."""
        found = {self._holders[address].post_id for address in self._addresses.get(entity_id, ())}
        posts = sorted(post_id for post_id in found if post_id is not None)
        for drop in posts[1:]:
            self._merge(posts[0], drop)
        return posts[0] if posts else None

    def _merge(self, keep: int, drop: int) -> None:
        self._write()
        merge_posts(self._db, keep=keep, drop=drop, ranking=self.ranking)
        for address, holder in self._holders.items():
            if holder.post_id == drop:
                self._holders[address] = _Holder(holder.entity_id, keep)

    def _detach(self, addresses: Collection[str]) -> None:
        """Take addresses out of their entities, before they move to another."""
        if addresses:
            self._write()  # the waiting updates of sightings are meant for the post that the address leaves
        for address in addresses:
            del self._addresses[self._holders[address].entity_id][address]

    def merge_moved(self, old: str, new: str, capture_id: str, matched_by: str) -> Entity | None:
        """Merge the posts of two addresses at different sites, though their ids differ, and return the entity.

        None, and no change, where either post already has an address at the other's site: one post there is one post
        here.
        """
        old_holder, new_holder = self._holders.get(old), self._holders.get(new)
        if old_holder is None or new_holder is None or old_holder.entity_id == new_holder.entity_id:
            return None
        if self._is_at(old_holder.entity_id, site_host(new)) or self._is_at(new_holder.entity_id, site_host(old)):
            return None
        entity_id, other = sorted((old_holder.entity_id, new_holder.entity_id))
        self._absorb(entity_id, other)
        self._learned[new] = (matched_by, capture_id)
        post_id = self._merge_posts_of(entity_id)
        return None if post_id is None else self._with_post(entity_id, post_id)

    def _is_at(self, entity_id: int, site: str) -> bool:
        return any(is_url(address) and site_host(address) == site for address in self._addresses[entity_id])

    def _with_post(self, entity_id: int, post_id: int | None) -> Entity:
        return Entity(entity_id, post_id, () if post_id is None else self.bind_post(entity_id, post_id))

    def bind_post(self, entity_id: int, post_id: int) -> tuple[str, ...]:
        """Make all addresses of the entity mean this post; return those that did not before, sorted."""
        joined = [address for address in self._addresses[entity_id] if self._holders[address].post_id != post_id]
        for address in joined:
            self._place(address, entity_id, post_id)
            self._moved[address] = None
        return tuple(sorted(joined))

    def platform_id(self, entity_id: int) -> str | None:
        """Return the platform's id of the post: the id that its other services use (Wix: 24 hex digits), else any."""
        ids = [address for address in self._addresses[entity_id] if not is_url(address)]
        best = min(ids, key=lambda address: (not address_kind(address).endswith(" hex"), address), default=None)
        return best.partition(":")[2] or best if best else None

    def flush(self) -> None:
        """Put the rows of new and changed addresses into the batch."""
        for address, (matched_by, capture_id) in self._learned.items():
            row = (self._clinic_id, address, address_kind(address), *self._holders[address], matched_by, capture_id)
            self._batch.put("addresses", row)
        for address in self._moved.keys() - self._learned.keys():
            self._batch.put("addresses moved", (*self._holders[address], self._clinic_id, address))
        self._learned, self._moved = {}, {}

    def _place(self, address: str, entity_id: int, post_id: int | None) -> None:
        self._holders[address] = _Holder(entity_id, post_id)
        self._addresses.setdefault(entity_id, {})[address] = None
        if is_url(address):
            self.sites.add(site_host(address))

    def _new_entity(self) -> int:
        """A number that no entity of the clinic has."""
        self._last_entity += 1
        return self._last_entity


_NOBODY = _Holder(0, None)


def is_url(address: str) -> bool:
    """Return whether an address is a web address and not an id."""
    return address.startswith(("http:", "https:"))


def site_host(url: str) -> str:
    """Return the host of a URL: "clinic.example" of "https://www.clinic.example/post/sleep"."""
    return url.split("/", 3)[2].removeprefix("www.")


def _ids_first(addresses: Sequence[str]) -> Sequence[str]:
    return addresses if len(addresses) == 1 else sorted(addresses, key=is_url)
