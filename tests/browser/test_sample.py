"""The sample clinic as a visitor sees it, its known addresses switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from scraper.browser import Rendering, RenderTargets
from tests.browser.crawling import Crawl, Page, crawled
from tests.clinic import running

_HOOKS: dict[str, Any] = {
    "counters": "article[data-hook=post] [data-hook=post-stats] span",
    "comments": ".wc-comments-root",
    "item": '[data-hook^="list-item"]',
}
_BUTTONS = ("[data-hook=show-more-comments]", "[data-hook=show-replies-btn]")


@dataclass(frozen=True)
class Seen:
    """A post's truth, and what came of its page."""

    post: dict[str, Any]
    page: Rendering

    def ids(self) -> set[str]:
        return set(re.findall(r'id="C-([^"]+)"', self.page.dom.decode()))


@dataclass(frozen=True)
class Sample:
    """One crawl of some of its posts."""

    crawl: Crawl
    seen: dict[str, Seen]


@pytest.fixture(scope="module")
def sample(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("sample")
    with running(folder / "clinic", api=False) as clinic:
        posts = [post for post in clinic.truth()["posts"] if post["access"] == "public" and not post["deleted"]]
        posts.sort(key=lambda post: -len(post["comments"]))
        chosen = {
            "most": posts[0],
            "by words": posts[1],
            "late": next(post for post in posts if post["late"]),
            "never": next(post for post in posts if post["never_ready"]),
            "hidden": next(post for post in posts if post["counters"] == "hidden"),
        }
        place = clinic.url.split("//")[1]
        pages = []
        for name, post in chosen.items():
            wanted = RenderTargets(
                **_HOOKS, more=() if name == "by words" else _BUTTONS, expected=len(post["comments"])
            )
            pages.append(Page(url=post["url"], wanted=wanted, private=(place,)))
        crawl = crawled(pages, folder / "crawl", BROWSER_PAGE_SECONDS=12, BROWSER_QUIET_SECONDS=3.5)
        truth = {post["slug"]: post for post in clinic.truth()["posts"]}
        seen = {}
        for (name, post), came in zip(chosen.items(), crawl.came, strict=True):
            assert came.rendering is not None, came.problem
            seen[name] = Seen(truth[post["slug"]], came.rendering)
        yield Sample(crawl, seen)


@pytest.mark.parametrize("name", ["most", "by words", "late"])
def test_all_that_a_visitor_sees_is_there(sample: Sample, name: str) -> None:
    seen = sample.seen[name]
    assert seen.page.complete, seen.page.reason
    assert seen.ids() == {comment["id"] for comment in seen.post["comments"]}
    stats = re.search(r'data-hook="post-stats"[^>]*>(.*?)</div>', seen.page.dom.decode())
    assert stats is not None
    numbers = [int(number.replace(",", "")) for number in re.findall(r">([\d,]+) ", stats[1])]
    served = [request for request in seen.post["served"] if request["route"] == "script"]
    assert numbers == [served[-1]["views"], seen.post["comments_count"]]


def test_answers_of_the_unknown_address_are_whole(sample: Sample) -> None:
    seen = sample.seen["most"]
    answers = [json.loads(answer.body) for answer in seen.page.received if "reader-pulse/voices" in answer.url]
    assert len(answers) > 2
    assert {comment["id"] for answer in answers for comment in answer["comments"]} == seen.ids()
    faces = [answer for answer in seen.page.received if answer.method == "POST"]
    assert faces and all(json.loads(answer.request_body)["query"] for answer in faces)
    assert [answer.completed_at for answer in seen.page.received] == sorted(
        answer.completed_at for answer in seen.page.received
    )


def test_a_page_that_never_becomes_ready_comes_back(sample: Sample) -> None:
    page = sample.seen["never"].page
    assert not page.complete
    assert page.reason == "comments never came; counters never came"


def test_hidden_counters_do_not_hide_the_comments(sample: Sample) -> None:
    page = sample.seen["hidden"].page
    assert page.reason == "counters never came"
    assert sample.seen["hidden"].ids() == {comment["id"] for comment in sample.seen["hidden"].post["comments"]}


def test_the_crawl_leaves_nothing(sample: Sample) -> None:
    assert sample.crawl.code == 0 and sample.crawl.left == ()
    assert sample.crawl.stats["playwright/browser_count"] == 1
    assert sample.crawl.stats["playwright/context_count"] == 1
    assert "ERROR" not in sample.crawl.log
