"""robots.txt and politeness delays: what a host allows, and how long to wait between two requests to it.

robots.txt: RFC 9309; its rules are read by `scraper.robots.rules`. Delays: RFC 9110 10.2.3 (Retry-After) and
Crawl-delay, which no standard defines.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

from scraper.config.clinics import PRODUCT
from scraper.items import Exchange, Problem
from scraper.robots.rules import RobotsRules, read_rules

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

ROBOTS_LIMIT = 500 * 1024  # bytes; the least that a crawler must read by RFC 9309 2.5
LONGEST_DELAY = 60.0  # seconds; a longer Crawl-delay is capped, since one of a day would end the study
LONGEST_RETRY = 3600.0  # seconds; a longer Retry-After is capped
# "<!doctype html>", "<html>", also after a comment; "<!-- rules of this site -->" before rules makes no page of them
_HTML = re.compile(rb"(?:\s*<!--.*?-->)*+\s*<(?!!--)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """The rules of one host's robots.txt for this crawler."""

    refused: str | None = None  # why the host must not be crawled in this run, in words; None: it may be
    sitemaps: tuple[str, ...] = ()  # absolute, in the file's order
    crawl_delay: float | None = None  # seconds
    problems: tuple[Problem, ...] = ()
    _rules: RobotsRules = field(default_factory=RobotsRules, repr=False)

    def allowed(self, url: str) -> bool:
        """Return whether the address may be fetched. The most specific rule wins; Allow wins a tie (RFC 9309 2.2.2)."""
        return self.refused is None and self._rules.allows(url)


def read_robots(exchange: Exchange | None, reason: str | None = None) -> Robots:
    """Read the answer to a request for robots.txt (RFC 9309 2.3.1). Never raises.

    `exchange`: None if no answer came; `reason` then says why.
    2xx: the rules in its first 500 KiB. 4xx: everything is allowed, except that 429 ("too many requests") refuses the
    host for this run, as do 5xx, no answer, an unresolved redirect, and a body that is cut off or no text (data that is
    still compressed, UTF-16 without its mark): what cannot be read allows nothing. HTML instead of rules: everything is
    allowed, with a problem `robots-is-html`. The rules are matched by the product token only: the complete User-Agent
    also contains other names, such as github.com.
    """
    if exchange is None:
        return _refuse(f"robots.txt gave no answer ({reason or 'reason unknown'})", None)
    status = exchange.status
    if 400 <= status < 500 and status != 429:
        return Robots()
    if not 200 <= status < 300:
        return _refuse(f"robots.txt answered {status}", exchange.url)
    if exchange.fault is not None:
        return _refuse(f"robots.txt cannot be read ({exchange.fault.message})", exchange.url)
    if not _is_text(exchange.body):
        return _refuse("robots.txt cannot be read (its bytes are no UTF-8 text)", exchange.url)
    body = exchange.body[:ROBOTS_LIMIT]
    if len(exchange.body) > ROBOTS_LIMIT:
        # Half a rule is another rule: "Disallow: /private" cut to "Disallow: /".
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]
    if _HTML.match(body.removeprefix(b"\xef\xbb\xbf")):
        message = "robots.txt is an HTML page; it forbids nothing"
        return Robots(problems=(Problem(kind="robots-is-html", message=message, url=exchange.url),))
    rules = read_rules(body, PRODUCT)
    return Robots(
        sitemaps=tuple(dict.fromkeys(filter(None, (_absolute(exchange.url, sitemap) for sitemap in rules.sitemaps)))),
        crawl_delay=rules.crawl_delay,
        _rules=rules,
    )


def _is_text(body: bytes) -> bool:
    """Return whether the bytes are text in UTF-8, but for single octets of an older encoding, as in a comment.

    UTF-16 and UTF-32 hold NULs or their byte order mark; of compressed data most octets are no text.
    """
    if b"\0" in body or body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    sample = body[:ROBOTS_LIMIT].decode("utf-8", "replace")
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\n\r\f\v") for char in sample)
    return odd * 4 <= len(sample)


def _absolute(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address)
    except ValueError:  # "Sitemap: http://[x"
        return None


def _refuse(why: str, url: str | None) -> Robots:
    message = f"{why}: the host is not crawled in this run; the next run requests robots.txt again"
    return Robots(refused=why, problems=(Problem(kind="robots-refused", message=message, url=url),))


def retry_after(value: str | bytes | None, now: datetime, cap: float = LONGEST_RETRY) -> float | None:
    """Return the seconds to wait by a Retry-After header: a number ("120") or an HTTP date (RFC 9110 10.2.3).

    `now`: aware. A date in the past gives 0, more than `cap` gives `cap`. None without a header, or where it cannot be
    parsed; the value is never guessed.
    """
    text = (value.decode("latin-1") if isinstance(value, bytes) else value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), cap)  # nine digits are 31 years
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "Sun Nov  6 08:49:37 1994", the asctime form, is UTC by the same RFC
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), cap)
    except (ValueError, OverflowError):  # a year such as 99999999999999
        return None


def delay(own_floor: float, crawl_delay: float | None, cap: float = LONGEST_DELAY) -> tuple[float, bool]:
    """Return the politeness delay of a host in seconds, and whether its Crawl-delay was capped.

    The delay is the greater of our own minimum and of Crawl-delay, of which at most `cap` counts; a minimum above the
    cap remains in force.
    """
    wanted = crawl_delay or 0.0
    return max(own_floor, min(wanted, cap)), wanted > max(cap, own_floor)


@dataclass(slots=True)
class _Turn:
    """The lock of one host within this process, and the last download slot that held it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    slot: str = ""  # download slot of the last request
    ended: float = 0.0  # when that request ended, by the clock of the event loop


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Turn]] = WeakKeyDictionary()


@asynccontextmanager
async def host_turn(request: Request, crawler: Crawler) -> AsyncIterator[None]:
    """Hold the host's lock for the block: one request at a time, also where clinics visited in parallel share the host.

    Each clinic has one Scrapy download slot, which makes one request at a time to all of its hosts. Where the last
    request to the host was another clinic's, this waits until the delay of this clinic's slot has passed since then.
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
