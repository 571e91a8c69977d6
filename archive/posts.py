"""A post and its texts: which revision is new, which value of a field is shown, which edges lead out of it.

Several captures describe one post (its page, the data inside the page, an API, a feed). Each field shows the value of
the best source that ever gave one, and `posts.sources` says which. A text is compared only with the last one of the
same source: HTML, API and rendered pages never agree to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from archive import identity
from archive.dates import date_at
from archive.save import Item, Page, adopt, save_author, save_reading
from archive.sightings import save_post_sighting
from archive.text import content_sha256, domain_of

RANK = {name: rank for rank, name in enumerate(("html", "warmup", "api", "rendered", "feed", "text"))}
FIELDS = (
    "url", "slug", "title", "author", "published_at", "published_raw", "modified_at", "language",
    "excerpt", "minutes_to_read", "cover_image_url", "body_text", "body_html", "word_count",
)  # fmt: skip
# A change of these, without a change of the text, leaves a row in post_changes.
TRACKED = {"url", "author", "published_at", "language", "excerpt", "cover_image_url"}
COUNTERS = ("views", "likes", "comments_count")


def save_post(page: Page, item: Item) -> int:
    """A post as one capture shows it: identity, text, fields, edges and counters. Returns its post_id."""
    entity = identity.join(page.db, page.clinic_id, item["addresses"], page.capture_id, "page")
    post_id, joined = entity.post_id, list(entity.joined)
    if post_id is None:
        cursor = page.db.conn.execute(
            "INSERT INTO posts (clinic_id, platform, sources, first_seen_at, last_seen_at) VALUES (?,?,'{}',?,?)",
            (page.clinic_id, item["platform"], page.at, page.at),
        )
        post_id = int(cursor.lastrowid or 0)
        joined = identity.become_post(page.db, page.clinic_id, entity.entity_id, post_id)
    revision_id = _save_revision(page, post_id, item)
    _save_fields(page, post_id, item, revision_id)
    if joined:
        adopt(page, post_id, joined)
    save_post_sighting(page, post_id, revision_id, item["url"] or page.url)
    _save_labels(page, post_id, "categories", "category_id", item)
    _save_labels(page, post_id, "tags", "tag_id", item)
    _save_images(page, post_id, revision_id, item["images"])
    _save_related(page, post_id, item["related_posts"])
    _save_counters(page, post_id, item)
    return post_id


def _save_counters(page: Page, post_id: int, item: Item) -> None:
    """A reading for each source that the counters of a page came by; what was printed may come by another than its
    number (a placeholder in the markup, the count in the data beside it)."""
    how = {name: item["sources"].get(name) for name in (*COUNTERS, *(f"{name}_raw" for name in COUNTERS))}
    how |= {f"{name}_raw": how[f"{name}_raw"] or how[name] for name in COUNTERS}
    for source in dict.fromkeys(filter(None, how.values())):
        mine = {name: item[name] if given == source else None for name, given in how.items()}
        save_reading(page, {**mine, "source": source}, post_id)


def _save_revision(page: Page, post_id: int, item: Item) -> int | None:
    """A row where the text differs from the last one of its source; the id of the text shown now, None without one."""
    source = item["sources"].get("body_text") or item["sources"].get("title")
    if source is None or (item["body_text"] is None and not item["body_html"]):
        return None
    last = _last_revision(page, post_id, source)
    new = content_sha256(item["title"], item["body_text"], [link.url for link in item["links"]])
    if last is None:
        seen = page.db.conn.execute("SELECT 1 FROM revisions WHERE post_id = ?", (post_id,)).fetchone()
        return _insert_revision(page, post_id, item, source, new, kind="source" if seen else "first")
    revision_id, sha256, version, capture_id = last
    if sha256 == new:
        return int(revision_id)
    if version < page.extractor_version:
        # The parser changed since: what it reads differently in the old bytes is no edit of the clinic's.
        then = page.reread(capture_id)
        if then is None:  # nobody can tell any more who changed the text; an edit is not claimed without evidence
            return _insert_revision(page, post_id, item, source, new, kind="extractor")
        reading = content_sha256(then["title"], then["body_text"], [link.url for link in then["links"]])
        if reading != sha256:
            revision_id = _insert_revision(
                page, post_id, then, source, reading, kind="extractor", capture_id=capture_id
            )
        if reading == new:
            return int(revision_id)
    return _insert_revision(page, post_id, item, source, new, kind="content")


def _last_revision(page: Page, post_id: int, source: str) -> Any:
    return page.db.conn.execute(
        "SELECT revision_id, content_sha256, extractor_version, capture_id FROM revisions WHERE post_id = ? AND"
        " source = ? ORDER BY captured_at DESC, revision_id DESC LIMIT 1",
        (post_id, source),
    ).fetchone()


def _insert_revision(
    page: Page, post_id: int, item: Item, source: str, sha256: str, *, kind: str, capture_id: str | None = None
) -> int:
    capture_id = capture_id or page.capture_id
    cursor = page.db.conn.execute(
        "INSERT INTO revisions (post_id, capture_id, kind, source, captured_at, content_sha256, title, author,"
        " body_text, body_html, word_count, modified_at, extractor_version) SELECT ?, capture_id, ?, ?, fetched_at,"
        " ?,?,?,?,?,?,?,? FROM captures WHERE capture_id = ?",
        (
            post_id, kind, source, sha256, item["title"], item["author"], item["body_text"], item["body_html"],
            item["word_count"], item["modified_at"], page.extractor_version, capture_id,
        ),
    )  # fmt: skip
    revision_id = int(cursor.lastrowid or 0)
    page.db.conn.executemany(
        "INSERT INTO links (revision_id, position, url, text, domain, rel) VALUES (?,?,?,?,?,?)",
        [
            (revision_id, position, link.url, link.text, domain_of(link.url), link.rel)
            for position, link in enumerate(item["links"], 1)
        ],
    )
    return revision_id


def _save_fields(page: Page, post_id: int, item: Item, revision_id: int | None) -> None:
    """Take over each field that this capture gives by a source at least as good as the one shown."""
    cursor = page.db.conn.execute(
        f"SELECT sources, last_seen_at, {', '.join(FIELDS)} FROM posts WHERE post_id = ?", (post_id,)
    )
    old = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
    sources: dict[str, str] = json.loads(old["sources"])
    changes: dict[str, Any] = {"last_seen_at": max(page.at, old["last_seen_at"]), "removed_at": None}
    for name in FIELDS:
        value = item[name]
        given = item["sources"].get(name) or item["sources"].get("body_text" if "body" in name else "title") or "text"
        before = sources.get(name)
        if value is None or RANK[given] > RANK[before or "text"]:
            continue
        sources[name] = given
        if value == old[name]:
            continue
        changes[name] = value
        # As with texts, only two words of one source tell of a change; a better source is no edit.
        if before == given and name in TRACKED:
            _change(page, post_id, name, old[name], value)
    if "author" in changes:
        changes["author_id"] = save_author(page, {"name": item["author"], "person": item["author_person"]})
    elif item["author"] is not None and item["author_person"] is not None:
        save_author(page, {"name": item["author"], "person": item["author_person"]})
    if "published_at" in changes:
        zone = page.db.conn.execute("SELECT timezone FROM clinics WHERE clinic_id = ?", (page.clinic_id,)).fetchone()
        changes["published_on"] = date_at(changes["published_at"], zone[0] if zone else None)
    if revision_id is not None and sources.get("body_text") == (item["sources"].get("body_text") or ""):
        changes["revision_id"] = revision_id
    changes["sources"] = json.dumps(sources, sort_keys=True)
    assignments = ", ".join(f"{name} = ?" for name in changes)
    page.db.conn.execute(f"UPDATE posts SET {assignments} WHERE post_id = ?", (*changes.values(), post_id))


def _change(page: Page, post_id: int, field: str, old: Any, new: Any) -> None:
    page.db.conn.execute(
        "INSERT INTO post_changes (post_id, capture_id, field, old, new) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
        (post_id, page.capture_id, field, str(old), str(new)),
    )


def _save_labels(page: Page, post_id: int, table: str, key: str, item: Item) -> None:
    """Categories or tags of a post, with the captures that first and last named them; a changed set is a change.

    As with fields, the best source that ever gave any is believed: another's list may be shorter.
    """
    execute = page.db.conn.execute
    labels = list(dict.fromkeys(item[table]))
    sources = json.loads(execute("SELECT sources FROM posts WHERE post_id = ?", (post_id,)).fetchone()[0])
    given, shown = item["sources"].get(table) or "text", sources.get(table)
    if not labels or RANK[given] > RANK[shown or "text"]:
        return
    if given == shown:
        rows = execute(
            f"SELECT label, last_capture_id FROM post_{table} JOIN {table} USING ({key}) JOIN captures ON"
            f" captures.capture_id = last_capture_id WHERE post_id = ? ORDER BY fetched_at DESC, label",
            (post_id,),
        ).fetchall()
        before = sorted(label for label, capture_id in rows if capture_id == rows[0][1])
        if before != sorted(labels):
            old, new = (json.dumps(one, ensure_ascii=False) for one in (before, sorted(labels)))
            _change(page, post_id, table, old, new)
    else:
        told = json.dumps({**sources, table: given}, sort_keys=True)
        execute("UPDATE posts SET sources = ? WHERE post_id = ?", (told, post_id))
    for label in labels:
        execute(f"INSERT INTO {table} (clinic_id, label) VALUES (?,?) ON CONFLICT DO NOTHING", (page.clinic_id, label))
        execute(
            f"INSERT INTO post_{table} (post_id, {key}, first_capture_id, last_capture_id) SELECT ?, {key}, ?, ? FROM"
            f" {table} WHERE clinic_id = ? AND label = ? ON CONFLICT DO UPDATE SET last_capture_id ="
            " excluded.last_capture_id",
            (post_id, page.capture_id, page.capture_id, page.clinic_id, label),
        )


def _save_images(page: Page, post_id: int, revision_id: int | None, images: Iterable[Any]) -> None:
    page.db.conn.executemany(
        "INSERT INTO images (post_id, kind, url, revision_id, position, alt, caption, first_capture_id,"
        " last_capture_id) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET position = excluded.position, alt ="
        " coalesce(excluded.alt, alt), caption = coalesce(excluded.caption, caption), last_capture_id ="
        " excluded.last_capture_id",
        [
            (
                post_id, image.kind, image.url, revision_id, position, image.alt, image.caption, page.capture_id,
                page.capture_id,
            )
            for position, image in enumerate(images, 1)
        ],
    )  # fmt: skip


def _save_related(page: Page, post_id: int, related: Iterable[Any]) -> None:
    page.db.conn.executemany(
        "INSERT INTO related_posts (post_id, related_url, position, title, excerpt, first_capture_id, last_capture_id)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET position = excluded.position, title ="
        " coalesce(excluded.title, title), excerpt = coalesce(excluded.excerpt, excerpt), last_capture_id ="
        " excluded.last_capture_id",
        [
            (post_id, card.url, card.position, card.title, card.excerpt, page.capture_id, page.capture_id)
            for card in related
            if card.url is not None
        ],
    )
