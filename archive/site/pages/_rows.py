"""Rows of an answer as dictionaries, whatever the connection makes of rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def rows(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """All rows of an answer. Raises `sqlite3.Error`."""
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, tuple(row), strict=True)) for row in cursor]


def row(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
    """The first row of an answer, None without one. Raises `sqlite3.Error`."""
    found = rows(connection, sql, values)
    return found[0] if found else None


def value(connection: sqlite3.Connection, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """The first value of the first row, None without one. Raises `sqlite3.Error`."""
    found = connection.execute(sql, values).fetchone()
    return found[0] if found else None
