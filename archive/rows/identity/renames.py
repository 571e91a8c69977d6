"""A post's new address, learned from a list before the page itself is read again."""

from __future__ import annotations

from urllib.parse import unquote

from archive.rows.context import CaptureContext


def save_rename(context: CaptureContext, post_id: int, url: str, source: str) -> None:
    """Give a post the address that a list names beside its id, and write the change into post_changes.

    The address must be one that the post never had (the caller's business). Some lists spell addresses otherwise than
    pages do: only a list of a kind (`source`) that named the present address, too, proves that the clinic changed it.
    """
    context.cache.write()
    execute = context.db.conn.execute
    old, slug = execute("SELECT url, slug FROM posts WHERE post_id = ?", (post_id,)).fetchone()
    if old is None or old == url:
        return
    named = "SELECT 1 FROM sightings WHERE post_id = ? AND url = ? AND source = ? LIMIT 1"
    if execute(named, (post_id, old, source)).fetchone() is None:
        return
    # A slug is what the platform takes from the address; where it is not the end of the old one, the page gives it.
    is_end = slug is not None and unquote(_end(old)) == unquote(slug)
    execute(
        "UPDATE posts SET url = ?, slug = ? WHERE post_id = ?", (url, unquote(_end(url)) if is_end else slug, post_id)
    )
    execute(
        "INSERT INTO post_changes (post_id, capture_id, field, old, new) VALUES (?,?,'url',?,?) ON CONFLICT DO NOTHING",
        (post_id, context.capture_id, old, url),
    )


def _end(url: str) -> str:
    """The last part of an address: "sleep" of "https://clinic.example/post/sleep/"."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2]
