"""What was seen where: listings that name posts, posts that were there or were not, redirects, and what went wrong."""

from __future__ import annotations

import json

from archive import identity
from archive.save import Item, Page, place


def save_sighting(page: Page, item: Item) -> None:
    """A listing named a post. Its further addresses are learned; the post may still be unread."""
    addresses = (item["url"], *item["addresses"])
    if len(addresses) > 1:
        post_id = place(page, addresses, item["source"])
    else:
        post_id = identity.find_post(page.db, page.clinic_id, addresses)
    _sighting(page, item["url"], item["source"], post_id=post_id, lastmod=item["lastmod"])


def save_post_sighting(page: Page, post_id: int, revision_id: int | None, url: str) -> None:
    """The post itself was there, with this text."""
    _sighting(page, url, "post", post_id=post_id, revision_id=revision_id)


def _sighting(
    page: Page,
    url: str,
    source: str,
    *,
    post_id: int | None,
    revision_id: int | None = None,
    lastmod: str | None = None,
) -> None:
    page.db.conn.execute(
        "INSERT INTO sightings (clinic_id, url, post_id, capture_id, revision_id, source, lastmod, seen_at)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET revision_id = coalesce(excluded.revision_id, revision_id),"
        " lastmod = coalesce(lastmod, excluded.lastmod)",
        (page.clinic_id, url, post_id, page.capture_id, revision_id, source, lastmod, page.at),
    )


def save_alias(page: Page, item: Item) -> None:
    """A redirect joined two addresses: whichever is a post, both mean it from now on."""
    place(page, tuple(item["addresses"]), item["matched_by"])


def save_gone(page: Page, item: Item) -> None:
    """An address answered that nothing is there: evidence about a known post, otherwise a problem of the listing."""
    post_id = identity.find_post(page.db, page.clinic_id, (item["url"],))
    if post_id is None:
        message = f"{item['url']}: {item['answered']}, though a listing names it; nothing stored"
        save_problem(page, {"kind": "gone", "message": message, "url": item["url"], "field": None})
        return
    page.db.conn.execute(
        "INSERT INTO absences (clinic_id, post_id, capture_id, seen_at, answered) VALUES (?,?,?,?,?)",
        (page.clinic_id, post_id, page.capture_id, page.at, item["answered"]),
    )


def save_thread(page: Page, item: Item) -> None:
    """A thread was read to its last cursor: comments kept of the post that it did not show were not there."""
    post_id = identity.find_post(page.db, page.clinic_id, item["post"])
    page.db.conn.execute(
        "INSERT INTO absences (clinic_id, post_id, comment_id, capture_id, seen_at, answered) SELECT clinic_id,"
        " post_id, comment_id, ?, ?, 'not in the whole thread' FROM comments WHERE post_id = ? AND platform_comment_id"
        " NOT IN (SELECT value FROM json_each(?))",
        (page.capture_id, page.at, post_id, json.dumps(item["comments"])),
    )


def save_problem(page: Page, item: Item) -> None:
    """Something promised that was not there, or an answer that could not be used."""
    page.db.conn.execute(
        "INSERT INTO problems (clinic_id, crawl_id, capture_id, url, kind, field, message, happened_at)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (
            page.clinic_id, page.crawl_id, page.capture_id, item["url"] or page.url, item["kind"], item["field"],
            item["message"], page.at,
        ),
    )  # fmt: skip


def save_not_modified(page: Page, original: str) -> None:
    """A 304: what the original capture showed still stands, on the server's word and not by reading."""
    page.db.conn.execute(
        "INSERT INTO sightings (clinic_id, url, post_id, capture_id, revision_id, source, lastmod, seen_at)"
        " SELECT clinic_id, url, post_id, ?, revision_id, source, lastmod, ? FROM sightings WHERE capture_id = ?"
        " ON CONFLICT DO NOTHING",
        (page.capture_id, page.at, original),
    )
    page.db.conn.execute(
        "INSERT INTO readings (post_id, capture_id, source, read_at, views, likes, comments_count, views_raw,"
        " likes_raw, comments_count_raw, evidence, extractor_version) SELECT post_id, ?, source, ?, views, likes,"
        " comments_count, views_raw, likes_raw, comments_count_raw, 'not-modified', extractor_version FROM readings"
        " WHERE capture_id = ? ON CONFLICT DO NOTHING",
        (page.capture_id, page.at, original),
    )
    page.db.conn.execute(
        "UPDATE posts SET last_seen_at = max(last_seen_at, ?), removed_at = NULL WHERE post_id IN (SELECT post_id FROM"
        " sightings WHERE capture_id = ? AND source = 'post')",
        (page.at, page.capture_id),
    )
