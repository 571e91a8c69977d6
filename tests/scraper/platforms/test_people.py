"""Nothing that identifies a person reaches the text of a post or comment, whichever platform or service gives it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.events import ClinicVisit
from pipelines.fold.threads import Threads
from pipelines.privacy.pseudonyms import pseudonymous
from scraper.extract import extract
from scraper.items import Comment, Exchange, Extraction, Post, Sighting
from scraper.platforms import platform_named
from scraper.platforms._body import read_body, resolver
from scraper.platforms._tree import soup

SITE = "https://fern.example"
HASH = "0bc83cb571cd1c50ba6f3e8a78ef1346"
RUN = ClinicVisit(clinic_id="fern", crawl_id="r1")


@pytest.mark.parametrize(
    "markup",
    [
        f'<img src="https://secure.gravatar.com/avatar/{HASH}?s=96" alt="">',
        f'<img src="https://i0.wp.com/0.gravatar.com/avatar/{HASH}?s=96">',
        f'<img data-src="//seccdn.libravatar.org/avatar/{HASH}" src="data:,">',
        f'<a href="https://gravatar.com/{HASH}">her</a>',
        f'<a href="https://disqus.com/by/{HASH}/">her</a>',
        f'<a class="user-mention notranslate" href="https://github.com/{HASH}">her</a>',
    ],
)
def test_an_avatar_or_a_profile_is_no_picture_and_no_link(markup: str) -> None:
    body = read_body([soup(f"<p>Ask {markup} now.</p>".encode(), "utf-8")], resolver(SITE))
    assert (body.links, body.images) == ((), ())
    assert body.html is not None
    assert HASH not in body.html
    assert (body.text or "").startswith("Ask")


def stored(platform: str, *exchanges: Exchange) -> list[Comment]:
    """The comments of a run's answers as they are stored."""
    threads, ready = Threads(), []
    for exchange in exchanges:
        items = extract(exchange, platform_named(platform))
        ready += threads.take(RUN, pseudonymous(Extraction(clinic_id="fern", capture=None, items=items), b"key"))
    ready += threads.release_all(ended=True)
    return [item for _, extraction in ready for item in extraction.items if isinstance(item, Comment)]


def test_a_name_on_another_page_of_the_api_is_masked_where_no_header_says_how_many_there_are() -> None:
    """A proxy may remove the headers. The page between them has comments on another post."""

    def page(number: int, *rows: tuple[int, int, str, str]) -> Exchange:
        body = [
            {"id": each, "post": post, "author_name": name, "content": {"rendered": f"<p>{text}</p>"}, "author": 0}
            for each, post, name, text in rows
        ]
        url = f"{SITE}/wp-json/wp/v2/comments?per_page=100&page={number}&orderby=id&order=asc"
        return Exchange(url=url, body=json.dumps(body).encode(), content_type="application/json")

    pages = (page(1, (1, 7, "Marisol", "Hm")), page(2, (2, 8, "Ilse", "Oh")), page(3, (3, 7, "Ada", "Dear Marisol")))
    comments = stored("wordpress", *pages)
    assert [comment.platform_comment_id for comment in comments] == ["1", "2", "3"]
    assert "Marisol" not in str(comments)


def drupal(number: int, name: str, text: str, pager: str = "") -> Exchange:
    comment = f'<article id="comment-{number}"><a class="username" href="/user/{number}">{name}</a>' + (
        f'<div class="field--name-comment-body"><p>{text}</p></div></article>'
    )
    post = '<h1 class="page-title">Sleep</h1><div class="node"><div class="field--name-body"><p>Rest.</p></div></div>'
    body = f"{post}<section id='comments'>{comment}{pager}</section>"
    head = '<meta name="generator" content="Drupal 10">'
    html = f'<html><head>{head}</head><body class="page-node-type-blog">{body}</body></html>'
    url = f"{SITE}/blog/sleep" + ("?page=1" if number > 1 else "")
    return Exchange(url=url, body=html.encode(), content_type="text/html", fetched_at=datetime(2026, 3, 1, tzinfo=UTC))


def test_the_pages_of_comments_of_drupal_are_one_thread() -> None:
    first = drupal(1, "Marisol", "Hm", '<ul class="pager"><a href="?page=1">2</a></ul>')
    comments = stored("drupal", first, drupal(2, "Ada", "Dear Marisol"))
    assert len(comments) == 2
    assert "Marisol" not in str(comments)


def test_a_comment_among_the_entries_of_a_feed_is_no_post() -> None:
    """A feed of all that happens on a site."""
    items = (
        f"<item><title>Sleep</title><link>{SITE}/sleep/</link></item><item><title>By: Marisol</title><link>{SITE}/rest/"
        "#comment-7</link><dc:creator>Marisol</dc:creator><description>Thanks, says Marisol</description></item>"
    )
    body = f"<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>{items}</channel></rss>"
    found = extract(Exchange(url=f"{SITE}/feed/", body=body.encode()), platform_named("wordpress"))
    assert [item.url for item in found if isinstance(item, Sighting)] == [f"{SITE}/sleep", f"{SITE}/rest"]
    assert [item.url for item in found if isinstance(item, Post)] == [f"{SITE}/sleep"]
    assert "Marisol" not in str(found)
