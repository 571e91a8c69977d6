"""The row of a clinic, what its pages say about the whole site, and the authors of its posts."""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database

from archive.rows.context import CaptureContext, Item
from archive.rows.dates import date_posts


def save_clinic(db: Database, clinic: Item, attributes: Mapping[str, str]) -> None:
    """Write a clinic's row and attributes as its stanza has them; what crawls found out about it is kept."""
    before = _timezone(db, clinic["clinic_id"])
    db.conn.execute(
        "INSERT INTO clinics (clinic_id, name, url, timezone, blog_status, comments_policy, privacy)"
        " VALUES (:clinic_id, :name, :url, :timezone, 'unknown', :comments, :privacy)"
        " ON CONFLICT (clinic_id) DO UPDATE SET name = excluded.name, url = excluded.url,"
        " timezone = coalesce(excluded.timezone, timezone), comments_policy = excluded.comments_policy,"
        " privacy = excluded.privacy",
        dict(clinic),
    )
    db.conn.execute("DELETE FROM clinic_attributes WHERE clinic_id = ?", (clinic["clinic_id"],))
    db.conn.executemany(
        "INSERT INTO clinic_attributes (clinic_id, name, value) VALUES (?,?,?)",
        [(clinic["clinic_id"], name, value) for name, value in attributes.items()],
    )
    if _timezone(db, clinic["clinic_id"]) != before:
        date_posts(db, clinic["clinic_id"])


def save_policy(db: Database, clinic_id: str, comments: str, privacy: str) -> None:
    """Write what may be stored about the commenters of a clinic from now on, as its stanza says it."""
    db.conn.execute(
        "UPDATE clinics SET comments_policy = ?, privacy = ? WHERE clinic_id = ?", (comments, privacy, clinic_id)
    )


def save_folded_by(db: Database, clinic_id: str, software: str) -> None:
    """Write which program makes a clinic's rows, before its first capture; a fold of all captures begins without any.

    Later captures are added to these rows, whatever version adds them.
    """
    db.conn.execute(
        "UPDATE clinics SET folded_by = ? WHERE clinic_id = ? AND folded_by IS NULL AND NOT EXISTS (SELECT 1 FROM"
        " captures WHERE captures.clinic_id = clinics.clinic_id)",
        (software, clinic_id),
    )


def _timezone(db: Database, clinic_id: str) -> str | None:
    row = db.conn.execute("SELECT timezone FROM clinics WHERE clinic_id = ?", (clinic_id,)).fetchone()
    return row[0] if row else None


def save_site(context: CaptureContext, item: Item) -> None:
    """Write what a page says about the whole site. A value that the stanza or an earlier page gave is not replaced."""
    cache = context.cache
    site = (cache.platform or item["platform"], cache.timezone or item["timezone"], cache.language or item["language"])
    if site == (cache.platform, cache.timezone, cache.language):
        return
    timezone_changed = site[1] != cache.timezone
    cache.platform, cache.timezone, cache.language = site
    context.db.conn.execute(
        "UPDATE clinics SET platform = ?, timezone = ?, language = ? WHERE clinic_id = ?", (*site, context.clinic_id)
    )
    if timezone_changed:
        cache.write()
        date_posts(context.db, context.clinic_id)


def save_author(context: CaptureContext, item: Item) -> int:
    """Write an author of posts and return the author_id.

    `person` is the author's pseudonym as a commenter, or None. Comments under it are marked as written by the clinic's
    own staff, those already stored included.
    """
    cache, name, key = context.cache, item["name"], item["person"]
    author_id = cache.authors.get(name)
    is_new_key = key is not None and name not in cache.keyed
    if author_id is None:
        author_id = cache.authors[name] = cache.new_id("authors")
        cache.batch.put("authors", (author_id, context.clinic_id, name, key))
    if is_new_key:
        cache.name_staff(key, name)
        cache.write()
        context.db.conn.execute("UPDATE authors SET person_key = ? WHERE author_id = ?", (key, author_id))
        context.db.conn.execute(
            "UPDATE comments SET author = ?, author_kind = 'staff' WHERE clinic_id = ? AND author = ?",
            (cache.staff[key], context.clinic_id, key),
        )
    return author_id
