"""The browser's only connection: a loopback proxy of ours that checks every address after DNS.

A browser resolves names itself, so that a check of its requests sees only spellings: `https://nice.example` may be
127.0.0.1, and a redirect or a rebinding name may become it later. The proxy resolves each connection's name once,
checks every address with `refuse_private`, and connects to a checked address. The browser uses the proxy for loopback
too and resolves nothing itself.

HTTP has one request a connection: a second one could be for another host, and would pass unchecked. The content of a
CONNECT tunnel is not read; tunnels go to port 443 alone, where only TLS is of use.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scraper.browser._connector import Connector, ProxyRefused

logger = logging.getLogger(__name__)

HEADER_LIMIT = 64 * 1024  # bytes of a request's head
CONNECTIONS = 256  # at once; a browser has 32 to a proxy
_CHUNK = 64 * 1024
# Hop-by-hop headers (RFC 9110 7.6.1), and those that a browser sends to a proxy alone.
_HOP_HEADERS = frozenset({b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te", b"upgrade"})


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    headers: list[tuple[bytes, bytes]]

    def value(self, name: bytes) -> bytes:
        return next((value for key, value in self.headers if key.lower() == name), b"")


@dataclass
class Proxy:
    """A proxy for one clinic's pages. `async with` starts and stops it; or `start()` and `close()`."""

    connector: Connector = field(default_factory=Connector)
    idle_seconds: float = 60.0  # without a byte in either direction; also the limit for the head of a request
    username: str = field(default_factory=lambda: secrets.token_hex(8))
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    # Marks answers of the proxy itself; no server can know it, so that none is taken for a server's.
    mark: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        token = b64encode(f"{self.username}:{self.password}".encode())
        self._authorization = b"Basic " + token

    async def __aenter__(self) -> Proxy:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The proxy's address. Raises RuntimeError where it is not started."""
        if self._server is None:
            raise RuntimeError("the proxy is not started")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEADER_LIMIT)

    async def close(self) -> None:
        """Stop listening and end every open connection."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)  # closed transports inform their protocols in the next iteration

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) > CONNECTIONS:
                raise ProxyRefused(503, "too many connections")
            async with asyncio.timeout(self.idle_seconds):
                head = _parsed(await reader.readuntil(b"\r\n\r\n"))
            await self._serve(head, reader, writer)
        except ProxyRefused as refusal:
            await self._answer(writer, refusal.status, str(refusal))
        except asyncio.LimitOverrunError:
            await self._answer(writer, 431, "the head of the request is too long")
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            logger.debug("a connection ended: %r", error)
        except asyncio.CancelledError:
            # Only `close` cancels. If this were raised, asyncio's own callback would log an error.
            logger.debug("a connection ended: the proxy stops")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, head: _Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not hmac.compare_digest(head.value(b"proxy-authorization"), self._authorization):
            raise ProxyRefused(407, "this proxy is for one browser alone")
        if head.method == "CONNECT":
            host, port = _endpoint(f"//{head.target}", 443)
            await self._tunnel(host, port, reader, writer)
            return
        if not head.target.lower().startswith("http://"):
            raise ProxyRefused(400, "neither CONNECT nor an http address")
        host, port = _endpoint(head.target, 80)
        if head.value(b"upgrade"):
            raise self.connector.refuse(host, port, "WebSockets and other upgrades are off")
        if head.value(b"transfer-encoding"):
            raise ProxyRefused(501, "a request body of unknown length")
        await self._forward(head, host, port, reader, writer)

    async def _tunnel(self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if port != 443 and not self.connector.permits(host, port):
            raise self.connector.refuse(host, port, f"a tunnel to port {port}; 443 alone is allowed")
        remote_reader, remote = await self.connector.connect(host, port)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay((reader, remote), (remote_reader, writer))
        finally:
            remote.close()

    async def _forward(
        self, head: _Head, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        length = head.value(b"content-length") or b"0"
        if not length.isdigit():
            raise ProxyRefused(400, "no length of a body")
        remote_reader, remote = await self.connector.connect(host, port)
        try:
            parts = urlsplit(head.target)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            lines = [f"{head.method} {path} HTTP/1.1".encode("latin-1")]
            lines += [name + b": " + value for name, value in head.headers if name.lower() not in _HOP_HEADERS]
            remote.write(b"\r\n".join([*lines, b"Connection: close", b"", b""]))
            remaining = int(length)
            while remaining:
                async with asyncio.timeout(self.idle_seconds):
                    chunk = await reader.read(min(_CHUNK, remaining))
                    if not chunk:
                        return
                    remote.write(chunk)
                    await remote.drain()
                remaining -= len(chunk)
            # Any byte after the request ends the connection: it would be a second request.
            await self._relay((reader, None), (remote_reader, writer))
        finally:
            remote.close()

    async def _relay(self, *directions: tuple[asyncio.StreamReader, asyncio.StreamWriter | None]) -> None:
        """Copy bytes until one side ends or is idle too long. A direction without a writer ends at its first byte."""
        loop = asyncio.get_running_loop()
        last_byte = loop.time()

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter | None) -> None:
            nonlocal last_byte
            while chunk := await source.read(_CHUNK):
                last_byte = loop.time()
                if target is None:
                    return
                target.write(chunk)
                await target.drain()

        tasks = [asyncio.create_task(copy(*direction)) for direction in directions]
        try:
            while True:
                wait = last_byte + self.idle_seconds - loop.time()
                done, _ = await asyncio.wait(tasks, timeout=max(wait, 0), return_when=asyncio.FIRST_COMPLETED)
                if done or loop.time() >= last_byte + self.idle_seconds:
                    return
        finally:
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    logger.debug("a connection ended: %r", result)

    async def _answer(self, writer: asyncio.StreamWriter, status: int, reason: str) -> None:
        body = reason.encode()
        lines = [
            f"HTTP/1.1 {status} Refused",
            'Proxy-Authenticate: Basic realm="archive"' if status == 407 else f"X-Own-Proxy: {self.mark}",
            "Content-Type: text/plain",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        with suppress(OSError):
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()


def _parsed(head: bytes) -> _Head:
    first, *lines = head[:-4].split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    fields = [line.partition(b":") for line in lines]
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or any(b"\r" in line or b"\n" in line for line in lines):
        raise ProxyRefused(400, "not an HTTP request")
    return _Head(words[0], words[1], [(name.strip(), value.strip()) for name, _, value in fields])


def _endpoint(address: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower(), parts.port if parts.port is not None else default
    except ValueError as error:
        raise ProxyRefused(400, "no address") from error
    if not host or not port:
        raise ProxyRefused(400, "no host")
    return host, port


def authorised(proxy: Proxy) -> dict[str, str]:
    """Return the proxy as Playwright's `new_context(proxy=...)` takes it; loopback uses it too."""
    return {
        "server": proxy.url,
        "username": proxy.username,
        "password": proxy.password,
        "bypass": "<-loopback>",
    }
