"""Which posts a browser is asked for, and what is told of those that stay unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scraper.config.clinics import Clinic
from scraper.crawl.pages import further_comments
from scraper.crawl.rendering import MAX_FAILURES, fill_gaps, has_comment_gap
from scraper.crawl.state import VisitContext, VisitState
from scraper.items import Comment, Exchange, Item, Post, Problem, Reading, ThreadPage
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan, RenderTargets
from scraper.platforms.wix import Wix

SITE = "https://riverside.example"
CLINIC = Clinic(slug="riverside", name="R", url=SITE)


def url(name: str) -> str:
    return f"{SITE}/post/{name}"


def known(name: str, **changes: Any) -> KnownPost:
    """A post whose page was read; by default a script fills its counters."""
    values = {"url": url(name), "addresses": (url(name), f"wix:{name}"), "comments_key": name, "script_counters": True}
    return KnownPost(**(values | changes))


class Site(Wix):
    """Wix pages, whose services answer what a test says."""

    def __init__(self, *, counts: tuple[str, ...] = (), threads: tuple[str, ...] = ()) -> None:
        self.gives, self.talks = counts, threads
        self.asked: list[str] = []

    def counters(self, blog: Blog) -> Plan:
        self.asked.append("counters")
        for post in blog.posts.values():
            if post.comments_key in self.gives:
                post.counted, post.comments_count = True, 0
        return
        yield

    def threads(self, blog: Blog) -> Plan:
        self.asked.append("threads")
        for post in blog.posts.values():
            post.thread_read = post.thread_read or post.comments_key in self.talks
        return
        yield


def completed(
    site: Site, *posts: KnownPost, seen: dict[str, tuple[Item, ...] | str] | None = None, **start: Any
) -> tuple[list[str], VisitState]:
    """The names of the posts that were rendered, in order, and how the visit went. `seen`: items, or a failure."""
    clinic = start.pop("clinic", CLINIC)
    blog = Blog(root=SITE, read_comments=clinic.comments == "threads")
    blog.posts = {post.url: post for post in posts}
    visit = VisitState(clinic_id="riverside")
    plan = fill_gaps(site, blog, VisitContext(clinic=clinic, private=True, known=[], **start), visit)
    rendered: list[str] = []
    try:
        ask: Ask = next(plan)
        while True:
            assert ask.wanted is not None
            name = ask.url.rpartition("/")[2]
            rendered.append(name)
            came = (seen or {}).get(name, (Reading(post=(ask.url,), views=5, comments_count=0, source="rendered"),))
            if isinstance(came, str):
                answer = Answer(ask=ask, exchange=None, reason=f"{ask.url}: {came}", kind=came)
            else:
                answer = Answer(ask=ask, exchange=Exchange(url=ask.url, body=b""), items=came)
            ask = plan.send(answer)
    except StopIteration:
        return rendered, visit


def test_services_that_answer_spare_the_browser() -> None:
    site = Site(counts=("a",), threads=("b",))
    rendered, visit = completed(site, known("a"), known("b", script_counters=False, comments_count=2))
    assert (rendered, visit.rendered, visit.unknown) == ([], 0, [])
    assert site.asked == ["counters", "threads"]


def test_only_posts_that_lack_something_are_rendered() -> None:
    rendered, visit = completed(
        Site(counts=("counted",), threads=("read",)),
        known("counted"),
        known("pending"),
        known("printed", script_counters=False, comments_count=0),
        known("silent", script_counters=False, comments_count=None),
        known("read", script_counters=False, comments_count=3),
        known("shown", script_counters=False, comments_count=3, comments_shown=3),
        known("talked", script_counters=False, comments_count=3),
        seen={"talked": (Comment(post=("wix:talked",), platform_comment_id="c"),)},
    )
    assert rendered == ["pending", "talked"]
    assert (visit.rendered, visit.unknown) == (2, [])


@pytest.mark.parametrize(
    ("clinic", "names"),
    [
        (replace(CLINIC, render="never"), []),
        (replace(CLINIC, comments="counts"), []),
        (replace(CLINIC, comments="none"), []),
        (replace(CLINIC, render="always"), ["a", "b"]),
        (CLINIC, ["b"]),
    ],
)
def test_the_stanza_decides(clinic: Clinic, names: list[str]) -> None:
    posts = (known("a", script_counters=False, comments_count=0), known("b"))
    rendered, visit = completed(Site(), *posts, clinic=clinic)
    assert rendered == names
    assert bool(visit.unknown) == (not names)
    assert bool(visit.unknown_line) == (not names)  # also where the stanza wants it so: docs/ promises the line


def test_the_browser_waits_for_what_is_wanted_alone() -> None:
    wanted: list[RenderTargets | None] = []
    blog = Blog(root=SITE)
    blog.posts = {
        item.url: item for item in (known("a", comments_count=0), known("b", script_counters=False, comments_count=4))
    }
    plan = fill_gaps(Site(), blog, VisitContext(clinic=CLINIC, private=True, known=[]), VisitState(clinic_id="r"))
    ask = next(plan)
    wanted.append(ask.wanted)
    wanted.append(plan.send(Answer(ask=ask, exchange=Exchange(url=ask.url, body=b""))).wanted)
    first, second = wanted
    assert first is not None
    assert (first.comments, bool(first.counters)) == ("", True)
    assert second is not None
    assert (second.counters, bool(second.comments), second.expected) == ("", True, 4)


def test_what_worked_the_last_time_comes_first_and_the_other_route_fills_the_rest() -> None:
    site = Site(counts=("b",), threads=("b",))
    rendered, visit = completed(
        site, known("a"), known("b"), seen={"b": "browser-crashed"}, browser_only=frozenset({"counters", "comments"})
    )
    assert rendered == ["a", "b"]
    assert site.asked == ["counters"]
    assert visit.unknown == []
    site = Site()
    completed(site, known("a"), browser_only=frozenset({"counters", "comments"}))
    assert site.asked == []


def test_a_browser_that_fails_again_and_again_is_left_alone() -> None:
    posts = [known(str(number)) for number in range(6)]
    rendered, visit = completed(Site(), *posts, seen={str(number): "browser-crashed" for number in range(6)})
    assert len(rendered) == MAX_FAILURES
    assert len({problem.url for problem in visit.unknown}) == 6
    assert visit.unknown_line is not None
    assert visit.unknown_line.startswith("6 posts with unknown counters or comments")


def test_pages_that_tell_nothing_in_a_browser_either_are_few() -> None:
    posts = [known(str(number)) for number in range(9)]
    silent = {str(number): () for number in (0, 1, 3, 4, 5, 6)}
    rendered, visit = completed(Site(), *posts, seen=silent)
    assert rendered == [str(number) for number in range(6)]
    assert len(visit.unknown) == 8
    assert "3 rendered pages in a row" in (visit.unknown_line or "")


def test_no_browser_is_asked_once() -> None:
    rendered, visit = completed(Site(), known("a"), known("b"), seen={"a": "no-browser"})
    assert rendered == ["a"]
    assert "no-browser" in (visit.unknown_line or "")
    assert {problem.kind for problem in visit.unknown} == {"not-rendered"}
    assert all("unknown" in problem.message for problem in visit.unknown)


def test_an_answer_about_another_post_counts_nothing() -> None:
    other = Reading(post=(url("other"),), views=9, comments_count=2, source="rendered")
    _, visit = completed(Site(), known("a"), seen={"a": (other,)})
    assert [problem.url for problem in visit.unknown] == [url("a")]


def test_a_thread_seen_in_part_is_not_asked_for_again() -> None:
    page = Post(platform="wix", url=url("a"), addresses=(url("a"),), views=1, comments_count=9)
    part = (
        page,
        Comment(post=("wix:a",), platform_comment_id="c"),
        ThreadPage(post=("wix:a",), cursor=None, following=("x",)),
    )
    site = Site()
    _, visit = completed(site, known("a"), seen={"a": part}, browser_only=frozenset({"comments"}))
    assert visit.unknown == []
    assert "threads" not in site.asked


REFUSED = "post-page-metadata/a: answered 404; what it would have told stays unknown"


def refused(*visible: Item, reason: str | None = None) -> VisitState:
    """A visit whose services refuse, and whose one page shows these items in a browser."""
    blog = Blog(root=SITE, posts={url("a"): known("a")}, read_comments=True)
    visit = VisitState(clinic_id="riverside")
    plan = fill_gaps(Wix(), blog, VisitContext(clinic=CLINIC, private=False, known=[]), visit)
    answer: Any = None
    try:
        while True:
            ask = plan.send(answer)
            items = visible if ask.wanted else (Problem(kind="api-refused", message=REFUSED),)
            exchange = Exchange(url=ask.url, body=b"") if ask.wanted else None
            answer = Answer(ask=ask, exchange=exchange, items=items, reason=reason if ask.wanted else REFUSED)
    except StopIteration:
        return visit


@pytest.mark.parametrize("reason", [None, "comments never came"])
def test_what_services_refused_is_no_news_where_a_page_showed_it_all(reason: str | None) -> None:
    """Also where the page has no list of comments to wait for, since it says that it has none."""
    visit = refused(Reading(post=(url("a"),), views=9, comments_count=0, source="rendered"), reason=reason)
    assert (visit.rendered, visit.unknown, visit.unknown_line) == (1, [], None)
    assert REFUSED in visit.recovered_problems


def test_what_services_refused_is_told_where_something_stays_unknown() -> None:
    visit = refused(Post(platform="wix", url=url("a"), addresses=(url("a"),)), reason="counters never came")
    assert [item.field for item in visit.unknown] == ["views"]
    assert visit.recovered_problems == set()
    assert "counters never came" in (visit.unknown_line or "")


def test_a_page_that_shows_all_its_comments_leaves_no_gap() -> None:
    post, blog = known("a", script_counters=False, comments_count=2), Blog(root="https://a.example")
    result = tuple(Comment(post=(post.url,), platform_comment_id=str(number)) for number in range(2))
    notice = Comment(post=(post.url,), platform_comment_id="ping", type="pingback")
    for items, is_gap in (((result[0], notice), True), (result, False)):
        answer = Answer(ask=Ask(url=post.url), exchange=None, items=items)
        assert list(further_comments(blog, post, answer)) == []
        assert has_comment_gap(post, blog) is is_gap
