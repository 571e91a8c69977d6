"""Search results as they are shown: what was found, with the words marked in their context."""

from __future__ import annotations

import sqlite3
from typing import Any

from markupsafe import Markup, escape

from archive.search.index import COUNTED, Query, count, match_of, search
from archive.search.ranking import COMMENT, PAST, POST
from archive.site.pages._rows import Row, row
from archive.site.pages.permalinks import post_path, stamp

AT_ONCE = 20
_ON, _OFF = "\x01", "\x02"
_TOGETHER = (
    "p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.published_at, p.published_on, p.removed_at, p.post_id"
)
_OF = {
    POST: f"SELECT p.title, p.body_text AS body, {_TOGETHER} FROM posts AS p JOIN clinics AS c USING (clinic_id) WHERE"
    " p.post_id = ?",
    COMMENT: f"SELECT p.title, m.body_text AS body, m.posted_at, m.author, m.author_kind, m.comment_id, {_TOGETHER}"
    " FROM comments AS m JOIN posts AS p USING (post_id) JOIN clinics AS c ON c.clinic_id = p.clinic_id WHERE"
    " m.comment_id = ?",
    PAST: f"SELECT r.title, r.body_text AS body, r.captured_at, r.content_sha256, {_TOGETHER} FROM revisions AS r JOIN"
    " posts AS p USING (post_id) JOIN clinics AS c USING (clinic_id) WHERE r.revision_id = ?",
}
KIND = {POST: "post", COMMENT: "comment", PAST: "past wording"}


def results(connection: sqlite3.Connection, query: Query, page: int) -> dict[str, Any]:
    """A page of `AT_ONCE` results. `more`: there are more; `number` is counted no further than `COUNTED`.

    Raises `sqlite3.Error`, never for what was typed.
    """
    hits = search(connection, query, most=AT_ONCE + 1, skip=(page - 1) * AT_ONCE)
    told = []
    for hit in hits[:AT_ONCE]:
        one = row(connection, _OF[hit.kind], (hit.key,))
        if one is not None:  # else it went away this moment
            told.append(one | {"kind": KIND[hit.kind]} | {"place": _place(hit.kind, one)})
    _mark(query, told)
    number = count(connection, query)
    return {"hits": told, "more": len(hits) > AT_ONCE, "number": min(number, COUNTED), "counted": number <= COUNTED}


def _place(kind: int, one: Row) -> str:
    path = post_path(one["clinic_id"], one["slug"], one["platform_post_id"])
    if kind == COMMENT:
        return f"{path}?comment={one['comment_id']}#comment-{one['comment_id']}"
    return f"{path}/{stamp(one['captured_at'], one['content_sha256'])}" if kind == PAST else path


def _mark(query: Query, told: list[Row]) -> None:
    """Title and snippet of each with the words marked, by the rules that found them: a small index of these texts."""
    match = match_of(Query(query.words))
    if not told or match is None:
        return
    small = sqlite3.connect(":memory:")
    try:
        small.execute("CREATE VIRTUAL TABLE t USING fts5(title, body, tokenize='unicode61 remove_diacritics 2')")
        plain = {ord(_ON): None, ord(_OFF): None}
        small.executemany(
            "INSERT INTO t (rowid, title, body) VALUES (?,?,?)",
            [(place, (one["title"] or "").translate(plain), (one["body"] or "").translate(plain))
             for place, one in enumerate(told)],
        )  # fmt: skip
        marked = small.execute(
            "SELECT rowid, highlight(t, 0, ?1, ?2), snippet(t, 1, ?1, ?2, ' … ', 36) FROM t WHERE t MATCH ?3",
            # A comment is found by its own words, though its post's title stands above it.
            (_ON, _OFF, match),
        )
        for place, title, snippet in marked:
            told[place] |= {"title_html": _html(title), "snippet": _html(snippet)}
    finally:
        small.close()
    for one in told:
        one.setdefault("title_html", escape(one["title"] or ""))
        one.setdefault("snippet", escape((one["body"] or "")[:200]))


def _html(text: str) -> Markup:
    return Markup(str(escape(text)).replace(_ON, "<mark>").replace(_OFF, "</mark>"))  # noqa: S704 # escaped before
