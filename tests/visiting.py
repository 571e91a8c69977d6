"""A visit without a network: exchanges written by hand go through every component that a crawl has."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.settings import Settings
from scrapy.statscollectors import StatsCollector

from pipelines.components.capture import CaptureMiddleware
from pipelines.components.decoding import Decoding
from pipelines.components.freshness import Freshness
from pipelines.components.item_pipelines import Pseudonymise, Store, Validate
from pipelines.run.report import VisitReport
from pipelines.run.run import Run
from scraper import settings as house
from scraper.config.clinics import Clinic
from scraper.extract import extract
from scraper.http import FETCH, Fetch, describe_failure, exchange_of
from scraper.items import Extraction, Problem
from scraper.platforms import platform_named
from scraper.spiders.blog import BlogSpider
from tests.making import begun

SITE = "https://riverside.example"
CLINIC = Clinic(slug="riverside", name="Riverside", url=SITE)
UUIDS = {
    "sleep": "0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f",
    "rest": "0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e60",
    "wake": "0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e61",
}
HEXES = {"sleep": "64ddbf6a1737d98af033206f", "rest": "64ddbf6a1737d98af0332070", "wake": "64ddbf6a1737d98af0332071"}


def comments_url(slug: str, cursor: str = "") -> str:
    key = HEXES[slug]
    more = f"&cursorPaging.cursor={cursor}" if cursor else ""
    return f"{SITE}/_api/comments/v1/comments/list-by-resource?appId=x&contextId={key}&resourceId={key}{more}"


MEMBERS_URL = f"{SITE}/_api/members/v1/members/query"
TOKENS_URL = f"{SITE}/_api/v1/access-tokens"


def post_url(slug: str) -> str:
    return f"{SITE}/_api/blog-frontend-adapter-public/v2/post-page/{slug}"


def post_answer(slug: str, text: str, views: int | None = None) -> bytes:
    """A post as the blog's own service gives it."""
    nodes = [{"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {"text": text}}]}]
    post: dict[str, Any] = {
        "id": UUIDS[slug], "internalId": HEXES[slug], "slug": slug, "title": f"On {slug}",
        "firstPublishedDate": "2026-01-02T03:04:05Z", "url": {"base": SITE, "path": f"/post/{slug}"},
        "richContent": {"nodes": nodes},
    }  # fmt: skip
    if views is not None:
        post["metrics"] = {"views": views}
    return json.dumps({"postPage": {"post": post}}).encode()


def comments_answer(*comments: tuple[str, str, str], following: str = "") -> bytes:
    """(id, member, text) of each comment."""
    listed = [
        {
            "id": name, "status": "PUBLISHED", "author": {"memberId": who}, "createdDate": "2026-01-03T00:00:00Z",
            "content": {"richContent": {"nodes": [{"type": "PARAGRAPH", "nodes": [
                {"type": "TEXT", "textData": {"text": text}}]}]}},
        }
        for name, who, text in comments
    ]  # fmt: skip
    paging = {"pagingMetadata": {"cursors": {"next": following}}} if following else {}
    return json.dumps({"comments": listed, **paging}).encode()


def members_answer(**names: str) -> bytes:
    return json.dumps({"members": [{"id": who, "profile": {"nickname": name}} for who, name in names.items()]}).encode()


class Visiting:
    """One run at the clinic, its exchanges told one by one."""

    def __init__(self, archive: Path, clinic: Clinic = CLINIC, first: Callable[[Run], object] = lambda _: None) -> None:
        self.run = Run(begun(archive))
        first(self.run)
        settings = Settings()
        settings.setmodule(house, priority="project")
        settings.set("ARCHIVE", str(archive))
        self.crawler = Crawler(BlogSpider, settings)
        self.crawler.stats = StatsCollector(self.crawler)
        self.crawler.engine = SimpleNamespace(spider=None)  # type: ignore[assignment]  # nothing is fetched
        self.spider = BlogSpider.from_crawler(self.crawler, clinic=clinic)
        self.crawler.spider = self.spider
        self.freshness, self.capture = Freshness(self.crawler), CaptureMiddleware(self.crawler)
        self.decoding = Decoding()
        self.pipelines = [Pseudonymise(self.crawler), Validate(self.crawler), Store(self.crawler)]
        self.report = VisitReport(self.crawler)
        self.visit = self.spider.visit
        self.visit.recognised = platform_named("wix")
        self.freshness.spider_opened(self.spider)

    def request(self, url: str, **changes: Any) -> Request:
        fetch = Fetch(clinic=self.spider.clinic, **changes.pop("meta", {}))
        return Request(url, meta={FETCH: fetch}, **changes)

    def answer(self, url: str, body: bytes = b"", **changes: Any) -> Extraction:
        """The server answers: recorded, read, stored; gives what the spider gave."""
        headers = {"Content-Type": "application/json"} | changes.pop("headers", {})
        status = changes.pop("status", 200)
        request = self.request(url, **changes)
        self.freshness.process_request(request)
        served = Response(url, status=status, headers=headers, body=body, request=request, protocol="HTTP/1.1")
        response = self.capture.process_response(request, served)
        response = self.freshness.process_response(request, self.decoding.process_response(request, response))
        exchange = exchange_of(response)
        fetch = request.meta[FETCH]
        items = extract(exchange, self.visit.recognised)
        return self.tell(self.spider.extraction(fetch.capture, items, url, exchange))

    def fail(self, url: str, error: Exception) -> Extraction:
        """No answer came."""
        request = self.request(url)
        self.capture.process_exception(request, error)
        kind, message = describe_failure(error, url)
        problem = Problem(kind=kind, message=message, url=url)
        return self.tell(self.spider.extraction(request.meta[FETCH].capture, (problem,), url))

    def note(self, problem: Problem) -> None:
        """What the spider tells of itself."""
        self.spider.report_problem(problem)
        for note in self.spider._problems:
            self.tell(note)
        self.spider._problems.clear()

    def tell(self, extraction: Extraction) -> Extraction:
        for pipeline in self.pipelines:
            extraction = pipeline.process_item(extraction)
        return extraction

    def thread(self, slug: str, **names: str) -> None:
        """Two pages of comments and the names of their members: `Vega="Marisol Vega"` writes a text that names Vega."""
        texts = [(f"{slug}-{n}", who, f"{who} helped me.") for n, who in enumerate(names)]
        self.answer(comments_url(slug), comments_answer(*texts[:1], following="next"))
        self.answer(comments_url(slug, "next"), comments_answer(*texts[1:]))
        self.answer(
            TOKENS_URL, json.dumps({"apps": {"x": {"instance": "SECRET-TOKEN"}}}).encode(), meta={"secret": True}
        )
        self.answer(MEMBERS_URL, members_answer(**names), method="POST")

    def end(self, *, finished: bool = True, status: str = "blog") -> None:
        """The spider closes."""
        self.visit.finished, self.visit.blog_status, self.visit.platform = finished, status, "wix"
        self.pipelines[-1].close_spider()  # type: ignore[union-attr]
        self.report.spider_closed(self.spider, "finished" if finished else "shutdown")

    def kill(self) -> None:
        """The process is gone: what was not committed is lost, files stay as they are."""
        for writer in self.run._writers.values():
            if writer._file is not None:
                os.close(writer._file._fd)
        self.run._writers.clear()
        self.run.broken = self.run.broken or "killed"  # no checkpoint
        self.run.release()

    def close(self) -> None:
        if Run.is_open(self.crawler.settings):
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def with_privacy(privacy: Any) -> Clinic:
    return replace(CLINIC, privacy=privacy)
