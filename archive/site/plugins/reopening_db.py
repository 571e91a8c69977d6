"""Datasette's database object: it reopens its connections when another file takes its name (`clinic-archive publish`),
and leaves the queries of visitors to a process of their own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette import database as datasette_database  # type: ignore[import-untyped]
from datasette import hookimpl
from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.backup.published import identity, open_published
from archive.site.serving import DATABASE
from archive.site.visitors.limits import AnswerTooLarge, limited
from archive.site.visitors.queries import DESCRIBED_ONLY, WORKER


class ReopeningDatabase(datasette_database.Database):  # type: ignore[misc]
    """A database whose connections follow the file's name.

    Datasette keeps one connection for each thread for ever; here each is checked before it is used. During the change
    the queries of one page may read different files, but each query reads one file.
    """

    def __init__(self, datasette: Datasette, path: str) -> None:
        super().__init__(datasette, path=path, is_mutable=True)
        self._thread = threading.local()

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open a connection of this thread to the file that now has the name."""
        connection, self._thread.identity = open_published(
            Path(self.path), lambda: limited(super(ReopeningDatabase, self).connect(write))
        )
        return connection

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call `fn` with a connection, in one of Datasette's threads."""

        def on_current_file(connection: sqlite3.Connection) -> Any:
            if self._thread.identity != identity(Path(self.path)):
                old, connection = connection, self.connect()
                old.close()
                self._all_file_connections.remove(old)
                self.ds._prepare_connection(connection, self.name)
                setattr(datasette_database.connections, self.name, connection)
            return fn(connection)

        return await super().execute_fn(on_current_file)

    async def execute(self, sql: str, params: Any = None, truncate: bool = False, **options: Any) -> Any:
        """Run a query, in the request's own process if it has one (`archive.site.visitors`). Raises `sqlite3.Error`."""
        worker = WORKER.get()
        if worker is None:
            return await super().execute(sql, params, truncate, **options)
        limit = min(self.ds.sql_time_limit_ms, options.get("custom_time_limit") or self.ds.sql_time_limit_ms)
        values = dict(params) if isinstance(params, dict) else list(params or ())
        if truncate and DESCRIBED_ONLY.get():
            sql = f"SELECT * FROM (\n{sql}\n) LIMIT 0"
        most = self.ds.max_returned_rows if truncate else None
        try:
            answer = await worker.rows(Path(self.path), sql, values, most=most, seconds=limit / 1000)
        except AnswerTooLarge as error:
            raise sqlite3.OperationalError(str(error)) from error
        except sqlite3.OperationalError as error:
            if str(error) == "interrupted":
                raise datasette_database.QueryInterrupted(error, sql, params) from error
            raise
        description = tuple((name, *[None] * 6) for name in answer["columns"])
        return datasette_database.Results(_as_rows(answer), answer["truncated"], description)


def _as_rows(answer: dict[str, Any]) -> list[sqlite3.Row]:
    """Return rows as Datasette expects them. `sqlite3.Row` takes the names of its columns from a cursor."""
    names = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in answer["columns"])
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(f"SELECT {names or 'NULL'}")
        return [sqlite3.Row(cursor, tuple(row)) for row in answer["rows"]]


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> None:
    """Replace Datasette's own database object."""
    if DATABASE in datasette.databases and datasette.executor is not None:
        path = datasette.databases[DATABASE].path
        datasette.remove_database(DATABASE)
        datasette.add_database(ReopeningDatabase(datasette, path), name=DATABASE)
