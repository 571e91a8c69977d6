"""A full-text index over posts, their past revisions and comments, in the order of their dates.

The row number of a document is its date in minutes, its key and its kind, so that SQLite reads the newest hits first
and the number of hits does not matter. Rows are indexed quickly only in the order of their numbers. They therefore wait
in `search_fts_due` (triggers put them there) until `index_due` is called, in the same transaction. The index stores no
texts.

What a visitor types is never used as SQLite's query language: each word is quoted (`match_of`).
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

from sqlite_utils import Database

from archive.search.ranking import COMMENT, PAST, POST, Hit, best_first

KINDS = {"comments": COMMENT, "posts": POST, "past": PAST}
# Words of a search that are used; FTS5 accepts at most 256 in an expression.
MOST_WORDS = 64
# Hits are counted up to this number.
COUNTED = 10_000
# The best hits are chosen among so many of the newest: where words are common, ranking all hits would take too long.
RANKED = 2_000

# Minutes since 1970 plus 2**31, which covers the years 0 to 9999; 0, which sorts last, without a date. Then 28 bits of
# the key and 2 of the kind.
_DOC = "(((coalesce(CAST(strftime('%s', {at}) AS INTEGER) / 60 + 2147483648, 0)) << 30) | ({key} << 2) | {kind})"
# Clinic and platform as words that nobody types: "c" and the name in hexadecimal.
_SCOPE = "'c' || lower(hex({clinic})) || ' p' || lower(hex(coalesce({platform}, '')))"

_POST_DOC = _DOC.format(at="{row}.published_at", key="{row}.post_id", kind=POST)
_POST_SCOPE = _SCOPE.format(clinic="{row}.clinic_id", platform="{row}.platform")
_COMMENT_DOC = _DOC.format(at="{row}.posted_at", key="{row}.comment_id", kind=COMMENT)
_PAST_DOC = _DOC.format(at="{row}.captured_at", key="{row}.revision_id", kind=PAST)
# The scope of a comment or a past revision is that of its post, whose clinic and platform never change.
_OF_POST = (
    "(SELECT "
    + _SCOPE.format(clinic="p.clinic_id", platform="p.platform")
    + " FROM posts AS p WHERE p.post_id = {row}.post_id)"
)

_DUE = "INSERT OR IGNORE INTO search_fts_due (kind, id) VALUES ({kind}, {key});"
_NOT_DUE = "DELETE FROM search_fts_due WHERE kind = {kind} AND id = {key};"
_FORGET = (
    "INSERT INTO search_fts (search_fts, rowid, title, body, scope) SELECT 'delete', {doc}, {title}, {body}, {scope}"
    " WHERE EXISTS (SELECT 1 FROM search_fts_docsize WHERE id = {doc});"
)


def _parts(kind: int, row: str) -> dict[str, str]:
    """The pieces of SQL about a row (`old`, `new`, a table's alias) that is a document of that kind."""
    doc, key, title, body, scope = {
        POST: (_POST_DOC, "{row}.post_id", "{row}.title", "{row}.body_text", _POST_SCOPE),
        COMMENT: (_COMMENT_DOC, "{row}.comment_id", "NULL", "{row}.body_text", _OF_POST),
        PAST: (_PAST_DOC, "{row}.revision_id", "{row}.title", "{row}.body_text", _OF_POST),
    }[kind]
    templates = {"doc": doc, "key": key, "title": title, "body": body, "scope": scope}
    return {name: sql.format(row=row) for name, sql in templates.items()} | {"kind": str(kind)}


def create(db: Database) -> None:
    """Create the index, the table of rows to be indexed and the triggers, and index all rows. For a migration."""
    db.execute(
        "CREATE VIRTUAL TABLE search_fts USING fts5(title, body, scope, content='', tokenize='unicode61"
        " remove_diacritics 2')"
    )
    db.execute(
        "CREATE TABLE search_fts_due (kind INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT,"
        " WITHOUT ROWID"
    )
    for kind, table, columns in (
        (POST, "posts", ("title", "body_text", "published_at", "platform", "clinic_id")),
        (COMMENT, "comments", ("body_text", "posted_at", "post_id")),
    ):
        old, new = _parts(kind, "old"), _parts(kind, "new")
        changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)
        name = f"{table}_search"
        db.execute(f"CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN {_DUE.format(**new)} END")
        db.execute(
            f"CREATE TRIGGER {name}_update AFTER UPDATE OF {', '.join(columns)} ON {table} WHEN {changed} BEGIN"
            f" {_FORGET.format(**old)} {_DUE.format(**new)} END"
        )
        db.execute(
            f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} BEGIN"
            f" {_FORGET.format(**old)} {_NOT_DUE.format(**old)} END"
        )
    db.execute(
        "CREATE TRIGGER posts_search_past AFTER UPDATE OF revision_id ON posts WHEN old.revision_id IS NOT NULL AND"
        f" old.revision_id IS NOT new.revision_id BEGIN {_DUE.format(kind=PAST, key='old.revision_id')} END"
    )
    old = _parts(PAST, "old")
    db.execute(
        f"CREATE TRIGGER revisions_search_delete BEFORE DELETE ON revisions BEGIN {_FORGET.format(**old)}"
        f" {_NOT_DUE.format(**old)} END"
    )
    fill(db)


