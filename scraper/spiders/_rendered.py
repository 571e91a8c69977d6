"""Rendered pages of a visit: which requests a page may make in the browser, and the captures of its answers."""

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
from scraper.http import describe_failure, exchange_of, fetch_of, origin_of, requestable
from scraper.items import Exchange, Extraction, Item, Problem
from scraper.platforms._platform import Ask, Platform, RenderTargets
from scraper.robots.politeness import Robots, read_robots

logger = logging.getLogger(__name__)

MAX_HOPS = 5  # redirects of robots.txt (RFC 9309 2.3.1.2)
MAX_HOSTS = 60  # new hosts of one page; the robots.txt of each is requested
ROBOTS_SECONDS = 10.0  # limit for one robots.txt, which counts towards the time of the page


def endpoints_of(url: str) -> set[str]:
    """Return `host:port` of an address; without a port, those of http and https: one often redirects to the other."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    ports = {parts.port} if parts.port else set(DEFAULT_PORTS.values())
    return {f"{host}:{port}" for port in ports}


class Visitor(Protocol):
    """The part of the spider that rendered pages need: its clinic, rules, requests and reports."""

    clinic: Clinic
    crawler: Crawler
    robots: dict[tuple[str, str], Robots]
    context: VisitContext

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

    def report_problem(self, problem: Problem) -> None:
        """See `ClinicSpider`."""


class RenderedPages:
    """The rendered pages of one spider, one at a time."""

    def __init__(self, spider: Visitor) -> None:
        self._spider = spider
        self._robots_captures: list[Extraction] = []  # robots.txt of hosts that the page uses
        self._robots_lock = asyncio.Lock()
        self._reported: set[str] = set()  # unknown comment endpoints
        self._page = object()  # identifies the page that is being rendered
        self._hosts = 0  # hosts whose robots.txt was requested for it

    def meta(self, wanted: RenderTargets) -> dict[str, Any]:
        """Return the `Request.meta` that renders a request in a browser, under the rules of the clinic's stanza."""
        clinic = self._spider.clinic
        self._page = page = object()
        self._hosts = 0
        return rendered_request_meta(
            wanted,
            context=clinic.slug,
            private=endpoints_of(clinic.url) if clinic.allow_private else (),
            allow=partial(self._allow, page),
            images=clinic.render_images,
        )

    async def visited(self, request: Request) -> list[Extraction]:
        """Return the captures made while a page was rendered: robots.txt of the hosts it used, then its own answers."""
        if META in request.meta:
            self._page = object()  # its requests that still wait for a robots.txt are refused
            async with self._robots_lock:  # wait for the robots.txt request in progress, which is recorded too
                pass
        visited, self._robots_captures = self._robots_captures, []
        for capture, result in request.meta.get(VISITED, ()):
            if isinstance(result, Exchange):
                items = extract(result, self._spider.platform_for(result))
                visited.append(self._spider.extraction(capture, items, result.url, result))
                self._report_comment_endpoint(result)
            else:
                visited.append(self._spider.extraction(capture, (result,), result.url or request.url))
        return visited

    def _report_comment_endpoint(self, exchange: Exchange) -> None:
        """Report once from which address the page's script loaded comments, if no request of a plan uses it."""
        platform = self._spider.platform_for(exchange)
        endpoint = (platform.unknown_comment_endpoint(exchange) if platform is not None else None) or ""
        path = endpoint.partition("?")[0]
        if not path or path in self._reported or any(path in message for message in self._spider.context.reported):
            return
        self._reported.add(path)
        message = f"comments were loaded from {endpoint}, which only the browser requests: the crawler does not know it"
        logger.info("%s: %s", self._spider.clinic.slug, message)
        self._spider.report_problem(Problem(kind="learned-address", message=message, url=exchange.page))

    async def _allow(self, page: object, url: str) -> str | None:
        """Return why a rendered page must not request the address, by robots.txt of its host, which is read first.

        A site on a private address is the user's own, or a copy: its pages make no requests to public hosts.
        """
        if self._spider.context.private and not is_private_host(urlsplit(url).hostname or ""):
            return "the site is on a private address: its pages make no requests to public hosts"
        origin = origin_of(url)
        if origin not in self._spider.robots:  # no wait for the robots.txt of other hosts
            async with self._robots_lock:
                if origin not in self._spider.robots:
                    if page is not self._page:
                        return "the page was closed before robots.txt of the host was requested"
                    if self._hosts >= MAX_HOSTS:
                        return f"the page makes requests to more than {MAX_HOSTS} hosts"
                    self._hosts += 1
                    self._spider.robots[origin] = await self._fetch_robots(f"{origin[0]}://{origin[1]}/robots.txt")
        robots = self._spider.robots[origin]
        return None if robots.allowed(url) else robots.refused or "robots.txt forbids it"

    async def _fetch_robots(self, url: str) -> Robots:
        """Fetch robots.txt of a host while a page is rendered, in another download slot than the visit's."""
        engine = self._spider.crawler.engine
        assert engine is not None
        for _ in range(MAX_HOPS):
            request = self._spider.request(Ask(url=url), url)
            own = not endpoints_of(url).isdisjoint(endpoints_of(self._spider.clinic.url))
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
                kind, message = describe_failure(error, url)
                problem = Problem(kind=kind, message=message, url=url)
                self._robots_captures.append(self._spider.extraction(fetch.capture, (problem,), url))
                return read_robots(None, message)
            exchange = exchange_of(response)
            items = self._spider.on_response(response, exchange)
            self._robots_captures.append(self._spider.extraction(fetch.capture, items, exchange.url, exchange))
            following = requestable(exchange.location) if 300 <= exchange.status < 400 and exchange.location else None
            if following is None:
                return read_robots(exchange)
            url = following
        return read_robots(None, "redirected too often")
