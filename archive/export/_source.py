"""What can be exported: a name that the archive knows, as SQL with its parameters."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from archive.questions import questions

SITE = Path(__file__).parents[1] / "site"
# Rows that are fetched and written at a time.
AT_ONCE = 1000


class Unknown(Exception):
    """The archive has no table, view or question of that name, or the question has no such parameter."""


@dataclass(frozen=True, slots=True)
class Source:
    """A SELECT with the values of its parameters; `name` becomes the file's name."""

    name: str
    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def names(connection: sqlite3.Connection, *, with_parameters: bool = True) -> dict[str, str]:
    """What can be exported by name, each with its kind (table, view, question), tables first.

    `with_parameters`: also questions that ask for something. Raises `sqlite3.Error`.
    """
    found = {
        name: kind
        for name, kind in connection.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY type, name"
        )
        if not name.startswith(("_", "sqlite_")) and "_fts" not in name
    }
    for question in questions().values():
        if with_parameters or not question.parameters:
            found[question.name] = "question"
    return found


def find(connection: sqlite3.Connection, name: str, parameters: Mapping[str, str] | None = None) -> Source:
    """The source of that name. Parameters that are not given are empty, as in the site's forms: no restriction.

    Raises `Unknown`, `sqlite3.Error`.
    """
    given = dict(parameters or {})
    known = names(connection)
    if name not in known:
        raise Unknown(f"no table, view or question {name!r}; there are {', '.join(known)}")
    asked = questions()[name].parameters if known[name] == "question" else {}
    if stray := [one for one in given if one not in asked]:
        raise Unknown(f"{name} has no parameter {stray[0]!r}; it has {', '.join(asked) or 'none'}")
    if known[name] == "question":
        values = {one: given.get(one, default) for one, default in asked.items()}
        return Source(name, questions()[name].sql, values)
    # As they lie there, which is the order in which they were written: for ORDER BY within the statement that it is
    # wrapped in, SQLite would copy each row once more.
    return Source(name, f"SELECT * FROM [{name}]")


def columns_of(connection: sqlite3.Connection, source: Source) -> list[str]:
    """The names of a source's columns, without reading a row where its SQL can be wrapped. Raises `sqlite3.Error`."""
    sql = f"SELECT * FROM (\n{bare(source.sql)}\n) LIMIT 0" if wraps(connection, source) else source.sql
    return [column[0] for column in connection.execute(sql, source.parameters).description or ()]


def read(connection: sqlite3.Connection, source: Source) -> Iterator[list[tuple[Any, ...]]]:
    """A source's rows, `AT_ONCE` at a time. Raises `sqlite3.Error`."""
    cursor = connection.execute(source.sql, source.parameters)
    while rows := cursor.fetchmany(AT_ONCE):
        yield rows


def count_up_to(connection: sqlite3.Connection, source: Source, most: int) -> int:
    """The number of a source's rows, counted no further than `most`; 0 for what cannot be counted (EXPLAIN)."""
    if not wraps(connection, source):
        return 0
    sql = f"SELECT count(*) FROM (SELECT 1 FROM (\n{bare(source.sql)}\n) LIMIT {most})"
    (number,) = connection.execute(sql, source.parameters).fetchone()
    return int(number)


def declared(connection: sqlite3.Connection, source: Source) -> list[str]:
    """Of each column the type that its table declares, "" for what is computed; all "" where nobody can tell."""
    # A declared type is a promise in STRICT tables alone.
    if connection.execute(
        "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT GLOB"
        " '*_fts*' AND name NOT GLOB '_sqlite_*' AND name NOT GLOB 'sqlite_*'"
    ).fetchone():
        return [""]
    try:
        connection.execute(f"CREATE TEMP VIEW exported AS {bare(source.sql)}")
    except sqlite3.Error:  # a parameter in it, say
        return [""]
    try:
        found = connection.execute("SELECT type FROM pragma_table_info('exported')").fetchall()
    finally:
        connection.execute("DROP VIEW temp.exported")
    return [kind for (kind,) in found]


def bare(sql: str) -> str:
    """A statement without what ends it, so that it may stand inside another: "SELECT 1;" gives "SELECT 1"."""
    return sql.strip().rstrip("; \t\r\n")


def wraps(connection: sqlite3.Connection, source: Source) -> bool:
    """The statement may stand inside another, as a SELECT does; EXPLAIN and PRAGMA may not, nor what is wrong."""
    try:
        connection.execute(f"SELECT * FROM (\n{bare(source.sql)}\n) LIMIT 0", source.parameters)
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        return False
    return True


@cache
def _described() -> dict[str, dict[str, str]]:
    told = yaml.safe_load((SITE / "metadata.yaml").read_text("utf-8"))["databases"]["archive"]["tables"]
    return {name: table.get("columns", {}) for name, table in told.items()}


def describe(source: Source, column: str) -> str | None:
    """What a column holds, as the site tells it; a question's columns are told by the first table that has them."""
    tables = _described()
    if column in tables.get(source.name, {}):
        return tables[source.name][column]
    if source.name in tables:
        return None
    return next((columns[column] for columns in tables.values() if column in columns), None)
