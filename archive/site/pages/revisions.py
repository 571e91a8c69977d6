"""The revisions of a post over time: which are edits by the clinic, when each was seen, what differs between two."""

from __future__ import annotations

import sqlite3
from typing import Any

from archive.site.pages._rows import Row, row, rows
from archive.site.pages.compare import Line, compare
from archive.site.pages.permalinks import stamp

KINDS = {
    "first": "first text seen",
    "content": "edited by the clinic",
    "source": "first text from another source",
    "extractor": "read again by another version of the parser, no edit",
}


def revisions(connection: sqlite3.Connection, post_id: int) -> list[Row]:
    """Return all revisions of a post without their texts, oldest first, each with its stamp and when it was last seen.

    `before` is the revision before it of the same source, None for the first one. `changed_after` is when that one was
    last seen: an edit was made between `changed_after` and `captured_at`. Raises `sqlite3.Error`.
    """
    found = rows(
        connection,
        "SELECT r.revision_id, r.post_id, r.capture_id, r.kind, r.source, r.captured_at, r.content_sha256, r.title,"
        " r.word_count, r.modified_at, r.extractor_version,"
        " (SELECT max(s.seen_at) FROM sightings AS s WHERE s.revision_id ="
        " r.revision_id) AS last_seen_at FROM revisions AS r WHERE r.post_id = ? ORDER BY r.captured_at, r.revision_id",
        (post_id,),
    )
    last_of_source: dict[str, Row] = {}
    for revision in found:
        revision["stamp"] = stamp(revision["captured_at"], revision["content_sha256"])
        revision["meaning"] = KINDS.get(revision["kind"], revision["kind"])
        revision["before"] = earlier = last_of_source.get(revision["source"])
        revision["changed_after"] = (earlier["last_seen_at"] or earlier["captured_at"]) if earlier else None
        last_of_source[revision["source"]] = revision
    return found


def compare_revisions(connection: sqlite3.Connection, old_id: int, new_id: int, *, whole: bool) -> dict[str, Any]:
    """Compare two revisions of one post: title, text, links. `whole`: keep unchanged lines. Raises `sqlite3.Error`."""
    old, new = _text(connection, old_id), _text(connection, new_id)
    old_links, new_links = _links(connection, old_id), _links(connection, new_id)
    lines = compare(old["body_text"], new["body_text"], whole=whole)
    return {
        "old": old,
        "new": new,
        "lines": lines,
        "title": compare(old["title"], new["title"], whole=True),
        "same": all(_unchanged(line) for line in lines) and old["title"] == new["title"],
        "links_out": sorted(old_links - new_links),
        "links_in": sorted(new_links - old_links),
    }


def _links(connection: sqlite3.Connection, revision_id: int) -> set[str]:
    return {link["url"] for link in rows(connection, "SELECT url FROM links WHERE revision_id = ?", (revision_id,))}


def _unchanged(line: Line) -> bool:
    return all(piece.kind == "same" for piece in line.pieces)


def _text(connection: sqlite3.Connection, revision_id: int) -> Row:
    found = row(
        connection,
        "SELECT revision_id, title, author, body_text, captured_at, content_sha256, source, word_count FROM revisions"
        " WHERE revision_id = ?",
        (revision_id,),
    )
    assert found is not None
    return found | {"stamp": stamp(found["captured_at"], found["content_sha256"])}
