"""The rendered half of a visit: what a page may ask for while a browser shows it, and what came of that."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from scraper.addresses import DEFAULT_PORTS, is_private_host
from scraper.browser import META, VISITED, rendered_request_meta
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitContext
from scraper.extract import extract
from scraper.http import describe, exchange_of, fetch_of, origin_of, requestable
from scraper.items import Exchange, Extraction, Item, Problem
from scraper.platforms._platform import Ask, Platform, RenderTargets
from scraper.robots import Robots, read_robots

logger = logging.getLogger(__name__)

MOST_HOPS = 5  # redirects of robots.txt (RFC 9309 2.3.1.2)
MOST_HOSTS = 60  # that one page may turn to for the first time; each is asked for its robots.txt
ROBOTS_SECONDS = 10.0  # for one of them: the page's own time goes by meanwhile


def places_of(url: str) -> set[str]:
    """`host:port` of an address; where it names no port, those of http and https, since the one leads to the other."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    ports = {parts.port} if parts.port else set(DEFAULT_PORTS.values())
    return {f"{host}:{port}" for port in ports}


class Visitor(Protocol):
    """What of the spider a rendered page needs: its clinic and rules, and how it asks and tells."""

    clinic: Clinic
    crawler: Crawler
    robots: dict[tuple[str, str], Robots]
    surroundings: VisitContext

    def request(self, ask: Ask, url: str) -> Request:
        """See `ClinicSpider`."""

    def on_response(self, response: Response, exchange: Exchange) -> tuple[Item, ...]:
        """See `ClinicSpider`."""

    def platform_for(self, exchange: Exchange) -> Platform | None:
        """See `ClinicSpider`."""

    def extraction(
        self, capture: object, items: tuple[Item, ...], url: str, exchange: Exchange | None = None
    ) -> Extraction:
        """See `ClinicSpider`."""

    def note(self, problem: Problem) -> None:
        """See `ClinicSpider`."""


class RenderedPages:
    """Rendered pages of one spider, one at a time."""

    def __init__(self, spider: Visitor) -> None:
        self._spider = spider
        self._asides: list[Extraction] = []
        self._asking = asyncio.Lock()
        self._learned: set[str] = set()
        self._page = object()  # the one being rendered
        self._hosts = 0  # asked for robots.txt on its behalf

    def meta(self, wanted: RenderTargets) -> dict[str, Any]:
        """What makes a request a rendered one, under the rules of the clinic's stanza."""
        clinic = self._spider.clinic
        self._page = page = object()
        self._hosts = 0
        return rendered_request_meta(
            wanted,
            context=clinic.slug,
            private=places_of(clinic.url) if clinic.allow_private else (),
            allow=partial(self._allow, page),
            images=clinic.render_images,
        )

    async def visited(self, request: Request) -> list[Extraction]:
        """What was recorded while a page was rendered: robots.txt of the hosts it turned to, then its own answers."""
        if META in request.meta:
            self._page = object()  # whatever of it still waits for a robots.txt waits for nothing
            async with self._asking:  # but for the one that is under way, which is recorded too
                pass
        visited, self._asides = self._asides, []
        for capture, what in request.meta.get(VISITED, ()):
            if isinstance(what, Exchange):
                items = extract(what, self._spider.platform_for(what))
                visited.append(self._spider.extraction(capture, items, what.url, what))
                self._learn(what)
            else:
                visited.append(self._spider.extraction(capture, (what,), what.url or request.url))
        return visited

    def _learn(self, exchange: Exchange) -> None:
        """Tell once where the page's script found comments, if no route of ours knows the address."""
        platform = self._spider.platform_for(exchange)
        found = (platform.unknown_comment_endpoint(exchange) if platform is not None else None) or ""
        path = found.partition("?")[0]
        if not found or path in self._learned or any(path in told for told in self._spider.surroundings.reported):
            return
        self._learned.add(path)
        message = f"comments came from {found}, which only the browser asks: no cheaper route knows this address yet"
        logger.info("%s: %s", self._spider.clinic.slug, message)
        self._spider.note(Problem(kind="learned-address", message=message, url=exchange.page))

    async def _allow(self, page: object, url: str) -> str | None:
        """Why a rendered page must not ask for the address: robots.txt of its host, which is read first.

        A site on a private address is somebody's own, or a copy: nobody outside is asked anything for it.
        """
        if self._spider.surroundings.private and not is_private_host(urlsplit(url).hostname or ""):
            return "the site is on a private address: nobody outside is asked for it"
        origin = origin_of(url)
        if origin not in self._spider.robots:  # a host that is known waits for no other's
            async with self._asking:
                if origin not in self._spider.robots:
                    if page is not self._page:
                        return "the page was over before robots.txt of the host was asked for"
                    if self._hosts >= MOST_HOSTS:
                        return f"the page turned to more than {MOST_HOSTS} hosts"
                    self._hosts += 1
                    self._spider.robots[origin] = await self._robots_aside(f"{origin[0]}://{origin[1]}/robots.txt")
        robots = self._spider.robots[origin]
        return None if robots.allowed(url) else robots.refused or "robots.txt forbids it"

    async def _robots_aside(self, url: str) -> Robots:
        """robots.txt of a host that a page turned to while it was rendered, which the visit's own slot waits for."""
        engine = self._spider.crawler.engine
        assert engine is not None
        for _ in range(MOST_HOPS):
            request = self._spider.request(Ask(url=url), url)
            own = not places_of(url).isdisjoint(places_of(self._spider.clinic.url))
            request.meta.update(
                download_slot=f"{self._spider.clinic.slug} robots",
                download_timeout=ROBOTS_SECONDS,
            )
            fetch = fetch_of(request)
            assert fetch is not None
            fetch.allow_private = fetch.allow_private and own
            try:
                response = await engine.download_async(request)
            except Exception as error:
                kind, message = describe(error, url)
                problem = Problem(kind=kind, message=message, url=url)
                self._asides.append(self._spider.extraction(fetch.capture, (problem,), url))
                return read_robots(None, message)
            exchange = exchange_of(response)
            items = self._spider.on_response(response, exchange)
            self._asides.append(self._spider.extraction(fetch.capture, items, exchange.url, exchange))
            following = requestable(exchange.location) if 300 <= exchange.status < 400 and exchange.location else None
            if following is None:
                return read_robots(exchange)
            url = following
        return read_robots(None, "redirected too often")
