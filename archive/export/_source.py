"""What can be exported: a table, view or question by name, as SQL with its parameters."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from archive.questions import nearest, questions

ROWS_PER_BLOCK = 1000  # rows that are fetched and written at a time
BYTES_PER_BLOCK = 4_000_000
DERIVED = "cache_"  # how the names of tables begin that are made from other rows
# What a view reads: "FROM posts AS p", "JOIN cache_edits AS e". A column may have the name of a view: "AS edits".
_READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)", re.IGNORECASE)


class Unknown(Exception):
    """The archive has no table, view or question of that name, or the question has no such parameter."""


class Listing(Protocol):
    """Rows that code makes, where a SELECT cannot; `columns` gives the description of each column by its name."""

    @property
    def columns(self) -> Mapping[str, str]:
        """What each column holds, by its name, in their order."""
        ...

    def rows(self, connection: sqlite3.Connection) -> Iterable[tuple[Any, ...]]:
        """Yield the rows. Raises `sqlite3.Error`."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A SELECT with the values of its parameters, or a `listing`; `name` becomes the name of the file.

    `types` gives the types of columns (integer, number, text, boolean, date, timestamp) that no table of the name
    declares.
    """

    name: str
    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    listing: Listing | None = None


def names(connection: sqlite3.Connection, *, with_parameters: bool = True, derived: bool = True) -> dict[str, str]:
    """Return the names that can be exported, each with its kind (table, view, question), tables first.

    `with_parameters`: include questions that have parameters. `derived`: include the tables that are made from other
    rows (`cache_...`), and the views of them. Raises `sqlite3.Error`.
    """
    found: dict[str, str] = {}
    left_out: list[str] = []
    for name, kind, sql in connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY type, rowid"
    ).fetchall():
        if name.startswith(("_", "sqlite_")) or "_fts" in name:
            continue
        sources = set(_READ.findall(sql)) if kind == "view" else {name}
        if not derived and (any(source.startswith(DERIVED) for source in sources) or sources & set(left_out)):
            left_out.append(name)  # views were made in the order in which they refer to each other
            continue
        found[name] = kind
    found = dict(sorted(found.items(), key=lambda item: (item[1], item[0])))
    for question in questions().values():
        if with_parameters or not question.parameters:
            found[question.name] = "question"
    return found


def find_source(connection: sqlite3.Connection, name: str, parameters: Mapping[str, str] | None = None) -> Source:
    """Return the source of that name. A parameter that is not given has its default, as in the site's forms.

    Raises `Unknown`, `sqlite3.Error`.
    """
    given = dict(parameters or {})
    known = names(connection)
    if name not in known:
        raise Unknown(f"no table, view or question {name!r}; {nearest(name, list(known))}")
    defaults = questions()[name].parameters if known[name] == "question" else {}
    if unknown := [parameter for parameter in given if parameter not in defaults]:
        raise Unknown(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(defaults) or 'none'}")
    if known[name] == "question":
        values = {parameter: given.get(parameter, default) for parameter, default in defaults.items()}
        return Source(name, questions()[name].sql, values)
    # Without ORDER BY the rows come in the order in which they were written. With it, SQLite would copy each row once
    # more, since the statement becomes a subquery.
    return Source(name, f"SELECT * FROM [{name}]")


def known_values(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return what the archive knows of each kind of parameter: clinics, names of attributes, categories of rules.

    Raises `sqlite3.Error`.
    """
    sql = {
        "clinic": "SELECT clinic_id FROM clinics ORDER BY 1",
        "attribute": "SELECT DISTINCT name FROM clinic_attributes ORDER BY 1",
        "category": "SELECT DISTINCT category FROM lexicon_rules ORDER BY 1",
    }
    return {kind: [str(value) for (value,) in map(tuple, connection.execute(sql[kind]))] for kind in sql}


def columns_of(connection: sqlite3.Connection, source: Source) -> list[str]:
    """Return the names of a source's columns; reads no row if its SQL can be a subquery. Raises `sqlite3.Error`."""
    if source.listing is not None:
        return list(source.listing.columns)
    sql = f"SELECT * FROM (\n{as_subquery(source.sql)}\n) LIMIT 0" if can_nest(connection, source) else source.sql
    return [column[0] for column in connection.execute(sql, source.parameters).description or ()]


def read(
    connection: sqlite3.Connection, source: Source, first: int = ROWS_PER_BLOCK
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a source's rows in blocks as `blocks_of` does. Raises `sqlite3.Error`."""
    rows = source.listing.rows(connection) if source.listing else connection.execute(source.sql, source.parameters)
    yield from blocks_of(rows, first, ROWS_PER_BLOCK)


def blocks_of(cursor: Iterable[tuple[Any, ...]], first: int, most: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield `first` rows, then blocks of at most `most`, and of not much more than `BYTES_PER_BLOCK`.

    Texts may be megabytes long. Raises `sqlite3.Error`.
    """
    length = first
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum([len(value) for value in row if isinstance(value, str | bytes)])
        if size > BYTES_PER_BLOCK or len(rows) == length:
            yield rows
            rows, size, length = [], 0, most
    if rows:
        yield rows


def count_up_to(connection: sqlite3.Connection, source: Source, most: int) -> int:
    """Return the number of a source's rows, counted up to `most`; 0 for what cannot be counted (EXPLAIN, a listing)."""
    if not can_nest(connection, source):
        return 0
    sql = f"SELECT count(*) FROM (SELECT 1 FROM (\n{as_subquery(source.sql)}\n) LIMIT {most})"
    (number,) = connection.execute(sql, source.parameters).fetchone()
    return int(number)


def declared_types(connection: sqlite3.Connection, source: Source) -> list[str]:
    """Return the declared type of each column, "" for a computed one; `[""]` if the types are not known.

    Only STRICT tables guarantee that values have the declared type: the types count as unknown if any table is not.
    """
    if connection.execute(
        "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT GLOB"
        " '*_fts*' AND name NOT GLOB '_sqlite_*' AND name NOT GLOB 'sqlite_*'"
    ).fetchone():
        return [""]
    try:
        connection.execute(f"CREATE TEMP VIEW exported AS {as_subquery(source.sql)}")
    except sqlite3.Error:  # for example, the statement has a parameter
        return [""]
    try:
        found = connection.execute("SELECT type FROM pragma_table_info('exported')").fetchall()
    finally:
        connection.execute("DROP VIEW temp.exported")
    return [declared_type for (declared_type,) in found]


def as_subquery(sql: str) -> str:
    """Return a statement without its end, so that another can contain it: "SELECT 1;" gives "SELECT 1"."""
    return sql.strip().rstrip("; \t\r\n")


def can_nest(connection: sqlite3.Connection, source: Source) -> bool:
    """Whether another statement can contain this one: true for a SELECT, not for EXPLAIN, invalid SQL or a listing."""
    if source.listing is not None:
        return False
    try:
        connection.execute(f"SELECT * FROM (\n{as_subquery(source.sql)}\n) LIMIT 0", source.parameters)
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        return False
    return True
