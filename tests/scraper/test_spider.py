"""What the spider does around every request: robots, hops, pauses, and what never leaves the site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scrapy.http import Request
from scrapy.utils.test import get_crawler

from scraper.config.clinics import Clinic
from scraper.crawl.discovered import is_within
from scraper.http import redirect_target
from scraper.items import Exchange
from scraper.platforms._platform import Answer, Ask
from scraper.spiders._driver import RequestResult
from scraper.spiders.blog import BlogSpider

SITE = "https://clinic.example"
Server = Callable[[Request], RequestResult]


def reply(url: str, status: int = 200, location: str | None = None, retry: str = "") -> RequestResult:
    return RequestResult(Exchange(url=url, body=b"", status=status, location=location), (), retry_after=retry)


def talk(ask: Ask, server: Server) -> tuple[Answer, list[Request], BlogSpider]:
    """One ask driven to its answer without a network; at most 60 requests."""
    settings: dict[str, Any] = {"RETRY_TIMES": 2, "RETRY_PAUSE": 5.0, "RETRY_AFTER_MAX": 300.0, "DELAY": 0}
    spider = BlogSpider(Clinic(slug="clinic", name="C", url=SITE))
    spider.crawler = get_crawler(settings_dict=settings)
    spider.settings = spider.crawler.settings
    spider.driver._set_delay = lambda seconds: None  # type: ignore[method-assign]  # there is no engine to slow down
    going, made = spider.driver._answer(ask), list[Request]()
    try:
        made.append(next(going))
        while len(made) < 60:
            made.append(going.send(server(made[-1])))
    except StopIteration as done:
        return done.value, made, spider
    pytest.fail(f"no end: {[request.url for request in made[:8]]} ...")


def test_a_robots_txt_that_leads_elsewhere_is_followed_and_ends() -> None:
    def server(request: Request) -> RequestResult:
        moved = request.url.endswith("/robots.txt")
        return reply(request.url, 302, f"{SITE}/") if moved else reply(request.url)

    answer, made, _ = talk(Ask(url=f"{SITE}/post/a"), server)
    assert answer.ok
    assert [request.url.removeprefix(SITE) for request in made] == ["/robots.txt", "/", "/post/a"]


def test_a_long_retry_after_closes_the_host_for_the_run() -> None:
    def server(request: Request) -> RequestResult:
        return reply(request.url, 429, retry="3600") if "/post/" in request.url else reply(request.url, 404)

    _, made, spider = talk(Ask(url=f"{SITE}/post/a"), server)
    assert len(made) == 2
    refusal = spider.driver._refusal(f"{SITE}/post/b")
    with pytest.raises(StopIteration) as done:
        next(refusal)
    assert "asks for no requests for 3600 s" in done.value.value


def test_the_last_word_of_a_busy_server_holds_for_the_next_request() -> None:
    def server(request: Request) -> RequestResult:
        return reply(request.url, 429, retry="120") if "/post/" in request.url else reply(request.url, 404)

    _, made, spider = talk(Ask(url=f"{SITE}/post/a"), server)
    assert len(made) == 4
    assert spider.driver._pause == 120


@pytest.mark.parametrize("target", ["http://clinic.example/x", "https://other.example/x"])
def test_tokens_stay_with_their_origin_and_what_is_sent_goes_nowhere_else(target: str) -> None:
    def server(request: Request) -> RequestResult:
        if request.url.endswith("robots.txt"):
            return reply(request.url, 404)
        return reply(request.url, 307, target) if request.url.startswith(f"{SITE}/") else reply(request.url)

    _, made, _ = talk(Ask(url=f"{SITE}/_api/x", headers={"Authorization": "secret"}), server)
    assert [bool(request.headers.get("Authorization")) for request in made if request.url == target] == [False]
    answer, made, _ = talk(Ask(url=f"{SITE}/_api/x", method="POST", body=b"ids"), server)
    assert target not in [request.url for request in made]
    assert not answer.ok


@pytest.mark.parametrize("location", [b"http://host:99999/x", b"http://[x", b""])
def test_a_location_that_cannot_be_asked_is_none(location: bytes) -> None:
    assert redirect_target(SITE, location) is None


def test_a_site_on_a_shared_host_ends_at_its_own_path() -> None:
    root = "https://user.wixsite.com/clinic"
    assert is_within(f"{root}/post/a", root)
    assert is_within(root, root)
    assert not is_within("https://user.wixsite.com/clinic-two/post/a", root)
    assert is_within(f"{SITE}/post/a", SITE)
