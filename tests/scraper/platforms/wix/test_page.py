"""Wix pages: what the readers promise for any bytes at all. test_golden.py reads the pages of `tests/pages/wix`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper.items import Exchange, Post, Problem, Reading, Sighting, Site
from scraper.not_a_post import ConsentWall, NotAPost, NotFoundPage, Unreadable
from scraper.platforms.wix import Wix, address
from scraper.platforms.wix.footer import Counters, _printed
from scraper.platforms.wix.page import read_page
from tests.clinic.pages import post_document
from tests.clinic.world import World
from tests.golden import exchange_of, expected_of
from tests.making import extract as read_any
from tests.scaling import assert_linear

PAGES = sorted((Path(__file__).parents[3] / "pages" / "wix").glob("*.html"))


def page(body: str, *, head: str = "", after: str = "") -> Exchange:
    html = (
        f'<html lang="en"><head>{head}</head><body><div data-hook="post-page"><article data-hook="post">'
        f'<h1 data-hook="post-title">T</h1><div data-hook="post-description"><div data-id="content-viewer">'
        f'<div type="first" data-hook="rcv-block-first"></div><div>{body}</div>'
        f'<div type="last" data-hook="rcv-block-last"></div></div></div>{after}</article></div></body></html>'
    )
    return Exchange(url="https://a.example/post/x", body=html.encode(), content_type="text/html")


@pytest.mark.parametrize(
    ("printed", "counted_to"), [("3 days ago", "2026-02-26T23:30:00Z"), ("Feb 26", None), ("Feb 26, 2026", "exact")]
)
def test_a_date_that_depends_on_the_day_of_the_capture_is_marked(printed: str, counted_to: str | None) -> None:
    shown = page("<p>hello</p>", after=f'<span data-hook="time-ago">{printed}</span>')
    found = post_of(replace(shown, fetched_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC)))
    assert (found.published_at, found.published_raw) == ("2026-02-26", printed)
    assert found.sources["published_at"] == found.sources["published_raw"]
    is_exact = counted_to == "exact"
    assert found.sources["published_at"] == ("html" if is_exact else "relative")
    assert found.counted_to == (None if is_exact else counted_to)


def post_of(exchange: Exchange) -> Post:
    return next(item for item in Wix().read(exchange) if isinstance(item, Post))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"wix/{path.stem}")
def test_the_cut_page_reads_as_the_whole(path: Path) -> None:
    exchange = exchange_of(path)
    if "items" not in expected_of(exchange, Wix()) or path.stem == "feed" or exchange.via:
        return
    cut, whole = list(read_page(exchange)), list(read_page(exchange, whole=True))
    for item in (*cut, *whole):
        if isinstance(item, Post):  # the small tree tells soft breaks between words better
            item.body_html = " ".join((item.body_html or "").replace("<br>", " ").split())
    assert cut == whole


def test_markers_without_quotes_fall_back_to_the_whole_page() -> None:
    plain = page("<p>hello</p>")
    other = plain.body.replace(b'data-hook="post"', b"data-hook='post'").replace(b'"post-page"', b"post-page")
    exchange = Exchange(url=plain.url, body=other, content_type="text/html")
    assert post_of(exchange).body_text == post_of(plain).body_text == "hello"


class TestTheBody:
    def test_is_a_block_a_line_with_inline_elements_run_on(self) -> None:
        post = post_of(
            page("<p><span>a<b>b</b></span>c<br>d</p><div><br></div><ul><li><p>e</p></li></ul><p>\u200b</p>")
        )
        assert post.body_text == "abc d\ne"
        assert post.body_html == "<p>a<b>b</b>c<br>d</p><ul><li>e</li></ul>".replace("<li>e</li>", "<li><p>e</p></li>")
        assert post.word_count == 3

    def test_keeps_no_script_style_or_handler(self) -> None:
        bad = '<p onclick="x()" style="a" class="b">t<script>s</script><style>u</style></p><a href="javascript:x">v</a>'
        post = post_of(page(bad))
        assert post.body_html == "<p>t</p><p>v</p>"
        assert post.body_text == "t\nv"
        assert post.links == ()

    def test_a_soft_break_is_kept_in_the_markup_and_indentation_is_not(self) -> None:
        post = post_of(page("<p>one\ntwo\n            three</p>"))
        assert post.body_html == "<p>one<br>two three</p>"
        assert post.body_text == "one two three"

    def test_old_bodies_need_no_markers(self) -> None:
        body = b'<div data-hook="post-page"><article data-hook="post"><div class="post-content__body"><p>x</p></div>'
        exchange = Exchange(url="https://a.example/single-post/x", body=body + b"</article></div>")
        assert post_of(exchange).body_text == "x"

    @pytest.mark.parametrize(
        ("block", "pending"),
        [
            ('<div data-hook="video-player"></div><div type="video" data-hook="rcv-block1"></div>', True),
            ('<div data-hook="galleryViewer"></div><div type="gallery" data-hook="rcv-block1"></div>', True),
            ('<div data-hook="x"></div><div type="table" data-hook="rcv-block1"></div>', True),
            ('<table><tr><td>cell</td></tr></table><div type="table" data-hook="rcv-block1"></div>', False),
            ('<div data-hook="x"></div><div type="never-seen" data-hook="rcv-block1"></div>', True),
            ('<p>x</p><div type="paragraph" data-hook="rcv-block1"></div>', False),
            (
                '<p>x</p><div type="paragraph" data-hook="rcv-block1"></div>'
                '<i></i><div type="html" data-hook="rcv-block2"></div>',
                True,
            ),
        ],
    )
    def test_shells_are_told(self, block: str, pending: bool) -> None:
        assert post_of(page(block)).media_pending is pending

    def test_files_and_films_are_media(self) -> None:
        post = post_of(page('<a href="https://a.example/_files/ugd/x.pdf">Form</a><video src="/v.mp4"></video>'))
        assert [(image.kind, image.url, image.alt) for image in post.images] == [
            ("file", "https://a.example/_files/ugd/x.pdf", "Form"),
            ("video", "https://a.example/v.mp4", None),
        ]


class TestCounters:
    @pytest.mark.parametrize(
        ("stats", "expected"),
        [
            ("<span>2 views</span><span>0 comments</span>", (2, 0, False)),
            ("<span>3 weergaven</span><span>1 opmerking</span>", (3, 1, False)),
            ("<span>0 views</span>", (0, None, False)),
            ("<span>4 comments</span>", (None, 4, False)),
            ("<span>5 foos</span><span>6 bars</span>", (5, 6, False)),
            ("", (None, None, False)),
            ('<div style="--width:40px"> </div><div style="--width:40px"> </div>', (None, None, True)),
        ],
    )
    def test_are_read_as_printed_and_never_made_up(self, stats: str, expected: tuple[Any, ...]) -> None:
        post = post_of(page("<p>9 views</p>", after=f'<div data-hook="post-stats">{stats}</div>'))
        assert (post.views, post.comments_count, post.counters_pending) == expected

    def test_absent_counters_are_unknown_and_not_awaited(self) -> None:
        post = post_of(page("<p>x</p>"))
        assert (post.views, post.likes, post.comments_count, post.counters_pending) == (None, None, None, False)


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b"", Unreadable),
            (b"  \n", Unreadable),
            (b"\x00\x01\x02", Unreadable),
            (b"<html><title>Cookie consent</title><button>Accept</button>", ConsentWall),
            (b'<html><div data-hook="not-found-page"></div>', NotFoundPage),
            (b'<html><div data-hook="post-page"><div data-hook="post"></div></div>', NotAPost),
            (b"<html><p>drawn by a script</p>", NotAPost),
            (page("<p>x</p>").body[:260], Unreadable),
        ],
    )
    def test_pages_that_are_no_post(self, body: bytes, error: type[Exception]) -> None:
        with pytest.raises(error):
            list(Wix().read(Exchange(url="https://a.example/post/x", body=body)))

    def test_a_missing_field_and_broken_json_are_problems(self) -> None:
        head = '<script type="application/ld+json">{broken</script>'
        after = '</article></div><script id="wix-warmup-data">{"appsWarmupData": {"%s": {</script>'
        items = list(Wix().read(page("<p>x</p>", head=head, after=after % "14bcded7-0066-7c35-14d7-466cb3f09103")))
        kinds = {(item.kind, item.field) for item in items if isinstance(item, Problem)}
        assert kinds == {("malformed-json", None), ("missing-field", "published_at")}


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "declared"),
        [
            ("utf-8", "utf-8"), ("utf-8", "iso-8859-1"), ("utf-8", "nonsense"), ("iso-8859-1", "iso-8859-1"),
            ("windows-1252", "utf-8"), ("windows-1251", "windows-1251"), ("utf-16", "utf-8"),
        ],
    )  # fmt: skip
    def test_the_bytes_decide_where_a_declaration_is_wrong(self, encoding: str, declared: str) -> None:
        text = "Привет" if encoding == "windows-1251" else "café naïve"
        html = page(f"<p>{text}</p>", head=f'<meta charset="{declared}">').body.decode()
        exchange = Exchange(url="https://a.example/post/x", body=html.encode(encoding), content_type="text/html")
        assert post_of(exchange).body_text == text


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "post", "listing"),
        [
            ("https://a.example/post/x", True, False),
            ("https://a.example/es/post/caf%C3%A9?lang=es", True, False),
            ("https://u.wixsite.com/site/post/2019/06/06/x", True, False),
            ("https://a.example/single-post/x", True, False),
            ("https://a.example/post/", False, False),
            ("https://a.example/post/feed", False, False),
            ("https://a.example/post/$%7Bs%7D", False, False),
            ("https://a.example/blog", False, True),
            ("https://a.example/hot-topics/page/2", False, True),
            ("https://a.example/blog/categories/x", False, True),
            ("https://a.example/about", False, False),
            ("http://[broken", False, False),
        ],
    )
    def test_shapes(self, url: str, post: bool, listing: bool) -> None:
        wix = Wix()
        assert (wix.is_post_url(url), wix.is_listing_url(url)) == (post, listing)

    def test_the_next_page_of_a_listing(self) -> None:
        wix = Wix()
        assert wix.next_listing("https://a.example/blog") == "https://a.example/blog/page/2"
        assert wix.next_listing("https://a.example/blog/page/9") == "https://a.example/blog/page/10"
        assert wix.next_listing("https://a.example/about") is None

    def test_free_sites_share_a_host(self) -> None:
        assert Wix().root("https://u.wixsite.com/site/post/x") == "https://u.wixsite.com/site"
        assert Wix().root("https://a.example/post/x") == "https://a.example"

    @pytest.mark.parametrize(
        "source",
        [
            "aa_1~mv2.jpg",
            "https://static.wixstatic.com/media/aa_1~mv2.jpg/v1/fill/w_1,h_1/aa_1~mv2.jpg",
            "https://static.wixstatic.com/media/aa_1%7Emv2.jpg",
            "//static.wixstatic.com/media/aa_1~mv2.jpg?x",
            "../../static.wixstatic.com/media/aa_1_mv2.jpg/v1/fill/w_1%2ch_1/x.jpg",
        ],
    )
    def test_the_original_file(self, source: str) -> None:
        assert address.original_file(source) == "https://static.wixstatic.com/media/aa_1~mv2.jpg"

    def test_other_pictures_stay_as_they_are(self) -> None:
        assert address.original_file("https://i.example/x.jpg?y") == "https://i.example/x.jpg?y"

    @given(st.text(max_size=60))
    def test_no_address_is_too_odd(self, text: str) -> None:
        address.is_post(text), address.is_listing(text), address.slug(text)
        address.original_file(text)
        for written in (None, "x.html"):
            assert isinstance(address.resolver("https://a.example/post/x", written)(text), str)


SCRAPS = st.lists(
    st.sampled_from(
        [
            '<div data-hook="post-page">', '<article data-hook="post">', "</article>", '<article data-hook="x">',
            '<div type="first" data-hook="rcv-block-first"></div>', '<div data-hook="rcv-block-last"></div>', "<p>a",
            '<div type="video" data-hook="rcv-block3"></div>', "</div>", '<a href="../x.html">', "<figure>",
            "</figure>",
            "<figcaption>c", "<span>", "</span>", "<br>", '<img src="x">', '<div data-hook="post-stats"><span>1 view',
            '<div data-hook="recent-posts">', '<article data-hook="recent-post-list-item">', "<ul><li>",
            "<table><td>",
            '<wow-image data-image-info="{}">', '<div data-hook="galleryViewer">',
            '<meta property="og:url" content=">"',
            "<script>", "</script>", "<!--", "-->", '<script id="wix-warmup-data">{', "\x00", "<svg>", "</svg>",
            "<pre>",
            '<script type="application/ld+json">{"@type":"BlogPosting","image":[1]}</script>', '<html lang="q">',
        ]
    ),
    max_size=40,
)  # fmt: skip


class TestAnything:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(SCRAPS)
    def test_scraps_of_pages_never_crash_the_parser(self, scraps: list[str]) -> None:
        exchange = Exchange(url="https://a.example/post/x", body="".join(scraps).encode())
        for read in (Wix().read, lambda exchange: read_page(exchange, whole=True)):
            try:
                items = list(read(exchange))
            except NotAPost:
                continue
            assert all(isinstance(item, Post | Site | Sighting | Problem | Reading) for item in items)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=300), st.sampled_from(["", "text/html", "text/plain", "text/html; charset=utf-7"]))
    def test_any_bytes_are_refused_or_read(self, body: bytes, kind: str) -> None:
        exchange = Exchange(url="https://a.example/blog", body=b'<div data-hook="post-page">' + body, content_type=kind)
        Wix().claims(exchange)
        with suppress(NotAPost):
            list(Wix().read(exchange))

    @pytest.mark.parametrize(
        ("size", "bulk"),
        [
            (5000, lambda size: "<div>" * size + "x"),
            (5000, lambda size: "<b>" * size + "x"),
            (3000, lambda size: "<a href=/y>" * size + "x"),
            (300_000, lambda size: "<p>" + " " * size + "y</p>"),
            (300_000, lambda size: "<p>" + "\n" * size + "y</p>"),
            (2_000_000, lambda size: '<p title="' + "x" * size + '">y</p>'),
            (3000, lambda size: "<figure>" + "<img src=/q>" * size),
            (100_000, lambda size: "<wow-image data-image-info='" + "[" * size + "'></wow-image>"),
        ],
        ids=["deep", "bold", "links", "spaces", "lines", "attribute", "pictures", "json"],
    )
    def test_bulk_costs_no_more_than_its_size(self, size: int, bulk: Callable[[int], str]) -> None:
        assert_linear(lambda size: expected_of(page(bulk(size)), Wix()), size)

    @pytest.mark.parametrize("head", ['<meta "', '<meta property="og:x" content="', "<script>", "<!--", "<"])
    def test_a_broken_head_costs_no_more_than_its_size(self, head: str) -> None:
        assert_linear(lambda times: expected_of(page("<p>x</p>", head=head * times), Wix()), 100_000)


@pytest.mark.parametrize(
    ("printed", "views", "comments"),
    [
        ("<span>16 views</span><span>3 ratings</span>", 16, None),
        ("<span>5 ratings</span><span>2 comments</span>", None, 2),
        ("<span>16 zzz</span><span>2 qqq</span>", None, None),  # a word that is not known may multiply its number
    ],
)
def test_a_number_beside_a_word_that_is_not_known_is_no_counter(
    printed: str, views: int | None, comments: int | None
) -> None:
    found = Counters()
    _printed(found, cast(Tag, BeautifulSoup(f"<div>{printed}</div>", "lxml").div))
    assert (found.views, found.comments_count) == (views, comments)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://www.clinic.example/post/a", "https://www.clinic.example"),
        ("https://user.wixsite.com/clinic/post/a", "https://user.wixsite.com/clinic"),
        ("https://user.wixstudio.io/clinic/blog", "https://user.wixstudio.io/clinic"),
        ("https://user.wixsite.com", "https://user.wixsite.com"),
    ],
)
def test_free_sites_begin_below_their_own_name(url: str, root: str) -> None:
    assert Wix().root(url) == root


@pytest.mark.parametrize(
    "slug", ["snow-day-policy", "a-garden-for-sitting", "what-six-weeks-of-questionnaires-taught-us"]
)
def test_a_page_that_ends_early_gives_the_whole_post_or_none(tmp_path: Path, slug: str) -> None:
    """A wrong Content-Length cuts a page anywhere; labels stand behind the text, and must not seem to be gone."""
    world = World(tmp_path, "https://a.example")
    post = next(post for post in world.posts if post.slug == slug)
    page = post_document(world, post, world.peek(post), datetime.now(UTC)).encode()
    world.state.close()

    def outcome(body: bytes) -> tuple[object, ...] | None:
        items = read_any(Exchange(url=f"https://a.example/post/{slug}", body=body, content_type="text/html"))
        post = next((item for item in items if isinstance(item, Post)), None)
        return post and (
            post.title,
            post.author,
            post.body_text,
            post.links,
            post.categories,
            post.tags,
            post.published_at,
        )

    whole = outcome(page)
    assert whole is not None and whole[4]
    seen = [outcome(page[: len(page) * part // 120]) for part in range(120)]
    assert [result for result in seen if result not in (None, whole)] == []
    assert None in seen and whole in seen
