"""What every spider here is: it drives a plan, one request at a time, and extracts nothing itself.

Around each `Ask` of the plan it does what every request needs: robots.txt of the host first, retries with the server's
own Retry-After, redirects one hop at a time (each hop is a capture, and is asked of robots again). Every exchange,
also a refused or redirected one, comes to `parse` and leaves it as one `Extraction`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from scraper.addresses import is_private_host
from scraper.browser import META, RENDERING
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext, VisitResult
from scraper.extract import extract, extract_response, extraction_by
from scraper.guard import ForeignScheme
from scraper.http import FETCH, Fetch, capture_of, describe, exchange_of, fetch_of, origin_of, requestable
from scraper.items import Exchange, Extraction, Item, Problem, Sighting
from scraper.platforms import is_home_answer, recognise
from scraper.platforms._platform import Answer, Ask, Plan, Platform
from scraper.robots import Robots, delay, read_robots, retry_after
from scraper.spiders._rendered import RenderedPages
from scraper.spiders._throttle import pause

logger = logging.getLogger(__name__)

RETRIED = {408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
# What may be gone at the next attempt; other failures (no such host, too large) will not.
PASSING = {"timeout", "broken-connection", "cut-short"}
MAX_HOPS = 10
Talk = Generator[Request, "_Outcome", None]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came back for one request: the exchange, or why there is none."""

    exchange: Exchange | None
    items: tuple[Item, ...]
    reason: str | None = None
    kind: str | None = None  # of what went wrong, where nothing came
    retry_after: str = ""


