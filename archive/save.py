"""One function a table: what one capture says, written as rows. Called inside a transaction, in capture order.

Items come as mappings with the fields of the crawl's vocabulary (a post's are those `clinic-archive parse` prints);
this half knows their meaning, not their classes. `None` means silent, and never erases what another capture gave.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from archive import identity
from archive.dates import date_posts

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The capture whose items are being saved, and whom it belongs to."""

    db: Database
    clinic_id: str
    crawl_id: str | None
    capture_id: str
    at: str  # the capture's date, ISO 8601 UTC with microseconds
    url: str
    extractor_version: int
    # The post that today's parser reads from an older capture; None when its record cannot be read any more.
    reread: Callable[[str], Item | None]


def save_clinic(db: Database, clinic: Item, attributes: Mapping[str, str]) -> None:
    """The clinic's row as its stanza has it, and its attributes; what crawls found out stays."""
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


def _timezone(db: Database, clinic_id: str) -> str | None:
    row = db.conn.execute("SELECT timezone FROM clinics WHERE clinic_id = ?", (clinic_id,)).fetchone()
    return row[0] if row else None


def save_captures(db: Database, rows: list[dict[str, Any]]) -> None:
    """Captures of a batch, all at once; one that is there already is left as it is."""
    db.table("captures").insert_all(rows, pk="capture_id", ignore=True, batch_size=500)


def save_site(page: Page, item: Item) -> None:
    """What a page says of the whole site; the first to say it stands, the stanza before all."""
    before = _timezone(page.db, page.clinic_id)
    page.db.conn.execute(
        "UPDATE clinics SET platform = coalesce(platform, ?), timezone = coalesce(timezone, ?),"
        " language = coalesce(language, ?) WHERE clinic_id = ? AND (platform IS NULL OR timezone IS NULL OR language IS"
        " NULL)",
        (item["platform"], item["timezone"], item["language"], page.clinic_id),
    )
    if _timezone(page.db, page.clinic_id) != before:
        date_posts(page.db, page.clinic_id)


def place(page: Page, addresses: tuple[str, ...], matched_by: str) -> int | None:
    """The post that the addresses mean, learning those it did not have; None while its text was never read."""
    entity = identity.join(page.db, page.clinic_id, addresses, page.capture_id, matched_by)
    if entity.post_id is not None and entity.joined:
        adopt(page, entity.post_id, entity.joined)
    return entity.post_id


def _post_of(page: Page, item: Item) -> int | None:
    """The post that an item is about; addresses that it names together are of one post from now on."""
    if len(item["post"]) > 1:
        return place(page, tuple(item["post"]), item["source"])
    return identity.find_post(page.db, page.clinic_id, item["post"])


def adopt(page: Page, post_id: int, addresses: tuple[str, ...] | list[str]) -> None:
    """The addresses now mean this post: sightings and unplaced items that named them become its own."""
    marks = ",".join("?" * len(addresses))
    page.db.conn.execute(
        f"UPDATE sightings SET post_id = ? WHERE clinic_id = ? AND post_id IS NULL AND url IN ({marks})",
        (post_id, page.clinic_id, *addresses),
    )
    # The platform's id that its other services use stands first: Wix names a post by 24 hex digits as well as a UUID.
    page.db.conn.execute(
        "UPDATE posts SET platform_post_id = (SELECT substr(address, instr(address, ':') + 1) FROM post_addresses WHERE"
        " post_addresses.post_id = posts.post_id AND kind != 'url' ORDER BY kind LIKE '% hex' DESC, address LIMIT 1)"
        " WHERE post_id = ?",
        (post_id,),
    )
    waiting = page.db.conn.execute(
        "SELECT unplaced.rowid, kind, item, capture_id, captures.fetched_at, captures.url, extractor_version"
        " FROM unplaced JOIN captures USING (capture_id) WHERE unplaced.clinic_id = ? AND address IN"
        f" ({marks}) ORDER BY fetched_at, position",
        (page.clinic_id, *addresses),
    ).fetchall()
    for rowid, kind, text, capture_id, at, url, version in waiting:
        page.db.conn.execute("DELETE FROM unplaced WHERE rowid = ?", (rowid,))
        then = Page(
            db=page.db, clinic_id=page.clinic_id, crawl_id=page.crawl_id, capture_id=capture_id, at=at, url=url,
            extractor_version=version, reread=page.reread,
        )  # fmt: skip
        item = json.loads(text)
        (save_reading if kind == "Reading" else save_comment)(then, item, post_id)


def save_reading(page: Page, item: Item, post_id: int | None = None) -> None:
    """Counters as this capture printed them: one row a source, none when all are silent, never changed afterwards.

    What one capture says of a post in two places is one reading; where they differ, the first stands.
    """
    counters = ("views", "likes", "comments_count", "views_raw", "likes_raw", "comments_count_raw")
    if all(item[name] is None for name in counters):
        return
    post_id = post_id or _post_of(page, item)
    if post_id is None:
        save_unplaced(page, "Reading", item)
        return
    page.db.conn.execute(
        "INSERT INTO readings (post_id, capture_id, source, read_at, views, likes, comments_count, views_raw,"
        " likes_raw, comments_count_raw, evidence, extractor_version) VALUES (?,?,?,?,?,?,?,?,?,?,'read',?)"
        f" ON CONFLICT DO UPDATE SET {', '.join(f'{name} = coalesce({name}, excluded.{name})' for name in counters)}",
        (
            post_id, page.capture_id, item["source"], page.at, *(item[name] for name in counters),
            page.extractor_version,
        ),
    )  # fmt: skip


