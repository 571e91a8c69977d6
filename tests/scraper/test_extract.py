"""One exchange in, its items out, whatever its status; the same on every reading."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.replay.stored import stored_exchange
from scraper.extract import extract as extract_by
from scraper.extract import extract_post
from scraper.http import redirect_target
from scraper.items import Alias, Comment, EmbeddedThread, Exchange, Gone, Item, Names, Post, Problem, Sighting
from scraper.not_a_post import NotAPost
from scraper.platforms import platform_named, recognise
from scraper.platforms.wix import Wix
from tests.dummies import Postname
from tests.making import extract
from tests.pipelines.test_recover import SHOWN
from tests.visiting import MEMBERS_URL as MEMBERS
from tests.visiting import SITE, comments_answer, comments_url, members_answer, post_answer, post_url

PAGES = Path(__file__).parents[1] / "pages" / "wix"
HTML = "text/html; charset=utf-8"


def exchange(url: str, body: bytes = b"", **changes: object) -> Exchange:
    return Exchange(**({"url": url, "body": body, "content_type": HTML} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [404, 410])
def test_a_post_that_is_not_there_is_gone_and_other_pages_were_only_tried(status: int) -> None:
    assert extract(exchange(f"{SITE}/post/a?utm_source=x", status=status)) == (
        Gone(url=f"{SITE}/post/a", answered=str(status)),
    )
    assert extract(exchange(f"{SITE}/blog/page/99", status=status)) == ()


def test_a_304_says_nothing_of_its_own() -> None:
    assert extract(exchange(f"{SITE}/post/a", status=304)) == ()


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_refusal_is_a_problem_and_never_a_removal(status: int) -> None:
    found = extract(exchange(f"{SITE}/post/a", b"<html>no</html>", status=status))
    assert [type(each) for each in found] == [Problem]


class TestRedirects:
    def test_from_post_to_post_joins_both(self) -> None:
        found = extract(exchange(f"{SITE}/post/old", status=301, location=f"{SITE}/post/new#x"))
        assert found == (Alias(addresses=(f"{SITE}/post/new", f"{SITE}/post/old")),)

    def test_to_another_site_tells_where_a_post_moved_to(self) -> None:
        (alias,) = extract(exchange(f"{SITE}/post/old", status=301, location="https://other.example/post/a"))
        assert isinstance(alias, Alias)
        assert alias.addresses == ("https://other.example/post/a", f"{SITE}/post/old")

    @pytest.mark.parametrize("target", [f"{SITE}/", f"{SITE}/blog", "https://other.example/", f"{SITE}/post/old", None])
    def test_any_other_says_nothing(self, target: str | None) -> None:
        assert extract(exchange(f"{SITE}/post/old", status=302, location=target)) == ()

    @pytest.mark.parametrize("header", [b"http://[x", b"http://[::1", b"", None])
    def test_one_that_leads_nowhere(self, header: bytes | None) -> None:
        assert redirect_target(SITE, header) is None
        assert redirect_target(f"{SITE}/a/", b"../b") == f"{SITE}/b"


def test_service_answers_are_told_by_their_address() -> None:
    (post,) = extract(exchange(post_url("sleep"), post_answer("sleep", "Sleep well.", views=3)))
    assert isinstance(post, Post)
    assert (post.body_text, post.views, post.likes) == ("Sleep well.", 3, None)
    answer, *_ = extract(exchange(comments_url("sleep"), comments_answer(("c1", "m1", "Thanks."))))
    assert isinstance(answer, Comment)
    assert (answer.body_text, answer.author, answer.author_kind) == ("Thanks.", None, "member")
    assert "Thanks" not in repr(answer)
    (names,) = extract(exchange(MEMBERS, members_answer(m1="Marisol Vega"), method="POST"))
    assert names == Names(names={"member:m1": "Marisol Vega"})
    assert "Marisol" not in repr(names)


def test_a_sitemap_and_a_feed_are_told_by_their_bytes() -> None:
    entries = f"<urlset><url><loc>{SITE}/post/a</loc></url></urlset>".encode()
    assert extract(exchange(f"{SITE}/whatever", entries)) == (Sighting(url=f"{SITE}/post/a", source="sitemap"),)
    feed = f"<rss version='2.0'><channel><item><link>{SITE}/post/a</link></item></channel></rss>".encode()
    assert extract(exchange(f"{SITE}/whatever", feed)) == (Sighting(url=f"{SITE}/post/a", source="feed"),)


def test_a_page_of_another_kind_is_read_by_the_fallback() -> None:
    page = exchange(f"{SITE}/", b"<html><body>Hello</body></html>")
    platform = recognise(page)
    assert platform is not None
    assert platform.fallback
    assert all(isinstance(each, Problem) for each in extract(page))
    with pytest.raises(NotAPost):
        extract_post(page)


@given(
    st.binary(max_size=300),
    st.sampled_from([f"{SITE}/post/a", f"{SITE}/blog", post_url("a"), comments_url("sleep"), MEMBERS]),
)
def test_nothing_raises_and_twice_is_the_same(body: bytes, url: str) -> None:
    page = exchange(url, body)
    assert extract(page) == extract(page)


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda path: path.stem)
def test_half_a_page_raises_nothing(path: Path) -> None:
    body = path.read_bytes()
    for part in (body[: len(body) // 2], body[len(body) // 2 :], body[:1000]):
        extract(exchange(f"{SITE}/post/a", part))


@pytest.mark.parametrize(
    "address", ["", "x", "http://[", "//a", "https://" + "a" * 10_000, "http://a.example:99999/post/b"]
)
def test_odd_addresses(address: str) -> None:
    Wix().is_post_url(address)
    extract(exchange(address, b"<html></html>"))


class TestARenderedPage:
    """What a browser received for `/post/a`, and what it shows in the end."""

    PAGE = (PAGES / "g1_text_counters.html").read_bytes()
    URL = f"{SITE}/post/a"

    def rendered(self, via: str, body: bytes, url: str = URL, **changes: object) -> tuple[object, ...]:
        return extract(exchange(url, body, via=via, page=self.URL, **changes))

    def test_its_document_is_read_as_ever(self) -> None:
        assert self.rendered("document", self.PAGE) == extract(exchange(self.URL, self.PAGE))
        assert self.rendered("document", b"", status=404) == (Gone(url=self.URL, answered="404"),)
        moved = self.rendered("document", b"", status=301, location=f"{SITE}/post/b")
        assert moved == (Alias(addresses=(f"{SITE}/post/b", self.URL)),)
        assert any(isinstance(each, Post) for each in self.rendered("document", self.PAGE, f"{SITE}/post/b"))

    @pytest.mark.parametrize(
        "url", ["https://ads.example/post/a", f"{SITE}/_partials/chat", "https://video.example/embed"]
    )
    def test_documents_in_its_frames_give_nothing(self, url: str) -> None:
        assert self.rendered("document", self.PAGE, url) == ()
        assert self.rendered("document", b"<html>no</html>", url, status=500) == ()

    @pytest.mark.parametrize("via", ["script", "stylesheet", "image", "font", "media", "other", "ping", "manifest"])
    def test_whatever_else_it_is_made_of_gives_nothing(self, via: str) -> None:
        for body in (self.PAGE, post_answer("sleep", "Sleep well."), b"", b"<html></html>"):
            assert self.rendered(via, body) == self.rendered(via, body, post_url("sleep")) == ()
            assert self.rendered(via, body, status=403) == ()

    @pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"{}", b"[1", b"<urlset></urlset>", b"User-agent: *"])
    @pytest.mark.parametrize("status", [200, 204, 301, 404, 500])
    def test_answers_of_no_known_kind_give_nothing(self, body: bytes, status: int) -> None:
        for url in (f"{SITE}/x", self.URL, f"{SITE}/robots.txt", "https://stats.example/collect?id=1"):
            assert self.rendered("xhr", body, url, status=status) == ()

    @pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"<p>bomb</p>" * 9])
    def test_a_dom_that_is_no_page_any_more_is_told_as_one(self, body: bytes) -> None:
        (found,) = self.rendered("dom", body)
        assert isinstance(found, Problem) and found.kind == "not-rendered"

    def test_a_dom_that_turned_into_another_post_gives_nothing_of_it(self) -> None:
        """An endless page puts up the next post, with its address."""
        named = f'<link rel="canonical" href="{SITE}/post/b">'.encode()
        page = SHOWN.format(stats="", widget="").encode()
        other = page.replace(b"</head>", named + b"</head>")
        assert any(isinstance(each, Post) for each in self.rendered("dom", page))
        (found,) = self.rendered("dom", other)
        assert isinstance(found, Problem) and f"{SITE}/post/b" in found.message
        assert any(isinstance(each, Post) for each in self.rendered("dom", other, f"{SITE}/post/b"))

    def test_a_known_address_that_refuses_is_a_problem_here_too(self) -> None:
        (found,) = self.rendered("fetch", b"{}", post_url("sleep"), status=403)
        assert isinstance(found, Problem) and found.kind == "api-refused"
        assert self.rendered("fetch", b"", post_url("sleep"), status=204, method="OPTIONS") == ()

    def test_it_is_told_as_rendered_down_to_the_last_field(self) -> None:
        for found in (
            self.rendered("dom", self.PAGE),
            self.rendered("xhr", post_answer("sleep", "Sleep."), post_url("sleep")),
        ):
            (post,) = (each for each in found if isinstance(each, Post))
            assert set(post.sources.values()) == {"rendered"}
        (plain,) = (each for each in extract(exchange(self.URL, self.PAGE)) if isinstance(each, Post))
        (visible,) = (each for each in self.rendered("dom", self.PAGE) if isinstance(each, Post))
        assert plain.sources.keys() == visible.sources.keys() and plain.body_text == visible.body_text


def test_stored_bytes_are_decoded_as_live_ones(tmp_path: Path) -> None:
    from archive.warc import RecordGroup, read_record
    from tests.visiting import Visiting

    body = post_answer("sleep", "Schlaf gut, é.")
    with Visiting(tmp_path) as visiting:
        live = visiting.answer(
            post_url("sleep"), gzip.compress(body), headers={"Content-Encoding": "gzip", "Location": "http://[x"}
        )
        group = read_record(tmp_path, live.capture.warc_file, live.capture.warc_offset)  # type: ignore[attr-defined]
        assert isinstance(group, RecordGroup)
        stored = stored_exchange(group, group.body or b"")
        assert (stored.body, stored.location, stored.url, stored.method) == (body, None, post_url("sleep"), "GET")
        assert extract(stored) == live.items[:1] or isinstance(extract(stored)[0], Post)


class TestEmbeddedThreads:
    """The mark of a comment service on a post's page is an item, and the site's own 0 comments says nothing there."""

    MARK = b'<div class="fb-comments" data-href="https://a.example/x"></div>'
    PAGE = (PAGES.parent / "ghost" / "post.html").read_bytes()
    URL = "https://lakeside.example/evening-walks/"

    def items(self, body: bytes, **changes: object) -> tuple[Item, ...]:
        return extract_by(exchange(self.URL, body, **changes), platform_named("ghost"))

    def test_the_mark_is_an_item_of_the_post(self) -> None:
        found = self.items(self.PAGE.replace(b"</main>", self.MARK + b"</main>"))
        (thread,) = (item for item in found if isinstance(item, EmbeddedThread))
        assert (thread.service, thread.thread) == ("facebook", "facebook:https://a.example/x")
        assert thread.post == ("https://lakeside.example/evening-walks", "ghost:65a0000000000000000000a1")
        assert not any(isinstance(item, EmbeddedThread) for item in self.items(self.PAGE))

    def test_a_page_without_a_post_gives_none(self) -> None:
        page = (PAGES.parent / "ghost" / "page.html").read_bytes()
        found = self.items(page.replace(b"</main>", self.MARK + b"</main>"))
        assert not any(isinstance(item, EmbeddedThread | Post) for item in found)

    @pytest.mark.parametrize(("number", "marked", "expected"), [(0, True, None), (0, False, 0), (3, True, 3)])
    def test_a_zero_beside_a_mark_is_unknown(self, number: int, marked: bool, expected: int | None) -> None:
        class Counting(Postname):
            def read(self, exchange: Exchange) -> Iterator[Item]:
                for item in super().read(exchange):
                    if isinstance(item, Post):
                        item.comments_count, item.sources["comments_count"] = number, "warmup"
                    yield item

        body = b"<meta name=generator content=Postname><article><h1>T</h1><p>X</p></article>" + self.MARK * marked
        (visible,) = (item for item in extract_by(exchange(self.URL, body), Counting()) if isinstance(item, Post))
        assert visible.comments_count == expected
        if number == 0 and marked:
            assert (visible.comments_count_raw, visible.sources["comments_count_raw"]) == ("0", "warmup")
            assert "comments_count" not in visible.sources
