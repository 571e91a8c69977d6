"""A post's new address, learned from a list before the page itself is read again."""

from __future__ import annotations

from archive.rows.context import CaptureContext


def save_renames(context: CaptureContext) -> None:
    """Give posts the addresses that this capture names beside their ids, and write each into post_changes.

    It follows the capture's last item: a list that still names the present address, before the new one or after it,
    proves no change. Of several new addresses of one post the first is taken. Some lists spell addresses otherwise than
    pages do: only a list of a kind (`source`) that named the present address, too, proves that the clinic changed it.
    """
    named, context.cache.named = context.cache.named, []
    if not named:
        return
    context.cache.write()
    for new, source in named:
        post_id = context.cache.identities.find((new,))
        if post_id is not None:
            _save_rename(context, post_id, new, source)


def _save_rename(context: CaptureContext, post_id: int, new: str, source: str) -> None:
    """Change `url` alone: the slug is what the platform gives, which the address need not end with."""
    execute = context.db.conn.execute
    (old,) = execute("SELECT url FROM posts WHERE post_id = ?", (post_id,)).fetchone()
    if old is None or old == new:
        return
    named = "SELECT max(source = ?), max(capture_id = ?) FROM sightings WHERE post_id = ? AND url = ?"
    is_proved, is_still_named = execute(named, (source, context.capture_id, post_id, old)).fetchone()
    if not is_proved or is_still_named:
        return
    execute("UPDATE posts SET url = ? WHERE post_id = ?", (new, post_id))
    execute(
        "INSERT INTO post_changes (post_id, capture_id, field, old, new) VALUES (?,?,'url',?,?) ON CONFLICT DO NOTHING",
        (post_id, context.capture_id, old, new),
    )
