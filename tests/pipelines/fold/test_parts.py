"""A post whose text lies on several pages: it is stored when all of them came."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.fold.parts import join_parts
from scraper.crawl.pages import further_pages
from scraper.extract import extract
from scraper.items import Exchange, Extraction, Item, Post, PostPart, Problem
from scraper.platforms import platform_named
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost
from tests.making import Made, extraction, made

SITE = "https://fernside-clinic.example"


@pytest.fixture
def archive(tmp_path: Path):  # type: ignore[no-untyped-def]
    with made(tmp_path / "archive") as archive:
        yield archive


def page(number: int, of: int = 3) -> tuple[Item, ...]:
    """The items of a page of the post; it links to the other ones, as core does."""
    links = "".join(
        f'<a class="post-page-numbers" href="{SITE}/sleep/{f"{other}/" if other > 1 else ""}">{other}</a>'
        for other in range(1, of + 1)
        if other != number
    )
    paged = f"paged-{number} single-paged-{number}" if number > 1 else ""
    markup = (
        '<html><head><meta name="generator" content="WordPress 6.5"><meta property="article:published_time" '
        'content="2024-05-03T10:00:00Z"></head>'
        f'<body class="single single-post postid-7 {paged}"><article id="post-7" class="post-7 post type-post"><h1 '
        f'class="entry-title">Sleep</h1><div class="entry-content"><p>Page {number}.</p><nav class="page-links">{links}'
        "</nav></div></article></body></html>"
    )
    url = f"{SITE}/sleep/" + (f"{number}/" if number > 1 else "")
    return extract(Exchange(url=url, body=markup.encode(), content_type="text/html"), platform_named("wordpress"))


def held(*numbers: int) -> list[Extraction]:
    return [Extraction(clinic_id="fern", capture=None, items=page(number)) for number in numbers]


def texts(captures: list[Extraction]) -> list[tuple[str | None, str]]:
    posts = (item for capture in captures for item in capture.items if isinstance(item, Post))
    return [(post.body_text, post.sources["body_text"]) for post in posts]


def test_a_page_says_which_part_it_is_and_names_the_others() -> None:
    (part,) = (item for item in page(2) if isinstance(item, PostPart))
    assert (part.post, part.number, part.last) == ("wordpress:7", 2, 3)
    assert part.others == (f"{SITE}/sleep/", f"{SITE}/sleep/3/")
    assert not [item for item in page(2) if isinstance(item, Post)]
    assert not [item for item in page(1, of=1) if isinstance(item, PostPart)]


def test_all_pages_are_one_text_of_the_last_capture() -> None:
    joined = join_parts(held(1, 2, 3))
    assert texts(joined) == [("Page 1.", "text"), ("Page 1.\nPage 2.\nPage 3.", "html")]
    assert not [item for capture in joined for item in capture.items if isinstance(item, PostPart | Problem)]


def test_a_text_that_lacks_a_page_is_that_of_the_first_and_a_problem() -> None:
    joined = join_parts(held(1, 3))
    assert texts(joined) == [("Page 1.", "text")]
    assert [item.kind for item in joined[0].items if isinstance(item, Problem)] == ["partial-text"]


def test_a_page_that_is_missing_one_day_is_no_edit(archive: Made) -> None:
    """A visit that lacks a page gives another source of the text, which is compared with its own kind alone."""
    for visit, numbers in enumerate([(1, 2, 3), (1, 2), (1, 2, 3)]):
        captures = [extraction(10 * visit + number, *page(number)) for number in numbers]
        archive.fold(*captures, extraction(10 * visit + 9))
    assert archive.rows("SELECT kind, source FROM revisions ORDER BY revision_id") == [
        ("first", "text"),
        ("source", "html"),
    ]
    assert archive.rows("SELECT body_text FROM posts") == [("Page 1.\nPage 2.\nPage 3.",)]
    assert archive.rows("SELECT count(*) FROM post_addresses WHERE address LIKE '%/sleep/_'") == [(0,)]


def test_the_other_pages_of_a_post_are_requested_after_it() -> None:
    known = KnownPost(url=f"{SITE}/sleep")
    ask = Ask(url=f"{SITE}/sleep/")
    plan = further_pages(Blog(root=SITE), known, Answer(ask=ask, exchange=None, items=page(1)))
    assert next(plan).url == f"{SITE}/sleep/2/"
    assert plan.send(Answer(ask=ask, exchange=None, items=page(2))).url == f"{SITE}/sleep/3/"
    with pytest.raises(StopIteration):
        plan.send(Answer(ask=ask, exchange=None, items=page(3)))
