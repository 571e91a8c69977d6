"""A full-text index over posts, their past revisions and comments, in the order of their dates.

The row number of a document is its date in minutes, its key and its kind, so that SQLite reads the newest hits first
and the number of hits does not matter. Rows are indexed quickly only in the order of their numbers. They therefore wait
in `search_fts_due` (triggers put them there) until `index_due` is called, in the same transaction.

A document is in one of two tables. `search_fts` stores no texts, so that a trigger must give back the text to remove
it. Where folding changes a text (`archive.search.folding`), a trigger has no function to do the same: the folded text
goes to `search_folded_fts`, which stores it.

What a visitor types is never used as SQLite's query language: each word is quoted (`match_of`).
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.search.folding import folded, folded_words, is_single_letter
from archive.search.ranking import COMMENT, PAST, POST, Hit, best_first
from archive.search.tables import DOC, POST_DOC, TOKENIZERS, document_sql

if TYPE_CHECKING:  # the process of a visitor's file imports this module, and waits for what it imports
    from sqlite_utils import Database

KINDS = {"comments": COMMENT, "posts": POST, "past": PAST}
# Words of a search that are used; FTS5 accepts at most 256 in an expression.
MAX_WORDS = 64
MAX_CHARACTERS = 1_000  # of what is searched for; the rest is left out
# Waiting rows that are read and indexed at a time.
DUE_AT_ONCE = 500
# Hits are counted up to this number.
COUNTED = 10_000
# The best hits are chosen among so many of the newest: where words are common, ranking all hits would take too long.
RANKED = 2_000


def index_all(db: Database) -> None:
    """Index all rows again. Past revisions are those of the current revision's source that are not current."""
    db.execute("INSERT INTO search_fts (search_fts) VALUES ('delete-all')")
    db.execute("DELETE FROM search_folded_fts")
    db.execute("DELETE FROM search_fts_due")
    for kind, key, table in ((POST, "post_id", "posts"), (COMMENT, "comment_id", "comments")):
        db.execute(f"INSERT INTO search_fts_due (kind, id) SELECT {kind}, {key} FROM {table}")
    db.execute(
        f"INSERT INTO search_fts_due (kind, id) SELECT {PAST}, r.revision_id FROM revisions AS r JOIN posts AS p USING"
        " (post_id) JOIN revisions AS now ON now.revision_id = p.revision_id WHERE r.revision_id !="
        " now.revision_id AND r.source = now.source"
    )
    index_due(db)


def index_due(db: Database) -> None:
    """Index the rows that wait, in the order of their numbers, in the caller's transaction. Raises `sqlite3.Error`."""
    conn = db.conn
    if conn.execute("SELECT 1 FROM search_fts_due LIMIT 1").fetchone() is None:
        return
    for kind, table in ((POST, "posts"), (COMMENT, "comments"), (PAST, "revisions")):
        part = document_sql(kind, "t")
        known = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {name}_docsize AS known WHERE known.id = doc)" for name in TOKENIZERS
        )
        # Sorted, and therefore read to its end, before the first row is written.
        found = conn.execute(
            f"SELECT doc, title, body, scope FROM (SELECT {part['doc']} AS doc, {part['title']} AS title,"
            f" {part['body']} AS body, {part['scope']} AS scope FROM search_fts_due AS d JOIN {table} AS t ON"
            f" t.{_name(part)} = d.id WHERE d.kind = {kind}) WHERE (body IS NOT NULL OR title IS NOT NULL) AND {known}"
            " ORDER BY +doc"
        )
        while rows := found.fetchmany(DUE_AT_ONCE):
            _add(conn, [tuple(row) for row in rows])
    conn.execute("DELETE FROM search_fts_due")


def _add(conn: sqlite3.Connection, documents: list[tuple[int, str | None, str | None, str]]) -> None:
    """Add documents (row number, title, text, scope), each to the table where it belongs."""
    by_table: dict[str, list[tuple[int, str | None, str | None, str]]] = {name: [] for name in TOKENIZERS}
    for doc, title, body, scope in documents:
        new_title, new_body = (text if text is None else folded(text) for text in (title, body))
        is_plain = (new_title, new_body) == (title, body)
        by_table["search_fts" if is_plain else "search_folded_fts"].append((doc, new_title, new_body, scope))
    for name, rows in by_table.items():
        conn.executemany(f"INSERT INTO {name} (rowid, title, body, scope) VALUES (?, ?, ?, ?)", rows)


def drop_removed(db: Database) -> None:
    """Drop the words of removed rows, which FTS5 leaves in its segments until they are merged. Reads the whole index.

    Raises `sqlite3.Error`.
    """
    find = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
    for (name,) in db.execute(find).fetchall():
        db.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


