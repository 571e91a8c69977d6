"""The base class of the spiders: it makes one request at a time, as its `PlanDriver` says.

Every exchange, also a refused or redirected one, reaches `parse`, which yields it as one `Extraction`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from scraper.addresses import is_private_host
from scraper.browser import META, RENDERING
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext, VisitState
from scraper.extract import extract, extraction_by
from scraper.http import FETCH, Fetch, capture_of, describe_failure, exchange_of, fetch_of, origin_of
from scraper.items import Exchange, Extraction, Item, Problem, Sighting
from scraper.platforms import is_home_answer, platform_named, recognise
from scraper.platforms._platform import Ask, Plan, Platform
from scraper.robots.politeness import Robots
from scraper.spiders._driver import RETRIED, PlanDriver, RequestResult
from scraper.spiders._rendered import RenderedPages
from scraper.spiders._throttle import first_turn, pause

logger = logging.getLogger(__name__)


class ClinicSpider(scrapy.Spider):
    """A visit to one clinic, or to a web archive's captures of it.

    Not an ABC: Scrapy reads every attribute of a spider class, which fails for an abstract class.
    """

    kind: str  # the value of `crawls.kind`
    web_archive: str | None = None  # URL of the web archive that is visited instead of the clinic

    def __init__(self, clinic: Clinic, limit: int | None = None, everything: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clinic = clinic
        self.context = VisitContext(
            clinic=clinic,
            private=is_private_host(urlsplit(clinic.url).hostname or ""),
            known=[],
            limit=limit,
            all_posts=everything,
        )
        self.visit = VisitState(clinic_id=clinic.slug)
        self.robots: dict[tuple[str, str], Robots] = {}
        self._problems: list[Extraction] = []
        self._unparsed: list[Callable[[], Extraction]] = []  # captures that are parsed when the platform is recognised
        self._rendered = RenderedPages(self)
        self.driver = PlanDriver(self)

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first request of the visit; each of the others follows from an answer."""
        request = self.driver.start()
        await first_turn(request.url, self.floor, self.provider)
        yield request

    @property
    def floor(self) -> float:
        """Minimum politeness delay in seconds, apart from robots.txt: the run's setting, else the clinic's own."""
        setting = self.settings["DELAY"]
        return self.clinic.delay_floor if setting is None else float(setting)

    @property
    def provider(self) -> str | None:
        """The platform whose provider serves this blog and many others; None where none is known."""
        platform = self.visit.recognised or platform_named(self.context.read_by)
        return platform.name if platform is not None and platform.hosted else None

    async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Any]:
        """Yield the items of an answer (of any status) as one `Extraction`, then the next request."""
        if META in response.meta:
            async for step in self.on_rendered(response):
                yield step
            return
        exchange = self.exchange(response)
        if self.visit.recognised is None and is_home_answer(exchange):
            self.visit.recognised = recognise(exchange)
        items = self.on_response(response, exchange)
        if self._is_unrecognised():
            self._unparsed.append(partial(self._extraction_of, response, exchange))
        else:
            for extraction in self.take_unparsed():
                yield extraction
            yield self.extraction(capture_of(response.request), items, response.url, exchange)
        retry_after = (response.headers.get("Retry-After") or b"").decode("latin-1")
        fetch = fetch_of(response.request)
        sighted = tuple(Sighting(url=url, source="listing") for url in (fetch.sighted if fetch else ()))
        result = RequestResult(exchange, items or sighted, retry_after=retry_after)
        if exchange.fault is not None:  # not repeated, as it is after a lost connection: these bytes are the answer
            result = RequestResult(None, items, exchange.fault.message)
        async for step in self._resume(result):
            yield step

    def _is_unrecognised(self) -> bool:
        """Return whether the platform is not recognised yet, whose parser reads all captures of the run."""
        return self.kind == "crawl" and self.visit.recognised is None and not self.visit.finished

    def _extraction_of(self, response: Response, exchange: Exchange) -> Extraction:
        items = self.on_response(response, exchange)
        return self.extraction(capture_of(response.request), items, response.url, exchange)

    def take_unparsed(self) -> list[Extraction]:
        """Return and forget the extractions from before the platform was recognised; the caller stores them."""
        unparsed, self._unparsed = self._unparsed, []
        return [read() for read in unparsed]

    def take_problems(self) -> list[Extraction]:
        """Return and forget the problems without an exchange; the caller stores them after the captures made so far."""
        problems, self._problems = self._problems, []
        return problems

    def plan(self) -> Plan:
        """Return the plan of the visit. Each spider overrides this."""
        raise NotImplementedError

    def exchange(self, response: Response) -> Exchange:
        """Return the response as parsers see it."""
        return exchange_of(response)

    def leads_on(self, exchange: Exchange) -> str | None:
        """Return the address that the answer redirects to; None if the answer is not a redirect to follow."""
        return exchange.location if 300 <= exchange.status < 400 else None

    def is_busy(self, exchange: Exchange) -> bool:
        """Return whether the server is busy, so that the request may be repeated."""
        return exchange.status in RETRIED

    def on_response(self, response: Response, exchange: Exchange) -> tuple[Item, ...]:
        """Return the items of an answer that was fetched without a browser."""
        platform, fetch = self.platform_for(exchange), fetch_of(response.request)
        if fetch is None:
            return extract(exchange, platform)
        if (
            fetch.blanked_body is not None
        ):  # parsed as recorded, with its tokens blanked, so that a rebuild gives the same
            return extract(replace(exchange, body=fetch.blanked_body, fault=None), platform)
        return extract(exchange, platform)

    def platform_for(self, exchange: Exchange) -> Platform | None:
        """Return the platform whose parser reads the exchange: the one that this run recognised; None before that."""
        return self.visit.recognised

    async def on_error(self, failure: Failure) -> AsyncIterator[Any]:
        """Yield the problem of a request without a usable answer (DNS, timeout, too large), then the next request."""
        request: Request = failure.request  # type: ignore[attr-defined]
        kind, message = describe_failure(failure.value or Exception("no reason given"), request.url)
        for extraction in await self._rendered.visited(request):
            yield extraction
        problem = Problem(kind=kind, message=message, url=request.url)
        failed = self.extraction(capture_of(request), (problem,), request.url)
        if self._is_unrecognised():
            self._unparsed.append(lambda: failed)
        else:
            yield failed
        async for step in self._resume(RequestResult(None, (), message, kind)):
            yield step

    async def on_rendered(self, response: Response) -> AsyncIterator[Any]:
        """Yield an `Extraction` for each answer that the browser received, in order, the last for the DOM."""
        assert response.request is not None
        visited = await self._rendered.visited(response.request)
        for extraction in visited:
            yield extraction
        items = tuple(item for extraction in visited for item in extraction.items)
        rendering = response.meta[RENDERING]
        async for step in self._resume(RequestResult(exchange_of(response), items, rendering.reason)):
            yield step

    async def _resume(self, result: RequestResult) -> AsyncIterator[Any]:
        try:
            request = self.driver.send(result)
        except StopIteration:
            self.visit.finished = True
            request = None
        except Exception as error:
            self.visit.failure = f"the visit broke off ({type(error).__name__}: {error}); please report it"
            logger.exception("%s: the visit broke off", self.clinic.slug)
            request = None
        if not self._is_unrecognised():
            for extraction in [*self.take_unparsed(), *self.take_problems()]:
                yield extraction
        if request is not None:
            engine = self.crawler.engine
            assert engine is not None
            seconds = self.driver.take_pause()
            if await pause(engine, self.clinic.slug, seconds, request.url, self.provider):  # else the visit ends early
                yield request

    def extraction(
        self, capture: object, items: tuple[Item, ...], url: str, exchange: Exchange | None = None
    ) -> Extraction:
        """Return the extraction of one capture of `url`; `exchange`: None where no answer came."""
        platform = self.platform_for(exchange or Exchange(url=url, body=b""))
        return extraction_by(platform, self.clinic.slug, capture, items, url, exchange)

    def report_problem(self, problem: Problem) -> None:
        """Report a problem without an exchange; it gets a WARC record of its own (`pipelines.fold.sanitise`)."""
        self._problems.append(Extraction(clinic_id=self.clinic.slug, capture=None, items=(problem,)))

    def request(self, ask: Ask, url: str) -> Request:
        """Return the Scrapy request for an ask of the plan; `url`: its own address, or one that it redirected to."""
        self.visit.requests += 1
        rendered = {} if ask.wanted is None else self._rendered.meta(ask.wanted)
        return Request(
            url,
            method=ask.method,
            # Tokens are not sent after a redirect to another host, nor from https to http.
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
