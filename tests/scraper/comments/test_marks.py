"""Which thread of which comment service a post's page embeds, and which pages embed none."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scraper.comments import services, threads_in
from scraper.items import Exchange

URL = "https://lakeside.example/2026/walks/"
REAL = Path(__file__).parents[4] / "shared" / "real-pages" / "platforms"


def threads(body: str, url: str = URL) -> dict[str, str]:
    page = f"<!DOCTYPE html><html><head><title>Walks</title></head><body><p>Walk.</p>{body}</body></html>"
    return threads_in(Exchange(url=url, body=page.encode(), content_type="text/html"))


@pytest.mark.parametrize(
    ("body", "service", "thread"),
    [
        (
            '<script src="//talk.example/js/embed.min.js" data-isso="//talk.example/"></script>'
            '<section id="isso-thread"></section>',
            "isso",
            "isso:https://talk.example/?uri=/2026/walks/",
        ),
        (
            '<section data-isso-id="/walks" id="isso-thread"></section><script data-isso="/isso"></script>',
            "isso",
            "isso:https://lakeside.example/isso/?uri=/walks",
        ),
        (
            "<script>var remark_config = {\n host: 'https://remark.example/', site_id: \"lakeside\" };</script>",
            "remark42",
            "remark42:https://remark.example?site=lakeside&url=https%3A%2F%2Flakeside.example%2F2026%2Fwalks%2F",
        ),
        (
            '<script src="https://giscus.app/client.js" data-repo="lake/site" data-category="News"'
            ' data-mapping="pathname" data-strict="1" async></script>',
            "giscus",
            "giscus:repo=lake%2Fsite&term=2026%2Fwalks%2F&number=0&category=News&strict=true",
        ),
        (
            '<script src="https://giscus.app/client.js" data-repo="lake/site" data-mapping="title"></script>',
            "giscus",
            "giscus:repo=lake%2Fsite&term=Walks&number=0&category=&strict=false",
        ),
        (
            '<div id="disqus_thread"></div><script>var disqus_config = function () { this.page.url = "https://a.example/w";'
            " this.page.identifier = '41'; };\n s.src = 'https://lakeside.disqus.com/embed.js';</script>",
            "disqus",
            "disqus:lakeside?i=41&u=https%3A%2F%2Fa.example%2Fw",
        ),
        (
            '<div id="disqus_thread"></div><script>var embedVars = {'
            '"disqusIdentifier":"7 https:\\/\\/a.example\\/?p=7",'
            '"disqusShortname":"lakeside","disqusUrl":"https:\\/\\/a.example\\/w\\/"};</script>',
            "disqus",
            "disqus:lakeside?i=7+https%3A%2F%2Fa.example%2F%3Fp%3D7&u=https%3A%2F%2Fa.example%2Fw%2F",
        ),
        (
            '<div id="disqus_thread"></div>',
            "disqus",
            "disqus:?i=&u=https%3A%2F%2Flakeside.example%2F2026%2Fwalks%2F",
        ),
        (
            '<div id="comments-listing"></div><script>w({commentsUrl: "https://api-na1.hubapi.com/comments/v3/comments/'
            'thread/public?portalId=1&offset=0&limit=1000&contentId=2&collectionId=3"});</script>',
            "hubspot-comments",
            "hubspot-comments:https://api-na1.hubapi.com/comments/v3/comments/thread/public?portalId=1&contentId=2"
            "&collectionId=3",
        ),
        (
            '<div class="fb-comments" data-href="https://a.example/w"></div>',
            "facebook",
            "facebook:https://a.example/w",
        ),
        ('<hyvor-talk-comments website-id="3" page-id="w7"></hyvor-talk-comments>', "hyvor", "hyvor:w7"),
        ('<script src="https://cdn.commento.io/js/commento.js"></script>', "commento", f"commento:{URL}"),
    ],
)  # fmt: skip
def test_a_page_embeds_a_thread(body: str, service: str, thread: str) -> None:
    assert threads(body) == {service: thread}


@pytest.mark.parametrize(
    "body",
    [
        "<p>We left disqus_thread and data-isso= behind; fb-comments too.</p>",
        '<!-- <div id="disqus_thread"></div><script data-isso="https://x/"></script> -->',
        '<script>var html = \'<div class="fb-comments" data-href="x"></div><i data-isso="/x/">\';</script>',
        "<style>#disqus_thread { display: none }</style>",
        '<script src="https://lakeside.disqus.com/count.js"></script>',
        "<script>var remark_config = { host: hostOf(page), site_id: 'x' };</script>",
        '<script src="https://giscus.app/client.js"></script><a href="https://giscus.app/client.js">x</a>',
        '<div id="disqus_threads"></div><div class="comments-listing"></div>',
    ],
)
def test_words_comments_and_scripts_are_no_mark(body: str) -> None:
    assert threads(body) == {}


def test_services_that_are_read_come_last() -> None:
    both = '<div class="fb-comments"></div><script data-isso="https://talk.example/"></script>'
    assert list(threads(both)) == ["facebook", "isso"]


def test_every_thread_begins_with_its_service() -> None:
    names = [service.name for service in services()]
    assert len(set(names)) == len(names) > 10
    assert all(service.thread_of(Exchange(url="http://[", body=b"<p>")) is None for service in services())


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here")
def test_real_pages() -> None:
    """Of sixty real posts those with a foreign service bear its mark, and no other does."""
    with (REAL / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = {}
    for row in rows:
        page = Exchange(url=row["url"], body=(REAL / row["file"]).read_bytes(), content_type="text/html")
        found[row["file"]] = (row["service"], [name.removesuffix("-comments") for name in threads_in(page)])
    foreign = {file: names for file, (service, names) in found.items() if service in ("disqus", "hyvor")}
    assert foreign == {file: [found[file][0]] for file in foreign} != {}
    assert all(names == [] or names == ["hubspot"] for file, (_, names) in found.items() if file not in foreign)
