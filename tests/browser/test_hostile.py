"""What a page tries and does not get: private addresses, sockets, windows, downloads, time without end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scraper.browser import Rendering, RenderTargets
from tests.browser.crawling import AGENT, Came, Crawl, Page, crawled
from tests.browser.hostile import BIG, Hostile, serving

_DONE = RenderTargets(counters="body[data-done] #said")
_REPORT = RenderTargets(counters="#said")
# In this order: what one page leaves behind (a frozen process, cookies) must not harm the next.
_PAGES: dict[str, RenderTargets | None] = {
    "/nothing": None,
    "/agent": _REPORT,
    "/missing": _REPORT,
    "/reaches": _DONE,
    "/framed": _DONE,
    "/tricks": _DONE,
    "/pressing": RenderTargets(comments="#root", item=".item", more=("[data-hook=toggle]",)),
    "/leaves": RenderTargets(counters=".never"),
    "/heavy": _REPORT,
    "/pending": _REPORT,
    "/endless": RenderTargets(counters=".never"),
    "/bottomless": _REPORT,
    "/never": _REPORT,
    "/plain": RenderTargets(),
}


@dataclass(frozen=True)
class Visited:
    """One crawl of all of them."""

    crawl: Crawl
    server: Hostile
    other: Hostile  # which no page may reach

    def came(self, path: str) -> Came:
        return self.crawl.came[list(_PAGES).index(path)]

    def page(self, path: str) -> Rendering:
        rendering = self.came(path).rendering
        assert rendering is not None, self.came(path).problem
        return rendering

    def report(self, path: str) -> str:
        found = re.search(r'id="said">([^<]*)<', self.page(path).dom.decode())
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def visited(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visited]:
    with serving() as other, serving(other.port) as server:
        pages = [
            Page(url=server.url(path), wanted=wanted, private=(server.place,), forbidden="robots-forbid-this")
            for path, wanted in _PAGES.items()
        ]
        folder = tmp_path_factory.mktemp("hostile")
        crawl = crawled(pages, folder / "crawl", BROWSER_PAGE_SECONDS=9, BROWSER_QUIET_SECONDS=1.5)
        assert len(crawl.came) == len(pages), crawl.log
        yield Visited(crawl, server, other)


def test_nothing_is_started_for_a_request_that_is_not_rendered(visited: Visited) -> None:
    first = visited.came("/nothing")
    assert first.status == 404 and first.rendering is None
    assert first.processes == ()


def test_the_crawl_ends_and_leaves_nothing(visited: Visited) -> None:
    assert visited.crawl.code == 0
    assert visited.crawl.left == ()
    assert "ERROR" not in visited.crawl.log and "Traceback" not in visited.crawl.log


def test_every_request_says_who_asks(visited: Visited) -> None:
    assert {headers["User-Agent"] for path, headers in visited.server.requests if path != "/nothing"} == {AGENT}
    assert "Headless" not in json.dumps(visited.server.requests)
    assert visited.report("/agent") == AGENT


def test_what_was_served_is_recorded_not_what_became_of_it(visited: Visited) -> None:
    document = visited.page("/agent").document
    assert document is not None
    assert AGENT.encode() not in document.body and document.body == visited.came("/agent").body
    assert [value for name, value in document.headers if name.lower() == b"set-cookie"] == [b"one=1", b"two=2"]
    assert (document.status, document.protocol, document.ip) == (200, "HTTP/1.1", "127.0.0.1")
    assert document.completed_at.tzinfo is not None
    assert not any(name.lower().startswith(b"proxy") for name, _ in document.request_headers)


def test_an_error_is_an_answer(visited: Visited) -> None:
    assert visited.came("/missing").status == 404
    assert visited.page("/missing").complete


def test_no_page_reaches_a_private_address(visited: Visited) -> None:
    assert visited.other.requests == []
    refused = {blocked.url.split("//")[1].split("/", 1)[-1] for blocked in visited.page("/reaches").refused}
    assert refused == {*"abcdefghij", "redirected", "robots-forbid-this", "robots-forbid-this-too"}
    redirected = [blocked for blocked in visited.page("/reaches").refused if blocked.url.endswith("redirected")]
    assert len(redirected) == 2
    assert {
        blocked.reason for blocked in visited.page("/reaches").refused if blocked.url == "https://rebinding.example/g"
    } == {"rebinding.example: 127.0.0.1 is a loopback address"}
    assert [answer.truncated for answer in visited.page("/reaches").received] == [None, "redirect", "redirect"]


def test_frames_and_hints_are_no_way_round(visited: Visited) -> None:
    page = visited.page("/framed")
    assert page.skipped == 1  # the image
    assert {blocked.kind for blocked in page.refused} >= {"document", "other"}
    # The page's own document is the first; a frame's is not.
    assert page.document is not None and page.document.url.endswith("/framed")


def test_robots_are_asked_about_sub_requests(visited: Visited) -> None:
    """Also about where an answer leads."""
    assert "/redirect/forbidden" in visited.server.paths()
    assert not {"/robots-forbid-this", "/robots-forbid-this-too"} & set(visited.server.paths())


def test_tricks_come_to_nothing(visited: Visited) -> None:
    page = visited.page("/tricks")
    tricks = json.loads(visited.report("/tricks").replace("&quot;", '"'))
    assert tricks["dialog"] is False and tricks["popup"] is True
    assert tricks["rtc"] == tricks["transport"] == "undefined"
    assert (tricks["socket"], tricks["other"], tricks["hidden"]) == ("closed", "closed", "refused")
    assert tricks["notification"] != "granted" and tricks["place"] == "refused"
    assert {blocked.kind for blocked in page.refused} >= {
        "dialog",
        "download",
        "popup",
        "websocket",
        "ping",
        "eventsource",
    }
    assert not {"/popup", "/worker.js", "/socket", "/events", "/beacon"} & set(visited.server.paths())
    assert page.url.endswith("/tricks")  # it wanted to leave
    assert "/from-worker" in [answer.url[-12:] for answer in page.received]  # what a worker asks is seen too


def test_buttons_that_toggle_or_do_nothing_are_left_alone(visited: Visited) -> None:
    page = visited.page("/pressing")
    assert page.complete, page.reason
    # One there, two that were hidden, three that came one by one, one by a button that is named for screen readers.
    assert page.dom.count(b'class="item"') == 7
    assert "/deleted" not in visited.server.paths()
    assert page.pressed <= 9


def test_a_page_that_leaves_for_one_of_its_own_making_shows_nothing(visited: Visited) -> None:
    page = visited.page("/leaves")
    assert (page.dom, page.dom_at) == (b"", None)
    assert page.reason is not None and "navigated to blob:" in page.reason
    assert page.document is not None and page.document.url.endswith("/leaves")


def test_a_body_over_the_limit_is_reported(visited: Visited) -> None:
    page = visited.page("/heavy")
    assert visited.report("/heavy") == str(BIG)
    assert [(answer.url[-4:], answer.truncated, answer.body) for answer in page.received[1:]] == [
        ("/big", "too-large", b"")
    ]


def test_it_does_not_wait_for_what_is_not_wanted(visited: Visited) -> None:
    page = visited.page("/pending")
    assert page.complete
    assert [(failure.url[-6:], failure.reason) for failure in page.failed] == [
        ("/never", "no answer before the page was closed")
    ]


def test_a_page_whose_script_never_lets_go_comes_back(visited: Visited) -> None:
    page = visited.page("/endless")
    assert not page.complete
    assert page.reason is not None and "time limit" in page.reason
    assert page.document is not None and b"endless" in page.document.body


def test_scrolling_has_an_end(visited: Visited) -> None:
    page = visited.page("/bottomless")
    assert page.reason is not None and "counters never came" in page.reason


def test_a_server_that_says_nothing_is_a_failure_in_words(visited: Visited) -> None:
    came = visited.came("/never")
    assert came.status is None and came.problem is not None
    assert came.problem[0] == "page-unreachable"
    assert came.rendering is not None and came.rendering.failed


def test_the_next_page_is_well(visited: Visited) -> None:
    assert visited.page("/plain").complete
