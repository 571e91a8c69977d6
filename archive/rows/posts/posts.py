"""A post and its texts: which revision is new, which value each field has, and its links, images and labels.

Several captures describe one post (its HTML, the data inside it, an API, a feed). Each field has the value of the best
source that ever gave one, and `posts.sources` names that source. A text is compared only with the last text of the same
source: HTML, API and rendered DOM never agree to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archive.rows.clinics import save_author
from archive.rows.context import CaptureContext, Item
from archive.rows.dates import date_at, date_in
from archive.rows.identity.identities import Entity, site_host
from archive.rows.identity.placement import attach_pending, set_platform_id
from archive.rows.posts.counters import COUNTER_COLUMNS, COUNTERS
from archive.rows.posts.fingerprint import content_sha256, domain_of
from archive.rows.posts.readings import save_reading
from archive.rows.posts.stored_post import FIELDS, LABELS, RELATIVE, StoredPost, as_json
from archive.rows.sightings import save_post_sighting

# A change of these, without a change of the text, leaves a row in post_changes.
TRACKED = {"url", "author", "published_at", "language", "excerpt", "cover_image_url", "access"}


def save_post(context: CaptureContext, item: Item) -> int:
    """Write a post as one capture shows it (identity, text, fields, edges and counters) and return its post_id."""
    cache = context.cache
    entity = cache.identities.join(item["addresses"], context.capture_id, "page")
    if entity.post_id is None and item["url"]:
        entity = _from_another_site(context, item) or entity
    is_new = entity.post_id is None
    if entity.post_id is None:
        post_id, stored = cache.new_id("posts"), StoredPost()
        entity = Entity(entity.entity_id, post_id, cache.identities.bind_post(entity.entity_id, post_id))
    else:
        post_id = entity.post_id
        stored = cache.post(post_id)
    cache.touched.add(post_id)
    old_sources = dict(stored.sources)
    revision_id = _save_revision(context, post_id, item, stored)
    changes = _changes(context, post_id, stored, item)
    for table in LABELS:
        _save_labels(context, post_id, table, item, stored)
    if is_new:
        _insert_post(context, entity, item["platform"], changes, stored.sources)
    else:
        _update_post(context, post_id, changes, stored.sources if stored.sources != old_sources else None)
        if entity.joined:
            set_platform_id(context, entity)
    if revision_id is not None and _body_source(stored.sources) == _body_source(item["sources"]):
        cache.batch.put("posts revision", (revision_id, post_id))
    if entity.joined:
        attach_pending(context, entity)
    save_post_sighting(context, post_id, revision_id, item["url"] or context.url)
    _save_images(context, post_id, revision_id, item["images"])
    _save_related(context, post_id, item["related_posts"])
    for reading in readings_by_source(item):
        save_reading(context, reading, post_id)
    return post_id


def _body_source(sources: Mapping[str, str]) -> str | None:
    """Return how the text came; a post of pictures alone has its markup only."""
    return sources.get("body_text") or sources.get("body_html")


def _from_another_site(context: CaptureContext, item: Item) -> Entity | None:
    """The only post of the clinic that was read at another site under the same title and date; None without one."""
    cache = context.cache
    if not (item["title"] and item["published_at"]) or cache.identities.sites <= {site_host(item["url"])}:
        return None
    cache.write()
    rows = context.db.conn.execute(
        "SELECT url FROM posts WHERE clinic_id = ? AND title = ? AND substr(published_at, 1, 10) = ? AND url IS NOT"
        " NULL",
        (context.clinic_id, item["title"], item["published_at"][:10]),
    ).fetchall()
    if len(rows) != 1:
        return None
    return cache.identities.merge_moved(rows[0][0], item["url"], context.capture_id, "title and date")


def _insert_post(
    context: CaptureContext, entity: Entity, platform: str, changes: Mapping[str, Any], sources: Mapping[str, str]
) -> None:
    platform_id = context.cache.identities.platform_id(entity.entity_id)
    row = (changes.get(name) for name in (*FIELDS, "author_id", "published_on"))
    sources_json = as_json(frozenset(sources.items()))
    identity = (entity.post_id, context.clinic_id, platform, platform_id)
    context.cache.batch.put("posts", (*identity, *row, sources_json, context.at, context.at, context.origin))


def _update_post(
    context: CaptureContext, post_id: int, changes: dict[str, Any], sources: Mapping[str, str] | None
) -> None:
    if sources is not None:
        changes["sources"] = as_json(frozenset(sources.items()))
    if changes:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        context.db.conn.execute(f"UPDATE posts SET {assignments} WHERE post_id = ?", (*changes.values(), post_id))
    context.cache.batch.put("posts seen", (context.at, post_id))


def readings_by_source(item: Item) -> Iterator[Item]:
    """Yield a reading for each source that gave counters of a post.

    A printed text may come from another source than its number: a placeholder in the markup, the count in the data
    beside it.
    """
    sources = {name: item["sources"].get(name) for name in COUNTER_COLUMNS}
    sources |= {f"{name}_raw": sources[f"{name}_raw"] or sources[name] for name in COUNTERS}
    for source in dict.fromkeys(filter(None, sources.values())):
        values = {name: item[name] if given == source else None for name, given in sources.items()}
        yield {**values, "source": source}


def _save_revision(context: CaptureContext, post_id: int, item: Item, stored: StoredPost) -> int | None:
    """Write a revision where the text differs from the last one of its source; the revision_id of this text.

    None where the capture gives no text.
    """
    source = item["sources"].get("body_text") or item["sources"].get("title")
    if source is None or (item["body_text"] is None and not item["body_html"]):
        return None
    sha256 = content_sha256(item["title"], item["body_text"], [link.url for link in item["links"]])
    last = stored.revisions.get(source)
    if last is None:
        kind = "source" if stored.revisions else "first"
        return _insert_revision(context, post_id, item, source, sha256, kind=kind)
    revision_id = last.revision_id
    if sha256 == last.content_sha256:
        return revision_id
    if last.extractor_version < context.extractor_version:
        # The parser changed since: what it reads differently in the old bytes is not an edit by the clinic.
        reread = context.reread(last.capture_id)
        if reread is None:  # it cannot be known whether the clinic changed the text: without evidence it is no edit
            return _insert_revision(context, post_id, item, source, sha256, kind="extractor")
        reread_sha256 = content_sha256(reread["title"], reread["body_text"], [link.url for link in reread["links"]])
        if reread_sha256 != last.content_sha256:
            revision_id = _insert_revision(
                context, post_id, reread, source, reread_sha256, kind="extractor", capture_id=last.capture_id
            )
        if reread_sha256 == sha256:
            return revision_id
    return _insert_revision(context, post_id, item, source, sha256, kind="content")


def _insert_revision(
    context: CaptureContext,
    post_id: int,
    item: Item,
    source: str,
    sha256: str,
    *,
    kind: str,
    capture_id: str | None = None,
) -> int:
    at = context.at
    if capture_id is not None:
        (at,) = context.db.conn.execute(
            "SELECT fetched_at FROM captures WHERE capture_id = ?", (capture_id,)
        ).fetchone()
    cache = context.cache
    revision_id = cache.new_id("revisions")
    row = (
        revision_id,
        post_id,
        capture_id or context.capture_id,
        kind,
        source,
        at,
        sha256,
        item["title"],
        item["author"],
        item["body_text"],
        item["body_html"],
        item["word_count"],
        item["modified_at"],
        context.extractor_version,
    )
    cache.batch.put("revisions", row)
    for position, link in enumerate(item["links"], 1):
        if context.is_withdrawn(link.url):  # its hash still counts the link: the permalink stays valid
            continue
        cache.batch.put("links", (revision_id, position, link.url, link.text, domain_of(link.url), link.rel))
    return revision_id


def _changes(context: CaptureContext, post_id: int, stored: StoredPost, item: Item) -> dict[str, Any]:
    """The fields that change: this capture gives them from a source at least as good as the source stored.

    `stored.sources` is updated. A field that differs from an earlier value of the same source leaves a row in
    post_changes.
    """
    changes: dict[str, Any] = {}
    sources, old = stored.sources, stored.fields
    given_sources = item["sources"]
    heading, text = given_sources.get("title") or "text", given_sources.get("body_text") or "text"
    for name in FIELDS:
        value = item[name] if name != "published_at" else _published(context, item)
        if value is None:
            continue
        given = given_sources.get(name) or (text if "body" in name else heading)
        before = sources.get(name)
        if given == before == RELATIVE or (before is not None and context.rank(given) > context.rank(before)):
            continue
        sources[name] = given
        if value != old[name]:
            changes[name] = value
            # As with texts, only two values of one source prove a change; a better source is no edit.
            if before == given and name in TRACKED:
                _save_change(context, post_id, name, old[name], value)
    if item["author"] is not None and ("author" in changes or item["author_person"] is not None):
        author_id = save_author(context, {"name": item["author"], "person": item["author_person"]})
        if "author" in changes:
            changes["author_id"] = author_id
    if "published_at" in changes or "published_raw" in changes:
        published_at = changes.get("published_at", old["published_at"])
        day = date_at(published_at, context.cache.timezone) or date_in(item["published_raw"], published_at)
        if day is not None or "published_at" in changes:
            changes["published_on"] = day
    return changes


def _published(context: CaptureContext, item: Item) -> str | None:
    """The time of publication; one that was counted back from the capture is a day of the clinic's own calendar."""
    at: str | None = item["published_at"]
    return (item["counted_to"] and date_at(item["counted_to"], context.cache.timezone)) or at


