"""The proxy by itself: who may use it, where it goes, and how it ends."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from scraper.browser._connector import Connector, endpoint_of
from scraper.browser._proxy import HEADER_LIMIT, Proxy


@dataclass
class Server:
    """An origin that keeps what it was sent, and answers each connection once."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"
    stays: bool = False  # does not close, whatever it was asked


@asynccontextmanager
async def origin(stays: bool = False) -> AsyncIterator[Server]:
    server = Server(stays=stays)
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.heard.append(await reader.read(65536))
        writer.write(server.answer)
        if server.stays:
            await gone.wait()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        gone.set()
        listening.close()
        await listening.wait_closed()


async def ask(proxy: Proxy, head: str, body: bytes = b"", authorised: bool = True, wait: bool = True) -> bytes:
    """What the proxy says to one request, until it closes."""
    port = int(proxy.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    token = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    lines = [head, *([f"Proxy-Authorization: Basic {token}"] if authorised else []), "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    try:
        async with asyncio.timeout(5):
            return await reader.read() if wait else await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def test_only_who_knows_the_password_may_use_it() -> None:
    async def run() -> None:
        async with origin() as server, Proxy(Connector(private={"127.0.0.1"})) as proxy:
            answer = await ask(proxy, f"GET http://127.0.0.1:{server.port}/ HTTP/1.1", authorised=False)
            assert answer.startswith(b"HTTP/1.1 407 ") and b"Proxy-Authenticate: Basic" in answer
            answer = await ask(proxy, f"CONNECT 127.0.0.1:{server.port} HTTP/1.1", authorised=False)
            assert answer.startswith(b"HTTP/1.1 407 ")
            assert server.heard == [] and proxy.mark.encode() not in answer

    asyncio.run(run())


def test_a_request_goes_out_without_what_was_meant_for_the_proxy() -> None:
    async def run() -> None:
        async with origin() as server, Proxy(Connector(private={f"127.0.0.1:{server.port}"})) as proxy:
            head = f"POST http://127.0.0.1:{server.port}/a?b=c HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n"
            answer = await ask(proxy, head + "Content-Length: 4", b"body")
            assert answer == server.answer
            assert server.heard == [
                b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
            ]
            url = f"http://127.0.0.1:{server.port}/z"
            assert proxy.connector.peer(url) == "127.0.0.1" and proxy.connector.refused(url) is None

    asyncio.run(run())


def test_a_second_request_on_the_connection_never_passes() -> None:
    async def run() -> None:
        async with origin(stays=True) as server, Proxy(Connector(private={f"127.0.0.1:{server.port}"})) as proxy:
            port = int(proxy.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            token = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
            head = f"GET http://127.0.0.1:{server.port}/ HTTP/1.1\r\nProxy-Authorization: Basic {token}\r\n\r\n"
            writer.write(head.encode())
            assert await reader.readuntil(b"hi") == server.answer
            writer.write(b"GET http://10.0.0.1/ HTTP/1.1\r\n\r\n")
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            assert len(server.heard) == 1 and b"10.0.0.1" not in server.heard[0]

    asyncio.run(run())


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://127.0.0.1:{port}/ HTTP/1.1",
        "GET http://127.1:{port}/ HTTP/1.1",
        "GET http://2130706433:{port}/ HTTP/1.1",
        "GET http://[::1]:{port}/ HTTP/1.1",
        "GET http://[::ffff:127.0.0.1]:{port}/ HTTP/1.1",
        "GET http://LOCALHOST:{port}/ HTTP/1.1",
        "GET http://clinic.internal/ HTTP/1.1",
        "GET http://169.254.169.254/latest/meta-data HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
        "CONNECT 10.1.2.3:443 HTTP/1.1",
        "CONNECT [fe80::1]:443 HTTP/1.1",
        "CONNECT name.example:{port} HTTP/1.1",  # another port than 443
        "GET http://name.example/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade",
    ],
)
def test_private_places_odd_ports_and_upgrades_are_refused(request_line: str) -> None:
    async def run() -> None:
        # The clinic's own place may be private; that permits no other on the same machine.
        async with (
            origin() as server,
            Proxy(Connector(private={"127.0.0.1:1"}, resolve=resolving("93.1.1.1"))) as proxy,
        ):
            answer = await ask(proxy, request_line.format(port=server.port))
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert f"X-Own-Proxy: {proxy.mark}".encode() in answer
            assert server.heard == [] and len(proxy.connector.refusals) == 1

    asyncio.run(run())


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.215.14", "10.0.0.1"), ("::1",), ("64:ff9b::7f00:1",)])
def test_a_name_with_one_private_address_is_refused(addresses: tuple[str, ...]) -> None:
    async def run() -> None:
        async with origin() as server, Proxy(Connector(resolve=resolving(*addresses))) as proxy:
            for line in (f"GET http://nice.example:{server.port}/ HTTP/1.1", "CONNECT nice.example:443 HTTP/1.1"):
                assert (await ask(proxy, line)).startswith(b"HTTP/1.1 403 ")
            assert server.heard == []
            assert (proxy.connector.refused("https://nice.example/x") or "").startswith("nice.example: ")

    asyncio.run(run())


def test_a_name_that_changes_its_mind_is_looked_at_each_time() -> None:
    async def run() -> None:
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])

        async def resolve(host: str, port: int) -> list[str]:
            return next(answers)

        async with origin() as server:
            connector = Connector(resolve=resolve, private={"nice.example"})
            async with Proxy(connector) as proxy:
                line = f"GET http://nice.example:{server.port}/ HTTP/1.1"
                assert await ask(proxy, line) == server.answer
                connector.private.clear()
                assert (await ask(proxy, line)).startswith(b"HTTP/1.1 403 ")

    asyncio.run(run())


