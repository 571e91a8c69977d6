"""The rows of an archive in a canonical form, to compare two archives without what is local to a database file.

Integer keys are replaced by what they stand for, and rows are sorted. What may differ between an archive that grew and
one rebuilt from its WARC files is left out: the versions of the parser and of the program that made a row, what an
older version read, and the places of records in WARC files, which a pack joins. Texts that differ only by the version
that read them count as equal: of a post's revisions from one source, those count that differ from the revision before,
each as the newest version reads its capture.
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
# The expression that replaces a key that is local to an archive.
KEY_NAMES = {
    "post_id": _POST,
    "comment_id": _COMMENT,
    "parent_id": _COMMENT,
    "author_id": "(SELECT name FROM authors AS n WHERE n.author_id = {0})",
    "tag_id": "(SELECT label FROM tags AS t WHERE t.tag_id = {0})",
    "category_id": "(SELECT label FROM categories AS k WHERE k.category_id = {0})",
    "revision_id": "(SELECT source || ' ' || content_sha256 FROM revisions AS r WHERE r.revision_id = {0})",
}
_LOCAL = {"absence_id", "problem_id", "entity_id", "extractor_version", "warc_file", "warc_offset", "folded_by"}
_OLDER = {"superseded_readings"}
# The tables that the fold makes from recorded bytes. Not among them: full-text indexes, what is derived from rows
# (`archive.derived`), and what people gave.
FOLDED = (
    "absences",
    "authors",
    "captures",
    "categories",
    "clinic_attributes",
    "clinic_runs",
    "clinics",
    "comment_revisions",
    "comments",
    "confirmations",
    "crawls",
    "images",
    "links",
    "post_addresses",
    "post_categories",
    "post_changes",
    "post_tags",
    "posts",
    "problems",
    "readings",
    "related_posts",
    "revisions",
    "run_fields",
    "sightings",
    "superseded_readings",
    "tags",
    "unplaced",
    "withdrawals",
    "withdrawn_permalinks",
)


def digests(db: Database) -> dict[str, str]:
    """Return the SHA-256 (hex) of the canonical rows of each folded table, by its name. Raises `sqlite3.Error`."""
    by_table = {}
    for table in FOLDED:
        if table not in _OLDER:
            sha256 = hashlib.sha256()
            for row in rows(db, table):
                sha256.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
            by_table[table] = sha256.hexdigest()
    return by_table


def rows(db: Database, table: str) -> Iterator[Row]:
    """Yield a table's rows in their canonical form and order; a table of any size needs little memory."""
    names = [column.name for column in db.table(table).columns if column.name not in _LOCAL]
    chosen = [
        f"{KEY_NAMES[name].format(f'[{table}].[{name}]') if name in KEY_NAMES else f'[{table}].[{name}]'} AS [{name}]"
        for name in names
    ]
    texts = table in ("revisions", "links")
    number = f", [{table}].revision_id AS number" if texts else ""
    order = ", ".join(f"[{name}]" for name in sorted(names, key=lambda name: name == "kind"))
    kinds = _distinct_revisions(db) if texts else {}
    kind = names.index("kind") if table == "revisions" else None
    cursor = db.conn.execute(f"SELECT {', '.join(chosen)}{number} FROM [{table}] ORDER BY {order}")
    for row in cursor:
        if not texts:
            yield tuple(row)
        elif row[-1] in kinds:
            yield row[:-1] if kind is None else (*row[:kind], kinds[row[-1]], *row[kind + 1 : -1])


def _distinct_revisions(db: Database) -> dict[int, str]:
    """The kind (first, source, content) of each revision, without older versions' readings of the same text."""
    newest = db.conn.execute(
        "SELECT post_id, source, revision_id, content_sha256 FROM (SELECT *, row_number() OVER (PARTITION BY post_id,"
        " source, capture_id ORDER BY extractor_version DESC, revision_id DESC) AS age FROM revisions) WHERE age = 1"
        " ORDER BY post_id, captured_at, revision_id"
    )
    kinds: dict[int, str] = {}
    last: dict[tuple[int, str], str] = {}
    posts: set[int] = set()
    for post_id, source, revision_id, sha256 in newest:
        before = last.get((post_id, source))
        if before != sha256:
            kinds[revision_id] = "content" if before else "source" if post_id in posts else "first"
            last[post_id, source] = sha256
            posts.add(post_id)
    return kinds


def archive_digest(of_tables: dict[str, str]) -> str:
    """Return the SHA-256 (hex) of the whole archive, computed from its `digests`."""
    return hashlib.sha256("".join(f"{name} {sha256}\n" for name, sha256 in of_tables.items()).encode()).hexdigest()
