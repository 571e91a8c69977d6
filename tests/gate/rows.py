"""The rows of an archive by table and column name, such that they compare across rebuilds.

Integer keys are local to one archive.db: a post stands under the first of its addresses, a comment under its id on the
platform, a revision under its source and hash. Columns that say nothing but where a row lies, or which version of a
parser read it, are left out. This module is independent of `archive.canonical` on purpose: the product may change what
it calls canonical, the gate may not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.db import open_archive

FILE = "rows.jsonl"
Row = dict[str, Any]

_POST = "(SELECT min(address) FROM post_addresses AS a WHERE a.post_id = {0})"
_COMMENT = "(SELECT platform_comment_id FROM comments AS c WHERE c.comment_id = {0})"
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
_LEFT_OUT = {"superseded_readings"}  # what older parsers read; a rebuild from WARC files alone has none


@dataclass
class Table:
    """The columns of a table and its rows."""

    columns: list[str]
    rows: list[Row] = field(default_factory=list)


Tables = dict[str, Table]


def tables(archive: Path) -> Tables:
    """Every table of the archive, opened for reading."""
    with closing(open_archive(archive, "read")) as db:
        # Tables of `cache_` are derived from the others, those of `lexicon_` come with the program.
        names = sorted(
            name for name in db.table_names() if not name.startswith(("_", "cache_", "lexicon_")) and "_fts" not in name
        )
        return {name: _table(db, name) for name in names if name not in _LEFT_OUT}


def _table(db: Database, name: str) -> Table:
    columns = [column.name for column in db.table(name).columns if column.name not in _LOCAL]
    chosen = [f"{_NAMES.get(column, '{0}').format(f'[{name}].[{column}]')} AS [{column}]" for column in columns]
    found = db.conn.execute(f"SELECT {', '.join(chosen)} FROM [{name}]").fetchall()
    return Table(columns, sorted((dict(zip(columns, row, strict=True)) for row in found), key=_line))


def write(made: Tables, path: Path) -> None:
    """A line with the columns of each table, then a line for each row; a column without a value is not in the row."""
    path.write_text("".join(f"{line}\n" for line in _lines(made)), "utf-8")


def _lines(made: Tables) -> Iterator[str]:
    for name, table in sorted(made.items()):
        yield _line({"table": name, "columns": table.columns})
        yield from sorted(_line({key: value for key, value in row.items() if value is not None}) for row in table.rows)


def _line(value: Row) -> str:
    return json.dumps(value, ensure_ascii=False)


def read(path: Path) -> Tables:
    """What `write` has written."""
    found: Tables = {}
    columns: list[str] = []
    for line in path.read_text("utf-8").split("\n")[:-1]:
        value = json.loads(line)
        if value.keys() == {"table", "columns"}:
            columns = value["columns"]
            rows = found.setdefault(value["table"], Table(columns)).rows
        else:
            rows.append({column: value.get(column) for column in columns})
    return found
