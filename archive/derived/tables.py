"""The tables of derived texts, as a migration creates them, and the triggers that delete their rows.

A post is derived as a whole. Where a revision of a post is deleted, moved to another post or judged otherwise, all that
was derived from the post is deleted in the same transaction, and `derive` derives the post again.

`cache_edits_fts` is a full-text index that stores no texts, as `search_fts` is; texts that folding changes are in
`cache_edits_folded_fts`, which stores them. Their rows have the number of the edit.
"""

from __future__ import annotations

from sqlite_utils import Database

from archive.search.tables import TOKENIZERS

# The two indexes of edits, with the tokenizers of the two indexes of all texts.
INDEXES = dict(zip(("cache_edits_fts", "cache_edits_folded_fts"), TOKENIZERS.values(), strict=True))
INDEXED = ("removed", "added", "old_text", "new_text")
TABLES = ("cache_derived", "cache_sentences", "cache_edits", "cache_sentence_fates", "cache_site_edits")
# What must be done again at the end of the next derivation.
SITE_EDITS, INDEX = "site_edits", "edits_index"

_TABLES = """
CREATE TABLE cache_derived (
  revision_id INTEGER PRIMARY KEY,
  segmenter TEXT NOT NULL,
  sentences INTEGER NOT NULL,
  digest TEXT NOT NULL
) STRICT;
CREATE TABLE cache_sentences (
  revision_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  PRIMARY KEY (revision_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE cache_edits (
  edit_id INTEGER PRIMARY KEY,
  clinic_id TEXT NOT NULL,
  post_id INTEGER NOT NULL,
  revision_id INTEGER NOT NULL,
  old_revision_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  old_last_seen_at TEXT NOT NULL,
  new_first_seen_at TEXT NOT NULL,
  removed TEXT,
  added TEXT,
  words_removed INTEGER NOT NULL,
  words_added INTEGER NOT NULL,
  kind TEXT NOT NULL,
  crawl_id TEXT,
  old_capture_id TEXT NOT NULL,
  capture_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_cache_edits_revision_id ON cache_edits (revision_id);
CREATE INDEX idx_cache_edits_clinic_id ON cache_edits (clinic_id, crawl_id);
CREATE INDEX idx_cache_edits_post_id ON cache_edits (post_id);
CREATE TABLE cache_sentence_fates (
  post_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  revision_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  first_seen_at TEXT NOT NULL,
  last_revision_id INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  last_seen_at TEXT,
  last_capture_id TEXT,
  fate TEXT,
  missing_at TEXT,
  next_revision_id INTEGER,
  next_position INTEGER,
  returned_at TEXT,
  PRIMARY KEY (post_id, source, revision_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_cache_sentence_fates_ended ON cache_sentence_fates (next_revision_id, hash)
  WHERE next_revision_id IS NOT NULL;
CREATE INDEX idx_cache_sentence_fates_revision_id ON cache_sentence_fates (revision_id, position);
CREATE TABLE cache_site_edits (
  clinic_id TEXT NOT NULL,
  crawl_id TEXT NOT NULL,
  removed_hash INTEGER NOT NULL,
  added_hash INTEGER NOT NULL,
  removed TEXT,
  added TEXT,
  posts INTEGER NOT NULL,
  old_last_seen_at TEXT NOT NULL,
  new_first_seen_at TEXT NOT NULL,
  revision_id INTEGER NOT NULL,
  PRIMARY KEY (clinic_id, crawl_id, removed_hash, added_hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE cache_due (what TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""

_TEXT = (
    "(SELECT nullif(coalesce(title || char(10), '') || coalesce(body_text, ''), '') FROM revisions WHERE revision_id ="
    " {0})"
)
_OF_POSTS = "(SELECT revision_id FROM revisions WHERE post_id = old.post_id)"
_FORGET = (
    f"INSERT OR IGNORE INTO cache_due (what) SELECT '{SITE_EDITS}' WHERE EXISTS (SELECT 1 FROM cache_edits WHERE"
    " post_id = old.post_id);"
    " DELETE FROM cache_site_edits WHERE clinic_id IN (SELECT clinic_id FROM cache_edits WHERE post_id = old.post_id);"
    " DELETE FROM cache_edits WHERE post_id = old.post_id;"
    " DELETE FROM cache_sentence_fates WHERE post_id = old.post_id;"
    f" DELETE FROM cache_sentences WHERE revision_id IN {_OF_POSTS};"
    f" DELETE FROM cache_derived WHERE revision_id IN {_OF_POSTS};"
)


def create(db: Database) -> None:
    """Create the tables, indexes and triggers. For a migration."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    columns = ", ".join(INDEXED)
    plain, folded = INDEXES
    db.execute(f"CREATE VIRTUAL TABLE {plain} USING fts5({columns}, content='', tokenize=\"{INDEXES[plain]}\")")
    db.execute(f'CREATE VIRTUAL TABLE {folded} USING fts5({columns}, tokenize="{INDEXES[folded]}")')
    old = (
        f"old.edit_id, old.removed, old.added, {_TEXT.format('old.old_revision_id')}, {_TEXT.format('old.revision_id')}"
    )
    db.execute(
        "CREATE TRIGGER cache_edits_delete BEFORE DELETE ON cache_edits BEGIN"
        f" INSERT INTO {plain} ({plain}, rowid, {columns}) SELECT 'delete', {old} WHERE EXISTS (SELECT 1 FROM"
        f" {plain}_docsize WHERE id = old.edit_id);"
        f" DELETE FROM {folded} WHERE rowid = old.edit_id;"
        f" INSERT OR IGNORE INTO cache_due (what) VALUES ('{INDEX}'); END"
    )
    db.execute(f"CREATE TRIGGER revisions_derived_delete BEFORE DELETE ON revisions BEGIN {_FORGET} END")
    db.execute(
        "CREATE TRIGGER revisions_derived_update BEFORE UPDATE OF post_id, kind, source, captured_at, title, body_text"
        f" ON revisions BEGIN {_FORGET} {_FORGET.replace('old.post_id', 'new.post_id')} END"
    )


def forget_site_edits(db: Database, clinic_id: str) -> None:
    """Delete a clinic's edits of many posts, which name none of them; the next `derive` finds them again.

    Raises `sqlite3.Error`.
    """
    db.execute("DELETE FROM cache_site_edits WHERE clinic_id = ?", [clinic_id])
    db.execute("INSERT OR IGNORE INTO cache_due (what) VALUES (?)", [SITE_EDITS])
