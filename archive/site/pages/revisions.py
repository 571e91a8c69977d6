"""The wordings of a post over time: which are edits of the clinic's, when each was seen, what differs between two."""

from __future__ import annotations

import sqlite3
from typing import Any

from archive.site.pages._rows import Row, row, rows
from archive.site.pages.compare import Line, compare
from archive.site.pages.permalinks import stamp

KINDS = {
    "first": "first seen",
    "content": "edited by the clinic",
    "source": "the same post, read by another route",
    "extractor": "the same page, read anew by a better parser",
}


def revisions(connection: sqlite3.Connection, post_id: int) -> list[Row]:
    """All revisions of a post without their texts, oldest first, each with its stamp and when it was last seen.

    An edit has `changed_after`: the last time that the text before it was seen; it lies between that and `captured_at`.
    Raises `sqlite3.Error`.
    """
    found = rows(
        connection,
        "SELECT r.revision_id, r.capture_id, r.kind, r.source, r.captured_at, r.content_sha256, r.title, r.word_count,"
        " r.modified_at, r.extractor_version, (SELECT max(s.seen_at) FROM sightings AS s WHERE s.revision_id ="
        " r.revision_id) AS last_seen_at FROM revisions AS r WHERE r.post_id = ? ORDER BY r.captured_at, r.revision_id",
        (post_id,),
    )
    before: dict[str, Row] = {}
    for one in found:
        one["stamp"] = stamp(one["captured_at"], one["content_sha256"])
        one["meaning"] = KINDS.get(one["kind"], one["kind"])
        one["before"] = earlier = before.get(one["source"])
        one["changed_after"] = (earlier["last_seen_at"] or earlier["captured_at"]) if earlier else None
        before[one["source"]] = one
    return found


def difference(connection: sqlite3.Connection, old_id: int, new_id: int, *, whole: bool) -> dict[str, Any]:
    """What differs between two revisions of one post: the title, the text, the links. Raises `sqlite3.Error`."""
    old, new = (_text(connection, one) for one in (old_id, new_id))
    links = [
        {one["url"] for one in rows(connection, "SELECT url FROM links WHERE revision_id = ?", (key,))}
        for key in (old_id, new_id)
    ]
    lines = compare(old["body_text"], new["body_text"], whole=whole)
    return {
        "old": old, "new": new, "lines": lines, "title": compare(old["title"], new["title"], whole=True),
        "same": all(_unchanged(line) for line in lines) and old["title"] == new["title"],
        "links_out": sorted(links[0] - links[1]), "links_in": sorted(links[1] - links[0]),
    }  # fmt: skip


def _unchanged(line: Line) -> bool:
    return all(piece.kind == "same" for piece in line.pieces)


def _text(connection: sqlite3.Connection, revision_id: int) -> Row:
    found = row(
        connection,
        "SELECT revision_id, title, body_text, captured_at, content_sha256, source, word_count FROM revisions WHERE"
        " revision_id = ?",
        (revision_id,),
    )
    assert found is not None
    return found | {"stamp": stamp(found["captured_at"], found["content_sha256"])}
