"""The live schema of an archive: what SQLite itself says of tables, views and their columns."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view; a view's columns have no type."""

    name: str
    type: str
    required: bool
    key: bool
    refers_to: str | None

    def kind(self, declared: str) -> str:
        """Declared type, key and NULL in words: "text, never NULL, of captures"."""
        words = [declared]
        words += ["key"] if self.key else ["never NULL"] if self.required else []
        words += [f"of {self.refers_to}"] if self.refers_to else []
        return ", ".join(words)


def columns_of(connection: sqlite3.Connection) -> dict[str, list[Column]]:
    """The columns of each table and view in their order, without the search index and SQLite's own tables."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    found = {}
    for (name,) in names.fetchall():
        if name.startswith(("_", "sqlite_")) or "_fts" in name:
            continue
        parents = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list([{name}])")}
        rows = connection.execute(f"PRAGMA table_info([{name}])").fetchall()
        found[name] = [
            Column(column, kind, bool(required), bool(key), parents.get(column))
            for _, column, kind, required, _, key in rows
        ]
    return found
