"""An archive as what it says, without what is local to one file: for telling that two archives say the same.

Integer keys are replaced by what they stand for, rows are sorted. Left out is what may differ between an archive that
grew and one rebuilt from its WARC files: which version of a parser read a row and what an older one read, and where
files lie. Texts that only differ by the version that read them are one text: of a post's revisions by one source those
count that differ from the one before, each as the newest version reads its capture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

Row = tuple[Any, ...]

_POST = (
    "(SELECT group_concat(address, ' ') FROM (SELECT address FROM post_addresses AS a WHERE a.post_id = {0} ORDER BY"
    " address))"
)
_COMMENT = "(SELECT platform_comment_id FROM comments AS c WHERE c.comment_id = {0})"
# What stands for a key that is local to one archive.
_NAMES = {
    "post_id": _POST,
    "comment_id": _COMMENT,
    "parent_id": _COMMENT,
    "author_id": "(SELECT name FROM authors AS n WHERE n.author_id = {0})",
    "tag_id": "(SELECT label FROM tags AS t WHERE t.tag_id = {0})",
    "category_id": "(SELECT label FROM categories AS k WHERE k.category_id = {0})",
    "revision_id": "(SELECT source || ' ' || content_sha256 FROM revisions AS r WHERE r.revision_id = {0})",
}
_LOCAL = {"absence_id", "problem_id", "entity_id", "extractor_version", "warc_file"}
_OLDER = {"superseded_readings"}


def digests(db: Database) -> dict[str, str]:
    """SHA-256 (hex) of each table's canonical rows, by the table's name. Raises `sqlite3.Error`."""
    found = {}
    for table in sorted(db.table_names()):
        if not table.startswith("_") and "_fts" not in table and table not in _OLDER:
            said = hashlib.sha256()
            for row in rows(db, table):
                said.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
            found[table] = said.hexdigest()
    return found


def rows(db: Database, table: str) -> Iterator[Row]:
    """A table's rows in their canonical form, in their canonical order, whatever their number."""
    names = [column.name for column in db.table(table).columns if column.name not in _LOCAL]
    chosen = [
        f"{_NAMES[name].format(f'[{table}].[{name}]') if name in _NAMES else f'[{table}].[{name}]'} AS [{name}]"
        for name in names
    ]
    texts = table in ("revisions", "links")
    number = f", [{table}].revision_id AS number" if texts else ""
    order = ", ".join(f"[{name}]" for name in sorted(names, key=lambda name: name == "kind"))
    kept = _told_apart(db) if texts else {}
    kind = names.index("kind") if table == "revisions" else None
    cursor = db.conn.execute(f"SELECT {', '.join(chosen)}{number} FROM [{table}] ORDER BY {order}")
    for row in cursor:
        if not texts:
            yield tuple(row)
        elif row[-1] in kept:
            yield row[:-1] if kind is None else (*row[:kind], kept[row[-1]], *row[kind + 1 : -1])


def _told_apart(db: Database) -> dict[int, str]:
    """What each revision is (first, source, content), without those that other versions made of the same text."""
    newest = db.conn.execute(
        "SELECT post_id, source, revision_id, content_sha256 FROM (SELECT *, row_number() OVER (PARTITION BY post_id,"
        " source, capture_id ORDER BY extractor_version DESC, revision_id DESC) AS age FROM revisions) WHERE age = 1"
        " ORDER BY post_id, captured_at, revision_id"
    )
    kept: dict[int, str] = {}
    last: dict[tuple[int, str], str] = {}
    begun: set[int] = set()
    for post_id, source, revision_id, sha256 in newest:
        before = last.get((post_id, source))
        if before != sha256:
            kept[revision_id] = "content" if before else "source" if post_id in begun else "first"
            last[post_id, source] = sha256
            begun.add(post_id)
    return kept


def digest(of_tables: dict[str, str]) -> str:
    """SHA-256 (hex) of all that the archive says, made of its `digests`."""
    return hashlib.sha256("".join(f"{name} {sha256}\n" for name, sha256 in of_tables.items()).encode()).hexdigest()
