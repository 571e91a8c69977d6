"""One crawl of the benchmark's blog, in this process: `python -m tests.bench._crawler MODE URL POSTS FOLDER`.

MODE: `bare` (Scrapy with its defaults and a spider that does nothing), `full` (what `clinic-archive crawl` does),
`unstored` (the same spider without any component that records or stores). Prints one line of JSON: CPU seconds from
the start of the engine to the very end, last commit and checkpoint included, and resident sizes on the way.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil
import scrapy
from scrapy import signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.http import Response
from scrapy.settings import Settings

from pipelines.commands._process import crawl_settings, visit
from pipelines.run import report
from pipelines.run.run import Run
from scraper.config.clinics import Clinic, Clinics, clinic_from_url
from scraper.spiders.blog import BlogSpider
from tests.bench._pages import own_slug

# Whatever records, stores, or asks the archive: what is left fetches and parses.
STORING = {
    "DOWNLOADER_MIDDLEWARES": (
        "pipelines.components.freshness.Freshness",
        "pipelines.components.rendered.Rendered",
        "pipelines.components.capture.CaptureMiddleware",
    ),
    "ITEM_PIPELINES": (
        "pipelines.components.item_pipelines.Pseudonymise",
        "pipelines.components.item_pipelines.Validate",
        "pipelines.components.item_pipelines.Store",
    ),
    "EXTENSIONS": ("pipelines.run.report.VisitReport", "pipelines.components.feeds.PostFeeds"),
}
WATCH = "tests.bench._crawler.Watch"
# Resident size is read after every 25th page, and told around these.
EVERY = 25


class Bare(scrapy.Spider):
    """Fetches the posts and does nothing with them."""

    name = "bare"
    url = ""
    posts = 0
    got = 0

    async def start(self) -> AsyncIterator[Any]:
        for number in range(self.posts):
            yield scrapy.Request(f"{self.url}/post/{own_slug(number).decode()}")

    def parse(self, response: Response, **kwargs: Any) -> None:
        Bare.got += response.status == 200


class Watch:
    """An extension that notes when the engine starts, and the resident size of this process as pages come in."""

    started: ClassVar[float] = 0.0  # CPU seconds by then
    sizes: ClassVar[dict[int, float]] = {}  # MB by number of pages

    def __init__(self) -> None:
        self._process, self._pages = psutil.Process(), 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        watch = cls()
        crawler.signals.connect(watch.engine_started, signals.engine_started)
        crawler.signals.connect(watch.response_received, signals.response_received)
        return watch

    def engine_started(self) -> None:
        Watch.started = time.process_time()

    def response_received(self, response: Response) -> None:
        self._pages += "/post/" in response.url
        if self._pages % EVERY == 0:
            self.sizes[self._pages] = self._process.memory_info().rss / 1e6


def clinic_at(url: str) -> Clinic:
    """The blog as a stanza would have it. No comments are asked for: there are none."""
    return replace(clinic_from_url(url), allow_private=True, comments="counts")


def bare(url: str, posts: int) -> int:
    """Scrapy's defaults, but for the log level: a debug line a page is no work of the crawl's."""
    settings = Settings({"LOG_LEVEL": "INFO", "LOG_FILE": os.devnull, "EXTENSIONS": {WATCH: 0}})
    Bare.url, Bare.posts = url, posts
    process = CrawlerProcess(settings)
    process.crawl(Bare)
    process.start()
    return Bare.got


def full(url: str, folder: Path) -> int:
    """As `clinic-archive crawl --url`, from the lock to the last checkpoint."""
    run = Run(folder)
    visit(run, _settings(url, folder), [clinic_at(url)])
    stored = int(run.db.execute("SELECT count(*) FROM revisions").fetchone()[0])
    run.close(0, report.summary(run))
    return stored


def unstored(url: str, folder: Path) -> int:
    """The same spider and settings, but nothing is recorded, stored or looked up."""
    settings = _settings(url, folder)
    for name, components in STORING.items():
        settings.set(name, {**settings.getdict(name), **dict.fromkeys(components)}, priority="cmdline")
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(BlogSpider)
    process.crawl(crawler, clinic=clinic_at(url))
    process.start()
    assert isinstance(crawler.spider, BlogSpider)
    return crawler.spider.visit.fetched


def _settings(url: str, folder: Path) -> Settings:
    settings = crawl_settings(folder, folder / "clinics.toml", Clinics(), 0, False)
    extensions = {**settings.getdict("EXTENSIONS"), WATCH: 0}
    settings.set("EXTENSIONS", extensions, priority="cmdline")
    return settings


def main(mode: str, url: str, posts: int, folder: Path) -> None:
    got = bare(url, posts) if mode == "bare" else full(url, folder) if mode == "full" else unstored(url, folder)
    found = {"cpu": time.process_time() - Watch.started, "got": got, "rss": Watch.sizes}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    # Under its own name, so that the extension that Scrapy loads by it is this very class.
    import_module("tests.bench._crawler").main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
