"""A browser that dies fails its page at most, and never the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scraper.browser import RenderTargets
from tests.browser.crawling import Crawl, Page, crawled
from tests.browser.hostile import serving

_WHAT = ("--remote-debugging-pipe", "--type=renderer", "node")


@pytest.fixture(scope="module")
def crawl(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawl]:
    """For each process of a browser: killed once under a page, killed twice, and a page after that."""
    with serving() as server:
        pages = []
        for what in _WHAT:
            for kills in (1, 2, 0):
                wanted = RenderTargets(counters="[data-done] #said")
                page = Page(url=server.url("/dying"), wanted=wanted, private=(server.place,), kill=what, kills=kills)
                pages.append(page)
        yield crawled(pages, tmp_path_factory.mktemp("crash") / "crawl", BROWSER_PAGE_SECONDS=14)


@pytest.mark.parametrize("what", _WHAT)
def test_a_killed_browser_is_replaced_once(crawl: Crawl, what: str) -> None:
    at = 3 * _WHAT.index(what)
    once, twice, after = crawl.came[at : at + 3]
    assert once.rendering is not None and once.rendering.complete, once.problem
    assert twice.problem is not None and twice.problem[0] == "browser-crashed"
    assert after.rendering is not None and after.rendering.complete, after.problem


def test_the_run_goes_on_and_leaves_nothing(crawl: Crawl) -> None:
    assert crawl.code == 0, crawl.log
    assert crawl.left == ()
    assert crawl.stats["browser/crashed"] == 6  # of two crashes of a page the second is reported