def fill(db: Database) -> None:
    """Index all rows again. Past revisions are those of the current revision's source that are not current."""
    db.execute("INSERT INTO search_fts (search_fts) VALUES ('delete-all')")
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
        part = _parts(kind, "t")
        conn.execute(
            f"INSERT INTO search_fts (rowid, title, body, scope) SELECT {part['doc']} AS doc, {part['title']},"
            f" {part['body']}, {part['scope']} FROM search_fts_due AS d JOIN {table} AS t ON t.{_name(part)} = d.id"
            f" WHERE d.kind = {kind} AND ({part['body']} IS NOT NULL OR {part['title']} IS NOT NULL) AND NOT EXISTS"
            f" (SELECT 1 FROM search_fts_docsize AS known WHERE known.id = {part['doc']}) ORDER BY doc"
        )
    conn.execute("DELETE FROM search_fts_due")


def _name(part: dict[str, str]) -> str:
    return part["key"].split(".")[1]


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the index, a line each. Called in a write transaction, but writes nothing."""
    lines = []
    try:
        connection.execute("INSERT INTO search_fts (search_fts) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        lines.append(f"search_fts: damaged ({error}); `clinic-archive rebuild` repairs it")
    for kind, table in ((POST, "posts"), (COMMENT, "comments")):
        part = _parts(kind, "t")
        (missing,) = connection.execute(
            f"SELECT count(*) FROM {table} AS t WHERE ({part['body']} IS NOT NULL OR {part['title']} IS NOT NULL) AND"
            f" NOT EXISTS (SELECT 1 FROM search_fts_docsize AS known WHERE known.id = {part['doc']})"
        ).fetchone()
        if missing:
            lines.append(f"search_fts: lacks {missing} of {table}; `clinic-archive rebuild` repairs it")
    return lines


# "ketamine \"off label\" clin*" gives ketamine, the phrase off label, and clin*.
_WORD = re.compile(r'"([^"]*)"?|(\S+)')


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
    for match in _WORD.finditer(words.replace("\x00", " ").encode("utf-8", "replace").decode()):
        text = match[1] if match[1] is not None else match[2].replace('"', " ")
        if any(unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "Co" for letter in text):
            star = "*" if match[2] and match[2].endswith("*") else ""
            strings.append('"' + text.replace('"', '""') + '"' + star)
    return strings[:MOST_WORDS]


def match_of(query: Query) -> str | None:
    """Return the words of a search, its clinic and platform as an FTS5 query; None without a word."""
    strings = terms(query.words)
    if not strings:
        return None
    scope = "".join(
        f' AND scope : "{letter}{name.encode("utf-8", "replace").hex()}"'
        for letter, name in (("c", query.clinic_id), ("p", query.platform))
        if name
    )
    return f"({{title body}} : ({' AND '.join(strings)})){scope}"


def search(connection: sqlite3.Connection, query: Query, *, most: int = 20, skip: int = 0) -> list[Hit]:
    """Return at most `most` hits after the first `skip`, the newest first.

    With `best_first` the newest `RANKED` hits come in the order of `archive.search.ranking`, then the others. Raises
    `sqlite3.Error`, but never because of the words typed.
    """
    match = match_of(query)
    if match is None:
        return []
    first, number = (0, max(skip + most, RANKED)) if query.best_first else (skip, most)
    rows = connection.execute(
        f"SELECT rowid FROM search_fts WHERE {_where(query)} ORDER BY rowid DESC LIMIT {number} OFFSET {first}",
        _values(query, match),
    )
    hits = [Hit(doc & 3, (doc & ((1 << 30) - 1)) >> 2, doc) for (doc,) in map(tuple, rows)]
    if query.best_first:
        hits = [*best_first(connection, hits[:RANKED], terms(query.words)), *hits[RANKED:]][skip : skip + most]
    return hits


def count(connection: sqlite3.Connection, query: Query) -> int:
    """Return the number of hits, at most `COUNTED` + 1. Raises `sqlite3.Error`."""
    match = match_of(query)
    if match is None:
        return 0
    sql = f"SELECT count(*) FROM (SELECT 1 FROM search_fts WHERE {_where(query)} LIMIT {COUNTED + 1})"
    (number,) = connection.execute(sql, _values(query, match)).fetchone()
    return int(number)


# A past revision is a hit only where the current text is none.
_KEY = "((search_fts.rowid & 1073741823) >> 2)"
_NOT_CURRENT = (
    f"(search_fts.rowid & 3 != {PAST} OR NOT EXISTS (SELECT 1 FROM revisions AS r JOIN posts AS p USING (post_id) WHERE"
    f" r.revision_id = {_KEY} AND EXISTS (SELECT 1 FROM search_fts AS now WHERE now.search_fts MATCH :match AND"
    f" now.rowid = {_POST_DOC.format(row='p')})))"
)
_COMMENTED = (
    f"(search_fts.rowid & 3 = {COMMENT} OR EXISTS (SELECT 1 FROM comments WHERE comments.post_id = CASE"
    f" search_fts.rowid & 3 WHEN {POST} THEN {_KEY} ELSE (SELECT r.post_id FROM revisions AS r WHERE r.revision_id ="
    f" {_KEY}) END))"
)


def _where(query: Query) -> str:
    conditions = ["search_fts MATCH :match", _NOT_CURRENT]
    if query.since:
        conditions.append(f"rowid >= {_DOC.format(at=':since', key='0', kind='0')}")
    if query.until:
        conditions.append(f"rowid < {_DOC.format(at=':until', key='0', kind='0')}")
    if query.since or query.until:
        conditions.append("rowid >= 1 << 30")  # a document without a date is in no period
    if query.kind in KINDS:
        conditions.append(f"rowid & 3 = {KINDS[query.kind]}")
    if query.commented:
        conditions.append(_COMMENTED)
    return " AND ".join(conditions)


def _values(query: Query, match: str) -> dict[str, str]:
    # "2026-03-01" includes the day: up to its midnight.
    until = f"{query.until}T23:59:59Z" if len(query.until) == 10 else query.until
    return {"match": match, "since": query.since, "until": until}
