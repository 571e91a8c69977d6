"""A Datasette database that reopens its connections when another file takes its name (`clinic-archive publish`)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasette import database as datasette_database  # type: ignore[import-untyped]
from datasette import hookimpl
from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.backup.published import identity, opened
from archive.site.serving import DATABASE


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
        connection, self._thread.identity = opened(
            Path(self.path), lambda: super(ReopeningDatabase, self).connect(write)
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


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> None:
    """Replace Datasette's own database object."""
    if DATABASE in datasette.databases and datasette.executor is not None:
        path = datasette.databases[DATABASE].path
        datasette.remove_database(DATABASE)
        datasette.add_database(ReopeningDatabase(datasette, path), name=DATABASE)