def test_a_permitted_host_may_be_tunnelled_to_at_its_own_port() -> None:
    async def run() -> None:
        async with origin(stays=True) as server, Proxy(Connector(private={f"127.0.0.1:{server.port}"})) as proxy:
            answer = await ask(proxy, f"CONNECT 127.0.0.1:{server.port} HTTP/1.1", wait=False)
            assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("NONSENSE", 400),
        ("GET / HTTP/1.1", 400),
        ("GET ftp://name.example/ HTTP/1.1", 400),
        ("GET http://name.example:99999/ HTTP/1.1", 400),
        ("POST http://name.example/ HTTP/1.1\r\nTransfer-Encoding: chunked", 501),
        ("POST http://name.example/ HTTP/1.1\r\nContent-Length: -1", 400),
        ("GET http://nobody.example/ HTTP/1.1", 502),
        ("GET http://x.example/ HTTP/1.1\r\nA: " + "a" * (HEADER_LIMIT + 1_000), 431),
    ],
)
def test_what_is_no_request_is_answered_so(head: str, status: int) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    async def run() -> None:
        async with Proxy(Connector(resolve=resolve)) as proxy:
            answer = await ask(proxy, head)
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())

    asyncio.run(run())


def test_a_silent_connection_ends() -> None:
    async def run() -> None:
        async with origin(stays=True) as server:
            server.answer = b""
            connector = Connector(private={f"127.0.0.1:{server.port}"})
            async with Proxy(connector, idle_seconds=0.2) as proxy:
                assert await ask(proxy, f"GET http://127.0.0.1:{server.port}/ HTTP/1.1") == b""
                port = int(proxy.url.rpartition(":")[2])
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                async with asyncio.timeout(5):
                    assert await reader.read() == b""  # it said nothing at all
                writer.close()
                await writer.wait_closed()

    asyncio.run(run())


def test_it_stops_in_the_middle_and_leaves_no_task() -> None:
    async def run() -> None:
        async with origin(stays=True) as server:
            proxy = Proxy(Connector(private={f"127.0.0.1:{server.port}"}))
            await proxy.start()
            before = asyncio.all_tasks()
            port = int(proxy.url.rpartition(":")[2])
            token = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
            open_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            head = f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\nProxy-Authorization: Basic {token}\r\n\r\n"
            for _, writer in open_ones[:2]:  # the third says nothing
                writer.write(head.encode())
            for reader, _ in open_ones[:2]:
                await reader.readuntil(b"\r\n\r\n")
            await proxy.close()
            await proxy.close()
            assert {task for task in asyncio.all_tasks() - before if "Proxy" in repr(task)} == set()
            for reader, writer in open_ones:
                assert await reader.read() == b""
                writer.close()
                await writer.wait_closed()
            with pytest.raises(RuntimeError):
                assert proxy.url

    asyncio.run(run())


def test_places_are_spelt_with_their_port() -> None:
    assert endpoint_of("https://Clinic.example/x") == "clinic.example:443"
    assert endpoint_of("http://127.0.0.1:8000/") == "127.0.0.1:8000"
    with pytest.raises(ValueError, match="not an http address"):
        endpoint_of("mailto:x")
