"""The tables of a release: those of the public copy, with keys that mean the same in every archive file.

post        (clinic_id, post): the clinic and the first address by which the post was known
revision    its permalink, "/riverside/sleep/20260301093000-0123abcd"
comment     a keyed hash (HMAC) of the platform's id, under the key of the releases
category, tag, author   their labels and names
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from archive.export import publicity
from archive.public.filling import COUNTED
from archive.public.words import keyed
from archive.site.pages.permalinks import post_path, stamp

MEANING = {
    "clinic_id": "Short name of the clinic of the post",
    "post": "The post: the first address by which it was known, a URL or platform:id",
    "revision": "The revision: its permalink on the archive's site",
    "comment": "The comment: a keyed hash (HMAC-SHA256) of the clinic and the platform's id",
    "parent": "The comment that it replies to; NULL if it opens a thread, or that comment is not in the release",
    "category": "The category: its name as printed",
    "tag": "The tag: its name as printed",
}
# Tables that a release leaves out: readings by older parsers, and what serves this archive file alone.
_LEFT_OUT_TABLES = ("superseded_readings", "search_fts_due", "unplaced", "lexicon_rules", "withdrawn_permalinks")
# Columns that are valid in one archive file only, or name a file, a position in it, or when and where a file came from.
_LOCAL = {
    "author_id",
    "entity_id",
    "absence_id",
    "problem_id",
    "warc_file",
    "warc_offset",
    "warc_length",
    "retrieved_at",
    "retrieved_from",
    "folded_by",
    "platform_comment_id",
    "parent_platform_comment_id",
}
# What takes the place of a local key: the columns and their table of names.
_NAMED = {
    "post_id": ("clinic_id", "post"),
    "revision_id": ("revision",),
    "comment_id": ("comment",),
    "parent_id": ("parent",),
    "category_id": ("clinic_id", "category"),
    "tag_id": ("clinic_id", "tag"),
}
_PARENTS = {
    "post": ("posts", "clinic_id", "post"),
    "revision": ("revisions", "revision"),
    "comment": ("comments", "comment"),
    "parent": ("comments", "comment"),
    "category": ("categories", "clinic_id", "label"),
    "tag": ("tags", "clinic_id", "label"),
}
_KEYS = {
    "posts": ("clinic_id", "post"),
    "revisions": ("revision",),
    "comments": ("comment",),
    "authors": ("clinic_id", "name"),
    "categories": ("clinic_id", "label"),
    "tags": ("clinic_id", "label"),
    "absences": (),
    "problems": (),
}
_SPECIAL = {
    ("revisions", "kind"): "(SELECT n.kind FROM named_revisions AS n WHERE n.revision_id = t.revision_id)",
    # One pseudonym a person and post: nobody is followed from thread to thread.
    ("comments", "author"): (
        "CASE WHEN t.author_kind = 'staff' THEN t.author ELSE 'reader-' || substr(hashed((SELECT n.clinic_id || ' ' ||"
        " n.post FROM named_posts AS n WHERE n.post_id = t.post_id), t.author), 1, 16) END"
    ),
}
_SAID_BY_LABEL = {("categories", "category_id"), ("tags", "tag_id")}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a release: its columns with their SQLite types, its key, its parents, and the SELECT of its rows."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    parents: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...]  # columns, table, its columns
    select: str

    @property
    def ddl(self) -> str:
        """The statement that creates it."""
        parts = [f"[{name}] {kind}" for name, kind in self.columns.items()]
        parts += [f"PRIMARY KEY ({_list(self.key)})"] if self.key else []
        parts += [
            f"FOREIGN KEY ({_list(columns)}) REFERENCES [{table}] ({_list(others)})"
            for columns, table, others in self.parents
        ]
        return f"CREATE TABLE [{self.name}] ({', '.join(parts)}) STRICT"


def name_rows(connection: sqlite3.Connection, key: bytes) -> None:
    """Create the temporary tables `named_...`, which give each local key of `copy` its natural one.

    Of several readings of one capture by different versions of a parser the newest is the revision; the others have
    its name and `newest` 0. Raises `sqlite3.Error`.
    """
    connection.create_function("hashed", 2, partial(_hashed, key), deterministic=True)
    connection.create_function("post_path", 3, post_path, deterministic=True)
    connection.create_function("stamp", 2, stamp, deterministic=True)
    connection.executescript(_NAMES)


def comment_key(key: bytes, clinic_id: str, platform_comment_id: str) -> str:
    """Return the key that a comment has in the releases made with a key; a release makes it of the public copy."""
    return keyed(key, "release", clinic_id, keyed(key, "id", platform_comment_id))


def _hashed(key: bytes, scope: str, value: str | None) -> str | None:
    return None if value is None else keyed(key, "release", scope, value)


_NAMES = """
CREATE TEMP TABLE named_posts AS SELECT p.post_id, p.clinic_id, coalesce((
    SELECT a.address FROM copy.post_addresses AS a JOIN copy.captures AS c USING (capture_id)
    WHERE a.post_id = p.post_id ORDER BY a.kind <> 'url', c.fetched_at, a.address LIMIT 1
  ), p.url, p.platform_post_id, 'post ' || p.first_seen_at) AS post FROM copy.posts AS p;
