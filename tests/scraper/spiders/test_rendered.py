"""What a rendered page may ask for: robots.txt of each host first, for as long as the page is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.http import Request, TextResponse
from scrapy.settings import Settings

from scraper import settings as house
from scraper.browser import META, RenderTargets
from scraper.http import FETCH
from scraper.spiders import _rendered
from scraper.spiders.blog import BlogSpider
from tests.visiting import CLINIC, SITE


def awaited(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


class Engine:
    """Fetches robots.txt: of `slow.example` when told to, of any other host at once."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.go = asyncio.Event()

    async def download_async(self, request: Request) -> TextResponse:
        self.asked.append(request)
        if "slow" in request.url:
            await self.go.wait()
        body = b"User-agent: *\nDisallow: /secret\n"
        return TextResponse(request.url, body=body, headers={"Content-Type": "text/plain"}, request=request)


def showing(url: str = SITE, **changes: Any) -> tuple[BlogSpider, Engine]:
    settings = Settings()
    settings.setmodule(house)
    crawler = Crawler(BlogSpider, settings)
    spider = BlogSpider.from_crawler(crawler, clinic=replace(CLINIC, url=url, **changes))
    engine = Engine()
    crawler.engine = engine  # type: ignore[assignment]
    return spider, engine


def request(spider: BlogSpider) -> Request:
    return Request(f"{SITE}/post/sleep", meta=spider._rendered.meta(RenderTargets()))


@awaited
async def test_robots_of_each_host_are_asked_once() -> None:
    spider, engine = showing()
    allow = request(spider).meta[META].allow
    assert await allow("https://one.example/a") is None
    assert await allow("https://one.example/secret") == "robots.txt forbids it"
    assert [each.url for each in engine.asked] == ["https://one.example/robots.txt"]
    assert engine.asked[0].meta["download_timeout"] < spider.settings.getfloat("BROWSER_PAGE_SECONDS")


@awaited
async def test_a_host_that_is_known_waits_for_no_other() -> None:
    spider, engine = showing()
    allow = request(spider).meta[META].allow
    await allow("https://one.example/a")
    slow = asyncio.create_task(allow("https://slow.example/a"))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(allow("https://one.example/b"), 1) is None
    engine.go.set()
    assert await slow is None


@awaited
async def test_nothing_is_asked_for_a_page_that_is_over() -> None:
    """And what is under way then is recorded with the page."""
    spider, engine = showing()
    page = request(spider)
    waiting = [
        asyncio.create_task(page.meta[META].allow(f"https://{host}.example/a")) for host in ("slow", "two", "three")
    ]
    await asyncio.sleep(0)
    ending = asyncio.create_task(spider._rendered.visited(page))
    await asyncio.sleep(0)
    engine.go.set()
    assert len(await ending) == 1
    assert [(await item) is None for item in waiting] == [True, False, False]
    assert [each.url for each in engine.asked] == ["https://slow.example/robots.txt"]


@awaited
async def test_a_page_turns_to_so_many_hosts_and_no_more() -> None:
    most = _rendered.MAX_HOSTS
    spider, engine = showing()
    for _ in range(2):
        allow = request(spider).meta[META].allow
        n = len(engine.asked)
        answer = [await allow(f"https://h{n + number}.example/a") for number in range(most + 1)]
        assert answer[:most] == [None] * most
        assert f"more than {most} hosts" in str(answer[most])
    assert len(engine.asked) == 2 * most


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("http://192.168.1.5/", {"192.168.1.5:80", "192.168.1.5:443"}),
        ("http://127.0.0.1:8000", {"127.0.0.1:8000"}),
        ("http://u:p@Intranet.local:81/x", {"intranet.local:81"}),
    ],
)
def test_a_private_clinic_opens_its_own_ports_alone(url: str, places: set[str]) -> None:
    """Not every port of its host: another service may listen there."""
    spider, _ = showing(url, allow_private=True)
    assert request(spider).meta[META].private == places
    assert request(showing(url)[0]).meta[META].private == frozenset()


@awaited
async def test_only_the_clinics_own_robots_may_be_private() -> None:
    spider, engine = showing("http://127.0.0.1:8000", allow_private=True)
    allow = request(spider).meta[META].allow
    await allow("http://127.0.0.1:9000/a")
    await allow("http://127.0.0.1:8000/a")
    assert [each.meta[FETCH].allow_private for each in engine.asked] == [False, True]


@awaited
async def test_a_private_site_turns_to_nobody_outside() -> None:
    """A copy on this machine must not ask the services of the original."""
    spider, engine = showing("http://127.0.0.1:8000", allow_private=True)
    allow = request(spider).meta[META].allow
    assert "no requests to public hosts" in (await allow("https://static.parastorage.com/x.js") or "")
    assert await allow("http://127.0.0.1:8000/x.js") is None
    assert [each.url for each in engine.asked] == ["http://127.0.0.1:8000/robots.txt"]
