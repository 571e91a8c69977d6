"""The page of search results: what was found, with the searched words marked in their context."""

from __future__ import annotations

import sqlite3
from typing import Any

from markupsafe import Markup, escape

from archive.listings.found import NUMBERED, count_results
from archive.search.index import COUNTED, Query, count_hits, search
from archive.search.ranking import COMMENT, PAST, POST
from archive.search.snippets import MARK_END, MARK_START, Marking
from archive.site.pages._rows import Row, row
from archive.site.pages.permalinks import post_path, stamp

RESULTS_PER_PAGE = 20
_POST_COLUMNS = (
    "p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.published_at, p.published_on, p.removed_at, p.post_id"
)
_SELECT = {
    POST: f"SELECT p.title, p.body_text AS body, {_POST_COLUMNS} FROM posts AS p JOIN clinics AS c USING (clinic_id)"
    " WHERE p.post_id = ?",
    COMMENT: f"SELECT p.title, m.body_text AS body, m.posted_at, m.author, m.author_kind, m.comment_id, {_POST_COLUMNS}"
    " FROM comments AS m JOIN posts AS p USING (post_id) JOIN clinics AS c ON c.clinic_id = p.clinic_id WHERE"
    " m.comment_id = ?",
    PAST: f"SELECT r.title, r.body_text AS body, r.captured_at, r.content_sha256, {_POST_COLUMNS} FROM revisions AS r"
    " JOIN posts AS p USING (post_id) JOIN clinics AS c USING (clinic_id) WHERE r.revision_id = ?",
}
KIND = {POST: "post", COMMENT: "comment", PAST: "past revision"}


def results(connection: sqlite3.Connection, query: Query, page: int) -> dict[str, Any]:
    """Return one page of results (`RESULTS_PER_PAGE`), whether there are more, and their number.

    `number` is counted up to `COUNTED`; `counted` is False if there are more than that; `numbers` are those of the
    newest `numbered` by clinic, year and platform. Raises `sqlite3.Error`, but never because of the words that a
    visitor typed.
    """
    hits = search(connection, query, most=RESULTS_PER_PAGE + 1, skip=(page - 1) * RESULTS_PER_PAGE)
    found = []
    for hit in hits[:RESULTS_PER_PAGE]:
        result = row(connection, _SELECT[hit.kind], (hit.key,))
        if result is not None:  # else a writer has just removed it
            found.append(result | {"kind": KIND[hit.kind]} | {"path": _path(hit.kind, result)})
    _mark(query, found)
    number = count_hits(connection, query)
    return {
        "hits": found,
        "more": len(hits) > RESULTS_PER_PAGE,
        "number": min(number, COUNTED),
        "counted": number <= COUNTED,
        "numbers": count_results(connection, query),
        "numbered": NUMBERED,
    }


def _path(kind: int, result: Row) -> str:
    path = post_path(result["clinic_id"], result["slug"], result["platform_post_id"])
    if kind == COMMENT:
        return f"{path}?comment={result['comment_id']}#comment-{result['comment_id']}"
    return f"{path}/{stamp(result['captured_at'], result['content_sha256'])}" if kind == PAST else path


def _mark(query: Query, results: list[Row]) -> None:
    """Add `title_html` and `snippet` to each result, with the searched words marked."""
    with Marking(query.words) as marking:
        for result in results:
            # A comment is found by its own words, although the page shows its post's title above it.
            title, snippet = marking.texts(result["title"], result["body"])
            result |= {"title_html": _html(title), "snippet": _html(snippet)}


def _html(text: str) -> Markup:
    marked = str(escape(text)).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return Markup(marked)  # noqa: S704 # escaped before