CREATE UNIQUE INDEX temp.of_post ON named_posts (post_id);
CREATE TEMP TABLE named_revisions AS
  SELECT revision_id, link || CASE WHEN place > 1 THEN '-' || place ELSE '' END AS revision, newest, kind FROM (
    SELECT revision_id, newest, kind, link,
      dense_rank() OVER (PARTITION BY link ORDER BY post, source, capture_id) AS place
    FROM (
      SELECT r.revision_id, r.source, r.capture_id, n.post, row_number() OVER same = 1 AS newest,
        first_value(post_path(p.clinic_id, p.slug, p.platform_post_id) || '/' || stamp(r.captured_at, r.content_sha256))
          OVER same AS link,
        first_value(r.kind) OVER (PARTITION BY r.post_id, r.source, r.capture_id
          ORDER BY r.extractor_version, r.revision_id) AS kind
      FROM copy.revisions AS r JOIN copy.posts AS p USING (post_id) JOIN named_posts AS n USING (post_id)
      WINDOW same AS (PARTITION BY r.post_id, r.source, r.capture_id
        ORDER BY r.extractor_version DESC, r.revision_id DESC)));
CREATE UNIQUE INDEX temp.of_revision ON named_revisions (revision_id);
CREATE TEMP TABLE named_comments AS
  SELECT comment_id, hashed(clinic_id, platform_comment_id) AS comment FROM copy.comments;
CREATE UNIQUE INDEX temp.of_comment ON named_comments (comment_id);
CREATE TEMP VIEW named_categories AS SELECT category_id, clinic_id, label AS category FROM copy.categories;
CREATE TEMP VIEW named_tags AS SELECT tag_id, clinic_id, label AS tag FROM copy.tags;
"""


def tables(connection: sqlite3.Connection, *, with_texts: bool) -> Iterator[Table]:
    """Yield the tables of a release of `copy`, in the order of their names. `with_texts`: of comments, too.

    Raises `sqlite3.Error`.
    """
    found = {name for (name,) in connection.execute("SELECT name FROM copy.sqlite_master WHERE type = 'table'")}
    for name in sorted(found & set(publicity())):
        left_out = (
            name in _LEFT_OUT_TABLES or name.startswith(("_", "cache_")) or set(publicity()[name].values()) <= {"no"}
        )
        if not left_out and (with_texts or name != "comment_revisions"):
            yield _table(connection, name, with_texts=with_texts)


def _table(connection: sqlite3.Connection, name: str, *, with_texts: bool) -> Table:
    rows = connection.execute(f"PRAGMA copy.table_info([{name}])").fetchall()
    kinds: dict[str, str] = {}
    values: dict[str, str] = {}
    named: dict[str, tuple[str, ...]] = {}
    for _, column, kind, *_ in rows:
        named[column] = _NAMED.get(column, (column,))
        if _leaves_out(name, column, with_texts=with_texts):
            continue
        chosen = () if (name, column) in _SAID_BY_LABEL else named[column]
        for new in chosen:
            if new not in kinds:
                kinds[new] = "TEXT" if column in _NAMED else kind
                values[new] = _value(name, column, new)
    key = _KEYS.get(name)
    if key is None:
        owned = [row[1] for row in sorted(rows, key=lambda row: int(row[5])) if row[5]]
        key = tuple(dict.fromkeys(new for column in owned for new in named[column]))
    ordered = [*key, *(column for column in kinds if column not in key)]
    select = (
        f"SELECT {', '.join(values[column] for column in ordered)} FROM copy.[{name}] AS t{_only_newest(rows, key)}"
    )
    order = ", ".join(str(place) for place in range(1, len(ordered) + 1))
    columns = {column: kinds[column] for column in ordered}
    return Table(name, columns, key, tuple(_parents(connection, name, columns)), f"{select} ORDER BY {order}")


def _leaves_out(table: str, column: str, *, with_texts: bool) -> bool:
    if column in _LOCAL or publicity()[table].get(column, "no") == "no":
        return True
    return table == "comments" and not with_texts and column not in COUNTED


def _value(table: str, column: str, new: str) -> str:
    if (table, column) in _SPECIAL:
        return _SPECIAL[table, column]
    if column not in _NAMED:
        return f"t.[{column}]"
    names = f"named_{_PARENTS[_NAMED[column][-1]][0]}"
    own = "comment_id" if column == "parent_id" else column
    value = "comment" if new == "parent" else new
    return f"(SELECT n.{value} FROM {names} AS n WHERE n.{own} = t.[{column}])"


def _only_newest(rows: list[tuple[object, ...]], key: tuple[str, ...]) -> str:
    """Return the WHERE of what belongs to a revision: the readings of older parsers are left out."""
    if "revision" not in key or not any(row[1] == "revision_id" for row in rows):
        return ""
    return " WHERE t.revision_id IN (SELECT n.revision_id FROM named_revisions AS n WHERE n.newest)"


def _parents(
    connection: sqlite3.Connection, name: str, columns: dict[str, str]
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    for new, (table, *others) in _PARENTS.items():
        if new in columns and (table != name or new == "parent"):
            yield tuple("clinic_id" if other == "clinic_id" else new for other in others), table, tuple(others)
    for _, _, table, column, other, *_ in connection.execute(f"PRAGMA copy.foreign_key_list([{name}])").fetchall():
        if column in columns and column not in _NAMED:
            yield (column,), table, (other or column,)


def _list(columns: tuple[str, ...]) -> str:
    return ", ".join(f"[{column}]" for column in columns)
