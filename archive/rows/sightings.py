"""What was seen where: listings that name posts, posts that were found or gone, redirects, and problems."""

from __future__ import annotations

import json

from archive.rows.context import CaptureContext, Item
from archive.rows.identity.identities import site_host
from archive.rows.identity.placement import attach_pending, resolve_post, set_platform_id


def save_sighting(context: CaptureContext, item: Item) -> None:
    """Write that a listing named a post, and add its further addresses; the post may still be unread.

    Where the address alone does not show that it is a post's (`certain` is false), only a known post is sighted. A new
    address of a known post may be its address from now on (`save_renames`, after the capture's last item).
    """
    addresses = (item["url"], *item["addresses"])
    if not item["certain"] and context.cache.identities.find(addresses) is None:
        return
    find = context.cache.identities.find
    is_known = find(addresses[:1]) is not None
    post_id = find(addresses) if len(addresses) == 1 else resolve_post(context, addresses, item["source"])
    if post_id is not None and not is_known and find(addresses[:1]) == post_id:
        context.cache.named.append((item["url"], item["source"]))
    _sighting(context, item["url"], item["source"], post_id=post_id, lastmod=item["lastmod"])


def save_post_sighting(context: CaptureContext, post_id: int, revision_id: int | None, url: str) -> None:
    """Write that the post itself was there, with this text."""
    _sighting(context, url, "post", post_id=post_id, revision_id=revision_id)


def _sighting(
    context: CaptureContext,
    url: str,
    source: str,
    *,
    post_id: int | None,
    revision_id: int | None = None,
    lastmod: str | None = None,
) -> None:
    row = (context.clinic_id, url, post_id, context.capture_id, revision_id, source, lastmod, context.at)
    context.cache.batch.put("sightings", row)


def save_alias(context: CaptureContext, item: Item) -> None:
    """Join two addresses, one of which redirects to the other: both mean the same post from now on.

    A redirect from one site to another proves where a clinic's post moved to, but only between posts that were both
    read and share slug, title or date: an abandoned site may redirect all old addresses to one new post.
    """
    new, old = item["addresses"]
    identities = context.cache.identities
    if not item["certain"] and identities.find((old,)) is None:
        return
    if site_host(new) == site_host(old):
        resolve_post(context, (new, old), item["matched_by"])
    elif _are_alike(context, identities.find((new,)), identities.find((old,))):
        entity = identities.merge_moved(old, new, context.capture_id, item["matched_by"])
        if entity is not None and entity.joined:
            set_platform_id(context, entity)
            attach_pending(context, entity)


def _are_alike(context: CaptureContext, *posts: int | None) -> bool:
    """Whether both posts were read, and share slug, title or date."""
    if None in posts:
        return False
    context.cache.write()
    find = "SELECT slug, title, substr(published_at, 1, 10) FROM posts WHERE post_id = ?"
    new, old = (context.db.conn.execute(find, (post_id,)).fetchone() for post_id in posts)
    return any(value is not None and value == old_value for value, old_value in zip(new, old, strict=True))


def save_gone(context: CaptureContext, item: Item) -> None:
    """Write that an address answered as gone: an absence of a known post, otherwise a problem of the listing."""
    post_id = context.cache.identities.find((item["url"],))
    if post_id is None and not item["certain"]:
        return
    if post_id is None:
        message = f"{item['url']}: {item['answered']}, though a listing names it; nothing stored"
        save_problem(context, {"kind": "gone", "message": message, "url": item["url"], "field": None})
        return
    context.db.conn.execute(
        "INSERT INTO absences (clinic_id, post_id, capture_id, seen_at, answered) VALUES (?,?,?,?,?)",
        (context.clinic_id, post_id, context.capture_id, context.at, item["answered"]),
    )


def save_thread(context: CaptureContext, item: Item) -> None:
    """Write absences of the stored comments that a thread, read to its last cursor, did not show.

    With no address it is the thread of all posts of the site. Where it names a source, it is no evidence about comments
    that another source gave. Where it counts the comments of a platform's posts, their numbers are readings.
    """
    batch = context.cache.batch
    read = (context.capture_id, context.at, item["source"], json.dumps(item["comments"]))
    if not item["post"]:
        batch.put("sites read", (*read, context.clinic_id))
        if item["counts"] is not None:
            batch.put("sites counted", (*read, context.clinic_id, item["counts"], context.extractor_version))
        context.cache.write()  # it counts the posts as they are now, not as later captures of the transaction make them
        return
    post_id = context.cache.post_of(item["post"])
    if post_id is not None:
        batch.put("threads read", (*read, post_id))


def save_problem(context: CaptureContext, item: Item) -> None:
    """Write a problem: something promised that was missing, or an answer that could not be used."""
    row = (
        context.clinic_id,
        context.crawl_id,
        context.capture_id,
        item["url"] or context.url,
        item["kind"],
        item["field"],
        item["message"],
        context.at,
    )
    context.cache.batch.put("problems", row)


def save_not_modified(context: CaptureContext, original: str) -> None:
    """Write the rows of a 304: the server confirms what the original capture showed, and nothing was read."""
    if original in context.cache.captures:
        context.cache.write()
    for statement in ("sightings confirmed", "readings confirmed", "posts confirmed"):
        context.cache.batch.put(statement, (context.capture_id, context.at, original))
