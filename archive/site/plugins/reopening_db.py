"""The database as Datasette reads it, opened anew once another file has its name (`clinic-archive publish`)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasette import database as connected  # type: ignore[import-untyped]
from datasette import hookimpl
from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.backup.published import identity, opened
from archive.site.serving import DATABASE


class Reopened(connected.Database):  # type: ignore[misc]
    """Datasette keeps a connection a thread for ever. Here each is looked at before it is used; what one page asks at
    the moment of the change may come of both files, each query of one."""

    def __init__(self, datasette: Datasette, path: str) -> None:
        super().__init__(datasette, path=path, is_mutable=True)
        self._here = threading.local()

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection of this thread to the file of now."""
        connection, self._here.identity = opened(Path(self.path), lambda: super(Reopened, self).connect(write))
        return connection

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call `fn` with a connection, in a thread of Datasette's."""

        def on_the_file_of_now(connection: sqlite3.Connection) -> Any:
            if self._here.identity != identity(Path(self.path)):
                old, connection = connection, self.connect()
                old.close()
                self._all_file_connections.remove(old)
                self.ds._prepare_connection(connection, self.name)
                setattr(connected.connections, self.name, connection)
            return fn(connection)

        return await super().execute_fn(on_the_file_of_now)


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> None:
    """Put it in the place of Datasette's own."""
    if DATABASE in datasette.databases and datasette.executor is not None:
        path = datasette.databases[DATABASE].path
        datasette.remove_database(DATABASE)
        datasette.add_database(Reopened(datasette, path), name=DATABASE)
