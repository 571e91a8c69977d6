"""The part of a text around the words that a search found in it, with the words marked."""

from __future__ import annotations

import re
import sqlite3
from types import TracebackType
from typing import Self

from archive.search.folding import folded, folded_with_places
from archive.search.index import Query, match_of
from archive.search.tables import TOKENIZERS

MARK_START, MARK_END = "\x01", "\x02"
_NO_MARKS = {ord(MARK_START): None, ord(MARK_END): None}
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
_UNMARKED = 200  # characters of a text in which the words are not found


class Marking:
    """Marks the words of a search. Small indexes of the texts mark them by the same rules that found them.

    Of a folded text, the marks are moved to the characters of the original.
    """

    def __init__(self, words: str) -> None:
        self._match = match_of(Query(words))
        self._small = sqlite3.connect(":memory:")
        for table, tokenizer in TOKENIZERS.items():
            self._small.execute(f'CREATE VIRTUAL TABLE {table} USING fts5(title, body, tokenize="{tokenizer}")')

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the small indexes."""
        self._small.close()

    def texts(self, title: str | None, body: str | None) -> tuple[str, str]:
        """Return the title and a snippet of the body, each word between `MARK_START` and `MARK_END`."""
        texts = tuple((text or "").translate(_NO_MARKS) for text in (title, body))
        marked = None if self._match is None else _marked_texts(self._small, self._match, *texts)
        return marked or (title or "", (body or "")[:_UNMARKED])

    def snippet(self, title: str | None, body: str | None) -> str:
        """Return the snippet without marks."""
        return self.texts(title, body)[1].translate(_NO_MARKS)


def _marked_texts(small: sqlite3.Connection, match: str, title: str, body: str) -> tuple[str, str] | None:
    """Return the marked title and snippet of the first passage with the words; None if no passage has all of them."""
    for start in range(0, min(max(len(body), 1), _LOOKED_THROUGH), _PASSAGE - _OVERLAP):
        passage = body[start : start + _PASSAGE]
        new = (folded(title), folded(passage))
        table = "search_fts" if new == (title, passage) else "search_folded_fts"
        small.execute(f"DELETE FROM {table}")
        small.execute(f"INSERT INTO {table} (title, body) VALUES (?,?)", new)
        shape = _SNIPPET if table == "search_fts" else _HIGHLIGHT
        marked = small.execute(shape, (MARK_START, MARK_END, match)).fetchone()
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
    for number, piece in enumerate(re.split(f"[{MARK_START}{MARK_END}]", highlighted)):
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
        parts += [plain[done:start], MARK_START, plain[start:end], MARK_END]
        done = end
    return "".join([*parts, plain[done:]])


def _around_first(marked: str) -> str:
    """Return the part of a marked text around its first mark, about as long as SQLite's snippets."""
    first = max(marked.find(MARK_START), 0)
    start = max(first - _BEFORE, 0)
    part = marked[start : first + _AFTER]
    if part.count(MARK_START) > part.count(MARK_END):
        part += MARK_END
    return f"{'… ' if start else ''}{part}{' …' if first + _AFTER < len(marked) else ''}"
