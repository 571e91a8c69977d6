"""What was seen where: listings that name posts, posts that were there or were not, redirects, and what went wrong."""

from __future__ import annotations

import json

from archive.rows.context import CaptureContext, Item, attach_pending, resolve_post, set_platform_id
from archive.rows.identity import site_of


def save_sighting(page: CaptureContext, item: Item) -> None:
    """A listing named a post. Its further addresses are learned; the post may still be unread.

    Where the address does not tell that it is a post's (`certain`), the sighting counts for a known post alone.
    """
    addresses = (item["url"], *item["addresses"])
    if not item["certain"] and page.book.addresses.find(addresses) is None:
        return
    alone = len(addresses) == 1
    post_id = page.book.addresses.find(addresses) if alone else resolve_post(page, addresses, item["source"])
    _sighting(page, item["url"], item["source"], post_id=post_id, lastmod=item["lastmod"])


def save_post_sighting(page: CaptureContext, post_id: int, revision_id: int | None, url: str) -> None:
    """The post itself was there, with this text."""
    _sighting(page, url, "post", post_id=post_id, revision_id=revision_id)


def _sighting(
    page: CaptureContext,
    url: str,
    source: str,
    *,
    post_id: int | None,
    revision_id: int | None = None,
    lastmod: str | None = None,
) -> None:
    row = (page.clinic_id, url, post_id, page.capture_id, revision_id, source, lastmod, page.at)
    page.book.batch.put("sightings", row)


def save_alias(page: CaptureContext, item: Item) -> None:
    """A redirect joined two addresses: whichever is a post, both mean it from now on.

    From one site to another it joins posts that were both read, and share slug, title or date: it proves where a
    clinic's post moved to. A site that was given up may send all old addresses to one new post.
    """
    new, old = item["addresses"]
    addresses = page.book.addresses
    if not item["certain"] and addresses.find((old,)) is None:
        return
    if site_of(new) == site_of(old):
        resolve_post(page, (new, old), item["matched_by"])
    elif _are_alike(page, addresses.find((new,)), addresses.find((old,))):
        entity = addresses.merge_moved(old, new, page.capture_id, item["matched_by"])
        if entity is not None and entity.joined:
            set_platform_id(page, entity)
            attach_pending(page, entity)


def _are_alike(page: CaptureContext, *posts: int | None) -> bool:
    """Both are posts that were read, under the same slug, title or date."""
    if None in posts:
        return False
    page.book.write()
    find = "SELECT slug, title, substr(published_at, 1, 10) FROM posts WHERE post_id = ?"
    one, other = (page.db.conn.execute(find, (post_id,)).fetchone() for post_id in posts)
    return any(mine is not None and mine == theirs for mine, theirs in zip(one, other, strict=True))


def save_gone(page: CaptureContext, item: Item) -> None:
    """An address answered that nothing is there: evidence about a known post, otherwise a problem of the listing."""
    post_id = page.book.addresses.find((item["url"],))
    if post_id is None and not item["certain"]:
        return
    if post_id is None:
        message = f"{item['url']}: {item['answered']}, though a listing names it; nothing stored"
        save_problem(page, {"kind": "gone", "message": message, "url": item["url"], "field": None})
        return
    page.db.conn.execute(
        "INSERT INTO absences (clinic_id, post_id, capture_id, seen_at, answered) VALUES (?,?,?,?,?)",
        (page.clinic_id, post_id, page.capture_id, page.at, item["answered"]),
    )


def save_thread(page: CaptureContext, item: Item) -> None:
    """A thread was read to its last cursor: comments kept of the post that it did not show were not there."""
    post_id = page.book.addresses.find(item["post"])
    if post_id is not None:
        page.book.batch.put("threads read", (page.capture_id, page.at, post_id, json.dumps(item["comments"])))


def save_problem(page: CaptureContext, item: Item) -> None:
    """Something promised that was not there, or an answer that could not be used."""
    row = (
        page.clinic_id, page.crawl_id, page.capture_id, item["url"] or page.url, item["kind"], item["field"],
        item["message"], page.at,
    )  # fmt: skip
    page.book.batch.put("problems", row)


def save_not_modified(page: CaptureContext, original: str) -> None:
    """A 304: what the original capture showed still stands, on the server's word and not by reading."""
    if original in page.book.captures:
        page.book.write()
    for rows in ("sightings again", "readings again", "posts again"):
        page.book.batch.put(rows, (page.capture_id, page.at, original))
