"""The page of search results: what was found, with the searched words marked in their context."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from markupsafe import Markup, escape

from archive.listings.found import NUMBERED, numbers
from archive.search.folding import folded, folded_with_places
from archive.search.index import COUNTED, Query, count, match_of, search
from archive.search.ranking import COMMENT, PAST, POST
from archive.search.tables import TOKENIZERS
from archive.site.pages._rows import Row, row
from archive.site.pages.permalinks import post_path, stamp

RESULTS_PER_PAGE = 20
_MARK_START, _MARK_END = "\x01", "\x02"
_NO_MARKS = {ord(_MARK_START): None, ord(_MARK_END): None}
# Characters of a snippet before its first mark, and from there to its end.
_BEFORE, _AFTER = 60, 160
# Marking takes long in a long text. Characters that are marked at a time, that two such passages share, and in which
# the words are looked for at most.
_PASSAGE, _OVERLAP, _LOOKED_THROUGH = 50_000, 500, 1_000_000
_SNIPPET = (
    "SELECT highlight(search_fts, 0, ?1, ?2), snippet(search_fts, 1, ?1, ?2, ' … ', 36) FROM search_fts"
    " WHERE search_fts MATCH ?3"
)
_HIGHLIGHT = (
    "SELECT highlight(search_folded_fts, 0, ?1, ?2), highlight(search_folded_fts, 1, ?1, ?2) FROM search_folded_fts"
    " WHERE search_folded_fts MATCH ?3"
)
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
    number = count(connection, query)
    return {
        "hits": found,
        "more": len(hits) > RESULTS_PER_PAGE,
        "number": min(number, COUNTED),
        "counted": number <= COUNTED,
        "numbers": numbers(connection, query),
        "numbered": NUMBERED,
    }


def _path(kind: int, result: Row) -> str:
    path = post_path(result["clinic_id"], result["slug"], result["platform_post_id"])
    if kind == COMMENT:
        return f"{path}?comment={result['comment_id']}#comment-{result['comment_id']}"
    return f"{path}/{stamp(result['captured_at'], result['content_sha256'])}" if kind == PAST else path


def _mark(query: Query, results: list[Row]) -> None:
    """Add `title_html` and `snippet` to each result, with the searched words marked.

    Small indexes of these texts mark them by the same rules that found them. Of a folded text, the marks are moved to
    the characters of the original.
    """
    match = match_of(Query(query.words))
    small = sqlite3.connect(":memory:")
    try:
        for table, tokenizer in TOKENIZERS.items():
            small.execute(f'CREATE VIRTUAL TABLE {table} USING fts5(title, body, tokenize="{tokenizer}")')
        for result in results:
            # A comment is found by its own words, although the page shows its post's title above it.
            texts = tuple((result[name] or "").translate(_NO_MARKS) for name in ("title", "body"))
            marked = None if match is None else _marked_texts(small, match, *texts)
            title, snippet = marked or (result["title"] or "", (result["body"] or "")[:200])
            result |= {"title_html": _html(title), "snippet": _html(snippet)}
    finally:
        small.close()


def _marked_texts(small: sqlite3.Connection, match: str, title: str, body: str) -> tuple[str, str] | None:
    """Return the marked title and snippet of the first passage with the words; None if no passage has all of them."""
    for start in range(0, min(max(len(body), 1), _LOOKED_THROUGH), _PASSAGE - _OVERLAP):
        passage = body[start : start + _PASSAGE]
        new = (folded(title), folded(passage))
        table = "search_fts" if new == (title, passage) else "search_folded_fts"
        small.execute(f"DELETE FROM {table}")
        small.execute(f"INSERT INTO {table} (title, body) VALUES (?,?)", new)
        shape = _SNIPPET if table == "search_fts" else _HIGHLIGHT
        marked = small.execute(shape, (_MARK_START, _MARK_END, match)).fetchone()
        if marked is None:
            continue
        if table == "search_fts":
            return marked[0], marked[1]
        return _marked(title, marked[0]), _around_first(_marked(passage, marked[1]))
    return None


def _marked(plain: str, highlighted: str) -> str:
    """Return a text with marks around those characters that are marked in its folded form."""
    original = folded_with_places(plain)
    spans: list[tuple[int, int]] = []
    place = 0
    for number, piece in enumerate(re.split(f"[{_MARK_START}{_MARK_END}]", highlighted)):
        # Every second piece is marked. The spaces around pairs come from no character.
        places = [at for at in range(place, place + len(piece)) if original.starts[at] < original.ends[at]]
        if number % 2 and places:
            start, end = original.starts[places[0]], original.ends[places[-1]]
            if spans and start <= spans[-1][1]:  # pairs overlap
                start, _ = spans.pop()
            spans.append((start, end))
        place += len(piece)
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += [plain[done:start], _MARK_START, plain[start:end], _MARK_END]
        done = end
    return "".join([*parts, plain[done:]])


def _around_first(marked: str) -> str:
    """Return the part of a marked text around its first mark, about as long as SQLite's snippets."""
    first = max(marked.find(_MARK_START), 0)
    start = max(first - _BEFORE, 0)
    part = marked[start : first + _AFTER]
    if part.count(_MARK_START) > part.count(_MARK_END):
        part += _MARK_END
    return f"{'… ' if start else ''}{part}{' …' if first + _AFTER < len(marked) else ''}"


def _html(text: str) -> Markup:
    marked = str(escape(text)).replace(_MARK_START, "<mark>").replace(_MARK_END, "</mark>")
    return Markup(marked)  # noqa: S704 # escaped before
