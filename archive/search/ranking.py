"""The ranking of hits: titles before texts, phrases before scattered words, the newest first among equals.

FTS5's own ranking reads all hits, and so does a search for a rare phrase of common words: with a million posts each
takes a quarter of a second. Here the work is bounded for any words: a few thousand titles and a few hundred texts are
read.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from archive.search.folding import folded

COMMENT, POST, PAST = 0, 1, 2
# The texts of so many of the newest hits are searched for the phrase.
READ = 200
_TABLES = {POST: ("posts", "post_id"), PAST: ("revisions", "revision_id"), COMMENT: ("comments", "comment_id")}
# "off-label (IV)" has the words off, label and IV, as in the index.
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that matches: its kind (COMMENT, POST, PAST), the key of its row, its row number in the index."""

    kind: int
    key: int
    doc: int


def best_first(connection: sqlite3.Connection, hits: Sequence[Hit], terms: Sequence[str]) -> list[Hit]:
    """Return hits, given newest first, with the best first.

    First come hits with the words in the title in the order typed, then those with all words in the title, then those
    with the words in the text in the order typed, then the others. `terms` are FTS5 strings; `"ketam"*` matches any
    word that begins with ketam. Raises `sqlite3.Error`.
    """
    parts = [(_words(term.rstrip("*").replace('""', '"')), term.endswith("*")) for term in terms]
    phrase = " ".join(word for words, _ in parts for word in words)
    titles = _texts(connection, hits, "title")
    rank: dict[int, int] = {}
    for hit in hits:
        title = " ".join(_words(folded(titles.get(hit.doc, ""))))
        if title and all(_holds(title, " ".join(words), begin) for words, begin in parts):
            rank[hit.doc] = 0 if _holds(title, phrase, parts[-1][1]) else 1
    if " " in phrase:
        rest = [hit for hit in hits[:READ] if hit.doc not in rank]
        for doc, text in _texts(connection, rest, "body_text").items():
            if _holds(" ".join(_words(folded(text))), phrase, parts[-1][1]):
                rank[doc] = 2
    return sorted(hits, key=lambda hit: rank.get(hit.doc, 3))


def _holds(text: str, words: str, begin: bool) -> bool:
    """Whether the text has the words one after another; with `begin` the last of them may be the start of a word."""
    return f" {words}{'' if begin else ' '}" in f" {text} "


def _words(text: str) -> list[str]:
    """Words as the index compares them: lower case, without accents."""
    plain = unicodedata.normalize("NFD", text) if not text.isascii() else text
    if not plain.isascii():
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _WORD.findall(plain.casefold())


def _texts(connection: sqlite3.Connection, hits: Sequence[Hit], column: str) -> dict[int, str]:
    """The title or text of each document that has one, by its row number."""
    texts: dict[int, str] = {}
    for kind, (table, key) in _TABLES.items():
        docs = {hit.key: hit.doc for hit in hits if hit.kind == kind}
        if docs and not (kind == COMMENT and column == "title"):
            rows = connection.execute(
                f"SELECT {key}, {column} FROM {table} WHERE {column} NOT NULL AND {key} IN (SELECT value FROM"
                " json_each(?))",
                (json.dumps(list(docs)),),
            )
            texts |= {docs[number]: text for number, text in map(tuple, rows)}
    return texts