def save_author(page: Page, item: Item) -> int:
    """A post's author; with `person`, a key by which comments of the clinic's own people are told apart."""
    name, key = item["name"], item["person"]
    row = page.db.conn.execute(
        "SELECT author_id, person_key FROM authors WHERE clinic_id = ? AND name = ?", (page.clinic_id, name)
    ).fetchone()
    if row is None:
        cursor = page.db.conn.execute(
            "INSERT INTO authors (clinic_id, name, person_key) VALUES (?,?,?)", (page.clinic_id, name, key)
        )
        author_id = int(cursor.lastrowid or 0)
    else:
        author_id = int(row[0])
        if key is not None and row[1] is None:
            page.db.conn.execute("UPDATE authors SET person_key = ? WHERE author_id = ?", (key, author_id))
    if key is not None and (row is None or row[1] is None):
        page.db.conn.execute(
            "UPDATE comments SET author = ?, author_kind = 'staff' WHERE clinic_id = ? AND author = ?",
            (name, page.clinic_id, key),
        )
    return author_id


COMMENT_FIELDS = (
    "author", "author_kind", "body_text", "body_html", "posted_at", "posted_at_precision", "likes", "status", "edited",
)  # fmt: skip


def save_comment(page: Page, item: Item, post_id: int | None = None) -> None:
    """A comment as last seen; a text or status that changed goes to `comment_revisions` first."""
    post_id = post_id or _post_of(page, item)
    if post_id is None:
        save_unplaced(page, "Comment", item)
        return
    new = {name: item[name] for name in COMMENT_FIELDS}
    new["edited"] = None if item["edited"] is None else int(item["edited"])
    staff = page.db.conn.execute(
        "SELECT name FROM authors WHERE clinic_id = ? AND person_key = ?", (page.clinic_id, item["person"])
    ).fetchone()
    if staff:
        new["author"], new["author_kind"] = staff[0], "staff"
    parent = item["parent_id"]
    columns = ("comment_id", "parent_platform_comment_id", "first_seen_at", "last_seen_at", *COMMENT_FIELDS)
    row = page.db.conn.execute(
        f"SELECT {', '.join(columns)} FROM comments WHERE clinic_id = ? AND platform_comment_id = ?",
        (page.clinic_id, item["platform_comment_id"]),
    ).fetchone()
    if row is None:
        names = (
            "clinic_id", "post_id", "platform_comment_id", "parent_platform_comment_id", "source", "capture_id",
            "last_capture_id", "first_seen_at", "last_seen_at", *new,
        )  # fmt: skip
        cursor = page.db.conn.execute(
            f"INSERT INTO comments ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            (
                page.clinic_id, post_id, item["platform_comment_id"], parent, item["source"], page.capture_id,
                page.capture_id, page.at, page.at, *new.values(),
            ),
        )  # fmt: skip
        _place_replies(page, int(cursor.lastrowid or 0), item["platform_comment_id"], parent)
        return
    old = dict(zip(columns, row, strict=True))
    if page.at < old["last_seen_at"]:  # it waited for its post while newer captures found theirs
        page.db.table("comments").update(old["comment_id"], {"first_seen_at": min(page.at, old["first_seen_at"])})
        return
    changed = {name: value for name, value in new.items() if value is not None and value != old[name]}
    if {"body_text", "status"} & changed.keys():
        if old["body_text"] is not None or "status" in changed:
            page.db.conn.execute(
                "INSERT INTO comment_revisions (comment_id, capture_id, captured_at, body_text, body_html, status)"
                " SELECT comment_id, capture_id, fetched_at, body_text, body_html, status FROM comments JOIN captures"
                " USING (capture_id) WHERE comment_id = ? ON CONFLICT DO NOTHING",
                (old["comment_id"],),
            )
        changed["capture_id"] = page.capture_id
    if parent is not None and old["parent_platform_comment_id"] is None:
        changed["parent_platform_comment_id"] = parent
        _place_replies(page, old["comment_id"], item["platform_comment_id"], parent)
    page.db.table("comments").update(
        old["comment_id"], {**changed, "last_capture_id": page.capture_id, "last_seen_at": page.at}
    )


def _place_replies(page: Page, comment_id: int, platform_id: str, parent: str | None) -> None:
    """Join a new comment to its parent, and to replies that arrived before it."""
    page.db.conn.execute(
        "UPDATE comments SET parent_id = ? WHERE clinic_id = ? AND parent_platform_comment_id = ? AND parent_id IS"
        " NULL",
        (comment_id, page.clinic_id, platform_id),
    )
    if parent is not None:
        page.db.conn.execute(
            "UPDATE comments SET parent_id = (SELECT comment_id FROM comments WHERE clinic_id = ? AND"
            " platform_comment_id = ?) WHERE comment_id = ?",
            (page.clinic_id, parent, comment_id),
        )


def save_unplaced(page: Page, kind: str, item: Item) -> None:
    """An item whose post is not known yet: kept until one of its addresses is."""
    # Under an id where it has one: a URL may be given to another post before this one is read.
    address = min(item["post"], key=lambda one: identity.kind_of(one) == "url")
    # A comment whose pseudonym may not be shown keeps none in waiting either.
    kept = {**item, "person": None} if kind == "Comment" and item["author"] is None else dict(item)
    page.db.conn.execute(
        "INSERT INTO unplaced (clinic_id, address, capture_id, position, kind, item, extractor_version) SELECT ?, ?, ?,"
        " coalesce(max(position), 0) + 1, ?, ?, ? FROM unplaced WHERE capture_id = ?",
        (
            page.clinic_id, address, page.capture_id, kind, json.dumps(kept), page.extractor_version,
            page.capture_id,
        ),
    )  # fmt: skip
