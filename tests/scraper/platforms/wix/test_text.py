"""Plain-text copies of Wix pages, in the layouts of several years and languages. All texts are invented."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.items import Exchange, Post
from scraper.not_a_post import NotAPost
from scraper.platforms.wix import Wix

SEED_LIKE = """top of page

Why does tea cool?

Steam carries heat away.

Stirring helps a little.

16 views0 comments

Recent Posts

See All

Cups, compared

{excerpt}


bottom of page"""
EXCERPT = (
    "A cup of tin loses its warmth before one of clay, and one of clay before one of glass, which we measured " * 2
)


def post_of(text: str, at: datetime | None = None) -> Post:
    exchange = Exchange(url="", body=text.encode(), content_type="text/plain", fetched_at=at)
    assert Wix().claims(exchange)
    (post,) = Wix().read(exchange)
    assert isinstance(post, Post)
    return post


def test_the_plainest_copy() -> None:
    post = post_of(SEED_LIKE.format(excerpt=EXCERPT))
    assert (post.title, post.views, post.comments_count, post.likes) == ("Why does tea cool?", 16, 0, None)
    assert post.body_text == "Steam carries heat away.\nStirring helps a little."
    assert [(card.position, card.title, card.excerpt) for card in post.related_posts] == [
        (1, "Cups, compared", EXCERPT.strip())
    ]
    assert (post.author, post.published_at, post.url, post.published_raw) == (None, None, None, None)
    assert set(post.sources.values()) == {"text"}


def test_newer_pages_print_the_title_first() -> None:
    post = post_of(
        "top of page\nTea\nAda Example\nMay 24, 2020\n2 min read\nUpdated: Jan 23, 2022\nIt cools.\n"
        "Tags:\nhot\ndrinks\n2 views\n1 comment\n3 likes. Post not marked as liked\n"
        "Recent Posts\nSee All\nCups\n29\n0\nSpoons\n1,200\n3\nbottom of page"
    )
    assert (post.title, post.author, post.minutes_to_read) == ("Tea", "Ada Example", 2)
    assert (post.published_at, post.published_raw, post.modified_at) == ("2020-05-24", "May 24, 2020", "2022-01-23")
    assert (post.views, post.comments_count, post.likes) == (2, 1, 3)
    assert post.body_text == "It cools."
    assert post.tags == ("hot", "drinks")
    assert [card.title for card in post.related_posts] == ["Cups", "Spoons"]


def test_older_pages_print_the_title_last() -> None:
    post = post_of(
        "top of page\nAll Posts\nSearch\nLog in / Sign up\nAda Example\nSep 11\n4 min read\nTea at noon\nIt cools.\n"
        "A•B\n0 views\nbottom of page",
        at=datetime(2024, 3, 1, tzinfo=UTC),
    )
    assert (post.title, post.author, post.published_at) == ("Tea at noon", "Ada Example", "2023-09-11")
    assert (post.sources["published_at"], post.sources["published_raw"]) == ("relative", "relative")
    assert (post.views, post.comments_count) == (0, None)
    assert post.categories == ("A", "B")
    assert post.body_text == "It cools."


@pytest.mark.parametrize(
    ("counters", "heading", "views", "comments"),
    [
        ("3 visualizaciones0 comentarios", "Entradas recientes\nVer todo", 3, 0),
        ("0 visualização0 comentário", "Posts recentes\nVer tudo", 0, 0),
        ("1 weergave2 opmerkingen", "Recente blogposts\nAlles weergeven", 1, 2),
        ("٤ مشاهدات٠ تعليق", "أحدث منشورات\nعرض الكل", 4, 0),
        ("مشاهدة واحدة (١)٠ تعليق", "أحدث منشورات\nعرض الكل", 1, 0),
        ("1.261 Ansichten48 Kommentare", "Aktuelle Beiträge\nAlle ansehen", 1261, 48),
        ("5 zobrazení1 komentář", "Nejnovější příspěvky\nZobrazit vše", 5, 1),
        ("12 vues\n3 commentaires", "Posts récents\nVoir tout", 12, 3),
        ("7 views", "Unknown words\nAnd more", 7, None),
    ],
)
def test_other_languages(counters: str, heading: str, views: int, comments: int | None) -> None:
    post = post_of(f"top of page\nTitre\nUn texte.\nEncore.\n{counters}\n{heading}\nAutre titre\nbottom of page")
    assert (post.title, post.views, post.comments_count) == ("Titre", views, comments)
    assert post.body_text == "Un texte.\nEncore."
    assert [card.title for card in post.related_posts] == ["Autre titre"]


def test_numbers_in_the_text_and_on_cards_are_not_the_posts() -> None:
    post = post_of(
        "top of page\nTea\nLast year the film had 5,000 views and 12 comments.\nRecent Posts\nSee All\nCups\n"
        "99 views4 comments\nbottom of page"
    )
    assert (post.views, post.comments_count) == (None, None)
    assert [card.title for card in post.related_posts] == ["Cups"]


@pytest.mark.parametrize(
    "text",
    [
        "top of page\nWelcome\nWe are a clinic.\nbottom of page",
        "top of page\nbottom of page",
        "top of page\nA\nx\n1 view0 comments\nB\ny\n2 views0 comments\nbottom of page",
    ],
    ids=["home", "empty", "feed"],
)
def test_other_pages_are_no_posts(text: str) -> None:
    with pytest.raises(NotAPost):
        post_of(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["1 view", "Recent Posts", "See All", "Tags:", "May 1, 2020", "2 min read", "a", "b•c", "٤"])
    )
)
def test_any_order_of_lines_is_read_or_refused(lines: list[str]) -> None:
    with suppress(NotAPost):
        post_of("\n".join(["top of page", *lines, "bottom of page"]))
