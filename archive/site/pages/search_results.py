"""The page of search results: what was found, with the searched words marked in their context."""

from __future__ import annotations

import sqlite3
from typing import Any

from markupsafe import Markup, escape

from archive.search.index import COUNTED, Query, count, match_of, search
from archive.search.ranking import COMMENT, PAST, POST
from archive.site.pages._rows import Row, row
from archive.site.pages.permalinks import post_path, stamp

RESULTS_PER_PAGE = 20
_MARK_START, _MARK_END = "\x01", "\x02"
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

    `number` is counted up to `COUNTED`; `counted` is False if there are more than that. Raises `sqlite3.Error`, but
    never because of the words that a visitor typed.
    """
    hits = search(connection, query, most=RESULTS_PER_PAGE + 1, skip=(page - 1) * RESULTS_PER_PAGE)
    found = []
    for hit in hits[:RESULTS_PER_PAGE]:
        result = row(connection, _SELECT[hit.kind], (hit.key,))
        if result is not None:  # else a writer has just removed it
            found.append(result | {"kind": KIND[hit.kind]} | {"path": _path(hit.kind, result)})
    _mark(query, found)
    number = count(connection, query)
    return {
        "hits": found,
        "more": len(hits) > RESULTS_PER_PAGE,
        "number": min(number, COUNTED),
        "counted": number <= COUNTED,
    }


def _path(kind: int, result: Row) -> str:
    path = post_path(result["clinic_id"], result["slug"], result["platform_post_id"])
    if kind == COMMENT:
        return f"{path}?comment={result['comment_id']}#comment-{result['comment_id']}"
    return f"{path}/{stamp(result['captured_at'], result['content_sha256'])}" if kind == PAST else path


def _mark(query: Query, results: list[Row]) -> None:
    """Add `title_html` and `snippet` to each result, with the searched words marked.

    A small index of these texts marks them by the same rules that found them.
    """
    match = match_of(Query(query.words))
    if not results or match is None:
        return
    small = sqlite3.connect(":memory:")
    try:
        small.execute("CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize='unicode61 remove_diacritics 2')")
        plain = {ord(_MARK_START): None, ord(_MARK_END): None}
        small.executemany(
            "INSERT INTO t (rowid, title, body) VALUES (?,?,?)",
            [
                (index, (result["title"] or "").translate(plain), (result["body"] or "").translate(plain))
                for index, result in enumerate(results)
            ],
        )
        marked = small.execute(
            "SELECT rowid, highlight(t, 0, ?1, ?2), snippet(t, 1, ?1, ?2, ' … ', 36) FROM t WHERE t MATCH ?3",
            # A comment is found by its own words, although the page shows its post's title above it.
            (_MARK_START, _MARK_END, match),
        )
        for index, title, snippet in marked:
            results[index] |= {"title_html": _html(title), "snippet": _html(snippet)}
    finally:
        small.close()
    for result in results:
        result.setdefault("title_html", escape(result["title"] or ""))
        result.setdefault("snippet", escape((result["body"] or "")[:200]))


def _html(text: str) -> Markup:
    marked = str(escape(text)).replace(_MARK_START, "<mark>").replace(_MARK_END, "</mark>")
    return Markup(marked)  # noqa: S704 # escaped before
