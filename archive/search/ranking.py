"""Which hits of a search are the best: titles before texts, phrases before scattered words, the newest first in each.

FTS5's own ranking reads all that it finds, and so does a phrase that hardly occurs among words that often do: among a
million posts each takes a quarter of a second. Here the work is bounded, whatever the words: a few thousand titles and
a few hundred texts are looked at.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

COMMENT, POST, PAST = 0, 1, 2
# Of so many of the newest hits the texts are looked at for the phrase.
READ = 200
_TABLES = {POST: ("posts", "post_id"), PAST: ("revisions", "revision_id"), COMMENT: ("comments", "comment_id")}
# "off-label (IV)" holds off, label and IV, as the index has it.
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found: its kind (COMMENT, POST, PAST), the key of its row, its number in the index."""

    kind: int
    key: int
    doc: int


def best_first(connection: sqlite3.Connection, hits: Sequence[Hit], terms: Sequence[str]) -> list[Hit]:
    """Hits, given newest first, the best first: all words in the title in the order in which they were typed, all in
    the title, in the text in that order, the others. `terms` are FTS5 strings; `"ketam"*` means any word that begins
    so.

    Raises `sqlite3.Error`.
    """
    asked = [(_words(term.rstrip("*").replace('""', '"')), term.endswith("*")) for term in terms]
    phrase = " ".join(word for words, _ in asked for word in words)
    titles = _texts(connection, hits, "title")
    rank: dict[int, int] = {}
    for hit in hits:
        title = " ".join(_words(titles.get(hit.doc, "")))
        if title and all(_holds(title, " ".join(words), begin) for words, begin in asked):
            rank[hit.doc] = 0 if _holds(title, phrase, asked[-1][1]) else 1
    if " " in phrase:
        rest = [hit for hit in hits[:READ] if hit.doc not in rank]
        for doc, text in _texts(connection, rest, "body_text").items():
            if _holds(" ".join(_words(text)), phrase, asked[-1][1]):
                rank[doc] = 2
    return sorted(hits, key=lambda hit: rank.get(hit.doc, 3))


def _holds(text: str, words: str, begin: bool) -> bool:
    """The words stand in the text in a row; of the last one perhaps only the beginning is given."""
    return f" {words}{'' if begin else ' '}" in f" {text} "


def _words(text: str) -> list[str]:
    """Words as the index compares them: small, without accents."""
    plain = unicodedata.normalize("NFD", text) if not text.isascii() else text
    if not plain.isascii():
        plain = "".join(one for one in plain if not unicodedata.combining(one))
    return _WORD.findall(plain.casefold())


def _texts(connection: sqlite3.Connection, hits: Sequence[Hit], column: str) -> dict[int, str]:
    """Title or text of each document that has one."""
    found: dict[int, str] = {}
    for kind, (table, key) in _TABLES.items():
        docs = {hit.key: hit.doc for hit in hits if hit.kind == kind}
        if docs and not (kind == COMMENT and column == "title"):
            rows = connection.execute(
                f"SELECT {key}, {column} FROM {table} WHERE {column} NOT NULL AND {key} IN (SELECT value FROM"
                " json_each(?))",
                (json.dumps(list(docs)),),
            )
            found |= {docs[number]: text for number, text in map(tuple, rows)}
    return found
