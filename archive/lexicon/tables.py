"""The tables of rules and matches, as a migration creates them, and the trigger that deletes matches.

A match belongs to the sentences of a revision: where these are deleted or cut again, its rows are deleted in the same
transaction, and the next derivation finds them again.
"""

from __future__ import annotations

from sqlite_utils import Database

_TABLES = """
CREATE TABLE lexicon_rules (
  rule_number INTEGER PRIMARY KEY,
  lexicon TEXT NOT NULL,
  rule TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  category TEXT NOT NULL,
  kind TEXT NOT NULL,
  meaning TEXT NOT NULL,
  source TEXT NOT NULL,
  definition TEXT NOT NULL,
  digest TEXT NOT NULL,
  file TEXT
) STRICT;
CREATE UNIQUE INDEX idx_lexicon_rules_lexicon_rule ON lexicon_rules (lexicon, rule);
CREATE TABLE cache_matches (
  revision_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  rule_number INTEGER NOT NULL,
  negated INTEGER NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  PRIMARY KEY (revision_id, position, rule_number, negated)
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_cache_matches_rule_number ON cache_matches (rule_number);
CREATE TABLE cache_matched (
  revision_id INTEGER PRIMARY KEY,
  sentences TEXT NOT NULL,
  rules TEXT NOT NULL
) STRICT;
CREATE TRIGGER cache_derived_matches_delete AFTER DELETE ON cache_derived BEGIN
  DELETE FROM cache_matches WHERE revision_id = old.revision_id;
  DELETE FROM cache_matched WHERE revision_id = old.revision_id;
END
"""


def create(db: Database) -> None:
    """Create the tables, the indexes and the trigger. For a migration."""
    statements, trigger = _TABLES.split("CREATE TRIGGER")
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"CREATE TRIGGER{trigger}")
