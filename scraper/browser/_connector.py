"""Checked connections: a name is resolved once, and each of its addresses is checked before one is connected to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socket import SOCK_STREAM
from urllib.parse import urlsplit

from scraper.addresses import DEFAULT_PORTS, is_private_host, literal_ip, refuse_private

logger = logging.getLogger(__name__)

Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_ATTEMPTS = 4  # addresses of one name
MAX_RECORDS = 1_000  # refusals, and hosts whose address is known


class ProxyRefused(Exception):
    """A connection is not made. `status` is that of the proxy's answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class ConnectionRefusal:
    """A connection that the rules forbid, and why, in words."""

    host: str
    port: int
    reason: str
    at: datetime


async def look_up(host: str, port: int) -> list[str]:
    """Return every address of a name, as the system resolves it. Raises OSError where it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass
class Connector:
    """Connects to hosts; to private ones only where `private` names them: `host:port` (that port alone) or `host`."""

    private: set[str] = field(default_factory=set)
    resolve: Resolve = look_up
    seconds: float = 10.0  # to resolve the name, and again to connect to each address
    refusals: list[ConnectionRefusal] = field(default_factory=list)
    peers: dict[tuple[str, int], str] = field(default_factory=dict)  # host and port: the address last connected to

    async def connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to a checked address of the host. Raises `ProxyRefused`."""
        for ip in (await self._addresses(host, port))[:MAX_ATTEMPTS]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(self.seconds):
                    connection = await asyncio.open_connection(ip, port)
                if len(self.peers) >= MAX_RECORDS:
                    self.peers.pop(next(iter(self.peers)))
                self.peers[host, port] = ip
                return connection
        raise ProxyRefused(502, f"{host}: no answer at port {port}")

    async def _addresses(self, host: str, port: int) -> list[str]:
        permitted = self.permits(host, port)
        literal = literal_ip(host)
        if not permitted and is_private_host(host):
            raise self.refuse(host, port, (literal and _reason(literal)) or f"{host} is a name of a private network")
        try:
            async with asyncio.timeout(self.seconds):
                found = [literal] if literal else await self.resolve(host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise ProxyRefused(502, f"{host}: no such host") from error
        for ip in found:
            # One private address is enough to refuse the name: its owner decides which one a look-up gives first.
            if not permitted and (reason := _reason(ip)):
                raise self.refuse(host, port, f"{host}: {reason}")
        return sorted(found, key=lambda ip: ":" in ip)  # IPv4 first, as the crawler itself uses it alone

    def permits(self, host: str, port: int) -> bool:
        """Return whether the host and port may be private."""
        return host in self.private or f"{host}:{port}" in self.private

    def refuse(self, host: str, port: int, reason: str) -> ProxyRefused:
        """Record the refusal and return the exception to raise."""
        if len(self.refusals) < MAX_RECORDS:
            self.refusals.append(ConnectionRefusal(host, port, reason, datetime.now(UTC)))
        logger.info("the browser was refused %s:%d: %s", host, port, reason)
        return ProxyRefused(403, reason)

    def peer(self, url: str) -> str | None:
        """Return the IP address of the last connection to the host of `url`; None: there was none."""
        endpoint = _endpoint(url)
        return self.peers.get(endpoint) if endpoint else None

    def refused(self, url: str) -> str | None:
        """Return why the host of `url` was last refused; None: it was not."""
        endpoint = _endpoint(url)
        refusals = (refusal for refusal in reversed(self.refusals) if (refusal.host, refusal.port) == endpoint)
        return next((refusal.reason for refusal in refusals), None)


def _reason(ip: str) -> str | None:
    try:
        return refuse_private(ip)
    except ValueError:
        return f"{ip} is no IP address"


def _endpoint(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return ((parts.hostname or "").lower(), port) if parts.hostname else None


def endpoint_of(url: str) -> str:
    """Return `host:port` of an address, as `Connector.private` takes it. Raises ValueError where it has none."""
    endpoint = _endpoint(url)
    if endpoint is None or not endpoint[1]:
        raise ValueError(f"{url}: not an http address")
    return f"{endpoint[0]}:{endpoint[1]}"
