"""Addresses that are never fetched: those that are not http(s), and those on a private network.

Private addresses are refused in two places, because neither is sufficient alone:

* `Guard`, a downloader middleware, knows the request, and so the clinic whose stanza allows private addresses. It looks
  the name up (through the resolver's cache, so that a host is looked up once) and refuses with a clear message.
* `GuardedResolver` is called when the connection is made, and knows only the name. It refuses every name that resolves
  to a private address, which defeats names that resolve differently the second time (DNS rebinding). `Guard` tells the
  resolver which names a clinic's stanza allows, and still refuses requests of other clinics for these names.

Scrapy 2.19 also calls its resolver for literal addresses if it connects directly (`HostnameEndpoint`), but not for
the target of a tunnelling proxy. A proxy is the operator's choice: it is allowed, and must guard its own lookups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.resolver import CachingThreadedResolver
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.error import DNSLookupError

from scraper.addresses import is_private_host, literal_ip, refuse_private

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred


class RequestRefused(IgnoreRequest):
    """A request that is not made. `kind` is the kind of its `Problem`; Scrapy does not retry it."""

    kind = "refused"


class PrivateAddress(RequestRefused):
    """The host has a private, loopback, link-local or similar address, and the clinic's stanza does not allow that."""

    kind = "private-address"


class ForeignScheme(RequestRefused):
    """The scheme is neither http nor https but, say, `file:`, `ftp:` or `data:`."""

    kind = "foreign-scheme"


class _RefusedLookupError(DNSLookupError):
    """A refusal as Twisted expects it: any other error of a resolver would be logged with a traceback."""


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver (IPv4, cached) that refuses private addresses. Setting: `TWISTED_DNS_RESOLVER`.

    It resolves the name of every connection, also after a redirect. `allow(host)` exempts one name.
    """

    def __init__(self, reactor: ReactorBase, cache_size: int, timeout: float) -> None:
        super().__init__(reactor, cache_size, timeout)
        self._allowed: set[str] = set()

    def allow(self, host: str) -> None:
        """Allow this name to resolve to a private address from now on."""
        self._allowed.add(host.lower())

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802 (Twisted's name)
        """Return the IPv4 address of a name; fails with DNSLookupError where it is private and not allowed."""
        address = super().getHostByName(name, timeout)
        # Checked after the cache, which may hold an address that only another clinic is allowed to reach.
        return address.addCallback(self._check, name)

    def _check(self, ip: str, name: str) -> str:
        reason = None if name.lower() in self._allowed else refuse_private(ip)
        if reason is not None:
            raise _RefusedLookupError(f"{name}: {reason}")
        return ip


class Guard:
    """Downloader middleware that refuses addresses that are not http(s), and private ones by name or by lookup.

    It must be nearer to the downloader than redirects, retries and Scrapy's proxy middleware (750), e.g. at 760: a
    redirect and a retry are new requests and pass it again. `Fetch.allow_private` exempts requests of a clinic whose
    stanza allows private addresses. Raises `PrivateAddress` or `ForeignScheme`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Guard:
        """Create the middleware for a crawler; called by Scrapy."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Return None if the request may be made; raise `PrivateAddress` or `ForeignScheme` otherwise."""
        parts = urlsplit(request.url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            raise self._count(ForeignScheme(f"{request.url}: not an http or https address; not fetched"))
        self._allow_proxy(request)
        if getattr(request.meta.get("fetch"), "allow_private", False) is True or self.crawler.settings.getbool(
            "ALLOW_PRIVATE"
        ):
            self._allow(host)
            return
        reason = await self._private(host)
        if reason is not None:
            raise self._count(
                PrivateAddress(f"{request.url} not fetched: {reason}; allow_private = true in the stanza permits it")
            )

    async def _private(self, host: str) -> str | None:
        """Return why a host is private, by its spelling or by the address it resolves to; None if it is not."""
        if is_private_host(host):
            ip = literal_ip(host)
            return refuse_private(ip) if ip else f"{host} is a name of a private network"
        if literal_ip(host):
            return None
        try:
            ip = await maybe_deferred_to_future(running_reactor().resolve(host))
        except _RefusedLookupError as refusal:
            return str(refusal.args[0])
        except DNSLookupError:
            return None  # no such name: the download reports it, or the proxy can resolve it
        reason = refuse_private(ip)  # another clinic's stanza allows this name, not this one's
        return f"{host}: {reason}" if reason else None

    def _allow_proxy(self, request: Request) -> None:
        proxy = request.meta.get("proxy")
        if proxy:
            self._allow(urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or "")

    @staticmethod
    def _allow(host: str) -> None:
        resolver = running_reactor().resolver
        if isinstance(resolver, GuardedResolver):
            resolver.allow(host)

    def _count(self, refusal: RequestRefused) -> RequestRefused:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(f"guard/{refusal.kind}")
        return refusal


def running_reactor() -> ReactorBase:
    """Return Twisted's reactor. Call it only after Scrapy has installed the reactor of its settings."""
    # The import installs the default reactor if there is none yet.
    from twisted.internet import reactor  # noqa: PLC0415

    return cast("ReactorBase", reactor)
