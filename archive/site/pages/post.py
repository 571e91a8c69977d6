"""The page of a post: its text, counters over time, revisions, links, related posts, and each value's source."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from archive.site.charts.chart import Chart, draw
from archive.site.pages._rows import Row, row, rows
from archive.site.pages.permalinks import post_path
from archive.site.pages.revisions import revisions
from archive.site.pages.sanitise import paragraphs, sanitised

# The sources of values, described for readers of the site.
SOURCES = {
    "html": "the page's HTML",
    "warmup": "JSON data inside the page",
    "api": "the platform's API",
    "feed": "the feed",
    "rendered": "the page as rendered by a browser",
    "text": "the page's plain text",
    "relative": "a date that the page prints without its year, or as so long ago: counted from the first visit",
}
_FIELDS = {
    "title": "title",
    "author": "author",
    "published_at": "date of publication",
    "modified_at": "date of change that the page gives",
    "language": "language",
    "excerpt": "excerpt",
    "minutes_to_read": "reading time",
    "body_text": "text",
    "cover_image_url": "cover picture",
    "categories": "categories",
    "tags": "tags",
}


def head(connection: sqlite3.Connection, post_id: int, revision_id: int | None = None) -> dict[str, Any]:
    """Return a post, its revisions, and the text of one of them: `revision_id`, or the current one.

    Raises `sqlite3.Error`.
    """
    post = row(
        connection,
        "SELECT p.*, c.name AS clinic, c.url AS clinic_url, c.comments_policy, c.timezone FROM posts AS p JOIN clinics"
        " AS c USING (clinic_id) WHERE p.post_id = ?",
        (post_id,),
    )
    assert post is not None
    post["path"] = post_path(post["clinic_id"], post["slug"], post["platform_post_id"])
    all_revisions = revisions(connection, post_id)
    displayed_id = revision_id or post["revision_id"]
    names = ("title", "author", "body_html", "body_text", "word_count")
    text = row(connection, f"SELECT {', '.join(names)} FROM revisions WHERE revision_id = ?", (displayed_id,))
    return {
        "post": post,
        "text": text or {name: post[name] for name in names},
        "revisions": all_revisions,
        "revision": next((revision for revision in all_revisions if revision["revision_id"] == displayed_id), None),
        "past": bool(revision_id and revision_id != post["revision_id"]),
    }


def read(connection: sqlite3.Connection, post_id: int, revision_id: int | None = None) -> dict[str, Any]:
    """Return all that a post's page shows except its comments: its `head`, counters, links, pictures and evidence.

    Raises `sqlite3.Error`.
    """
    context = head(connection, post_id, revision_id)
    post, text, revision = context["post"], context["text"], context["revision"]
    sources = json.loads(post["sources"] or "{}")
    past = revision if context["past"] else None
    counts = (
        counts_near(connection, post_id, past)
        if past
        else row(connection, "SELECT * FROM posts_with_counts WHERE post_id = ?", (post_id,))
    )
    return context | {
        "html": sanitised(text["body_html"]) or paragraphs(text["body_text"]),
        "edits": [revision for revision in context["revisions"] if revision["kind"] == "content"],
        "counts": counts,
        "chart": counters_over_time(connection, post_id),
        "sources": [
            (label, SOURCES.get(sources[name], sources[name])) for name, label in _FIELDS.items() if name in sources
        ],
        "source_names": SOURCES,
        # Which labels and reading time a past revision had is not recorded.
        "categories": [] if past else _labels(connection, "categories", "category_id", post_id),
        "tags": [] if past else _labels(connection, "tags", "tag_id", post_id),
        "minutes_to_read": None if past else post["minutes_to_read"],
        "modified_at": past["modified_at"] if past else post["modified_at"],
        "links": rows(
            connection,
            "SELECT url, text, domain FROM links WHERE revision_id = ? ORDER BY position",
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
            connection,
            "SELECT changed_at, field, old, new, capture_id FROM changed_fields WHERE post_id = ? ORDER BY"
            " changed_at DESC LIMIT 50",
            (post_id,),
        ),
        "absences": rows(
            connection,
            "SELECT answered, times, first_missing_at, last_missing_at FROM missing_posts WHERE post_id = ?",
            (post_id,),
        ),
        "capture": row(connection, "SELECT * FROM captures WHERE capture_id = ?", (revision["capture_id"],))
        if revision
        else None,
    }


# The reading nearest to the time in which a text was seen; of two that are as near, the later one.
_NEAREST = """
SELECT {0} AS number, read_at, source FROM readings
WHERE post_id = :post_id AND evidence = 'read' AND {0} IS NOT NULL
ORDER BY max(julianday(:first) - julianday(read_at), julianday(read_at) - julianday(:last), 0), read_at DESC,
  extractor_version DESC, source LIMIT 1
