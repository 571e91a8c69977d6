"""Answers that are not what was asked for: refusals, rows of other things and other sites, numbers without bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scraper.comments._answer import unix_time
from scraper.extract import extract
from scraper.items import Comment, Exchange, Item, Post, Problem, Reading, Sighting, Site, ThreadPage
from scraper.platforms import platform_named
from scraper.platforms._json import MAX_OBJECTS, decode
from scraper.platforms.wordpress.rest import MAX_ROWS

SITE = "https://fern.example"


def answered(platform: str | None, url: str, value: object, status: int = 200) -> tuple[Item, ...]:
    exchange = Exchange(url=url, body=json.dumps(value).encode(), content_type="application/json", status=status)
    return extract(exchange, platform_named(platform) if platform else None)


@pytest.mark.parametrize(("value", "status"), [({"error": "no"}, 200), ({"comments": []}, 403), ([], 200)])
def test_a_refusal_of_substack_is_no_empty_thread(value: object, status: int) -> None:
    """An empty thread would say that every comment was removed."""
    assert answered("substack", f"{SITE}/api/v1/post/9/comments", value, status) == ()


def test_an_error_of_remark42_is_no_empty_thread() -> None:
    url = "https://talk.example/api/v1/find?site=fern&url=https%3A%2F%2Ffern.example%2Fa&format=tree&sort=%2Btime"
    assert [type(item) for item in answered(None, url, {"error": "not found"})] == [Problem]
    assert ThreadPage in map(type, answered(None, url, {"comments": None, "info": {"count": 0}}))


@pytest.mark.parametrize(
    ("platform", "path", "row"),
    [
        ("wordpress", "wp-json/wp/v2/users", {"id": 1, "link": f"{SITE}/author/anna/", "name": "Anna"}),
        ("wordpress", "wp-json/wp/v2/topic", {"id": 1, "link": f"{SITE}/topic/sleep/", "taxonomy": "topic"}),
        ("substack", "api/v1/archive", {"id": 1, "canonical_url": "https://other.example/p/sleep"}),
    ],
)
def test_rows_of_other_things_and_of_other_sites_are_no_posts(platform: str, path: str, row: dict[str, Any]) -> None:
    found = answered(platform, f"{SITE}/{path}", [row])
    assert [item for item in found if isinstance(item, Post | Sighting | Reading)] == []


@pytest.mark.parametrize(
    ("platform", "path", "value"),
    [
        ("squarespace", "blog?format=json", {"items": [{"fullUrl": "https://other.example/a", "body": "<p>a</p>"}]}),
        (
            "blogger",
            "feeds/posts/default?alt=json",
            {
                "feed": {
                    "entry": [
                        {
                            "id": {"$t": "tag:blogger.com,1999:blog-12345.post-67890"},
                            "content": {"$t": "<p>a</p>"},
                            "link": [{"rel": "alternate", "href": "https://other.example/2024/01/a.html"}],
                        }
                    ]
                }
            },
        ),
    ],
)
def test_posts_of_another_site_are_left_out(platform: str, path: str, value: object) -> None:
    found = answered(platform, f"{SITE}/{path}", value)
    assert [item for item in found if isinstance(item, Post | Sighting)] == []


def test_an_answer_with_more_rows_than_wordpress_gives_is_not_read_and_not_complete() -> None:
    url = f"{SITE}/wp-json/wp/v2/comments?per_page=100&page=1&orderby=id&order=asc"
    found = answered("wordpress", url, [{"id": number, "post": 7, "content": {}} for number in range(MAX_ROWS + 1)])
    assert [(type(item), getattr(item, "kind", None)) for item in found] == [(Problem, "rest-unreadable")]


@pytest.mark.parametrize("offset", ["nan", "inf", "-1e999", 5.5, 99])
def test_an_offset_that_is_none_gives_no_zone(offset: object) -> None:
    found = answered("wordpress", f"{SITE}/wp-json/", {"url": SITE, "gmt_offset": offset, "timezone_string": ""})
    assert [item for item in found if isinstance(item, Site | Problem)] == []


@pytest.mark.parametrize("text", ["1e999999999", "1e400", "253402300800", "NaN", "-1", "0", "true", '"5"'])
def test_a_time_out_of_bounds_is_none(text: str) -> None:
    assert unix_time(decode(text.encode())) is None


@pytest.mark.parametrize("address", ["http://[", "//[::1/x", "http://a b:99999999/"])
def test_an_address_that_is_none_ends_no_page(address: str) -> None:
    html = (
        f'<html><head><meta name="generator" content="Drupal 10"><meta property="og:image" content="{address}"></head>'
        f'<body class="page-node-type-blog"><h1 class="page-title">Sleep</h1><div class="node"><div class="'
        f'field--name-body"><p>Rest <a href="{address}">a</a></p></div></div><section id="comments"><article id="'
        f'comment-1"><a class="username" href="{address}">Ada</a><div class="field--name-comment-body"><p><a href="'
        f'{address}">Hm</a></p></div></article><ul class="pager"><a href="{address}">2</a></ul></section></body></html>'
    )
    found = extract(
        Exchange(url=f"{SITE}/blog/sleep", body=html.encode(), content_type="text/html"), platform_named("drupal")
    )
    assert {Post, Comment} <= set(map(type, found))


def test_a_lone_time_in_winter_is_not_moved_by_an_hour() -> None:
    """Clocks go forward in March, September or October; a zone with summer time has another offset in January."""

    def row(number: int, local: str, gmt: str) -> dict[str, Any]:
        link = f"{SITE}/{number}/"
        return {
            "id": number,
            "type": "post",
            "link": link,
            "date": local,
            "date_gmt": gmt,
            "content": {"rendered": "a"},
        }

    rows = [
        row(1, "2024-06-01T10:00:00", "2024-06-01T08:00:00"),
        row(2, "2024-06-02T10:00:00", "2024-06-02T08:00:00"),
        row(3, "2024-01-14T03:30:00", "2024-01-14T02:30:00"),
    ]
    found = answered("wordpress", f"{SITE}/wp-json/wp/v2/posts?page=1", rows)
    assert [item.published_at for item in found if isinstance(item, Post)][-1] == "2024-01-14T02:30:00Z"


@pytest.mark.parametrize(
    ("platform", "path", "name"),
    [
        (None, "?uri=%2Fa&plain=0", "replies"),
        (None, "api/v1/find?site=a&url=b&format=tree", "comments"),
        ("substack", "api/v1/post/9/comments", "comments"),
        ("ghost", f"members/api/comments/post/{'0' * 24}/?page=1", "comments"),
    ],
)
def test_a_thread_of_more_comments_than_anybody_reads_is_refused(platform: str | None, path: str, name: str) -> None:
    found = answered(platform, f"{SITE}/{path}", {name: [{"id": "1"}] * MAX_OBJECTS})
    assert [item for item in found if isinstance(item, Comment | ThreadPage)] == []


def test_a_message_has_no_control_character_of_an_address_that_a_page_names() -> None:
    url = "https://disqus.com/embed/comments/?f=fern&t_u=https%3A%2F%2Ffern.example%2Fa%0A%1B%5B31m"
    data = json.dumps({"response": {"thread": {"posts": 2}, "posts": []}, "cursor": {}})
    body = f'<script type="text/json" id="disqus-threadData">{data}</script>'.encode()
    messages = [item.message for item in extract(Exchange(url=url, body=body), None) if isinstance(item, Problem)]
    assert len(messages) == 1
    assert messages[0].isprintable()