def _name(part: dict[str, str]) -> str:
    return part["key"].split(".")[1]


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the index, a line each. Called in a write transaction, but writes nothing."""
    lines = []
    for name in TOKENIZERS:
        try:
            connection.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            lines.append(f"{name}: damaged ({error}); `clinic-archive rebuild` repairs it")
    for kind, table in ((POST, "posts"), (COMMENT, "comments")):
        part = document_sql(kind, "t")
        (missing,) = connection.execute(
            f"SELECT count(*) FROM {table} AS t WHERE ({part['body']} IS NOT NULL OR {part['title']} IS NOT NULL) AND"
            f" {part['doc']} NOT IN (SELECT id FROM search_fts_docsize UNION ALL SELECT id FROM"
            " search_folded_fts_docsize)"
        ).fetchone()
        if missing:
            lines.append(f"search_fts: lacks {missing} of {table}; `clinic-archive rebuild` repairs it")
    return lines


# "ketamine \"off label\" clin*" gives ketamine, the phrase off label, and clin*.
_TERM = re.compile(r'"([^"]*)"?|(\S+)')


@dataclass(frozen=True, slots=True)
class Query:
    """A search: the words as typed, and where to look. Dates are ISO 8601; `until` is included."""

    words: str
    clinic_id: str = ""
    platform: str = ""
    since: str = ""
    until: str = ""
    kind: str = ""
    commented: bool = False
    best_first: bool = False


def terms(words: str) -> list[str]:
    """Return the words and "quoted phrases" of a search as FTS5 strings; `sleep*` matches words that begin with sleep.

    A word without a letter or digit is left out, because FTS5 would match nothing. "Price (IV)" gives "Price" and "IV".
    """
    strings = []
    for match in _TERM.finditer(words[:MAX_CHARACTERS].replace("\x00", " ").encode("utf-8", "replace").decode()):
        text = folded_words(match[1] if match[1] is not None else match[2].replace('"', " "))
        if any(unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "Co" for letter in text):
            star = "*" if (match[2] and match[2].endswith("*")) or is_single_letter(text) else ""
            strings.append('"' + text.replace('"', '""') + '"' + star)
    return strings[:MAX_WORDS]


def match_of(query: Query) -> str | None:
    """Return the words of a search, its clinic and platform as an FTS5 query; None without a word."""
    strings = terms(query.words)
    return scoped(" AND ".join(strings), query.clinic_id, query.platform) if strings else None


def scoped(strings: str, clinic_id: str = "", platform: str = "") -> str:
    """Return FTS5 strings as a query of titles and texts, of one clinic or platform where these are not empty."""
    scope = "".join(
        f' AND scope : "{letter}{name.encode("utf-8", "replace").hex()}"'
        for letter, name in (("c", clinic_id), ("p", platform))
        if name
    )
    return f"({{title body}} : ({strings})){scope}"


def search(connection: sqlite3.Connection, query: Query, *, most: int = 20, skip: int = 0) -> list[Hit]:
    """Return at most `most` hits after the first `skip`, the newest first.

    With `best_first` the newest `RANKED` hits come in the order of `archive.search.ranking`, then the others. Raises
    `sqlite3.Error`, but never because of the words typed.
    """
    found = hits_query(query)
    if found is None:
        return []
    first, number = (0, max(skip + most, RANKED)) if query.best_first else (skip, most)
    rows = connection.execute(f"{found[0]} LIMIT {number} OFFSET {first}", found[1])
    hits = [Hit(doc & 3, (doc & ((1 << 30) - 1)) >> 2, doc) for (doc,) in map(tuple, rows)]
    if query.best_first:
        hits = [*best_first(connection, hits[:RANKED], terms(query.words)), *hits[RANKED:]][skip : skip + most]
    return hits


def hits_query(query: Query) -> tuple[str, dict[str, str]] | None:
    """Return a SELECT of the hits' row numbers (`doc`), the newest first, and its values; None without a word.

    SQLite merges the two tables, each of which reads its newest hits first: with a LIMIT the others are not read.
    """
    match = match_of(query)
    if match is None:
        return None
    both = " UNION ALL ".join(f"SELECT rowid AS doc FROM {table} WHERE {_where(query, table)}" for table in TOKENIZERS)
    return f"{both} ORDER BY doc DESC", _values(query, match)


def count_hits(connection: sqlite3.Connection, query: Query) -> int:
    """Return the number of hits, at most `COUNTED` + 1. Raises `sqlite3.Error`."""
    found = hits_query(query)
    if found is None:
        return 0
    (number,) = connection.execute(f"SELECT count(*) FROM ({found[0]} LIMIT {COUNTED + 1})", found[1]).fetchone()
    return int(number)


# A past revision is a hit only where the current text is none.
_KEY = "(({table}.rowid & 1073741823) >> 2)"
_NOW = " OR ".join(
    f"EXISTS (SELECT 1 FROM {name} AS now WHERE now.{name} MATCH :match AND now.rowid = {POST_DOC.format(row='p')})"
    for name in TOKENIZERS
)
_NOT_CURRENT = (
    f"({{table}}.rowid & 3 != {PAST} OR NOT EXISTS (SELECT 1 FROM revisions AS r JOIN posts AS p USING (post_id) WHERE"
    f" r.revision_id = {_KEY} AND ({_NOW})))"
)
_COMMENTED = (
    f"({{table}}.rowid & 3 = {COMMENT} OR EXISTS (SELECT 1 FROM comments WHERE comments.post_id = CASE"
    f" {{table}}.rowid & 3 WHEN {POST} THEN {_KEY} ELSE (SELECT r.post_id FROM revisions AS r WHERE r.revision_id ="
    f" {_KEY}) END))"
)


def _where(query: Query, table: str) -> str:
    conditions = [f"{table} MATCH :match", _NOT_CURRENT.format(table=table)]
    if query.since:
        conditions.append(f"rowid >= {DOC.format(at=':since', key='0', kind='0')}")
    if query.until:
        conditions.append(f"rowid < {DOC.format(at=':until', key='0', kind='0')}")
    if query.since or query.until:
        conditions.append("rowid >= 1 << 30")  # a document without a date is in no period
    if query.kind in KINDS:
        conditions.append(f"rowid & 3 = {KINDS[query.kind]}")
    if query.commented:
        conditions.append(_COMMENTED.format(table=table))
    return " AND ".join(conditions)


def _values(query: Query, match: str) -> dict[str, str]:
    # "2026-03-01" includes the day: up to its midnight.
    until = f"{query.until}T23:59:59Z" if len(query.until) == 10 else query.until
    return {"match": match, "since": query.since, "until": until}
