"""Sitemaps as servers really send them: CDATA, packed, as text, at any address; and what is none of these."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.discover import document_kind, items_of
from scraper.items import Exchange, Problem, Sighting
from scraper.platforms.wix import Wix
from scraper.sitemaps import SitemapPage, read_sitemap
from scraper.xml_lists import LARGEST_LIST, unpacked
from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.product import column, crawl, run, value_of
from tests.scaling import assert_linear
from tests.scraper.crawl.test_plan import SITE, page_of, posts, site, visited

HOST = "https://www.a.de"


def listed(*paths: str) -> bytes:
    return b"<urlset>%s</urlset>" % "".join(f"<url><loc>{HOST}{path}</loc></url>" for path in paths).encode()


def exchange(body: bytes, path: str = "/sitemap.xml", **more: Any) -> Exchange:
    return Exchange(url=HOST + path, body=body, **more)


def read(body: bytes, path: str = "/sitemap.xml") -> SitemapPage:
    return read_sitemap(exchange(body, path), Wix().is_post_url)


def paths(page: SitemapPage) -> list[str]:
    return [sighting.url.removeprefix(HOST) for sighting in page.sightings]


def packed(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        ("<![CDATA[{}/post/a?x=1&lang=es&utm_source=rss]]>", "/post/a?lang=es&x=1"),
        ("<![CDATA[ {}/post/a?x=1&lang=es ]]>", "/post/a?lang=es&x=1"),
        ("<![CDATA[{}/post/a?x=1&amp;lang=es]]>", "/post/a?lang=es&x=1"),
        ("{}/post/a?<![CDATA[x=1&lang=es]]>", "/post/a?lang=es&x=1"),
        ("{}/post/a?x=1&lang=es", "/post/a?lang=es&x=1"),
        ("{}/post/a?x=1&amp;lang=es", "/post/a?lang=es&x=1"),
        ("{}/post/a?x=1&#38;lang=es", "/post/a?lang=es&x=1"),
        ("{}/post/a?x=1&amp;amp;lang=es", "/post/a?lang=es&x=1"),
        ("<![CDATA[{}/post/a?x=1&copy=2]]>", "/post/a?copy=2&x=1"),
        ("{}/post/a?x=1&copy=2", "/post/a?copy=2&x=1"),
        ("<![CDATA[{}/post/a&b]]>", "/post/a&b"),
    ],
)
def test_ampersands_of_addresses(loc: str, path: str) -> None:
    body = f"<urlset><url><loc>{loc.format(HOST)}</loc></url><url><loc>{HOST}/post/b?c=1&d=2</loc></url></urlset>"
    assert paths(read(body.encode())) == [path, "/post/b?c=1&d=2"]


def test_every_member_of_a_packed_sitemap_is_read() -> None:
    whole = listed("/post/a", "/post/b", "/post/c")
    for cut in (1, 20, len(whole) // 2, len(whole) - 1):
        found = read(packed(whole[:cut], b"", whole[cut:]))
        assert (paths(found), found.problems) == (["/post/a", "/post/b", "/post/c"], ())


@pytest.mark.parametrize("rest", [b"\0" * 600, b"<!-- cached -->", b"\n", b"\x1f\x8b", b"\x1f\x8b\x08\0broken"])
def test_what_follows_the_last_member_is_left_out(rest: bytes) -> None:
    found = read(packed(listed("/post/a")) + rest)
    assert (paths(found), found.problems) == (["/post/a"], ())


def test_a_member_that_is_missing_is_a_cut() -> None:
    whole = listed("/post/a", "/post/b", "/post/c")
    found = read(packed(whole[: whole.index(b"/post/c")]))
    assert paths(found) == ["/post/a", "/post/b"]
    assert [problem.kind for problem in found.problems] == ["sitemap-cut"]


def test_members_that_are_too_large_together_are_not_read() -> None:
    assert unpacked(packed(b"a" * 60, b"b" * 40), 100) == (b"a" * 60 + b"b" * 40, None)
    body, fault = unpacked(packed(b"a" * 60, b"b" * 41), 100)
    assert (body, fault) == (b"", "larger than 100 bytes when decompressed; not read")
    (problem,) = read(packed(b" " * LARGEST_LIST, b" ")).problems
    assert problem.kind == "too-large"


def test_many_members_and_sections_cost_no_more_than_their_size() -> None:
    assert_linear(lambda size: unpacked(packed(b"a") * size), 4_000)
    assert_linear(lambda size: read(b"<urlset>" + b"<![CDATA[" * size), 20_000)


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_packed_and_unpacked_are_one(parts: list[bytes]) -> None:
    expected = b"".join(parts)
    assert unpacked(packed(*parts))[0] == expected


TEXTS = [
    f"{HOST}/post/a\n{HOST}/post/b", f"{HOST}/post/a\r\n{HOST}/post/b\r\n", f"\ufeff\n{HOST}/post/a\n\n{HOST}/post/b\n",
    f"{HOST}/post/a\n{HOST}/about\n{HOST}/post/b\n",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("path", ["/urllist.txt", "/sitemap.xml", "/list", "/urls.txt.gz"])
def test_a_text_of_addresses_is_a_sitemap_wherever_it_lies(text: str, path: str) -> None:
    body = packed(text.encode()) if path.endswith(".gz") else text.encode()
    items = list(items_of(exchange(body, path, content_type="text/plain"), Wix()) or ())
    assert [item.url for item in items if isinstance(item, Sighting)] == [f"{HOST}/post/a", f"{HOST}/post/b"]
    assert not any(isinstance(item, Problem) for item in items)


def test_lines_that_are_no_addresses_are_told() -> None:
    lines = [f"{HOST}/post/{n}" for n in range(30)]
    found = read("\n".join([*lines, "/post/x", "see above", ""]).encode(), "/urllist.txt")
    assert len(found.sightings) == 30
    (problem,) = found.problems
    assert problem.kind == "sitemap-unreadable"
    assert "2 of its lines are no addresses and were ignored, such as '/post/x'" in problem.message


@pytest.mark.parametrize(
    "body", [b"", b"top of page\nTea", b"http is a protocol\n", b"https://www.a.de/a b\n", b"{}", b"%PDF", b"http:"]
)  # fmt: skip
def test_other_texts_are_no_sitemap(body: bytes) -> None:
    assert document_kind(exchange(body, "/urllist.txt", content_type="text/plain"), Wix()) is None


@pytest.mark.parametrize("path", ["/sm.xml.gz", "/download?id=7", "/feed-as-sitemap.gz"])
def test_packed_lists_are_recognised_by_their_bytes(path: str) -> None:
    feed = f"<rss version='2.0'><channel><item><link>{HOST}/post/a</link></item></channel></rss>".encode()
    for body, kind in ((listed("/post/a"), "sitemap"), (feed, "feed")):
        document = exchange(packed(body[:30], body[30:]), path)
        assert document_kind(document, Wix()) == kind
        items = list(items_of(document, Wix()) or ())
        assert [item.url for item in items if isinstance(item, Sighting)] == [f"{HOST}/post/a"]


@pytest.mark.parametrize(
    ("body", "unread"),
    [
        (b"%PDF-1.4", 1), (b"{}", 1), (b"<html>A page.</html>", 1), (b"\x1f\x8b\x08damaged", 1), (b"", 1),
        (b"<urlset></urlset>", 0), (f"{SITE}/post/b".encode(), 0), (b"<rss><channel></channel></rss>", 0),
    ],
)  # fmt: skip
def test_a_sitemap_that_no_parser_understands_is_told(body: bytes, unread: int) -> None:
    def respond(url: str) -> Any:
        if url.endswith("/robots.txt"):
            return 200, f"Sitemap: {SITE}/list-of-posts\n".encode()
        return (200, body) if url.endswith("/list-of-posts") else site(a=page_of("a"), b=page_of("b"))(url)

    requests, visit = visited(respond)
    assert sorted(posts(requests)) == ["a", "b"]
    assert [problem.url for problem in visit.unreadable_lists] == [f"{SITE}/list-of-posts"] * unread


def test_a_blog_whose_robots_txt_names_odd_sitemaps(tmp_path: Path) -> None:
    """One packed in two members, one as text, one as PDF: all posts are stored, and the PDF is a problem."""
    with serving(Blog(posts=4)) as blog:
        locs = [f"<url><loc>{blog.url}/post/note-{number}</loc></url>".encode() for number in (1, 2)]
        robots = "".join(f"Sitemap: {blog.url}/{name}\n" for name in ("sm.xml.gz", "urllist.txt", "list.pdf"))
        blog.answers["/robots.txt"] = Reply(robots.encode(), kind="text/plain")
        blog.answers["/sm.xml.gz"] = Reply(
            packed(b"<urlset>" + locs[0], locs[1] + b"</urlset>"), kind="application/gzip"
        )
        text = f"{blog.url}/post/note-3\n{blog.url}/post/note-4\n"
        blog.answers["/urllist.txt"] = Reply(text.encode(), kind="text/plain")
        blog.answers["/list.pdf"] = Reply(b"%PDF-1.4 \xe2\xe3", kind="application/pdf")
        for place in ("/sitemap.xml", "/blog-feed.xml", "/blog"):
            del blog.answers[place]
        archive = tmp_path / "archive"
        done = crawl(archive, blog.url)
        assert done.code == 0
        assert value_of(archive, "SELECT count(*) FROM posts") == 4
        assert column(archive, "SELECT url FROM problems WHERE kind = 'sitemap-unreadable'") == [f"{blog.url}/list.pdf"]
        assert "list.pdf: named as a sitemap, but neither XML nor a text of addresses" in done.err
        for command in ("verify", "rebuild"):
            assert run("clinic-archive", command, "--archive", "archive", cwd=tmp_path).code == 0


@pytest.mark.parametrize("reference", ["&#xD800;", "&#xdfff;", "&#x00DC00;", "&#55296;", "&#057343;"])
def test_half_a_surrogate_pair_costs_no_other_entry(reference: str) -> None:
    page = read(listed(f"/post/a{reference}", "/post/b&#228;", "/post/c&#xE000;"))
    assert paths(page) == ["/post/a%EF%BF%BD", "/post/b%C3%A4", "/post/c%EE%80%80"]
