"""Refuses requests that the site must not answer, limits the heavy ones, and answers faults of an address as such."""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import handle_exception as error_handling  # type: ignore[import-untyped]
from datasette import hookimpl
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Base400, Request, Response  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.site.serving import database_file
from archive.site.visitors.copy import PublishedCopy
from archive.site.visitors.door import Refusal, brings_sql, is_file, is_heavy, refusal, scheme
from archive.site.visitors.queries import FILES, QUERIES, WORKER, Busy, Worker, end_at_shutdown

_BUSY = Refusal(
    503,
    "As many queries or files as this site makes at a time are being made: queries with your own SQL and long pages"
    " wait for such queries, files for files. Try again in some seconds.",
    ("Retry-After", "10"),
)
_WITHDRAWN = Refusal(
    503,
    "Something was withdrawn from this archive after this copy was published. The site answers again as soon as a new"
    " copy is published (`clinic-archive publish`).",
    ("Retry-After", "60"),
)


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Callable[[Any], Any]:
    """Let only those requests through that the site answers, the heavy ones with a process of their own."""

    copy = PublishedCopy(database_file(datasette).parent)

    def wrap(app: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        async def guarded(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            elif scope["type"] == "lifespan":
                end_at_shutdown()
                await app(scope, receive, send)
            elif scope["type"] != "http":
                await app(scope, receive, send)
            elif (refused := refusal(scope)) is not None:
                await _answer(scope, refused).asgi_send(send)
            elif await asyncio.to_thread(copy.is_behind):
                await _answer(scope, _WITHDRAWN).asgi_send(send)
            else:
                await _run(app, {**scope, "scheme": scheme(scope)}, receive, send)

        return guarded

    return wrap


async def _run(app: Any, scope: Any, receive: Any, send: Any) -> None:
    # A request that is part of another one (a file asks for the SQL of its table) uses that one's process.
    if not is_heavy(scope) or WORKER.get() is not None:
        await app(scope, receive, send)
        return
    try:
        with (FILES if is_file(scope) else QUERIES).taken():
            worker = Worker(typed=brings_sql(scope))
            token = WORKER.set(worker)
            try:
                await app(scope, receive, send)
            finally:
                WORKER.reset(token)
                await worker.end()
    except Busy:
        await _answer(scope, _BUSY).asgi_send(send)


def _answer(scope: Any, refused: Refusal) -> Response:
    headers = {"Cache-Control": "no-store"} | dict([refused.header] if refused.header else [])
    if scope["path"].endswith(".json"):
        body = {"ok": False, "error": refused.why, "status": refused.status, "title": None}
        return Response.json(body, status=refused.status, headers=headers)
    return Response.text(f"{refused.why}\n", status=refused.status, headers=headers)


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def handle_exception(datasette: Datasette, request: Request, exception: Exception) -> Any:
    """Answer 400 for what an address got wrong, where Datasette would answer 500, and never with an internal text."""
    if isinstance(exception, DatasetteError):
        if exception.status == 500:  # "Cannot sort table by nosuch"
            exception.status = 400
        return None
    if isinstance(exception, Base400):
        return None
    traceback.print_exception(exception)
    if isinstance(exception, sqlite3.OperationalError | sqlite3.DataError):
        fault = DatasetteError(f"The archive could not answer this: {exception}", status=400)
    elif request.query_string:
        fault = DatasetteError(
            "This address has an argument that is not understood. Leave out what follows the question mark.",
            title="Not understood",
            status=400,
        )
    else:
        fault = DatasetteError("This program has a fault; its terminal says more.", title="A fault", status=500)
    return error_handling.handle_exception(datasette, request, fault)
