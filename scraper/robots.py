"""robots.txt and waiting times: what a host allows, and how long to wait between two requests to it.

Robots: RFC 9309, read by protego. Waiting: RFC 9110 10.2.3 (Retry-After) and Crawl-delay, which no standard defines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

from protego import Protego

from scraper.config.clinics import PRODUCT
from scraper.items import Exchange, Problem

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

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
