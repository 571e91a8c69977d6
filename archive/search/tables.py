"""The tables of the full-text index and the triggers that maintain them, as migrations create them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.search.ranking import COMMENT, PAST, POST

if TYPE_CHECKING:  # the process of a visitor's file imports this module, and waits for what it imports
    from sqlite_utils import Database

# In `search_folded_fts`, marks are letters: vowels of Thai and Hindi are marks.
TOKENIZERS = {
    "search_fts": "unicode61 remove_diacritics 2",
    "search_folded_fts": "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'",
}

# Minutes since 1970 plus 2**31, which covers the years 0 to 9999; 0, which sorts last, without a date. Then 28 bits of
# the key and 2 of the kind.
DOC = "(((coalesce(CAST(strftime('%s', {at}) AS INTEGER) / 60 + 2147483648, 0)) << 30) | ({key} << 2) | {kind})"
# Clinic and platform as words that nobody types: "c" and the name in hexadecimal.
_SCOPE = "'c' || lower(hex({clinic})) || ' p' || lower(hex(coalesce({platform}, '')))"

POST_DOC = DOC.format(at="{row}.published_at", key="{row}.post_id", kind=POST)
_POST_SCOPE = _SCOPE.format(clinic="{row}.clinic_id", platform="{row}.platform")
_COMMENT_DOC = DOC.format(at="{row}.posted_at", key="{row}.comment_id", kind=COMMENT)
_PAST_DOC = DOC.format(at="{row}.captured_at", key="{row}.revision_id", kind=PAST)
# The scope of a comment or a past revision is that of its post, whose clinic and platform never change.
_OF_POST = (
    "(SELECT "
    + _SCOPE.format(clinic="p.clinic_id", platform="p.platform")
    + " FROM posts AS p WHERE p.post_id = {row}.post_id)"
)

_DUE = "INSERT OR IGNORE INTO search_fts_due (kind, id) VALUES ({kind}, {key});"
_NOT_DUE = "DELETE FROM search_fts_due WHERE kind = {kind} AND id = {key};"
_FORGET_FOLDED = "DELETE FROM search_folded_fts WHERE rowid = {doc};"
_FORGET = (
    "INSERT INTO search_fts (search_fts, rowid, title, body, scope) SELECT 'delete', {doc}, {title}, {body}, {scope}"
    " WHERE EXISTS (SELECT 1 FROM search_fts_docsize WHERE id = {doc});"
)


def document_sql(kind: int, row: str) -> dict[str, str]:
    """Return the pieces of SQL about a row (`old`, `new`, a table's alias) that is a document of that kind."""
    doc, key, title, body, scope = {
        POST: (POST_DOC, "{row}.post_id", "{row}.title", "{row}.body_text", _POST_SCOPE),
        COMMENT: (_COMMENT_DOC, "{row}.comment_id", "NULL", "{row}.body_text", _OF_POST),
        PAST: (_PAST_DOC, "{row}.revision_id", "{row}.title", "{row}.body_text", _OF_POST),
    }[kind]
    templates = {"doc": doc, "key": key, "title": title, "body": body, "scope": scope}
    return {name: sql.format(row=row) for name, sql in templates.items()} | {"kind": str(kind)}


def create(db: Database) -> None:
    """Create the index, the table of rows to be indexed and the triggers. For a migration."""
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
        old, new = document_sql(kind, "old"), document_sql(kind, "new")
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
    old = document_sql(PAST, "old")
    db.execute(
        f"CREATE TRIGGER revisions_search_delete BEFORE DELETE ON revisions BEGIN {_FORGET.format(**old)}"
        f" {_NOT_DUE.format(**old)} END"
    )


def create_folded(db: Database) -> None:
    """Create the table of folded texts and its triggers. For a migration."""
    tokenizer = TOKENIZERS["search_folded_fts"]
    db.execute(f'CREATE VIRTUAL TABLE search_folded_fts USING fts5(title, body, scope, tokenize="{tokenizer}")')
    for kind, table, columns in (
        (POST, "posts", ("title", "body_text", "published_at", "platform", "clinic_id")),
        (COMMENT, "comments", ("body_text", "posted_at", "post_id")),
    ):
        old = document_sql(kind, "old")
        changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)
        name, forget = f"{table}_search_folded", _FORGET_FOLDED.format(**old)
        db.execute(
            f"CREATE TRIGGER {name}_update AFTER UPDATE OF {', '.join(columns)} ON {table} WHEN {changed} BEGIN"
            f" {forget} END"
        )
        db.execute(f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} BEGIN {forget} END")
    forget = _FORGET_FOLDED.format(**document_sql(PAST, "old"))
    db.execute(f"CREATE TRIGGER revisions_search_folded_delete BEFORE DELETE ON revisions BEGIN {forget} END")
