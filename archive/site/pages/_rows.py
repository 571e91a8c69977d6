"""Query results as dictionaries, whatever row factory the connection has."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def rows(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Return all rows of a query. Raises `sqlite3.Error`."""
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, tuple(row), strict=True)) for row in cursor]


def row(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
    """Return the first row of a query, None if there is none. Raises `sqlite3.Error`."""
    found = rows(connection, sql, values)
    return found[0] if found else None


def value(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """Return the first value of a query's first row, None if there is no row. Raises `sqlite3.Error`."""
    found = connection.execute(sql, values).fetchone()
    return found[0] if found else None
