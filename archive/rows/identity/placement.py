"""Which post an item belongs to, and the items that wait in `unplaced` until their post is known."""

from __future__ import annotations

import json
from dataclasses import replace

from archive.rows.comments import save_comment
from archive.rows.context import CaptureContext, Item
from archive.rows.identity.identities import Entity, is_url
from archive.rows.posts.readings import is_empty, save_reading


def place_reading(context: CaptureContext, item: Item) -> None:
    """Write a reading of the post that it names, or keep it in `unplaced`; an empty one is ignored."""
    if is_empty(item):
        return
    post_id = _post_of(context, item)
    if post_id is None:
        _save_unplaced(context, "Reading", item)
    else:
        save_reading(context, item, post_id)


def place_comment(context: CaptureContext, item: Item) -> None:
    """Write a comment on the post that it names, or keep it in `unplaced`."""
    post_id = _post_of(context, item)
    if post_id is None:
        _save_unplaced(context, "Comment", item)
    else:
        save_comment(context, item, post_id)


def _post_of(context: CaptureContext, item: Item) -> int | None:
    """The post that an item names. Addresses that it names together belong to one post from now on."""
    if len(item["post"]) > 1:
        return resolve_post(context, tuple(item["post"]), item["source"])
    return context.cache.post_of(item["post"])


def save_embedded_thread(context: CaptureContext, item: Item) -> None:
    """Write the thread at a comment service that a post's page embeds; of several in one page, the last is kept.

    The thread is no address of the post: a page template may name one thread on the pages of many posts. Its comments
    belong to the first of them.
    """
    cache, thread = context.cache, item["thread"]
    post_id = cache.identities.find(item["post"])
    if post_id is None:
        return
    cache.batch.put("posts thread", (item["service"], thread, post_id))
    if thread not in cache.threads:
        cache.threads[thread] = item["post"][0]
        attach_pending(context, Entity(0, post_id, (thread,)))


def resolve_post(context: CaptureContext, addresses: tuple[str, ...], matched_by: str) -> int | None:
    """Return the post that the addresses belong to, and add those that it did not have.

    None while no text of the post was read. `matched_by` says in `post_addresses` why they belong together.
    """
    entity = context.cache.identities.join(addresses, context.capture_id, matched_by)
    if entity.post_id is not None and entity.joined:
        set_platform_id(context, entity)
        attach_pending(context, entity)
    return entity.post_id


def set_platform_id(context: CaptureContext, entity: Entity) -> None:
    """Write the platform's own id of a post that got further addresses: one of them may be that id."""
    platform_id = context.cache.identities.platform_id(entity.entity_id)
    context.cache.batch.put("posts platform id", (platform_id, entity.post_id))


def attach_pending(context: CaptureContext, entity: Entity) -> None:
    """Give a post the sightings and the unplaced items that name one of the entity's newly joined addresses."""
    cache, post_id, addresses = context.cache, entity.post_id, entity.joined
    assert post_id is not None
    for address in addresses:
        if is_url(address):
            cache.batch.put("sightings attached", (post_id, context.clinic_id, address))
    if cache.unplaced.isdisjoint(addresses):
        return
    cache.write()
    cache.unplaced.difference_update(addresses)
    rows = context.db.conn.execute(
        "SELECT unplaced.rowid, kind, item, capture_id, captures.fetched_at, captures.url, captures.via,"
        " extractor_version"
        " FROM unplaced JOIN captures USING (capture_id) WHERE unplaced.clinic_id = ? AND address IN"
        f" ({','.join('?' * len(addresses))}) ORDER BY fetched_at, position",
        (context.clinic_id, *addresses),
    ).fetchall()
    for rowid, kind, text, capture_id, at, url, via, version in rows:
        context.db.conn.execute("DELETE FROM unplaced WHERE rowid = ?", (rowid,))
        original = replace(
            context, capture_id=capture_id, at=at, url=url, extractor_version=version, from_dom=via == "dom"
        )
        (save_reading if kind == "Reading" else save_comment)(original, json.loads(text), post_id)


def _save_unplaced(context: CaptureContext, kind: str, item: Item) -> None:
    """Keep an item in `unplaced` until one of its addresses belongs to a post."""
    # By an id where it has one: its URL may be given to another post before this one is read.
    address = min(item["post"], key=is_url)
    context.cache.unplaced.add(address)
    # Where a comment's pseudonym may not be stored, it is not stored in `unplaced` either.
    fields = {**item, "person": None} if kind == "Comment" and item["author"] is None else dict(item)
    context.db.conn.execute(
        "INSERT INTO unplaced (clinic_id, address, capture_id, position, kind, item, extractor_version) SELECT ?, ?, ?,"
        " coalesce(max(position), 0) + 1, ?, ?, ? FROM unplaced WHERE capture_id = ?",
        (
            context.clinic_id,
            address,
            context.capture_id,
            kind,
            json.dumps(fields),
            context.extractor_version,
            context.capture_id,
        ),
    )
