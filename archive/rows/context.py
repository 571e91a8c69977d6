"""One function a table: what one capture says, written as rows. Called inside a transaction, in capture order.

Items come as mappings with the fields of the crawl's vocabulary (a post's are those `clinic-archive parse` prints);
this half knows their meaning, not their classes. `None` means silent, and never erases what another capture gave.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from archive.rows.cache import ClinicCache
from archive.rows.dates import date_posts
from archive.rows.identity import Entity, is_url

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureContext:
    """The capture whose items are being saved, and whom it belongs to."""

    book: ClinicCache
    crawl_id: str | None
    capture_id: str
    at: str  # the capture's date, ISO 8601 UTC with microseconds
    url: str
    origin: str  # who made it: "crawl", or what it was brought in from
    extractor_version: int
    from_dom: bool  # read from a rendered page as people see it, and not from what a server sent
    # The post that today's parser reads from an older capture; None when its record cannot be read any more.
    reread: Callable[[str], Item | None]

    @property
    def db(self) -> Database:
        """The archive's database, for questions that the book does not answer."""
        return self.book.db

    @property
    def clinic_id(self) -> str:
        """The clinic that the capture belongs to."""
        return self.book.clinic_id


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


def save_site(page: CaptureContext, item: Item) -> None:
    """What a page says of the whole site; the first to say it stands, the stanza before all."""
    book = page.book
    told = (book.platform or item["platform"], book.timezone or item["timezone"], book.language or item["language"])
    if told == (book.platform, book.timezone, book.language):
        return
    zoned = told[1] != book.timezone
    book.platform, book.timezone, book.language = told
    page.db.conn.execute(
        "UPDATE clinics SET platform = ?, timezone = ?, language = ? WHERE clinic_id = ?", (*told, page.clinic_id)
    )
    if zoned:
        book.write()
        date_posts(page.db, page.clinic_id)


def resolve_post(page: CaptureContext, addresses: tuple[str, ...], matched_by: str) -> int | None:
    """The post that the addresses mean, learning those it did not have; None while its text was never read."""
    entity = page.book.addresses.join(addresses, page.capture_id, matched_by)
    if entity.post_id is not None and entity.joined:
        set_platform_id(page, entity)
        attach_pending(page, entity)
    return entity.post_id


def _post_of(page: CaptureContext, item: Item) -> int | None:
    """The post that an item is about; addresses that it names together are of one post from now on."""
    if len(item["post"]) > 1:
        return resolve_post(page, tuple(item["post"]), item["source"])
    return page.book.addresses.find(item["post"])


def set_platform_id(page: CaptureContext, entity: Entity) -> None:
    """The post has further addresses: one of them may be the platform's own id."""
    page.book.batch.put("posts identified", (page.book.addresses.platform_id(entity.entity_id), entity.post_id))


def attach_pending(page: CaptureContext, entity: Entity) -> None:
    """The entity's joined addresses now mean its post: sightings and unplaced items that named them become its own."""
    book, post_id, addresses = page.book, entity.post_id, entity.joined
    assert post_id is not None
    for address in addresses:
        if is_url(address):
            book.batch.put("sightings adopted", (post_id, page.clinic_id, address))
    if book.waiting.isdisjoint(addresses):
        return
    book.write()
    book.waiting.difference_update(addresses)
    waiting = page.db.conn.execute(
        "SELECT unplaced.rowid, kind, item, capture_id, captures.fetched_at, captures.url, captures.via,"
        " extractor_version"
        " FROM unplaced JOIN captures USING (capture_id) WHERE unplaced.clinic_id = ? AND address IN"
        f" ({','.join('?' * len(addresses))}) ORDER BY fetched_at, position",
        (page.clinic_id, *addresses),
    ).fetchall()
    for rowid, kind, text, capture_id, at, url, via, version in waiting:
        page.db.conn.execute("DELETE FROM unplaced WHERE rowid = ?", (rowid,))
        then = replace(
            page, capture_id=capture_id, at=at, url=url, extractor_version=version, from_dom=via == "dom"
        )  # fmt: skip
        (save_reading if kind == "Reading" else save_comment)(then, json.loads(text), post_id)


def save_reading(page: CaptureContext, item: Item, post_id: int | None = None) -> None:
    """Counters as this capture printed them: one row a source, none when all are silent, never changed afterwards."""
    counters = (
        item["views"], item["likes"], item["comments_count"], item["views_raw"], item["likes_raw"],
        item["comments_count_raw"],
    )  # fmt: skip
    if counters == _SILENT:
        return
    post_id = post_id or _post_of(page, item)
    if post_id is None:
        save_unplaced(page, "Reading", item)
        return
    row = (post_id, page.capture_id, item["source"], page.at, *counters, "read", page.extractor_version)
    page.book.batch.put("readings", row)


