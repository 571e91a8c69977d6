"""The page of a post: its text, its numbers over time, its wordings, its edges, and where each value came from."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from archive.site.pages._rows import Row, row, rows
from archive.site.pages.chart import Chart, draw
from archive.site.pages.permalinks import post_path
from archive.site.pages.revisions import revisions
from archive.site.pages.sanitise import paragraphs, sanitised

# How a value came, for people.
SOURCES = {
    "html": "the page's own markup", "warmup": "data inside the page", "api": "the platform's data service",
    "feed": "the feed", "rendered": "the page as a browser showed it", "text": "the page's plain text",
}  # fmt: skip
_FIELDS = {
    "title": "title", "author": "author", "published_at": "published", "modified_at": "changed, as the page claims",
    "language": "language", "excerpt": "excerpt", "minutes_to_read": "reading time", "body_text": "text",
    "cover_image_url": "cover picture", "categories": "categories", "tags": "tags",
}  # fmt: skip


def head(connection: sqlite3.Connection, post_id: int, revision_id: int | None = None) -> dict[str, Any]:
    """A post, its wordings, and the text of one of them: the present one, or `revision_id`. Raises `sqlite3.Error`."""
    post = row(
        connection,
        "SELECT p.*, c.name AS clinic, c.url AS clinic_url, c.comments_policy, c.timezone FROM posts AS p JOIN clinics"
        " AS c USING (clinic_id) WHERE p.post_id = ?",
        (post_id,),
    )
    assert post is not None
    post["path"] = post_path(post["clinic_id"], post["slug"], post["platform_post_id"])
    kept = revisions(connection, post_id)
    shown_id = revision_id or post["revision_id"]
    names = ("title", "author", "body_html", "body_text", "word_count")
    text = row(connection, f"SELECT {', '.join(names)} FROM revisions WHERE revision_id = ?", (shown_id,))
    return {
        "post": post, "text": text or {name: post[name] for name in names}, "wordings": kept,
        "wording": next((one for one in kept if one["revision_id"] == shown_id), None),
        "past": bool(revision_id and revision_id != post["revision_id"]),
    }  # fmt: skip


def read(connection: sqlite3.Connection, post_id: int, revision_id: int | None = None) -> dict[str, Any]:
    """Everything about a post but its comments: its `head`, and what stands around the text. Raises `sqlite3.Error`."""
    told = head(connection, post_id, revision_id)
    post, text, wording = told["post"], told["text"], told["wording"]
    sources = json.loads(post["sources"] or "{}")
    counts = row(connection, "SELECT * FROM posts_with_counts WHERE post_id = ?", (post_id,))
    assert counts is not None
    return told | {
        "html": sanitised(text["body_html"]) or paragraphs(text["body_text"]),
        "edits": [one for one in told["wordings"] if one["kind"] == "content"], "counts": counts,
        "chart": curves(connection, post_id),
        "came": [(label, SOURCES.get(sources[name], sources[name])) for name, label in _FIELDS.items()
                 if name in sources],
        "categories": _labels(connection, "categories", "category_id", post_id),
        "tags": _labels(connection, "tags", "tag_id", post_id),
        "links": rows(
            connection, "SELECT url, text, domain FROM links WHERE revision_id = ? ORDER BY position",
            (revision_id or post["revision_id"],),
        ),
        "pictures": rows(
            connection,
            "SELECT url, kind, alt, caption FROM images WHERE post_id = ? ORDER BY kind, position",
            (post_id,),
        ),
        "related": _related(connection, post_id, post["clinic_id"]),
        "addresses": rows(
            connection,
            "SELECT address, kind, matched_by FROM post_addresses WHERE post_id = ? ORDER BY kind != 'url', address",
            (post_id,),
        ),
        "changes": rows(
            connection, "SELECT changed_at, field, old, new, capture_id FROM changed_fields WHERE post_id = ? ORDER BY"
            " changed_at DESC LIMIT 50", (post_id,)
        ),
        "absences": rows(
            connection,
            "SELECT answered, times, first_missing_at, last_missing_at FROM missing_posts WHERE post_id = ?",
            (post_id,),
        ),
        "capture": row(connection, "SELECT * FROM captures WHERE capture_id = ?", (wording["capture_id"],))
        if wording else None,
    }  # fmt: skip


def curves(connection: sqlite3.Connection, post_id: int) -> Chart:
    """Views, likes and comments over time, each from the source that told it most often. Raises `sqlite3.Error`."""
    found = connection.execute(
        "SELECT read_at, source, views, likes, comments_count FROM readings WHERE post_id = ? AND evidence = 'read'"
        " ORDER BY read_at, extractor_version",
        (post_id,),
    ).fetchall()
    table: dict[str, list[int | None]] = {}
    for place in range(3):
        told = [(read_at, source, counts[place]) for read_at, source, *counts in found if counts[place] is not None]
        names = [source for _, source, _ in told]
        chosen = max(sorted(set(names)), key=names.count, default=None)
        for read_at, source, number in told:
            if source == chosen:
                table.setdefault(read_at, [None, None, None])[place] = number
    columns = ("read_at", "views", "likes", "comments")
    lines = [(read_at, *numbers) for read_at, numbers in sorted(table.items())]
    return draw("Views, likes and comments over time", columns, lines, "step", "read_at", columns[1:], height=80)


def _labels(connection: sqlite3.Connection, table: str, key: str, post_id: int) -> list[str]:
    """Those that the newest capture which named any named."""
    found = rows(
        connection,
        f"SELECT l.label FROM post_{table} AS x JOIN {table} AS l USING ({key}) WHERE x.post_id = ?1 AND"
        f" x.last_capture_id = (SELECT y.last_capture_id FROM post_{table} AS y JOIN captures AS c ON c.capture_id ="
        " y.last_capture_id WHERE y.post_id = ?1 ORDER BY c.fetched_at DESC LIMIT 1) ORDER BY l.label",
        (post_id,),
    )
    return [one["label"] for one in found]


def _related(connection: sqlite3.Connection, post_id: int, clinic_id: str) -> list[Row]:
    found = rows(
        connection,
        "SELECT e.related_title AS title, e.related_url AS url, e.related_post_id, q.slug, q.platform_post_id FROM"
        " related_edges AS e LEFT JOIN posts AS q ON q.post_id = e.related_post_id WHERE e.post_id = ? AND"
        " e.in_newest_set ORDER BY e.position",
        (post_id,),
    )
    for one in found:
        kept = one["related_post_id"] is not None
        one["path"] = post_path(clinic_id, one["slug"], one["platform_post_id"]) if kept else None
    return found
