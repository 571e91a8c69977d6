"""Rendered pages, in this process: `python -m tests.bench._browser ours|bare|many URL PAGES`.

`ours`: the product's handler, told to wait for counters and comments, records kept. `bare`: the same Chromium under
plain Playwright, which waits for the same and keeps nothing. `many`: the product's handler for the counters alone,
page after page, with the memory of the browser. Prints one line of JSON: seconds of each page, megabytes on the way.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import psutil
import scrapy
from playwright.async_api import async_playwright
from scrapy.crawler import CrawlerProcess
from scrapy.http import Request, Response
from scrapy.settings import Settings

from scraper.browser import RenderTargets, rendered_request_meta
from scraper.browser._provider import find_browser
from scraper.platforms.wix import Wix

EVERY = 10  # pages between two looks at the memory
assert Wix.render is not None
WANTED: RenderTargets = Wix.render


class Visitor(scrapy.Spider):
    """Renders the posts one after another."""

    name = "visitor"

    def __init__(self, urls: list[str], wanted: RenderTargets, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls, self.wanted = urls, wanted
        self.seconds: list[float] = []
        self.megabytes: dict[int, float] = {}

    async def start(self) -> AsyncIterator[Any]:
        yield self._next()

    def _next(self) -> Request:
        url = self.urls[len(self.seconds)]
        host = url.split("/")[2]
        meta = rendered_request_meta(self.wanted, context="bench", private=[host])
        return Request(url, meta=meta, dont_filter=True)

    def parse(self, response: Response, **kwargs: Any) -> Any:
        rendering = response.meta["rendering"]
        assert rendering.complete, rendering.reason
        self.seconds.append(rendering.seconds)
        if len(self.seconds) % EVERY == 0:
            self.megabytes[len(self.seconds)] = _browser_size()
        if len(self.seconds) < len(self.urls):
            yield self._next()


def _browser_size() -> float:
    """Resident megabytes of the browser's processes, shared pages counted once each."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "chrom" in child.name():
                total += child.memory_full_info().pss
    return total / 1e6


def ours(urls: list[str], wanted: RenderTargets) -> Visitor:
    """The product's handler under Scrapy."""
    handler = "scraper.browser.RenderingHandler"
    settings = Settings(
        {"DOWNLOAD_HANDLERS": {"http": handler, "https": handler}, "LOG_LEVEL": "ERROR", "USER_AGENT": "bench",
         "TELNETCONSOLE_ENABLED": False}
    )  # fmt: skip
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(Visitor)
    process.crawl(crawler, urls=urls, wanted=wanted)
    process.start()
    assert isinstance(crawler.spider, Visitor)
    return crawler.spider


async def bare(urls: list[str]) -> list[float]:
    """What the pages themselves need, in the same browser."""
    seconds = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        context = await browser.new_context()
        for url in urls:
            page = await context.new_page()
            start = time.monotonic()
            await page.goto(url, wait_until="commit")
            await page.locator(WANTED.counters).first.wait_for()
            await page.locator(f"{WANTED.comments}[data-render=READY]").wait_for()
            seconds.append(time.monotonic() - start)
            await page.close()
        await browser.close()
    return seconds


def quiet_posts(url: str) -> list[str]:
    """Posts of the sample clinic whose counters its script fills, at once, and which nobody commented on."""
    with urllib.request.urlopen(f"{url}/__truth__") as answer:
        posts = json.load(answer)["posts"]
    wanted = {"access": "public", "deleted": False, "counters": "shown", "late": False, "never_ready": False}
    return [
        post["url"]
        for post in posts
        if all(post[name] == value for name, value in wanted.items())
        and post["variant"].startswith("g2-")
        and not post["comments"]
    ]


def main(mode: str, url: str, pages: int) -> None:
    urls = list(islice(cycle(quiet_posts(url)), pages))
    if mode == "bare":
        found: dict[str, Any] = {"seconds": asyncio.run(bare(urls))}
    else:
        visitor = ours(urls, WANTED if mode == "ours" else replace(WANTED, comments=""))
        found = {"seconds": visitor.seconds, "megabytes": visitor.megabytes}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
