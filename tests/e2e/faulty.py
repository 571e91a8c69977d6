"""A bad line to a good server: stands before it on loopback and does to its answers what a script says.

Real bytes on real sockets: each request is passed on and its answer taken whole; then it is let through, broken, held
up or replaced. One request a connection. `Line.stop` ends it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PATIENCE = 30.0  # seconds after which a connection that waits for nothing is closed


@dataclass(frozen=True)
class Answer:
    """What the good server said."""

    head: bytes  # with the empty line that ends it
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    def with_length(self, length: int) -> bytes:
        """The head, but for another Content-Length."""
        stored = [line for line in self.head.split(b"\r\n")[:-2] if not line.lower().startswith(b"content-length:")]
        return b"\r\n".join([*stored, b"Content-Length: %d" % length, b"", b""])


Send = Callable[[asyncio.StreamWriter, Answer], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What becomes of an answer."""

    send: Send
    asked: bool = True  # the good server is asked at all
    plain: bool = False  # it is asked for an answer that is not packed


async def _reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off as a crash does: RST instead of FIN."""
    await writer.drain()
    await asyncio.sleep(0.02)  # what was sent before would be thrown away at the other end
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def well(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.whole)


async def reset_at_once(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await _reset(writer)


async def reset_in_the_middle(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.head + answer.body[: len(answer.body) // 2])
    await _reset(writer)


async def stall(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await asyncio.sleep(PATIENCE)


async def stall_in_the_middle(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.head + answer.body[: len(answer.body) // 2])
    await asyncio.sleep(PATIENCE)


def drip(pieces: int, pause: float) -> Send:
    """So many pieces with a pause of so many seconds between them."""

    async def send(writer: asyncio.StreamWriter, answer: Answer) -> None:
        size = max(1, len(answer.whole) // pieces)
        for at in range(0, len(answer.whole), size):
            writer.write(answer.whole[at : at + size])
            await writer.drain()
            await asyncio.sleep(pause)

    return send


def busy(status: int, retry_after: str | None = None) -> Send:
    """Another answer instead: a server that has no time."""

    async def send(writer: asyncio.StreamWriter, answer: Answer) -> None:
        found = f"Retry-After: {retry_after}\r\n" if retry_after is not None else ""
        writer.write(f"HTTP/1.1 {status} Busy\r\n{found}Content-Length: 4\r\nConnection: close\r\n\r\nbusy".encode())

    return send


async def cut_whole(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """The body ends in its middle, and the length says that this is all: what a broken cache gives."""
    half = answer.body[: len(answer.body) // 2]
    writer.write(answer.with_length(len(half)) + half)


async def too_long(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.with_length(len(answer.body) + 1000) + answer.body)


async def too_short(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.with_length(len(answer.body) // 2) + answer.body)


async def garbage(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(b"\x16\x03\x01\x02\x00 nothing of HTTP\r\n\r\n" + answer.body[:500])


async def nothing(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """The connection is closed in peace, and nothing was said."""


Script = Callable[[str, int], Fault | None]  # of a path with its query, and how often it was asked for, from 1


@dataclass
class Line:
    """The line; `upstream` is `host:port` of the good server, `script` may be changed at any time."""

    upstream: str = ""
    script: Script = lambda path, number: None
    asked: list[str] = field(default_factory=list)
    broken: int = 0  # answers that something was done to
    heard: list[tuple[bytes, Answer]] = field(default_factory=list)  # heads of requests, and what the server said

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._counts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, script: Script) -> None:
        """Another script, and all counts at nothing."""
        self._counts.clear()
        self.asked.clear()
        self.heard.clear()
        self.broken = 0
        self.script = script

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._over = asyncio.Event()
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._talk, sock=self._listener):
            await self._over.wait()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer(reader, writer)
            await writer.drain()
        with suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")[:-2]
        length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        path = lines[0].split(b" ")[1].decode("latin-1")
        self._counts[path] += 1
        self.asked.append(path)
        fault = self.script(path, self._counts[path]) or Fault(well)
        self.broken += fault.send is not well
        answer = await self._upstream(lines, body, fault.plain) if fault.asked else Answer(b"", b"")
        self.heard.append((head, answer))
        await fault.send(writer, answer)

    async def _upstream(self, lines: list[bytes], body: bytes, plain: bool) -> Answer:
        dropped = (b"connection:", b"accept-encoding:") if plain else (b"connection:",)
        stored = [line for line in lines if not line.lower().startswith(dropped)]
        host, _, port = self.upstream.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"\r\n".join([*stored, b"Connection: close", b"", b""]) + body)
            result = await reader.read(-1)
        finally:
            writer.close()
        head, mark, rest = result.partition(b"\r\n\r\n")
        return Answer(head + mark, rest)


@contextmanager
def line() -> Iterator[Line]:
    """A line that is well, until the block ends."""
    made = Line()
    try:
        yield made
    finally:
        made.stop()
