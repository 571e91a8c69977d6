"""Comment services that posts' pages embed: what a visit requests from them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from scraper import comments
from scraper.comments import CommentService, service_of
from scraper.config.clinics import Clinic
from scraper.crawl.schedule import Schedule
from scraper.crawl.threads import read_threads
from scraper.items import Comment, EmbeddedThread, Exchange, Item
from scraper.platforms._platform import Ask, Blog, KnownPost, Plan
from scraper.platforms.wix import Wix
from tests.making import extract
from tests.scraper.crawl.test_plan import SITE, page_of, post, site, visited

API = "https://comments.example/threads/"


class SampleService:
    """A service whose threads are named in the page: `<div data-thread="7">`; its answer is the text of one comment."""

    name: ClassVar[str] = "sample"
    is_read: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1

    def is_api_url(self, url: str) -> bool:
        return url.startswith(API)

    def read(self, exchange: Exchange) -> Iterator[Item]:
        number = exchange.url.removeprefix(API)
        text = exchange.body.decode()
        yield Comment(post=(f"sample:{number}",), platform_comment_id=f"sample:{number}", body_text=text)

    def thread_of(self, page: Exchange) -> str | None:
        _, mark, rest = page.body.partition(b'data-thread="')
        return rest.partition(b'"')[0].decode() if mark else None

    def counts(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        return
        yield

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        for url, thread in threads.items():
            if blog.budget_spent():
                blog.deferred.add(url)
                continue
            answer = yield Ask(url=API + thread)
            blog.posts[url].thread_read = answer.ok


class FaultyService(SampleService):
    name: ClassVar[str] = "faulty"

    def is_api_url(self, url: str) -> bool:
        return False

    def thread_of(self, page: Exchange) -> str | None:
        raise ValueError(page.url)


@pytest.fixture(autouse=True)
def _services(monkeypatch: pytest.MonkeyPatch) -> None:
    """A faulty service and a working one, for every module that looks for services."""
    found: Any = (FaultyService(), SampleService())
    for module in ("scraper.comments", "scraper.crawl.threads"):
        monkeypatch.setattr(f"{module}.services", lambda: found)


def with_thread(name: str, thread: str) -> Any:
    """A page of a post that embeds a thread."""
    status, _, items = page_of(name)
    page = Exchange(url=post(name), body=f'<div data-thread="{thread}"></div>'.encode())
    threads = comments.threads_in(page).items()
    return status, page.body, (*items, *(EmbeddedThread(post=(post(name),), service=s, thread=t) for s, t in threads))


def blog(**pages: Any) -> Any:
    """A clinic with these pages, and the service with a comment in every thread."""
    answer = site(**pages)
    return lambda url: (200, b"thanks") if url.startswith(API) else answer(url)


def threads(asked: list[str]) -> list[str]:
    return [url.removeprefix(API) for url in asked if url.startswith(API)]


def test_a_service_has_the_whole_contract() -> None:
    assert CommentService.__abstractmethods__ <= {name for name in dir(SampleService) if not name.startswith("__")}
    assert comments.services()[1] is service_of(API + "7")


def test_threads_are_requested_after_all_posts_of_the_pages_that_embed_one() -> None:
    asked, visit = visited(blog(a=with_thread("a", "7"), b=page_of("b"), c=with_thread("c", "9")))
    assert threads(asked) == ["7", "9"]
    assert asked.index(API + "7") > asked.index(post("c"))
    assert (visit.fetched, visit.failure) == (3, None)


def test_the_answer_is_read_by_the_service() -> None:
    (comment,) = extract(Exchange(url=API + "7", body=b"thanks"))
    assert isinstance(comment, Comment) and comment.body_text == "thanks"


@pytest.mark.parametrize("policy", ["counts", "none"])
def test_no_thread_is_requested_where_the_stanza_excludes_comments(policy: Any) -> None:
    clinic = Clinic(slug="riverside", name="R", url=SITE, comments=policy)
    asked, _ = visited(blog(a=with_thread("a", "7")), clinic=clinic)
    assert threads(asked) == []


def test_threads_beyond_the_days_budget_are_deferred() -> None:
    """Four requests are left when the posts are read: as many as the frontier reserves."""
    pages = blog(**{name: with_thread(name, name) for name in "abcdef"})
    asked, _ = visited(pages)
    clinic = Clinic(slug="riverside", name="R", url=SITE, schedule=Schedule(requests_a_day=asked.index(API + "a") + 4))
    asked, visit = visited(pages, clinic=clinic)
    assert (visit.fetched, threads(asked), visit.deferred) == (6, list("abcd"), 2)


def test_no_plan_of_a_service_begins_when_the_budget_is_used_up() -> None:
    state = Blog(root=SITE, posts={post("a"): KnownPost(url=post("a"))}, budget_spent=lambda: True)
    state.threads = {"sample": {post("a"): "7"}}
    assert list(read_threads(Wix(), state)) == []
    assert state.deferred == {post("a")}


def test_a_post_that_is_unchanged_has_no_page_to_look_in() -> None:
    asked, visit = visited(blog(a=(304, b"")), known=[KnownPost(url=post("a"))])
    assert (threads(asked), visit.unchanged) == ([], 1)
