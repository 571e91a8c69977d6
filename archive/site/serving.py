"""What the site's plugins share: database queries in a thread with a time limit, and answers as pages or streams."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import sqlite_timelimit  # type: ignore[import-untyped]
from datasette.utils.asgi import Request, Response  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.backup.published import FOLDER
from archive.site.pages.query_cache import QueryCache
from archive.site.visitors.door import base_url
from archive.site.visitors.limits import AnswerTooLarge

DATABASE = "archive"
# Milliseconds that one call of `read_database` may take, all its queries together.
QUERY_LIMIT_MS = 5000
# Seconds within which a visitor must receive one block of a file (about 2,000 rows), and seconds for the whole file.
# During a download one read transaction stays open, and the write-ahead log of a running crawl cannot be emptied.
BLOCK_TIMEOUT, DOWNLOAD_TIMEOUT = 60.0, 900.0
Result = TypeVar("Result")


async def check_access(datasette: Datasette, request: Request) -> None:
    """Raise `Forbidden` for a visitor who may not see the database."""
    await datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])


async def read_database(datasette: Datasette, query: Callable[[sqlite3.Connection], Result]) -> Result:
    """Call `query` with a connection in one of Datasette's threads, in one read transaction, and return its result.

    Raises `DatasetteError` (503) if it takes longer than `QUERY_LIMIT_MS` or the database is locked.
    """

    def in_transaction(connection: sqlite3.Connection) -> Result:
        with sqlite_timelimit(connection, QUERY_LIMIT_MS):
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("ROLLBACK")

    try:
        result: Result = await datasette.get_database(DATABASE).execute_fn(in_transaction)
    except (sqlite3.OperationalError, sqlite3.DataError) as error:
        _refuse(error)
    return result


def _refuse(error: sqlite3.Error) -> NoReturn:
    if isinstance(error, sqlite3.DataError):  # a value is longer than SQLite can read or make
        raise DatasetteError(
            f"The archive holds a text that is too long for this page ({error}). `clinic-archive export` gives it.",
            title="Too long",
            status=500,
        ) from error
    raise DatasetteError(
        f"The archive could not answer now ({error}). Try again in a moment; a search is faster with fewer or rarer"
        " words.",
        title="Too slow or too busy",
        status=503,
    ) from error


@cache
def _cache_of(path: Path) -> QueryCache:
    return QueryCache(path)


def query_cache(datasette: Datasette) -> QueryCache:
    """Return the cache of query results of the served database file."""
    return _cache_of(database_file(datasette))


async def read_cached(
    datasette: Datasette, name: object, query: Callable[[sqlite3.Connection], Any]
) -> tuple[Any, Any]:
    """Return a query's result, cached until the database changes, and the time it was computed.

    Raises `DatasetteError` (503) as `read_database` does, but only after `archive.site.pages.query_cache.QUERY_LIMIT`
    seconds.
    """
    try:
        return await asyncio.to_thread(query_cache(datasette).get, name, query)
    except (sqlite3.OperationalError, sqlite3.DataError) as error:
        _refuse(error)


def database_file(datasette: Datasette) -> Path:
    """Return the path of the served database file."""
    return Path(datasette.get_database(DATABASE).path)


def archive_folder(datasette: Datasette) -> Path:
    """Return the archive's folder, which holds the WARC files. A published database lies in a subfolder of it."""
    parent = database_file(datasette).parent
    return parent.parent if is_published(datasette) else parent


def is_published(datasette: Datasette) -> bool:
    """Whether the served database is a published copy, whose visitors may be anybody."""
    parent = database_file(datasette).parent
    return parent.name == FOLDER and not (parent / "warc").exists()


async def render(datasette: Datasette, request: Request, template: str, context: dict[str, Any]) -> Response:
    """Return a template rendered as an HTML response."""
    return Response.html(await datasette.render_template(template, context, request=request))


def page_number(request: Request) -> int:
    """Return the page that the request names; 1 if it names none, or something that is not a page number."""
    text = request.args.get("page") or "1"
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) < 100_000 else 1


def absolute_url(request: Request, path: str) -> str:
    """Return a path of this site as a URL: below the public address; without one, the address of the request.

    `archive.site.visitors.door` has checked the host of the request: it is a name of this machine.
    """
    return f"{base_url() or f'{request.scheme}://{request.host}'}{path}"


class Stream:
    """A response whose blocks are made while they are sent.

    An error in the first block is answered by `refuse`. A later error, a later block that is not made or that the
    visitor does not receive within `BLOCK_TIMEOUT`, and a download longer than `DOWNLOAD_TIMEOUT` break off the
    connection, so that nobody takes a partial file for a whole one. The blocks are closed when the visitor disconnects.
    """

    def __init__(
        self,
        blocks: AsyncGenerator[bytes],
        headers: dict[str, str],
        request: Request,
        refuse: Callable[[Exception], Response],
    ) -> None:
        self._blocks, self._headers, self._request, self._refuse = blocks, headers, request, refuse

    async def asgi_send(self, send: Any) -> None:
        """Send the response through ASGI's `send`."""
        deadline = time.monotonic() + DOWNLOAD_TIMEOUT
        disconnected = asyncio.create_task(self._disconnected())
        try:
            try:
                block = await self._next_block(disconnected, deadline)
            except (sqlite3.Error, AnswerTooLarge) as error:
                await self._refuse(error).asgi_send(send)
                return
            headers = [
                [name.lower().encode(), value.encode("latin-1", "replace")] for name, value in self._headers.items()
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while block is not None and self._request.method != "HEAD":
                message = {"type": "http.response.body", "body": block, "more_body": True}
                await asyncio.wait_for(send(message), min(BLOCK_TIMEOUT, deadline - time.monotonic()))
                block = await self._next_block(disconnected, min(deadline, time.monotonic() + BLOCK_TIMEOUT))
            await send({"type": "http.response.body", "body": b""})
        except (sqlite3.Error, TimeoutError):
            return  # without a last message, so that the server breaks off the connection
        finally:
            disconnected.cancel()
            await self._blocks.aclose()

    async def _next_block(self, disconnected: asyncio.Task[None], deadline: float) -> bytes | None:
        """Return the next block, None at the end. Raises TimeoutError at the deadline or if the visitor disconnects."""
        block = asyncio.ensure_future(anext(self._blocks, None))
        seconds = max(deadline - time.monotonic(), 0)
        await asyncio.wait({block, disconnected}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not block.done():
            block.cancel()
            with suppress(asyncio.CancelledError):
                await block
            raise TimeoutError
        return block.result()

    async def _disconnected(self) -> None:
        """Return when the visitor disconnects."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
