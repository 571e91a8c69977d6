"""Posts as they are stored, read for a whole batch of captures at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

FIELDS = (
    "url",
    "slug",
    "title",
    "author",
    "published_at",
    "published_raw",
    "modified_at",
    "language",
    "excerpt",
    "minutes_to_read",
    "cover_image_url",
    "body_text",
    "body_html",
    "word_count",
    "access",
)
# Of a printed date that depends on the day of the capture ("3 days ago"): every other source replaces it. Each visit
# would read another date, so that the first reading stays.
RELATIVE = "relative"
LABELS = {"categories": "category_id", "tags": "tag_id"}


def rank_among(sources: Sequence[str], source: str) -> int:
    """The place of a source in a ranking, 0 for the best: after those that it names come others, then `RELATIVE`."""
    if source == RELATIVE:
        return len(sources) + 1
    return sources.index(source) if source in sources else len(sources)


@dataclass(frozen=True, slots=True)
class LastRevision:
    """The last text of a post from one source, without the text itself."""

    revision_id: int
    content_sha256: str
    extractor_version: int
    capture_id: str


@dataclass(slots=True)
class StoredPost:
    """A stored post: its fields, the source of each, the last text of each source, the labels that it last had."""

    fields: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FIELDS))
    sources: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, LastRevision] = field(default_factory=dict)
    labels: dict[str, set[int]] = field(default_factory=lambda: {table: set() for table in LABELS})


@lru_cache(maxsize=512)  # the pages of a blog have few combinations of sources
def as_json(sources: frozenset[tuple[str, str]]) -> str:
    """Return the source of each field of a post as the JSON of `posts.sources`."""
    return json.dumps(dict(sources), sort_keys=True)


def read_stored(db: Database, post_ids: Iterable[int]) -> dict[int, StoredPost]:
    """Return stored posts by their post_id. Raises `sqlite3.Error`."""
    wanted = (json.dumps(list(post_ids)),)
    among = "IN (SELECT value FROM json_each(?))"
    execute = db.conn.execute
    found: dict[int, StoredPost] = {}
    for post_id, sources, *values in execute(
        f"SELECT post_id, sources, {', '.join(FIELDS)} FROM posts WHERE post_id {among}", wanted
    ):
        found[post_id] = StoredPost(fields=dict(zip(FIELDS, values, strict=True)), sources=json.loads(sources))
    for post_id, source, *values in execute(
        "SELECT post_id, source, revision_id, content_sha256, extractor_version, capture_id FROM revisions WHERE"
        f" post_id {among} ORDER BY post_id, captured_at, extractor_version, revision_id",
        wanted,
    ):
        found[post_id].revisions[source] = LastRevision(*values)  # the last row of a source wins
    for table, key in LABELS.items():
        rows = execute(f"SELECT post_id, {key}, last_capture_id FROM post_{table} WHERE post_id {among}", wanted)
        named: dict[int, dict[str, set[int]]] = {}
        for post_id, label_id, capture_id in rows:
            named.setdefault(post_id, {}).setdefault(capture_id, set()).add(label_id)
        for post_id, by_capture in named.items():
            found[post_id].labels[table] = by_capture[_newest(db, list(by_capture))]
    return found


def _newest(db: Database, captures: list[str]) -> str:
    """The latest of some captures; a single capture, the usual case, needs no query."""
    if len(captures) == 1:
        return captures[0]
    row = db.conn.execute(
        "SELECT capture_id FROM captures WHERE capture_id IN (SELECT value FROM json_each(?)) ORDER BY fetched_at DESC"
        " LIMIT 1",
        (json.dumps(captures),),
    ).fetchone()
    return str(row[0])
