"""A post and its texts: which revision is new, which value of a field is shown, which edges lead out of it.

Several captures describe one post (its page, the data inside the page, an API, a feed). Each field shows the value of
the best source that ever gave one, and `posts.sources` says which. A text is compared only with the last one of the
same source: HTML, API and rendered pages never agree to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archive.rows.context import CaptureContext, Item, attach_pending, save_author, save_reading, set_platform_id
from archive.rows.dates import date_at
from archive.rows.fingerprint import content_sha256, domain_of
from archive.rows.identity import Entity, site_of
from archive.rows.sightings import save_post_sighting
from archive.rows.stored_post import FIELDS, LABELS, StoredPost, as_json

RANK = {name: rank for rank, name in enumerate(("html", "warmup", "api", "rendered", "feed", "text"))}
# A change of these, without a change of the text, leaves a row in post_changes.
TRACKED = {"url", "author", "published_at", "language", "excerpt", "cover_image_url"}
COUNTERS = ("views", "likes", "comments_count")


def save_post(page: CaptureContext, item: Item) -> int:
    """A post as one capture shows it: identity, text, fields, edges and counters. Returns its post_id."""
    book = page.book
    entity = book.addresses.join(item["addresses"], page.capture_id, "page")
    if entity.post_id is None and item["url"]:
        entity = _from_another_site(page, item) or entity
    new = entity.post_id is None
    if entity.post_id is None:
        post_id, shown = book.new_id("posts"), StoredPost()
        entity = Entity(entity.entity_id, post_id, book.addresses.bind_post(entity.entity_id, post_id))
    else:
        post_id = entity.post_id
        shown = book.post(post_id)
    book.touched.add(post_id)
    before = dict(shown.sources)
    revision_id = _save_revision(page, post_id, item, shown)
    changes = _changes(page, post_id, shown, item)
    for table in LABELS:
        _save_labels(page, post_id, table, item, shown)
    if new:
        _insert_post(page, entity, item["platform"], changes, shown.sources)
    else:
        _update_post(page, post_id, changes, shown.sources if shown.sources != before else None)
        if entity.joined:
            set_platform_id(page, entity)
    if revision_id is not None and shown.sources.get("body_text") == (item["sources"].get("body_text") or ""):
        book.batch.put("posts shown", (revision_id, post_id))
    if entity.joined:
        attach_pending(page, entity)
    save_post_sighting(page, post_id, revision_id, item["url"] or page.url)
    _save_images(page, post_id, revision_id, item["images"])
    _save_related(page, post_id, item["related_posts"])
    _save_counters(page, post_id, item)
    return post_id


def _from_another_site(page: CaptureContext, item: Item) -> Entity | None:
    """The post of the clinic that was read at another site under the same title and date, where there is just one."""
    book = page.book
    if not (item["title"] and item["published_at"]) or book.addresses.sites <= {site_of(item["url"])}:
        return None
    book.write()
    found = page.db.conn.execute(
        "SELECT url FROM posts WHERE clinic_id = ? AND title = ? AND substr(published_at, 1, 10) = ? AND url IS NOT"
        " NULL",
        (page.clinic_id, item["title"], item["published_at"][:10]),
    ).fetchall()
    if len(found) != 1:
        return None
    return book.addresses.merge_moved(found[0][0], item["url"], page.capture_id, "title and date")


def _insert_post(
    page: CaptureContext, entity: Entity, platform: str, changes: Mapping[str, Any], sources: Mapping[str, str]
) -> None:
    named = page.book.addresses.platform_id(entity.entity_id)
    row = (changes.get(name) for name in (*FIELDS, "author_id", "published_on"))
    told = as_json(frozenset(sources.items()))
    page.book.batch.put(
        "posts", (entity.post_id, page.clinic_id, platform, named, *row, told, page.at, page.at, page.origin)
    )


def _update_post(
    page: CaptureContext, post_id: int, changes: dict[str, Any], sources: Mapping[str, str] | None
) -> None:
    if sources is not None:
        changes["sources"] = as_json(frozenset(sources.items()))
    if changes:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        page.db.conn.execute(f"UPDATE posts SET {assignments} WHERE post_id = ?", (*changes.values(), post_id))
    page.book.batch.put("posts seen", (page.at, post_id))


def _save_counters(page: CaptureContext, post_id: int, item: Item) -> None:
    for reading in counters(item):
        save_reading(page, reading, post_id)


def counters(item: Item) -> Iterator[Item]:
    """A reading for each source that the counters of a page came by; what was printed may come by another than its
    number (a placeholder in the markup, the count in the data beside it)."""
    how = {name: item["sources"].get(name) for name in (*COUNTERS, *(f"{name}_raw" for name in COUNTERS))}
    how |= {f"{name}_raw": how[f"{name}_raw"] or how[name] for name in COUNTERS}
    for source in dict.fromkeys(filter(None, how.values())):
        mine = {name: item[name] if given == source else None for name, given in how.items()}
        yield {**mine, "source": source}


def _save_revision(page: CaptureContext, post_id: int, item: Item, shown: StoredPost) -> int | None:
    """A row where the text differs from the last one of its source; the id of the text shown now, None without one."""
    source = item["sources"].get("body_text") or item["sources"].get("title")
    if source is None or (item["body_text"] is None and not item["body_html"]):
        return None
    sha256 = content_sha256(item["title"], item["body_text"], [link.url for link in item["links"]])
    last = shown.revisions.get(source)
    if last is None:
        kind = "source" if shown.revisions else "first"
        return _insert_revision(page, post_id, item, source, sha256, kind=kind)
    revision_id = last.revision_id
    if sha256 == last.content_sha256:
        return revision_id
    if last.extractor_version < page.extractor_version:
        # The parser changed since: what it reads differently in the old bytes is no edit of the clinic's.
        then = page.reread(last.capture_id)
        if then is None:  # nobody can tell any more who changed the text; an edit is not claimed without evidence
            return _insert_revision(page, post_id, item, source, sha256, kind="extractor")
        reading = content_sha256(then["title"], then["body_text"], [link.url for link in then["links"]])
        if reading != last.content_sha256:
            revision_id = _insert_revision(
                page, post_id, then, source, reading, kind="extractor", capture_id=last.capture_id
            )
        if reading == sha256:
            return revision_id
    return _insert_revision(page, post_id, item, source, sha256, kind="content")


def _insert_revision(
    page: CaptureContext,
    post_id: int,
    item: Item,
    source: str,
    sha256: str,
    *,
    kind: str,
    capture_id: str | None = None,
) -> int:
    at = page.at
    if capture_id is not None:
        (at,) = page.db.conn.execute("SELECT fetched_at FROM captures WHERE capture_id = ?", (capture_id,)).fetchone()
    book = page.book
    revision_id = book.new_id("revisions")
    row = (
        revision_id, post_id, capture_id or page.capture_id, kind, source, at, sha256, item["title"], item["author"],
        item["body_text"], item["body_html"], item["word_count"], item["modified_at"], page.extractor_version,
    )  # fmt: skip
    book.batch.put("revisions", row)
    for position, link in enumerate(item["links"], 1):
        book.batch.put("links", (revision_id, position, link.url, link.text, domain_of(link.url), link.rel))
    return revision_id


def _changes(page: CaptureContext, post_id: int, shown: StoredPost, item: Item) -> dict[str, Any]:
    """Each field that this capture gives by a source at least as good as the one shown, whose it then is.

    A field that differs from another word of the same source leaves a row in post_changes.
    """
    changes: dict[str, Any] = {}
    told, sources, old = item["sources"], shown.sources, shown.fields
    heading, text = told.get("title") or "text", told.get("body_text") or "text"
    for name in FIELDS:
        value = item[name]
        if value is None:
            continue
        given = told.get(name) or (text if "body" in name else heading)
        before = sources.get(name)
        if before != given:
            if before is not None and RANK[given] > RANK[before]:
                continue
            sources[name] = given
        if value != old[name]:
            changes[name] = value
            # As with texts, only two words of one source tell of a change; a better source is no edit.
            if before == given and name in TRACKED:
                _change(page, post_id, name, old[name], value)
    if item["author"] is not None and ("author" in changes or item["author_person"] is not None):
        author_id = save_author(page, {"name": item["author"], "person": item["author_person"]})
        if "author" in changes:
            changes["author_id"] = author_id
    if "published_at" in changes:
        changes["published_on"] = date_at(changes["published_at"], page.book.timezone)
    return changes


def _change(page: CaptureContext, post_id: int, field: str, old: Any, new: Any) -> None:
    page.db.conn.execute(
        "INSERT INTO post_changes (post_id, capture_id, field, old, new) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
        (post_id, page.capture_id, field, str(old), str(new)),
    )


def _save_labels(page: CaptureContext, post_id: int, table: str, item: Item, shown: StoredPost) -> None:
    """Categories or tags of a post, with the captures that first and last named them; a changed set is a change.

    As with fields, the best source that ever gave any is believed: another's list may be shorter.
    """
    labels = dict.fromkeys(item[table])
    given, last = item["sources"].get(table) or "text", shown.sources.get(table)
    if not labels or (last is not None and RANK[given] > RANK[last]):
        return
    book = page.book
    ids = [book.label_id(table, label) for label in labels]
    if given == last:
        before = shown.labels[table]
        if before != set(ids):
            names = {number: label for label, number in book.labels[table].items()}
            old, new = (sorted(names[one] for one in some) for some in (before, ids))
            _change(page, post_id, table, json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False))
    shown.sources[table] = given
    for label_id in ids:
        book.batch.put(f"post_{table}", (post_id, label_id, page.capture_id, page.capture_id))


def _save_images(page: CaptureContext, post_id: int, revision_id: int | None, images: Iterable[Any]) -> None:
    named = page.capture_id
    for position, image in enumerate(images, 1):
        row = (post_id, image.kind, image.url, revision_id, position, image.alt, image.caption, named, named)
        page.book.batch.put("images", row)


def _save_related(page: CaptureContext, post_id: int, related: Iterable[Any]) -> None:
    for card in related:
        if card.url is not None:
            row = (post_id, card.url, card.position, card.title, card.excerpt, page.capture_id, page.capture_id)
            page.book.batch.put("related_posts", row)