class ClinicSpider(scrapy.Spider):
    """A visit to one clinic, or to what others have of it. Not an ABC: Scrapy reads every attribute of a spider, and
    those of an abstract class cannot all be read.
    """

    kind: str  # what `crawls.kind` says
    web_archive: str | None = None  # who is asked instead of the clinic

    def __init__(self, clinic: Clinic, limit: int | None = None, everything: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clinic = clinic
        self.surroundings = VisitContext(
            clinic=clinic,
            private=is_private_host(urlsplit(clinic.url).hostname or ""),
            known=[],
            limit=limit,
            all_posts=everything,
        )
        self.visit = VisitResult(clinic_id=clinic.slug)
        self.robots: dict[tuple[str, str], Robots] = {}
        self._robots_answers: dict[str, Answer] = {}
        self._notes: list[Extraction] = []
        self._waiting: list[Callable[[], Extraction]] = []  # captures that are read once the platform is known
        self._rendered = RenderedPages(self)
        self._pause = 0.0
        self._delay = 0.0
        self._driver: Talk | None = None

    async def start(self) -> AsyncIterator[Any]:
        """The first request of the visit; each of the others follows from an answer."""
        self._driver = self._drive()
        self._set_delay(self.floor)
        yield next(self._driver)

    @property
    def floor(self) -> float:
        """Seconds between two requests of this clinic, before its robots.txt is asked: its own, else the run's."""
        asked = self.settings["DELAY"]
        return self.clinic.delay_floor if asked is None else float(asked)

    async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Any]:
        """Any answer, whatever its status: its items as one `Extraction`, then the request that follows from it."""
        if META in response.meta:
            async for step in self.on_rendered(response):
                yield step
            return
        exchange = self.exchange(response)
        if self.visit.recognised is None and is_home_answer(exchange):
            self.visit.recognised = recognise(exchange)
        items = self.on_response(response, exchange)
        if self._is_waiting():
            self._waiting.append(partial(self._read_again, response, exchange))
        else:
            for extraction in self.take_waiting():
                yield extraction
            yield self.extraction(capture_of(response.request), items, response.url, exchange)
        told = (response.headers.get("Retry-After") or b"").decode("latin-1")
        fetch = fetch_of(response.request)
        sighted = tuple(Sighting(url=url, source="listing") for url in (fetch.sighted if fetch else ()))
        async for step in self._resume(_Outcome(exchange, items or sighted, retry_after=told)):
            yield step

    def _is_waiting(self) -> bool:
        """Captures wait to be read until the run has recognised the platform by whose rules all of them are read."""
        return self.kind == "crawl" and self.visit.recognised is None and not self.visit.finished

    def _read_again(self, response: Response, exchange: Exchange) -> Extraction:
        items = self.on_response(response, exchange)
        return self.extraction(capture_of(response.request), items, response.url, exchange)

    def take_waiting(self) -> list[Extraction]:
        """Extractions of the captures that were made before the platform was recognised; the caller stores them."""
        waiting, self._waiting = self._waiting, []
        return [read() for read in waiting]

    def take_notes(self) -> list[Extraction]:
        """Problems that no exchange tells by itself; the caller stores them, after the captures made so far."""
        notes, self._notes = self._notes, []
        return notes

    def plan(self) -> Plan:
        """The order of the visit; each spider has its own."""
        raise NotImplementedError

    def exchange(self, response: Response) -> Exchange:
        """What was fetched, as parsers see it."""
        return exchange_of(response)

    def leads_on(self, exchange: Exchange) -> str | None:
        """Where the answer says to go instead."""
        return exchange.location if 300 <= exchange.status < 400 else None

    def is_busy(self, exchange: Exchange) -> bool:
        """The server is busy, and may be asked again."""
        return exchange.status in RETRIED

    def on_response(self, response: Response, exchange: Exchange) -> tuple[Item, ...]:
        """The items of an answer that was fetched without a browser."""
        platform, fetch = self.platform_for(exchange), fetch_of(response.request)
        if fetch is None:
            return extract(exchange, platform)
        if fetch.blanked_body is not None:  # tokens are read as they were recorded, so that the record says the same
            return extract(replace(exchange, body=fetch.blanked_body), platform)
        return extract_response(exchange, platform, fetch.wire_encoding, fetch.wire_body)

    def platform_for(self, exchange: Exchange) -> Platform | None:
        """The platform whose rules read the exchange: the one that this run recognised, None before that."""
        return self.visit.recognised

    async def on_error(self, failure: Failure) -> AsyncIterator[Any]:
        """No usable answer came: DNS, timeout, too large, a bomb. The reason is told, and the plan goes on."""
        request: Request = failure.request  # type: ignore[attr-defined]
        kind, message = describe(failure.value or Exception("no reason given"), request.url)
        for extraction in await self._rendered.visited(request):
            yield extraction
        problem = Problem(kind=kind, message=message, url=request.url)
        failed = self.extraction(capture_of(request), (problem,), request.url)
        if self._is_waiting():
            self._waiting.append(lambda: failed)
        else:
            yield failed
        async for step in self._resume(_Outcome(None, (), message, kind)):
            yield step

    async def on_rendered(self, response: Response) -> AsyncIterator[Any]:
        """A rendered page: an `Extraction` for each answer that the browser got, in order, the last for the DOM."""
        assert response.request is not None
        visited = await self._rendered.visited(response.request)
        for extraction in visited:
            yield extraction
        items = tuple(item for extraction in visited for item in extraction.items)
        rendering = response.meta[RENDERING]
        async for step in self._resume(_Outcome(exchange_of(response), items, rendering.reason)):
            yield step

    async def _resume(self, reply: _Outcome) -> AsyncIterator[Any]:
        assert self._driver is not None
        try:
            request = self._driver.send(reply)
        except StopIteration:
            self.visit.finished = True
            request = None
        except Exception as error:
            self.visit.failure = f"the visit broke off ({type(error).__name__}: {error}); please report it"
            logger.exception("%s: the visit broke off", self.clinic.slug)
            request = None
        if not self._is_waiting():
            for extraction in [*self.take_waiting(), *self.take_notes()]:
                yield extraction
        if request is not None:
            engine, seconds, self._pause = self.crawler.engine, self._pause, 0.0
            assert engine is not None
            if await pause(engine, self.clinic.slug, seconds):  # else the visit is cut short here
                yield request

    def extraction(
        self, capture: object, items: tuple[Item, ...], url: str, exchange: Exchange | None = None
    ) -> Extraction:
        """What one capture of `url` says; `exchange`: None where no answer came."""
        platform = self.platform_for(exchange or Exchange(url=url, body=b""))
        return extraction_by(platform, self.clinic.slug, capture, items, url, exchange)

    def note(self, problem: Problem) -> None:
        """A problem that no exchange tells by itself; it gets a record of its own (`pipelines.sanitise`)."""
        self._notes.append(Extraction(clinic_id=self.clinic.slug, capture=None, items=(problem,)))

    def _drive(self) -> Talk:
        """Drive the plan to its end."""
        plan = self.plan()
        try:
            ask = next(plan)
            while True:
                ask = plan.send((yield from self._answer(ask)))
        except StopIteration:
            for problem in self.visit.unknown:
                self.note(problem)

    def _answer(self, ask: Ask) -> Generator[Request, _Outcome, Answer]:
        """One ask with robots, retries and redirects."""
        if ask.url in self._robots_answers:
            return self._robots_answers[ask.url]
        url, passed = ask.url, list[str]()
        robots = urlsplit(ask.url).path == "/robots.txt"
        for _ in range(MAX_HOPS):
            # Where robots.txt itself leads is followed unasked (RFC 9309 2.3.1.2): there is nothing to ask yet.
            refusal = None if robots else (yield from self._refusal(url))
            if refusal:
                self.note(Problem(kind="robots-refused", message=f"{url}: {refusal}", url=url))
                return Answer(ask=ask, exchange=None, reason=f"{url}: {refusal}", redirected_from=tuple(passed))
            reply = yield from self._attempt(ask, url)
            exchange = reply.exchange
            moved = self.leads_on(exchange) if exchange is not None else None
            # What is sent (ids of commenters, say) was meant for this site alone.
            if exchange is None or not moved or (ask.body and origin_of(moved) != origin_of(ask.url)):
                return Answer(
                    ask=ask, exchange=exchange, items=reply.items, reason=reply.reason, kind=reply.kind,
                    redirected_from=tuple(passed),
                )  # fmt: skip
            passed.append(url)
            following = requestable(moved)
            if following is None:
                message = f"{moved}: not an http or https address; not fetched"
                self.note(Problem(kind=ForeignScheme.kind, message=message, url=passed[-1]))
                return Answer(ask=ask, exchange=None, reason=message, redirected_from=tuple(passed))
            url = following
        message = f"{ask.url}: redirected more than {MAX_HOPS} times; given up"
        self.note(Problem(kind="endless-redirect", message=message, url=ask.url))
        return Answer(ask=ask, exchange=None, reason=message, redirected_from=tuple(passed))

    def _attempt(self, ask: Ask, url: str) -> Generator[Request, _Outcome, _Outcome]:
        """One address, asked again after a pause where the server says that it is only busy."""
        retries = self.settings.getint("RETRY_TIMES")
        said: list[str] = []
        for attempt in range(retries + 1):
            reply: _Outcome = yield self.request(ask, url)
            busy = reply.exchange is not None and self.is_busy(reply.exchange)
            lost = reply.kind in PASSING
            if attempt == retries or not (busy or lost):
                break
            told = retry_after(reply.retry_after, datetime.now(UTC))
            if told is not None and told > self.settings.getfloat("RETRY_AFTER_MAX"):
                break
            self._pause = told if told is not None else self.settings.getfloat("RETRY_PAUSE") * 2**attempt
            said += [item.message for item in reply.items if isinstance(item, Problem)]
            said += [reply.reason] if reply.reason else []
            logger.info("%s: asked again in %.1f s", url, self._pause)
        if reply.exchange is not None and not busy:
            self.visit.recovered_problems.update(said)
        elif busy:
            self._apply_retry_after(url, reply)
        return reply

    def _apply_retry_after(self, url: str, reply: _Outcome) -> None:
        """A server that is still busy: its last word holds for whatever is asked next, a long one for the whole run."""
        told = retry_after(reply.retry_after, datetime.now(UTC), cap=inf)
        if told is None:
            return
        if told <= self.settings.getfloat("RETRY_AFTER_MAX"):
            self._pause = told
            return
        self.robots[origin_of(url)] = Robots(refused=f"the server asked to be left alone for {told:.0f} s")

    def _refusal(self, url: str) -> Generator[Request, _Outcome, str | None]:
        """Why robots.txt forbids the address; None when it does not. Asks for the host's robots.txt the first time."""
        parts = urlsplit(url)
        if parts.path == "/robots.txt" or parts.scheme not in ("http", "https"):
            return None
        origin = origin_of(url)
        if origin not in self.robots:
            answer = yield from self._answer(Ask(url=f"{parts.scheme}://{parts.netloc}/robots.txt"))
            self._robots_answers[answer.ask.url] = answer  # the plan asks for it as well, for its sitemaps
            self.robots[origin] = read_robots(answer.exchange, answer.reason)
            seconds, capped = delay(self.floor, self.robots[origin].crawl_delay)
            if capped:
                logger.warning("%s: Crawl-delay capped at %.0f s", parts.netloc, seconds)
            self._set_delay(seconds)
        robots = self.robots[origin]
        if robots.allowed(url):
            return None
        return robots.refused or "robots.txt forbids it; not fetched"

    def _set_delay(self, seconds: float) -> None:
        """Slow the clinic's own download slot down; a run never gets quicker again."""
        engine = self.crawler.engine
        assert engine is not None
        name = self.clinic.slug
        self._delay = max(self._delay, seconds)
        # For a slot still to be made (Scrapy drops one that was idle for a minute), and for the one in use.
        engine.downloader.per_slot_settings[name] = {"concurrency": 1, "delay": self._delay, "jitter": 0}
        if name in engine.downloader.slots:
            engine.downloader.slots[name].delay = self._delay

    def request(self, ask: Ask, url: str) -> Request:
        """The request for an ask of the plan, to be made of `url`: its own address, or where that led."""
        self.visit.requests += 1
        rendered = {} if ask.wanted is None else self._rendered.meta(ask.wanted)
        return Request(
            url,
            method=ask.method,
            # Tokens never follow a redirect to another host, nor out of https.
            headers=dict(ask.headers) if origin_of(url) == origin_of(ask.url) else {},
            body=ask.body,
            callback=self.parse,
            errback=self.on_error,
            dont_filter=True,
            meta={
                "download_slot": self.clinic.slug,
                FETCH: Fetch(
                    clinic=self.clinic,
                    secret=ask.secret,
                    conditional=ask.conditional,
                    allow_private=self.clinic.allow_private,
                ),
                **rendered,
            },
        )
