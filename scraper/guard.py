"""Addresses that are never fetched: what is not http(s), and what is on a private network.

Private addresses are refused in two places, since neither is enough alone:

* `Guard`, a downloader middleware, knows the request, and so the clinic whose stanza allows private addresses. It looks
  the name up (through the resolver's cache, so that a host is looked up once) and refuses with a clear message.
* `GuardedResolver` is asked when the connection is made, and knows the name alone. It refuses whatever resolves to a
  private address, so that a name that answers differently the second time (DNS rebinding) gains nothing. `Guard` passes
  on the names that a clinic's stanza allows as their requests come by, and still refuses a request of another clinic
  for such a name.

Scrapy 2.19 asks its resolver for literal addresses too when it connects directly (`HostnameEndpoint`), but not for that
of a proxy that tunnels. A proxy is the operator's choice: it is allowed, and what it resolves is its own to guard.
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


class Refused(IgnoreRequest):
    """A request that is never made. `kind` names it in a Problem; Scrapy's retries leave it alone."""

    kind = "refused"


class PrivateAddress(Refused):
    """The host is on a private, loopback, link-local or similar address, and no stanza allows that."""

    kind = "private-address"


class ForeignScheme(Refused):
    """Neither http nor https: `file:`, `ftp:`, `data:`."""

    kind = "foreign-scheme"


class _RefusedLookupError(DNSLookupError):
    """What Twisted sees of a refusal: any other error of a resolver it takes for a fault, and logs a traceback."""


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver (IPv4, cached), less private addresses. Setting: `TWISTED_DNS_RESOLVER`.

    Asked for the name of every connection, after every redirect. `allow(host)` lets one name through.
    """

    def __init__(self, reactor: ReactorBase, cache_size: int, timeout: float) -> None:
        super().__init__(reactor, cache_size, timeout)
        self._allowed: set[str] = set()

    def allow(self, host: str) -> None:
        """Let this name resolve to a private address from now on."""
        self._allowed.add(host.lower())

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802 (Twisted's name)
        """The IPv4 address of a name; fails with DNSLookupError where it is private and not allowed."""
        found = super().getHostByName(name, timeout)
        # After the cache, so that an address that one clinic may reach is not served to another from there.
        return found.addCallback(self._check, name)

    def _check(self, ip: str, name: str) -> str:
        reason = None if name.lower() in self._allowed else refuse_private(ip)
        if reason is not None:
            raise _RefusedLookupError(f"{name}: {reason}")
        return ip


class Guard:
    """Downloader middleware that refuses what is not http(s) or is private, before and after the name is looked up.

    It must stand nearer to the downloader than redirects, retries and Scrapy's proxy middleware (750), e.g. at 760: a
    redirect and a retry are new requests and pass it again. `Fetch.allow_private` is True where the clinic's stanza
    says so. Raises `PrivateAddress` or `ForeignScheme`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Guard:
        """As Scrapy makes it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Lets the request pass, or raises."""
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
        """Why a host is private, by its spelling or by what its name resolves to; None: it is not."""
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
            return None  # no such name: the download says so itself, or the proxy knows it
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

    def _count(self, refusal: Refused) -> Refused:
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(f"guard/{refusal.kind}")
        return refusal


def running_reactor() -> ReactorBase:
    """Twisted's reactor, once Scrapy has installed the one that it wants."""
    # The import installs a reactor: not before Scrapy has installed its own.
    from twisted.internet import reactor  # noqa: PLC0415

    return cast("ReactorBase", reactor)
