"""Queries of visitors: each request's in a process of its own, and only a few such requests at a time."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from archive.export import Source
from archive.site.visitors.limits import AnswerTooLarge
from archive.site.visitors.worker import LENGTH

# Requests with a visitor's SQL or a long page, and requests for a file, that are answered at a time; further ones are
# refused. A file may take long, and its visitor, too: files must not lock others out of queries.
MAX_AT_ONCE, MAX_FILES_AT_ONCE = 3, 3
# Seconds after which a process that ignores its time limit is ended: SQLite cannot interrupt a single function.
GRACE = 3.0
_ENDED = "the query was ended: it took too long, or more memory than a visitor's query may use"


class Worker:
    """The process of one request (`archive.site.visitors.worker`), started at its first query."""

    def __init__(self, *, typed: bool) -> None:
        """`typed`: the request brings SQL that the visitor typed, and gets less memory than the site's own."""
        self.typed = typed
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def rows(self, path: Path, sql: str, values: Any, *, most: int | None, seconds: float) -> dict[str, Any]:
        """Return `columns`, `rows` (at most `most`; None: all) and `truncated` of a query of the database at `path`.

        Raises `AnswerTooLarge`, and `sqlite3.OperationalError`, whose text is "interrupted" after so many seconds.
        """
        request = {"form": "rows", "sql": sql, "values": values, "most": most, "seconds": seconds}
        async with self._lock:
            await self._ask(path, request)
            answer = await self._answer_within(seconds)
        return {**answer, "rows": [[_value(value) for value in row] for row in answer["rows"]]}

    async def file(
        self, path: Path, form: str, source: Source, *, seconds: float, file_seconds: float
    ) -> AsyncGenerator[bytes]:
        """Yield the blocks of a file; `form` is csv, excel-csv, xlsx or json.

        A source without SQL is the listing (`archive.listings`) of its name and values.

        Its first row has `seconds`, what follows has `file_seconds`. Raises `AnswerTooLarge` and
        `sqlite3.OperationalError` before the first block, and the latter in the middle of a file that cannot be
        completed; its text is "interrupted" for a first row that takes too long.
        """
        request = {
            "form": form,
            "name": source.name,
            "sql": source.sql,
            "values": dict(source.parameters),
            "types": dict(source.types),
        }
        async with self._lock:
            await self._ask(path, {**request, "seconds": seconds, "file_seconds": file_seconds})
            await self._answer_within(seconds)
            await self._answer()
            while block := await self._frame():
                yield block

    async def _ask(self, path: Path, request: dict[str, Any]) -> None:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "archive.site.visitors.worker",
                str(path),
                "typed" if self.typed else "own",
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            _RUNNING.add(self._process)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        try:
            await self._process.stdin.drain()
        except ConnectionError as error:
            raise sqlite3.OperationalError(_ENDED) from error

    async def _answer_within(self, seconds: float) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(self._answer(), seconds + GRACE)
        except TimeoutError:
            await self.end()
            raise sqlite3.OperationalError("interrupted") from None

    async def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await self._frame())
        if answer.get("error") == "large":
            raise AnswerTooLarge(answer["why"])
        if "error" in answer:
            raise sqlite3.OperationalError(answer["why"])
        return answer

    async def _frame(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
            return await self._process.stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await self.end()
            raise sqlite3.OperationalError(_ENDED) from error

    async def end(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            _RUNNING.discard(process)
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()  # reads what is left in the pipe, so that both ends are closed


# The processes of all requests.
_RUNNING: set[asyncio.subprocess.Process] = set()


def end_at_shutdown() -> None:
    """End all processes when a signal ends the server, which otherwise waits for their requests first.

    Call it in the main thread after the server has set its own handlers; these are called, too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)

        def end_all(signum: int, frame: Any, handler: Any = handler) -> None:
            for process in tuple(_RUNNING):
                with suppress(ProcessLookupError):
                    process.kill()
            if callable(handler):
                handler(signum, frame)

        if callable(handler):
            signal.signal(number, end_all)


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


# The worker of the request that is being answered; None for a request that needs none.
WORKER: ContextVar[Worker | None] = ContextVar("WORKER", default=None)
# Whether a page is made only to learn its SQL: its query then reads no row.
DESCRIBED_ONLY: ContextVar[bool] = ContextVar("DESCRIBED_ONLY", default=False)


class Busy(Exception):
    """As many heavy requests as are allowed are being answered."""


class Slots:
    """The heavy requests of a kind that are being answered, all in one event loop."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a slot. Raises `Busy` if none is free."""
        if self._free == 0:
            raise Busy
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


QUERIES, FILES = Slots(MAX_AT_ONCE), Slots(MAX_FILES_AT_ONCE)