_SILENT = (None,) * 6


def save_author(page: CaptureContext, item: Item) -> int:
    """A post's author; with `person`, a key by which comments of the clinic's own people are told apart."""
    book, name, key = page.book, item["name"], item["person"]
    author_id = book.authors.get(name)
    news = key is not None and name not in book.keyed
    if author_id is None:
        author_id = book.authors[name] = book.new_id("authors")
        book.batch.put("authors", (author_id, page.clinic_id, name, key))
    if news:
        book.name_staff(key, name)
        book.write()
        page.db.conn.execute("UPDATE authors SET person_key = ? WHERE author_id = ?", (key, author_id))
        page.db.conn.execute(
            "UPDATE comments SET author = ?, author_kind = 'staff' WHERE clinic_id = ? AND author = ?",
            (book.staff[key], page.clinic_id, key),
        )
    return author_id


COMMENT_FIELDS = (
    "author", "author_kind", "body_text", "body_html", "posted_at", "posted_at_precision", "likes", "status", "edited",
)  # fmt: skip


def save_comment(page: CaptureContext, item: Item, post_id: int | None = None) -> None:
    """A comment as last seen; a text or status that changed goes to `comment_revisions` first."""
    post_id = post_id or _post_of(page, item)
    if post_id is None:
        save_unplaced(page, "Comment", item)
        return
    book, name, parent = page.book, item["platform_comment_id"], item["parent_id"]
    new = {field: item[field] for field in COMMENT_FIELDS}
    new["edited"] = None if item["edited"] is None else int(item["edited"])
    if item["person"] in book.staff:
        new["author"], new["author_kind"] = book.staff[item["person"]], "staff"
    old = book.comment(name)
    if old is None:
        row = (
            page.clinic_id, post_id, name, parent, item["source"], page.capture_id, page.capture_id, page.at, page.at,
            *new.values(),
        )  # fmt: skip
        book.batch.put("comments", row)
        book.new_comment(name)
        _place_replies(page, name, parent)
        return
    if page.at < old["last_seen_at"]:  # it waited for its post while newer captures found theirs
        page.db.conn.execute(
            "UPDATE comments SET first_seen_at = min(?, first_seen_at) WHERE comment_id = ?",
            (page.at, old["comment_id"]),
        )
        return
    changed = {field: value for field, value in new.items() if value is not None and value != old[field]}
    worse, better = _rank(page, old)
    if worse:
        changed = {field: value for field, value in changed.items() if old[field] is None}
    elif better:
        changed |= {"source": item["source"], "capture_id": page.capture_id}
    elif {"body_text", "status"} & changed.keys():
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
        _place_replies(page, name, parent)
    if changed:
        assignments = ", ".join(f"{field} = ?" for field in changed)
        page.db.conn.execute(
            f"UPDATE comments SET {assignments} WHERE comment_id = ?", (*changed.values(), old["comment_id"])
        )
    book.batch.put("comments seen", (page.capture_id, page.at, old["comment_id"]))


def _rank(page: CaptureContext, old: Item) -> tuple[bool, bool]:
    """This capture is a worse witness of a comment than the one it was read from, or a better one.

    As with posts, two words are compared only where they came in the same way: a page is made of what the service
    answered, but never says it to the letter.
    """
    if not page.from_dom and old["source"] != "rendered":
        return False, False
    (via,) = page.db.conn.execute("SELECT via FROM captures WHERE capture_id = ?", (old["capture_id"],)).fetchone()
    return page.from_dom and via != "dom", not page.from_dom and via == "dom"


def _place_replies(page: CaptureContext, name: str, parent: str | None) -> None:
    """Join a comment to its parent, and to replies that arrived before it."""
    book = page.book
    if name in book.parents:
        book.batch.put("replies", (page.clinic_id, name))
    if parent is not None:
        book.parents.add(parent)
        book.batch.put("parents", (page.clinic_id, parent, name))


def save_unplaced(page: CaptureContext, kind: str, item: Item) -> None:
    """An item whose post is not known yet: kept until one of its addresses is."""
    # Under an id where it has one: a URL may be given to another post before this one is read.
    address = min(item["post"], key=is_url)
    page.book.waiting.add(address)
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
