"""Manners: what robots.txt allows, how long to wait, and which addresses are never fetched.

Robots: RFC 9309, read by protego. Waiting: RFC 9110 10.2.3 (Retry-After) and Crawl-delay, which no standard defines.

Private addresses are refused in two places, since neither is enough alone:

* `Guard`, a downloader middleware, knows the request, and so the clinic whose stanza allows private addresses. It looks
  the name up (through the resolver's cache, so that a host is looked up once) and refuses with a clear message.
* `GuardedResolver` is asked when the connection is made, and knows the name alone. It refuses whatever resolves to a
  private address, so that a name that answers differently the second time (DNS rebinding) gains nothing. The names
  that a clinic's stanza allows are told to it by `Guard` as their requests pass, and a request of another clinic for
  such a name is still refused by `Guard`.

Scrapy 2.19 asks its resolver for literal addresses too when it connects directly (`HostnameEndpoint`), but not for that
of a proxy that tunnels. A proxy is the operator's word: it is allowed, and what it resolves is its own to guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

from protego import Protego
from scrapy.exceptions import IgnoreRequest
from scrapy.resolver import CachingThreadedResolver
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.error import DNSLookupError

from scraper.addresses import is_private_host, literal_ip, refuse_private
from scraper.config.clinics import PRODUCT
from scraper.items import Exchange, Problem

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred

ROBOTS_LIMIT = 500 * 1024  # bytes; RFC 9309 2.5 asks crawlers to read at least so many
LONGEST_DELAY = 60.0  # seconds between two requests, whatever Crawl-delay says: a day's delay would end the study
LONGEST_RETRY = 3600.0  # seconds that a Retry-After may hold a host up


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What one host's robots.txt says to this crawler."""

    refused: str | None = None  # why the host must not be crawled in this run, in words
    sitemaps: tuple[str, ...] = ()  # absolute, in the file's order
    crawl_delay: float | None = None  # seconds
    problems: tuple[Problem, ...] = ()
    _rules: Protego | None = field(default=None, repr=False)  # None: all is allowed, or all is refused

    def allowed(self, url: str) -> bool:
        """The address may be fetched. The most specific rule wins, and Allow wins a tie (RFC 9309 2.2.2)."""
        if self.refused is not None:
            return False
        return self._rules is None or self._rules.can_fetch(url, PRODUCT)


def read_robots(exchange: Exchange | None, reason: str | None = None) -> Robots:
    """Reads the answer to a request for robots.txt (RFC 9309 2.3.1); None: there was no answer, for `reason`.

    2xx: its rules, from its first 500 KiB. 4xx: all is allowed, but 429 says "too much", so the host is refused for
    this run, as it is for 5xx, no answer, and a redirect that led nowhere. HTML instead of rules: all is allowed, with
    a problem `robots-is-html`. Rules are read for the product token alone: the whole User-Agent also holds names of
    others (a page on github.com, say) that protego would find a group for. Never raises.
    """
    if exchange is None:
        return _refuse(f"robots.txt gave no answer ({reason or 'reason unknown'})", None)
    status = exchange.status
    if 400 <= status < 500 and status != 429:
        return Robots()
    if not 200 <= status < 300:
        return _refuse(f"robots.txt answered {status}", exchange.url)
    body = exchange.body[:ROBOTS_LIMIT]
    if len(exchange.body) > ROBOTS_LIMIT:
        body = body[: body.rfind(b"\n") + 1]  # half a rule is another rule: "Disallow: /" of "Disallow: /private"
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        message = "robots.txt is an HTML page: nothing is forbidden by it"
        return Robots(problems=(Problem(kind="robots-is-html", message=message, url=exchange.url),))
    rules = Protego.parse(body.decode("utf-8-sig", "replace"))
    return Robots(
        sitemaps=tuple(dict.fromkeys(filter(None, (_absolute(exchange.url, sitemap) for sitemap in rules.sitemaps)))),
        crawl_delay=rules.crawl_delay(PRODUCT),
        _rules=rules,
    )


def _absolute(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address)
    except ValueError:  # "Sitemap: http://[x"
        return None


def _refuse(why: str, url: str | None) -> Robots:
    message = f"{why}: the host is not crawled in this run; the next run asks again"
    return Robots(refused=why, problems=(Problem(kind="robots-refused", message=message, url=url),))


def retry_after(value: str | bytes | None, now: datetime, cap: float = LONGEST_RETRY) -> float | None:
    """Seconds that a Retry-After header asks to wait: a number ("120") or an HTTP date (RFC 9110 10.2.3).

    `now`: aware. A moment gone by gives 0; more than `cap` gives `cap`; None where there is no header, or none that can
    be read (never guessed).
    """
    text = (value.decode("latin-1") if isinstance(value, bytes) else value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), cap)  # nine digits are 31 years
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "Sun Nov  6 08:49:37 1994", the asctime form, is UTC by the same RFC
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), cap)


def delay(own_floor: float, crawl_delay: float | None, cap: float = LONGEST_DELAY) -> tuple[float, bool]:
    """Seconds to leave between two requests to a host, and whether the cap cut what robots.txt asked for.

    The greater of our own floor and Crawl-delay, the latter up to `cap`; an own floor above the cap stands.
    """
    asked = crawl_delay or 0.0
    return max(own_floor, min(asked, cap)), asked > max(cap, own_floor)


@dataclass(slots=True)
class _Turn:
    """Whose turn it is at one host, in all of this process."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    slot: str = ""  # who asked last
    ended: float = 0.0


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Turn]] = WeakKeyDictionary()


@asynccontextmanager
async def host_turn(request: Request, crawler: Crawler) -> AsyncIterator[None]:
    """One request at a time to a host, also where several clinics are visited side by side that share one.

    Scrapy's own slots are one a clinic, which ask one thing at a time of all hosts. Where another clinic asked the host
    last, the asking clinic's own delay is kept after that.
    """
    loop = asyncio.get_running_loop()
    turn = _turns.setdefault(loop, {}).setdefault(urlsplit(request.url).netloc, _Turn())
    slot = str(request.meta.get("download_slot", ""))
    async with turn.lock:
        own = crawler.engine.downloader.slots.get(slot) if crawler.engine else None
        if own is not None and turn.slot not in ("", slot):
            await asyncio.sleep(max(0.0, turn.ended + own.delay - loop.time()))
        try:
            yield
        finally:
            turn.slot, turn.ended = slot, loop.time()


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
    redirect and a retry are new requests and pass it again. `request.meta["allow_private"]` is True where the clinic's
    stanza says so; it stays on the requests that redirects make. Raises `PrivateAddress` or `ForeignScheme`.
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
        if request.meta.get("allow_private") is True or self.crawler.settings.getbool("ALLOW_PRIVATE"):
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
            self.crawler.stats.inc_value(f"manners/{refusal.kind}")
        return refusal


def running_reactor() -> ReactorBase:
    """Twisted's reactor, once Scrapy has installed the one that it wants."""
    # The import installs a reactor: not before Scrapy has installed its own.
    from twisted.internet import reactor  # noqa: PLC0415

    return cast("ReactorBase", reactor)
