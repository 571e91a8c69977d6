"""What the site's plugins share: asking the database aside, within a time, and answering with a page or a stream."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import sqlite_timelimit  # type: ignore[import-untyped]
from datasette.utils.asgi import Request, Response  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.backup.published import FOLDER
from archive.site.pages.query_cache import QueryCache

DATABASE = "archive"
# Milliseconds that the queries of one page may take together.
PATIENCE = 5000
# Seconds within which a visitor must have taken a block of a file (some 2,000 rows), and all of it. Until then one
# moment of the database is held for it, and what a crawl writes meanwhile cannot leave the write-ahead log.
STALLED, LONGEST = 60.0, 900.0
Answer = TypeVar("Answer")


async def allowed(datasette: Datasette, request: Request) -> None:
    """Raises `Forbidden` for a visitor who may not see the database."""
    await datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])


async def ask(datasette: Datasette, find: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """What `find` reads, in a thread of Datasette's, all of it from one moment of the database.

    Raises `DatasetteError` (503) where it takes too long or a writer is in the way.
    """

    def within_a_time(connection: sqlite3.Connection) -> Answer:
        with sqlite_timelimit(connection, PATIENCE):
            connection.execute("BEGIN")
            try:
                return find(connection)
            finally:
                connection.execute("ROLLBACK")

    try:
        found: Answer = await datasette.get_database(DATABASE).execute_fn(within_a_time)
    except sqlite3.OperationalError as error:
        _refuse(error)
    return found


def _refuse(error: sqlite3.OperationalError) -> NoReturn:
    raise DatasetteError(
        f"The archive could not answer now ({error}). Try again in a moment; a search answers sooner with fewer or"
        " rarer words.",
        title="Too slow, or too busy",
        status=503,
    ) from error


@cache
def _kept(path: Path) -> QueryCache:
    return QueryCache(path)


def kept_answers(datasette: Datasette) -> QueryCache:
    """What is kept about the database file that is served."""
    return _kept(database_file(datasette))


async def keep(datasette: Datasette, name: object, find: Callable[[sqlite3.Connection], Any]) -> tuple[Any, Any]:
    """An answer that is kept until the database changes, and when it was found (`archive.site.pages.query_cache`).

    Raises `DatasetteError` (503) as `ask` does, but only after `archive.site.pages.query_cache.LONGEST`.
    """
    try:
        return await asyncio.to_thread(kept_answers(datasette).get, name, find)
    except sqlite3.OperationalError as error:
        _refuse(error)


def database_file(datasette: Datasette) -> Path:
    """The file that is served."""
    return Path(datasette.get_database(DATABASE).path)


def folder(datasette: Datasette) -> Path:
    """The archive's folder, where the WARC files are: a published copy lies in a folder of it."""
    beside = database_file(datasette).parent
    return beside.parent if beside.name == FOLDER and not (beside / "warc").exists() else beside


async def page(datasette: Datasette, request: Request, template: str, context: dict[str, Any]) -> Response:
    """An answer in HTML."""
    return Response.html(await datasette.render_template(template, context, request=request))


def page_number(request: Request) -> int:
    """The page that is asked for, 1 where that is no number of a page."""
    text = request.args.get("page") or "1"
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) < 100_000 else 1


class Stream:
    """An answer whose blocks are made in a thread while they are sent; the work ends when the visitor goes away.

    An error in the first block is told by `refuse`; a later one breaks the connection off, so that nobody takes a part
    for the whole, and so does a visitor who does not read on (`STALLED`) or not to the end (`LONGEST`). `abandoned` is
    set when the visitor has gone: whoever makes the blocks looks at it.
    """

    def __init__(
        self,
        blocks: Generator[bytes],
        headers: dict[str, str],
        request: Request,
        refuse: Callable[[sqlite3.Error], Response],
        abandoned: threading.Event,
    ) -> None:
        self._blocks, self._headers, self._request = blocks, headers, request
        self._refuse, self._abandoned = refuse, abandoned

    async def asgi_send(self, send: Any) -> None:
        """Send the answer, as ASGI wants it."""
        watch, end = asyncio.create_task(self._watch()), time.monotonic() + LONGEST
        try:
            try:
                block = await asyncio.to_thread(next, self._blocks, None)
            except sqlite3.Error as error:
                await self._refuse(error).asgi_send(send)
                return
            head = [
                [name.lower().encode(), value.encode("latin-1", "replace")] for name, value in self._headers.items()
            ]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            while block is not None and self._request.method != "HEAD" and not self._abandoned.is_set():
                message = {"type": "http.response.body", "body": block, "more_body": True}
                try:
                    await asyncio.wait_for(send(message), min(STALLED, end - time.monotonic()))
                except TimeoutError:
                    return  # without an end: the server tells the visitor by breaking off
                block = await asyncio.to_thread(next, self._blocks, None)
            await send({"type": "http.response.body", "body": b""})
        finally:
            watch.cancel()
            self._abandoned.set()
            await asyncio.to_thread(self._blocks.close)

    async def _watch(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._abandoned.set()