def _save_change(context: CaptureContext, post_id: int, field: str, old: Any, new: Any) -> None:
    context.db.conn.execute(
        "INSERT INTO post_changes (post_id, capture_id, field, old, new) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
        (post_id, context.capture_id, field, str(old), str(new)),
    )


def _save_labels(context: CaptureContext, post_id: int, table: str, item: Item, stored: StoredPost) -> None:
    """Write the categories or tags of a post with the captures that first and last named them.

    As with fields, the labels of the best source that ever gave any are stored: the list of another may be shorter.
    Another set of labels from the same source leaves a row in post_changes.
    """
    labels = dict.fromkeys(item[table])
    given, last = item["sources"].get(table) or "text", stored.sources.get(table)
    if not labels or (last is not None and context.rank(given) > context.rank(last)):
        return
    cache = context.cache
    label_ids = [cache.label_id(table, label) for label in labels]
    if given == last and stored.labels[table] != set(label_ids):
        names = {label_id: label for label, label_id in cache.labels[table].items()}
        old, new = (
            json.dumps(sorted(names[label_id] for label_id in ids), ensure_ascii=False)
            for ids in (stored.labels[table], label_ids)
        )
        _save_change(context, post_id, table, old, new)
    stored.sources[table] = given
    for label_id in label_ids:
        cache.batch.put(f"post_{table}", (post_id, label_id, context.capture_id, context.capture_id))


def _save_images(context: CaptureContext, post_id: int, revision_id: int | None, images: Iterable[Any]) -> None:
    capture_id = context.capture_id
    for position, image in enumerate(images, 1):
        row = (post_id, image.kind, image.url, revision_id, position, image.alt, image.caption, capture_id, capture_id)
        context.cache.batch.put("images", row)


def _save_related(context: CaptureContext, post_id: int, related: Iterable[Any]) -> None:
    for card in related:
        if card.url is not None:
            row = (post_id, card.url, card.position, card.title, card.excerpt, context.capture_id, context.capture_id)
            context.cache.batch.put("related_posts", row)
