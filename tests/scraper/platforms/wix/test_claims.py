"""Which address a Wix post has: the requested one, or another spelling of it that the page states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scraper.extract import extract
from scraper.items import Post, Problem
from scraper.platforms.wix import Wix
from tests.scraper.platforms.wix.test_page import page

SITE = "https://www.clinic.example"
REQUESTED = f"{SITE}/post/tea"


def read(requested: str, claims: str) -> Post:
    exchange = replace(page("Tea cools.", head=claims), url=requested)
    return next(item for item in Wix().read(exchange) if isinstance(item, Post))


def canonical(url: str) -> str:
    return f'<link rel="canonical" href="{url}"/>'


def og_url(url: str) -> str:
    return f'<meta property="og:url" content="{url}"/>'


def linked(url: str) -> str:
    return f'<script type="application/ld+json">{{"@type":"BlogPosting","url":"{url}"}}</script>'


@pytest.mark.parametrize("claim", [canonical, og_url, linked])
@pytest.mark.parametrize(
    ("requested", "stated"),
    [
        (REQUESTED, f"{SITE}/post/coffee"), (REQUESTED, f"{SITE}/es/post/tea"), (REQUESTED, f"{SITE}/post/tea/2"),
        (REQUESTED, "https://another.example/post/tea"), (REQUESTED, f"{SITE}/post/tea?x=1"),
        (f"{REQUESTED}?lang=es", f"{REQUESTED}?lang=pt"), (REQUESTED, f"{SITE}/post/Tea"),
        (REQUESTED, f"{SITE}/single-post/tea"),
    ],
)  # fmt: skip
def test_another_address_is_no_evidence(claim: object, requested: str, stated: str) -> None:
    assert callable(claim)
    found = read(requested, claim(stated))
    assert (found.url, found.addresses, found.stated_url) == (requested, (requested,), stated)
    assert found.slug == "tea"


@pytest.mark.parametrize("claim", [canonical, og_url, linked])
@pytest.mark.parametrize(
    ("requested", "stated", "own"),
    [
        (f"{REQUESTED}?utm_source=mail", REQUESTED, REQUESTED),
        (REQUESTED, f"{REQUESTED}?utm_source=rss&fbclid=1", REQUESTED),
        ("https://clinic.example/post/tea", REQUESTED, REQUESTED),
        (REQUESTED, "https://clinic.example/post/tea/", "https://clinic.example/post/tea"),
        ("http://www.clinic.example/post/tea", REQUESTED, REQUESTED),
        (f"{REQUESTED}?commentId=7", REQUESTED, REQUESTED),
        (f"{SITE}/post/th%c3%a9", f"{SITE}/post/thé", f"{SITE}/post/th%C3%A9"),
        (REQUESTED, f"{SITE}/blog", REQUESTED),
        (REQUESTED, "javascript:alert(1)", REQUESTED),
    ],
)
def test_another_spelling_is_believed(claim: object, requested: str, stated: str, own: str) -> None:
    assert callable(claim)
    found = read(requested, claim(stated))
    assert found.url == own
    assert found.stated_url is None


@pytest.mark.parametrize("requested", ["http://127.0.0.1/mirror/www.clinic.example/post/x.html", "file:///tmp/x.html"])
def test_a_saved_copy_has_the_address_that_it_states(requested: str) -> None:
    assert read(requested, og_url(REQUESTED)).url == REQUESTED


def test_the_first_claim_that_is_a_spelling_is_taken() -> None:
    assert read(f"{REQUESTED}?x=1", og_url(f"{SITE}/post/coffee") + canonical(REQUESTED)).url == REQUESTED


def test_a_rendered_page_that_states_another_post_is_not_read() -> None:
    visible = page("Tea cools.", head=canonical(f"{SITE}/post/coffee"))
    exchange = replace(visible, url=REQUESTED, via="dom", page=REQUESTED)
    (found,) = extract(exchange, Wix())
    assert isinstance(found, Problem) and found.kind == "not-rendered" and "/post/coffee" in found.message