"""


def counts_near(connection: sqlite3.Connection, post_id: int, revision: Row) -> Row:
    """Return the counters of a past revision, named as in `posts_with_counts`, each with its date and source.

    Of each counter it is the reading nearest to the time in which the revision was seen, the last one within it.
    Raises `sqlite3.Error`.
    """
    values = {
        "post_id": post_id,
        "first": revision["captured_at"],
        "last": revision["last_seen_at"] or revision["captured_at"],
    }
    counts: Row = {}
    for column, name in (("views", "views"), ("likes", "likes"), ("comments_count", "comments")):
        found = row(connection, _NEAREST.format(column), values) or dict.fromkeys(("number", "read_at", "source"))
        counts |= {column: found["number"], f"{name}_read_at": found["read_at"], f"{name}_source": found["source"]}
    return counts


def counters_over_time(connection: sqlite3.Connection, post_id: int) -> Chart:
    """Return a chart of views, likes and comments over time, each from the source that gave it most often.

    Raises `sqlite3.Error`.
    """
    readings = connection.execute(
        "SELECT read_at, source, views, likes, comments_count FROM readings WHERE post_id = ? AND evidence = 'read'"
        " ORDER BY read_at, extractor_version",
        (post_id,),
    ).fetchall()
    table: dict[str, list[int | None]] = {}
    for index in range(3):
        given = [(read_at, source, counts[index]) for read_at, source, *counts in readings if counts[index] is not None]
        names = [source for _, source, _ in given]
        chosen = max(sorted(set(names)), key=names.count, default=None)
        for read_at, source, number in given:
            if source == chosen:
                table.setdefault(read_at, [None, None, None])[index] = number
    columns = ("read_at", "views", "likes", "comments")
    lines = [(read_at, *numbers) for read_at, numbers in sorted(table.items())]
    return draw("Views, likes and comments over time", columns, lines, "step", "read_at", columns[1:], full=True)


def _labels(connection: sqlite3.Connection, table: str, key: str, post_id: int) -> list[str]:
    """Return the labels (categories or tags) that the newest capture with any of them gave."""
    found = rows(
        connection,
        f"SELECT l.label FROM post_{table} AS x JOIN {table} AS l USING ({key}) WHERE x.post_id = ?1 AND"
        f" x.last_capture_id = (SELECT y.last_capture_id FROM post_{table} AS y JOIN captures AS c ON c.capture_id ="
        " y.last_capture_id WHERE y.post_id = ?1 ORDER BY c.fetched_at DESC LIMIT 1) ORDER BY l.label",
        (post_id,),
    )
    return [label["label"] for label in found]


def _related(connection: sqlite3.Connection, post_id: int, clinic_id: str) -> list[Row]:
    found = rows(
        connection,
        "SELECT e.related_title AS title, e.related_url AS url, e.related_post_id, q.slug, q.platform_post_id FROM"
        " related_edges AS e LEFT JOIN posts AS q ON q.post_id = e.related_post_id WHERE e.post_id = ? AND"
        " e.in_newest_set ORDER BY e.position",
        (post_id,),
    )
    for card in found:
        is_archived = card["related_post_id"] is not None
        card["path"] = post_path(clinic_id, card["slug"], card["platform_post_id"]) if is_archived else None
    return found
