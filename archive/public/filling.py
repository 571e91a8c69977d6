"""A new database with the public part of an archive: each table is filled by one INSERT ... SELECT.

No page of the archive's file is copied, so that nothing of a freed page or of the search index comes along. The index
is built from the rows of the new file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from archive.derived.store import index_edits
from archive.export import publicity
from archive.public.withheld import MARKS
from archive.public.words import host_of, hosts_in, keyed
from archive.search.index import index_all as fill_index

Comments = Literal["counts", "text"]

# Columns of comments of which the counts are made; the others say what a person wrote, and who answered whom.
COUNTED = (
    "comment_id",
    "clinic_id",
    "post_id",
    "platform_comment_id",
    "author_kind",
    "posted_at",
    "status",
    "source",
    "capture_id",
    "last_capture_id",
    "first_seen_at",
    "last_seen_at",
    "type",
)
_HOLDS = (
    "(coalesce({row}.holds_comments, 1) = 1 OR EXISTS (SELECT 1 FROM live.captures AS o WHERE o.capture_id ="
    " {row}.refers_to AND coalesce(o.holds_comments, 1) = 1))"
)
_OF_CAPTURE = f"EXISTS (SELECT 1 FROM live.captures AS c WHERE c.capture_id = t.capture_id AND {_HOLDS})".format(
    row="c"
)
# The names in the comments of a clinic that has privacy "keep" are not masked.
_UNMASKED = "(SELECT privacy FROM live.clinics AS k WHERE k.clinic_id = t.clinic_id) = 'keep'"
_UNMASKED_REVISION = (
    "(SELECT privacy FROM live.clinics AS k JOIN live.comments AS c USING (clinic_id) WHERE c.comment_id ="
    " t.comment_id) = 'keep'"
)
_HOST = f"CASE WHEN {_HOLDS.format(row='t')} THEN host_of(t.{{0}}) ELSE t.{{0}} END"
# Values that depend on more than their column. An address that led to comments is cut to its host.
_SPECIAL: Mapping[str, Mapping[str, str]] = {
    "captures": {
        "url": f"coalesce({_HOST.format('url')}, 'unknown:')",
        "page_url": _HOST.format("page_url"),
        "retrieved_from": _HOST.format("retrieved_from"),
        "holds_comments": _HOLDS.format(row="t"),
    },
    "clinic_runs": {"note": "hosts_in(t.note)"},
    "problems": {
        "url": f"CASE WHEN {_OF_CAPTURE} THEN host_of(t.url) ELSE t.url END",
        "message": f"CASE WHEN {_OF_CAPTURE} THEN 'not part of this copy' ELSE t.message END",
    },
    "comments": {
        "author": "CASE WHEN t.author_kind = 'staff' THEN t.author ELSE 'reader-' || keyed('author', t.author) END",
        "body_text": f"CASE WHEN {_UNMASKED} THEN NULL ELSE t.body_text END",
        "body_html": f"CASE WHEN {_UNMASKED} THEN NULL ELSE t.body_html END",
    },
    "comment_revisions": {
        "body_text": f"CASE WHEN {_UNMASKED_REVISION} THEN NULL ELSE t.body_text END",
        "body_html": f"CASE WHEN {_UNMASKED_REVISION} THEN NULL ELSE t.body_html END",
    },
}
# Rows that are public: the rules that people wrote belong to their study, and so does what these match.
_ROWS: Mapping[str, str] = {
    "lexicon_rules": "t.file IS NULL",
    "cache_matches": "t.rule_number NOT IN (SELECT rule_number FROM live.lexicon_rules WHERE file IS NOT NULL)",
}
_OWN_INDEX = ("posts_fts", "comments_fts")  # of which the texts are in the tables


def fill_public(archive: Path, target: Path, *, comments: Comments, key: bytes, searchable: bool = True) -> None:
    """Fill a new database file with the public part of another, as it is at this moment; a writer may go on.

    `comments`: "counts" gives the rows of comments without author, text and parent, "text" all that is public of them.
    `key` makes the keyed hashes. `searchable`: with the search index. Raises `sqlite3.Error`, OSError.
    """
    connection = sqlite3.connect(f"{target.resolve().as_uri()}?mode=rwc", uri=True, isolation_level=None, timeout=30)
    with closing(connection):
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.create_function("host_of", 1, host_of, deterministic=True)
        connection.create_function("hosts_in", 1, hosts_in, deterministic=True)
        connection.create_function("keyed", 2, partial(_keyed, key), deterministic=True)
        connection.execute("ATTACH ? AS live", [f"{archive.resolve().as_uri()}?mode=ro"])
        connection.execute("BEGIN")
        schema = connection.execute("SELECT type, name, sql FROM live.sqlite_master ORDER BY rowid").fetchall()
        _create(connection, schema, "table")
        for name in _filled(schema, comments):
            connection.execute(insert(connection, name, comments))
        _create(connection, schema, "index")
        _create(connection, schema, "view")
        if searchable:
            for name in _OWN_INDEX:
                connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
            fill_index(Database(connection, strict=True))
            index_edits(connection)
        connection.execute(f"PRAGMA user_version = {MARKS[comments]}")
        connection.execute("COMMIT")
        connection.execute("DETACH live")


def _keyed(key: bytes, purpose: str, value: str | None) -> str | None:
    return None if value is None else keyed(key, purpose, value)


def _create(connection: sqlite3.Connection, schema: list[tuple[str, str, str | None]], kind: str) -> None:
    """Create what the archive has of a kind. Of a table of the index SQLite makes the inner tables itself."""
    inner = _inner(schema)
    for found, name, sql in schema:
        if found == kind and sql is not None and not name.startswith("sqlite_") and name not in inner:
            connection.execute(sql)


def _inner(schema: list[tuple[str, str, str | None]]) -> set[str]:
    virtual = [name for _, name, sql in schema if (sql or "").startswith("CREATE VIRTUAL")]
    return {name for _, name, _ in schema if any(name.startswith(f"{outer}_") for outer in virtual)} - {
        "search_fts_due"  # ours, though its name is like theirs
    }


def _filled(schema: list[tuple[str, str, str | None]], comments: Comments) -> Iterator[str]:
    """Yield the tables that have a public column."""
    for kind, name, _ in schema:
        if kind == "table" and set(publicity().get(name, {}).values()) - {"no"}:
            if name == "comment_revisions" and comments == "counts":
                continue
            yield name


def insert(connection: sqlite3.Connection, table: str, comments: Comments) -> str:
    """Return the statement that fills a table from `live`; a column that says nothing is left out, as one with `no`.

    Raises `sqlite3.Error`.
    """
    words = publicity()[table]
    columns, values = [], []
    for _, column, *_ in connection.execute(f"PRAGMA live.table_info([{table}])").fetchall():
        word = words.get(column, "no")
        if word == "no" or (table == "comments" and comments == "counts" and column not in COUNTED):
            continue
        columns.append(f"[{column}]")
        values.append(_SPECIAL.get(table, {}).get(column) or _value(word, column))
    chosen = f"SELECT {', '.join(values)} FROM live.[{table}] AS t WHERE {_ROWS.get(table, '1')}"
    return f"INSERT INTO main.[{table}] ({', '.join(columns)}) {chosen}"


def _value(word: str, column: str) -> str:
    return {
        "yes": f"t.[{column}]",
        "day": f"substr(t.[{column}], 1, 10)",
        "keyed": f"keyed('id', t.[{column}])",
    }[word]
