"""Turn the asks of a plan into requests: robots.txt of the host before each one, retries, redirects hop by hop.

A plan yields an `Ask` and receives its `Answer`. Each hop of a redirect is a request of its own, which robots.txt may
forbid. A request to a busy server is repeated after the pause that its Retry-After names.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.http import Request

from scraper.guard import ForeignScheme
from scraper.http import origin_of, requestable
from scraper.items import Exchange, Item, Problem
from scraper.platforms._platform import Answer, Ask
from scraper.robots.politeness import Robots, delay, read_robots, retry_after
from scraper.spiders._throttle import hold

if TYPE_CHECKING:
    from scraper.spiders._clinic import ClinicSpider

logger = logging.getLogger(__name__)

RETRIED = {408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
# Failures that may not occur at the next attempt; others (no such host, too large) occur again.
PASSING = {"timeout", "broken-connection", "cut-short"}
MAX_HOPS = 10


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The result of one request: the exchange, or why there is none."""

    exchange: Exchange | None
    items: tuple[Item, ...]
    reason: str | None = None
    kind: str | None = None  # kind of the failure, if there is no exchange
    retry_after: str = ""  # the header as served


class PlanDriver:
    """Turns the plan of one spider into requests, one at a time, under robots.txt and the politeness delay."""

    def __init__(self, spider: ClinicSpider) -> None:
        self._spider = spider
        self._robots_answers: dict[str, Answer] = {}
        self._pause = 0.0  # seconds before the next request
        self._delay = 0.0  # the largest politeness delay of the visit so far, in seconds
        self._running: Generator[Request, RequestResult, None] | None = None

    def start(self) -> Request:
        """Return the first request of the plan."""
        self._running = self._drive()
        self._set_delay(self._spider.floor)
        return next(self._running)

    def send(self, result: RequestResult) -> Request:
        """Return the next request, given the result of the previous one. Raises StopIteration at the plan's end."""
        assert self._running is not None
        return self._running.send(result)

    def take_pause(self) -> float:
        """Return the seconds to wait before the next request, and reset them to 0."""
        seconds, self._pause = self._pause, 0.0
        return seconds

    def _drive(self) -> Generator[Request, RequestResult, None]:
        """Carry out the plan to its end."""
        plan = self._spider.plan()
        try:
            ask = next(plan)
            while True:
                ask = plan.send((yield from self._answer(ask)))
        except StopIteration:
            for problem in (*self._spider.visit.unreadable_lists, *self._spider.visit.unknown):
                self._spider.report_problem(problem)

    def _answer(self, ask: Ask) -> Generator[Request, RequestResult, Answer]:
        """Carry out one ask, with robots.txt, retries and redirects."""
        if ask.url in self._robots_answers:
            return self._robots_answers[ask.url]
        url, passed = ask.url, list[str]()
        robots = urlsplit(ask.url).path == "/robots.txt"
        for _ in range(MAX_HOPS):
            if self._spider.context.is_blocked(url):
                return Answer(ask=ask, exchange=None, reason="withdrawn; not requested", redirected_from=tuple(passed))
            # Redirects of robots.txt itself are followed without a check (RFC 9309 2.3.1.2): there are no rules yet.
            refusal = None if robots else (yield from self._refusal(url))
            if refusal:
                self._spider.report_problem(Problem(kind="robots-refused", message=f"{url}: {refusal}", url=url))
                return Answer(ask=ask, exchange=None, reason=f"{url}: {refusal}", redirected_from=tuple(passed))
            result = yield from self._attempt(ask, url)
            exchange = result.exchange
            moved = self._spider.leads_on(exchange) if exchange is not None else None
            # A request body (with ids of commenters, say) is not sent to another site.
            if exchange is None or not moved or (ask.body and origin_of(moved) != origin_of(ask.url)):
                return Answer(
                    ask=ask,
                    exchange=exchange,
                    items=result.items,
                    reason=result.reason,
                    kind=result.kind,
                    redirected_from=tuple(passed),
                )
            passed.append(url)
            following = requestable(moved)
            if following is None:
                message = f"{moved}: not an http or https address; not fetched"
                self._spider.report_problem(Problem(kind=ForeignScheme.kind, message=message, url=passed[-1]))
                return Answer(ask=ask, exchange=None, reason=message, redirected_from=tuple(passed))
            url = following
        message = f"{ask.url}: redirected more than {MAX_HOPS} times; not followed further"
        self._spider.report_problem(Problem(kind="endless-redirect", message=message, url=ask.url))
        return Answer(ask=ask, exchange=None, reason=message, redirected_from=tuple(passed))

    def _attempt(self, ask: Ask, url: str) -> Generator[Request, RequestResult, RequestResult]:
        """Request one address; repeat it after a pause if the server is busy or the connection is lost."""
        retries = self._spider.settings.getint("RETRY_TIMES")
        messages: list[str] = []
        for attempt in range(retries + 1):
            result: RequestResult = yield self._spider.request(ask, url)
            busy = result.exchange is not None and self._spider.is_busy(result.exchange)
            may_pass = result.kind in PASSING
            if attempt == retries or not (busy or may_pass):
                break
            seconds = retry_after(result.retry_after, datetime.now(UTC))
            if seconds is not None and seconds > self._spider.settings.getfloat("RETRY_AFTER_MAX"):
                break
            self._pause = seconds if seconds is not None else self._spider.settings.getfloat("RETRY_PAUSE") * 2**attempt
            if self._spider.provider is not None and result.exchange is not None and result.exchange.status == 429:
                hold(self._spider.provider, self._pause)
            messages += [item.message for item in result.items if isinstance(item, Problem)]
            messages += [result.reason] if result.reason else []
            logger.info("%s: requested again in %.1f s", url, self._pause)
        if result.exchange is not None and not busy:
            self._spider.visit.recovered_problems.update(messages)
        elif busy:
            self._apply_retry_after(url, result)
        return result

    def _apply_retry_after(self, url: str, result: RequestResult) -> None:
        """Apply the Retry-After of a server that is still busy: pause before the next request, or refuse the host."""
        seconds = retry_after(result.retry_after, datetime.now(UTC), cap=inf)
        if seconds is None:
            return
        if seconds <= self._spider.settings.getfloat("RETRY_AFTER_MAX"):
            self._pause = seconds
            return
        self._spider.robots[origin_of(url)] = Robots(
            refused=f"the server asks for no requests for {seconds:.0f} s (Retry-After)"
        )

    def _refusal(self, url: str) -> Generator[Request, RequestResult, str | None]:
        """Return why robots.txt forbids the address, or None. Requests the host's robots.txt the first time."""
        parts = urlsplit(url)
        if parts.path == "/robots.txt" or parts.scheme not in ("http", "https"):
            return None
        origin = origin_of(url)
        if origin not in self._spider.robots:
            answer = yield from self._answer(Ask(url=f"{parts.scheme}://{parts.netloc}/robots.txt"))
            self._robots_answers[answer.ask.url] = answer  # the plan requests it too, for its sitemaps
            self._spider.robots[origin] = read_robots(answer.exchange, answer.reason)
            seconds, capped = delay(self._spider.floor, self._spider.robots[origin].crawl_delay)
            if capped:
                logger.warning("%s: Crawl-delay capped at %.0f s", parts.netloc, seconds)
            self._set_delay(seconds)
        robots = self._spider.robots[origin]
        if robots.allowed(url):
            return None
        return robots.refused or "robots.txt forbids it; not fetched"

    def _set_delay(self, seconds: float) -> None:
        """Raise the delay of the clinic's download slot; it is never lowered within a run."""
        engine = self._spider.crawler.engine
        assert engine is not None
        name = self._spider.clinic.slug
        self._delay = self._spider.visit.delay = max(self._delay, seconds)
        # For the slot that Scrapy will create (it drops one that was idle for a minute), and for the one in use.
        engine.downloader.per_slot_settings[name] = {"concurrency": 1, "delay": self._delay, "jitter": 0}
        if name in engine.downloader.slots:
            engine.downloader.slots[name].delay = self._delay
