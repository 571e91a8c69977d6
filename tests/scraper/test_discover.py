"""Discovery: sitemaps, feeds and listings, whole, cut, wrong and real, and what they agree on."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scraper.crawl.merge import MergedSources, merge
from scraper.discover import document_kind, items_of, read_links
from scraper.feeds import FeedPage, read_feed
from scraper.items import Exchange, Item, SightedIn, Sighting
from scraper.platforms._platform import Platform
from scraper.platforms.wix import Wix
from scraper.sitemaps import SitemapPage, read_sitemap
from tests.scaling import assert_linear

REAL = Path(__file__).parents[2].parent / "shared" / "real-pages" / "feeds"
real_pages = pytest.mark.skipif(not REAL.is_dir(), reason="the real pages are not here")
HEX = "64ddbf6a1737d98af033206f"


def is_post(url: str, named_in: str | None = None) -> bool:
    return "/post/" in url


def exchange(body: str | bytes, url: str = "https://www.a.de/sitemap.xml", **more: object) -> Exchange:
    return Exchange(url=url, body=body.encode() if isinstance(body, str) else body, **more)  # type: ignore[arg-type]


def sitemap(body: str | bytes, url: str = "https://www.a.de/sitemap.xml") -> SitemapPage:
    return read_sitemap(exchange(body, url), is_post)


def feed(body: str | bytes, url: str = "https://www.a.de/blog-feed.xml") -> FeedPage:
    return read_feed(exchange(body, url), is_post, Wix().guid_address)


def kinds(page: SitemapPage | FeedPage) -> list[str]:
    return [problem.kind for problem in page.problems]


SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="/x.xsl"?><!-- made by hand -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://www.a.de/post/eins-ü </loc><lastmod>2026-01-02</lastmod>
  <image:image><image:loc>https://static.wixstatic.com/media/a~mv2.jpg</image:loc></image:image></url>
<url><loc>/post/two?lang=es&b=1</loc></url>
<url><loc>https://www.a.de/blog</loc><lastmod>2026-01-03</lastmod></url>
<url><loc>https://a.de/post/three/</loc><lastmod></lastmod></url>
</urlset>
"""


def test_a_sitemap() -> None:
    page = sitemap(SITEMAP)
    assert page.sightings == (
        Sighting(url="https://www.a.de/post/eins-%C3%BC", source="sitemap", lastmod="2026-01-02"),
        Sighting(url="https://www.a.de/post/two?b=1&lang=es", source="sitemap"),
        Sighting(url="https://a.de/post/three", source="sitemap", listed_url="https://a.de/post/three/"),
    )
    assert (page.others, page.sub_sitemaps, page.problems) == (1, (), ())


def test_a_sitemap_index() -> None:
    page = sitemap(
        '<x:sitemapindex xmlns:x="http://www.sitemaps.org/schemas/sitemap/0.9"><x:sitemap><x:loc>https://www.a.de/post/s.xml'
        "</x:loc><x:lastmod>2026-01-01</x:lastmod></x:sitemap><x:sitemap><x:loc>javascript:x</x:loc></x:sitemap>"
        "</x:sitemapindex>"
    )
    assert page.sub_sitemaps == (("https://www.a.de/post/s.xml", "2026-01-01"),)
    assert page.sightings == ()
    assert page.problems == ()


def test_a_gzipped_sitemap_whole_cut_and_broken() -> None:
    packed = gzip.compress(SITEMAP.encode())
    assert sitemap(packed).sightings == sitemap(SITEMAP).sightings
    assert kinds(sitemap(packed[:-90])) in (["sitemap-cut"], ["sitemap-unreadable"])
    assert kinds(sitemap(b"\x1f\x8b\x08garbage")) == ["sitemap-unreadable"]
    assert kinds(sitemap(gzip.compress(b" " * (51 * 1024 * 1024)))) == ["too-large"]


@pytest.mark.parametrize("cut", range(330, len(SITEMAP) - 12, 7))
def test_a_cut_sitemap_gives_no_half_address(cut: int) -> None:
    whole = sitemap(SITEMAP).sightings
    page = sitemap(SITEMAP[:cut])
    assert page.sightings == whole[: len(page.sightings)]
    assert kinds(page) == ["sitemap-cut"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<!DOCTYPE html><html><body><a href='/post/x'>x</a>", "sitemap-is-html"),
        ('<?xml version="1.0"?>\n<!-- x --><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">\n<HTML>', "sitemap-is-html"),
        ("", "sitemap-unreadable"),
        ("not found", "sitemap-unreadable"),
        ("{}", "sitemap-unreadable"),
        ("<rss version='2.0'><channel/></rss>", "sitemap-unreadable"),
        ("<urlset><url><loc>https://b.de/post/x</loc></url></urlset>", "sitemap-foreign"),
        ("<urlset>", "sitemap-cut"),
    ],
)
def test_what_is_no_sitemap(body: str, kind: str) -> None:
    page = sitemap(body)
    assert kinds(page) == [kind]
    assert page.sightings == ()
    assert page.problems[0].url == "https://www.a.de/sitemap.xml"


def test_an_empty_sitemap_is_no_problem() -> None:
    assert sitemap("<urlset/>") == SitemapPage() == sitemap("<urlset></urlset>")


def test_entities_of_a_sitemap_reach_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    page = sitemap(
        f'<!DOCTYPE u [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "yes">]>'
        "<urlset><url><loc>https://www.a.de/post/&x;</loc></url></urlset>"
    )
    assert "secret" not in str(page)


def test_a_bomb_of_entities_is_not_expanded() -> None:
    """The deepest entity would be 30 MB long."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 8))
    bomb = f'<!DOCTYPE u [<!ENTITY l0 "lol">{levels}]>'
    read = (
        sitemap(f"{bomb}<urlset><url><loc>https://www.a.de/post/&l7;</loc></url></urlset>"),
        feed(
            f'{bomb}<rss version="2.0"><channel><title>&l7;</title><item><title>&l7;</title>'
            "<link>https://www.a.de/post/&l7;</link></item></channel></rss>"
        ),
    )
    assert "lol" not in str(read)


RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>A</title>
<item><title><![CDATA[Ketamine &#38; you
<b>now</b>]]></title><link>https://www.a.de/post/eins-ü</link><guid isPermaLink="false">{HEX}</guid>
<pubDate>Thu, 28 May 2026 21:36:32 +0200</pubDate></item>
<item><title>Plain</title><link>/post/zwei</link><guid>https://www.a.de/post/zwei</guid><pubDate>soon</pubDate>
<content:encoded><![CDATA[<p>text</p>]]></content:encoded></item>
<item><title>An event</title><link>https://www.a.de/event/x</link></item>
<item><title>No link</title></item>
</channel></rss>
"""


def test_a_feed() -> None:
    page = feed(RSS)
    assert page.sightings == (
        Sighting(
            url="https://www.a.de/post/eins-%C3%BC",
            source="feed",
            addresses=(f"wix:{HEX}",),
            title="Ketamine & you now",
            published_at="2026-05-28T19:36:32Z",
        ),
        Sighting(url="https://www.a.de/post/zwei", source="feed", title="Plain"),
    )
    assert (page.others, page.problems) == (2, ())


def test_an_atom_feed() -> None:
    page = feed(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>T</title><link href="https://www.a.de/post/x"/>'
        "<id>tag:x</id><published>2026-01-02T03:04:05+01:00</published><updated>2026-02-01</updated></entry></feed>"
    )
    assert page.sightings == (
        Sighting(
            url="https://www.a.de/post/x",
            source="feed",
            title="T",
            published_at="2026-01-02T02:04:05Z",
            lastmod="2026-02-01",
        ),
    )


def test_an_empty_feed_is_no_problem() -> None:
    assert feed('<rss version="2.0"><channel><title>A</title></channel></rss>') == FeedPage()


@pytest.mark.parametrize("odd", [b" " * 10, b"<?xml", b"<!--", b"<feed ", b"<!doctype ["])
def test_odd_bytes_cost_no_more_than_their_size(odd: bytes) -> None:
    assert_linear(lambda times: (sitemap(odd * times), feed(odd * times)), 10**5)


def test_a_cut_feed_with_a_feedburner_element_is_cut() -> None:
    burnt = RSS.replace("<title>A</title>", '<title>A</title><feedburner:info xmlns:feedburner="x" uri="a"/>')
    assert kinds(feed(burnt)) == []
    assert kinds(feed(burnt[:-30])) == ["feed-cut"]


def test_a_feed_without_a_platform_is_all_posts() -> None:
    page = read_feed(exchange(RSS, "https://www.a.de/feed"))
    assert len(page.sightings) == 3
    assert not any(each.addresses for each in page.sightings)


@pytest.mark.parametrize("cut", range(160, len(RSS) - 15, 11))
def test_a_cut_feed_gives_no_half_address(cut: int) -> None:
    whole = feed(RSS).sightings
    page = feed(RSS.encode()[:cut])
    assert page.sightings == whole[: len(page.sightings)]
    assert kinds(page) == ["feed-cut"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<!doctype html><title>x</title>", "feed-is-html"),
        ("", "feed-unreadable"),
        ("https://www.a.de/", "feed-unreadable"),
        ("/etc/passwd", "feed-unreadable"),
        ("<urlset></urlset>", "feed-unreadable"),
        ("<rss version='2.0'><channel><item><title>a & b <x</title></item></channel></rss>", "feed-malformed"),
        ("<rss version='2.0'><channel><item><link>http://b.de/post/x</link></item></channel></rss>", "feed-foreign"),
    ],
)
def test_what_is_no_feed(body: str, kind: str) -> None:
    assert kinds(feed(body)) == [kind]


def test_opaque_guids() -> None:
    address = Wix().guid_address
    assert address(HEX.upper()) == f"wix:{HEX}"
    assert address("0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f") == "wix:0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f"
    assert address("https://a.de/?p=12") is None
    assert address("12") is None


@given(st.binary(max_size=200) | st.text(alphabet="<>/urlsetloc&;!-? itemrss\"'", max_size=60).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_read(body: bytes) -> None:
    for start in (b"", b"<urlset><url><loc>", b'<rss version="2.0"><channel><item><pubDate>', b"<html><a href="):
        document = exchange(start + body)
        read_sitemap(document, is_post)
        read_feed(document, is_post)
        read_links(document)


@given(st.text(alphabet="0123456789 :+-TZ,./JanMon GMT", max_size=40))
@settings(deadline=None)
@example("00")  # feedparser: the year -99
def test_any_date_of_a_feed_is_iso_or_nothing(printed: str) -> None:
    page = feed(
        f'<rss version="2.0"><channel><item><link>/post/x</link><pubDate>{printed}</pubDate></item></channel></rss>'
    )
    published = page.sightings[0].published_at
    assert published is None or published.endswith("Z") or re.fullmatch(r"\d{4}-\d\d-\d\d", published)


def test_links() -> None:
    page = exchange(
        "<html><head><base href='https://www.a.de/blog/'><link href='/x.css'></head><body>"
        "<a href='../post/eins-ü#top'>1</a>"
        "<a href='page/2'>2</a><a href='https://a.de/post/two?utm_source=x'>3</a><a href='/post/eins-%C3%BC'>again</a>"
        "<a href='https://b.de/post/x'>no</a><a href='mailto:x@a.de'>no</a><a href='/brochure.pdf'>no</a><a>no</a>"
        "<a href='http://[x'>no</a><a href='javascript:void(0)'>no</a><map><area href='/post/three'></map>",
        "https://www.a.de/blog",
        content_type="text/html; charset=utf-8",
    )
    assert read_links(page) == (
        "https://www.a.de/post/eins-%C3%BC",
        "https://www.a.de/blog/page/2",
        "https://a.de/post/two",
        "https://www.a.de/post/three",
    )
    assert read_links(exchange("", "https://www.a.de/")) == () == read_links(exchange("<p>x", "https://www.a.de/"))


class Sample:
    """A platform in so far as discovery needs one (a subclass of Platform would be found as a platform)."""

    name = "sample"
    sitemaps = ("blog-posts-sitemap.xml",)
    feeds = ("blog-feed.xml", "/feed/")
    is_post_url = staticmethod(is_post)

    @staticmethod
    def guid_address(guid: str) -> str | None:
        return f"sample:{guid}" if len(guid) == len(HEX) else None

    @staticmethod
    def read_feed(exchange: Exchange) -> Iterator[Item]:
        return iter(())


class WithGuids(Sample):
    @staticmethod
    def guid_address(guid: str) -> str | None:
        return f"sample:{guid[:3]}"


def read(document: Exchange, platform: type[Sample] = Sample) -> list[object] | None:
    items = items_of(document, platform())  # type: ignore[arg-type]
    return None if items is None else list(items)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/robots.txt", "User-agent: *", "robots"),
        ("/robots.txt", "<html>", "robots"),
        ("/x", SITEMAP, "sitemap"),
        ("/x", "\ufeff\n<sitemapindex>", "sitemap"),
        ("/x", RSS, "feed"),
        ("/x", "<rdf:RDF xmlns:rdf='x'>", "feed"),
        ("/sitemap.xml", "<html>", "sitemap"),
        ("/wp-sitemap-posts-post-1.xml", "", "sitemap"),
        ("/sitemap_index.xml.gz", "\x1f\x8b", "sitemap"),
        ("/site/blog-posts-sitemap.xml", "", "sitemap"),
        ("/es/blog-feed.xml", "<html>", "feed"),
        ("/feed/", "<html>", "feed"),
        ("/post/robots.txt", "<html>", None),
        ("/post/about-my-sitemap", "<html>", None),
        ("/post/x", "<!DOCTYPE html><html>", None),
        ("/api", '{"x": "<rss>"}', None),
        ("/", "", None),
    ],
)
def test_kinds_of_documents(path: str, body: str, kind: str | None) -> None:
    platform: Platform = Sample()  # type: ignore[assignment]
    assert document_kind(exchange(body, f"https://www.a.de{path}"), platform) == kind
    assert document_kind(exchange(body, f"https://www.a.de{path}", method="POST"), platform) is None


def test_items_of_documents() -> None:
    assert read(exchange(SITEMAP)) == [*sitemap(SITEMAP).sightings]
    sightings = read(exchange(RSS))
    assert sightings
    assert [getattr(each, "addresses", None) for each in sightings] == [(f"sample:{HEX}",), ()]
    sightings = read(exchange(RSS), WithGuids)
    assert sightings
    assert [getattr(each, "addresses", None) for each in sightings] == [("sample:64d",), ("sample:htt",)]
    assert read(exchange("<html>", "https://www.a.de/post/x")) is None


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/sitemap.xml", 404, None),
        ("/sitemap.xml", 304, None),
        ("/sitemap.xml", 301, None),
        ("/sitemap.xml", 503, "sitemap-failed"),
        ("/sitemap.xml", 403, "sitemap-failed"),
        ("/blog-feed.xml", 500, "feed-failed"),
        ("/blog-feed.xml", 410, None),
        ("/robots.txt", 404, None),
        ("/robots.txt", 503, "robots-refused"),
    ],
)
def test_answers_that_are_not_the_document(path: str, status: int, kind: str | None) -> None:
    items = read(exchange("<html>no</html>", f"https://www.a.de{path}", status=status))
    assert items is not None
    assert [getattr(item, "kind", "?") for item in items] == ([kind] if kind else [])


def sighted(source: SightedIn, url: str, *addresses: str, **more: str) -> Sighting:
    return Sighting(url=f"https://www.a.de/post/{url}", source=source, addresses=addresses, **more)


def test_merge_counts_and_orders() -> None:
    found = merge(
        [
            sighted("listing", "undated"),
            sighted("sitemap", "old", lastmod="2020-01-01"),
            sighted("sitemap", "new", lastmod="2020-01-02"),
            sighted("sitemap", "new"),
            sighted("listing", "old"),
            sighted("feed", "new", f"wix:{HEX}", published_at="2026-01-01T00:00:00Z", title="New"),
            Sighting(url="http://a.de/post/old", source="related"),
        ],
        read=["post"],
        feed_size=20,
    )
    assert [post.url.rsplit("/", 1)[1] for post in found.posts] == ["new", "old", "undated"]
    assert found.counts == {"post": 0, "sitemap": 2, "listing": 2, "feed": 1, "related": 1}
    new, old, _ = found.posts
    assert (new.addresses, new.title, new.lastmod) == ((f"wix:{HEX}",), "New", "2020-01-02")
    assert old.addresses == ("http://a.de/post/old",)
    assert old.sources == {"sitemap", "listing", "related"}


def test_a_platform_id_joins_two_addresses_whenever_it_comes() -> None:
    sightings = [
        sighted("sitemap", "old-slug", "wix:1"),
        sighted("listing", "new-slug", "wix:2"),
        sighted("feed", "new-slug", "wix:1"),
        sighted("feed", "other", "wix:3"),
    ]
    for order in permutations(sightings):
        found = merge(order, feed_size=20)
        assert len(found.posts) == 2
        joined = next(post for post in found.posts if len(post.addresses) > 1)
        assert joined.url == "https://www.a.de/post/old-slug"
        assert set(joined.addresses) == {"https://www.a.de/post/new-slug", "wix:1", "wix:2"}


def test_sources_that_agree_say_nothing() -> None:
    listed = [sighted(source, str(n)) for n in range(30) for source in ("sitemap", "listing")]
    assert merge(listed + [sighted("feed", str(n)) for n in range(20)], feed_size=20).disagreements() == []
    assert MergedSources().disagreements() == []
    assert merge([sighted("related", "x")], feed_size=20).disagreements() == []


def test_disagreements_in_words() -> None:
    found = merge(
        [
            *(sighted("sitemap", name) for name in "abcdef"),
            *(sighted("listing", name) for name in "abx"),
            sighted("feed", "a"),
            sighted("related", "z"),
        ],
        feed_size=20,
    )
    post = "https://www.a.de/post/"
    assert found.disagreements() == [
        f"5 posts are in the sitemap but not in the feed: {post}b, {post}c, {post}d, ...",
        f"4 posts are in the sitemap but not in the listing: {post}c, {post}d, {post}e, ...",
        f"1 post is in the listing but not in the sitemap: {post}x",
        f"2 posts are in the listing but not in the feed: {post}b, {post}x",
        f"1 post is named by other posts but in no sitemap or feed or listing: {post}z",
    ]
    days = [sighted("feed", name, published_at=f"2026-01-0{day}") for name, day in (("a", 5), ("b", 3))]
    young = sighted("listing", "young", published_at="2026-01-04")
    old = [sighted("listing", "old", published_at="2026-01-02"), sighted("sitemap", "undated")]
    feed_alone = [text for text in merge([*days, young, *old]).disagreements() if "but not in the feed" in text]
    assert feed_alone == [f"1 post is in the listing but not in the feed: {post}young"]
    assert merge([sighted("listing", "a")], read=["sitemap"], feed_size=20).disagreements() == [
        f"1 post is in the listing but not in the sitemap: {post}a"
    ]


one_sighting = st.builds(
    sighted,
    st.sampled_from(["sitemap", "feed", "listing", "related", "post"]),
    st.sampled_from("abcde"),
    st.sampled_from(["wix:1", "wix:2", "wix:3", "wix:4"]),
    lastmod=st.sampled_from(["2020-01-01", "2021-01-01T00:00:00Z", "yesterday", ""]),
)


@given(st.lists(one_sighting, max_size=12))
def test_every_address_is_in_one_post_alone(sightings: list[Sighting]) -> None:
    found = merge(sightings, feed_size=20)
    named = [address for post in found.posts for address in (post.url, *post.addresses)]
    assert len(named) == len(set(named))
    assert set(named) == {address for each in sightings for address in (each.url, *each.addresses)}
    home = {address: n for n, post in enumerate(found.posts) for address in (post.url, *post.addresses)}
    assert all(home[each.url] == home[address] for each in sightings for address in each.addresses)
    backwards = merge(reversed(sightings), feed_size=20).posts
    assert {frozenset((post.url, *post.addresses)) for post in backwards} == {
        frozenset((post.url, *post.addresses)) for post in found.posts
    }


# Facts of the real feeds: how many items, when the first was published; all with the platform's id.
@real_pages
@pytest.mark.parametrize(
    ("name", "count", "newest"),
    [
        ("10xers-labs__theglowbarldn__blog-feed", 8, "2025-04-10T14:00:13Z"),
        ("DebyBit__jamie__blog-feed", 20, "2019-03-09T06:58:18Z"),
        ("GirlPlusEnvironment__girlplusenvironment.org__blog-feed", 20, "2026-05-28T19:36:32Z"),
        ("GreatValour__Mantra__blog-feed", 13, "2023-08-14T07:00:00Z"),
        ("Huzaifaabdullah509__Socialvibepro__blog-feed", 3, "2024-07-24T15:39:55Z"),
        ("NomadNiko__traceydoesmakeup__blog-feed", 5, "2021-11-15T23:37:40Z"),
        ("being-nitin__izenimplantindia__blog-feed", 8, "2023-08-17T07:11:48Z"),
        ("colosal-ai__proyecto-fenicio__www.fenicio.es_blog-feed", 20, "2023-07-16T09:14:21Z"),
        ("crazycharlie00__research__blog-feed", 1, "2024-12-14T06:57:56Z"),
        ("d3v1anX__task_wget_novicom__blog-feed", 20, "2021-05-06T13:24:13Z"),
        ("hehehbshsh__Mysite__blog-feed", 20, "2023-05-02T11:54:40Z"),
        ("interstatemi__interstatemi__blog-feed", 10, "2019-09-09T17:41:21Z"),
    ],
)
def test_real_feeds_of_wix(name: str, count: int, newest: str) -> None:
    body = (REAL / f"{name}.xml").read_bytes()
    site = body.partition(b'rel="self"')[0].rpartition(b'href="')[2].partition(b'"')[0].decode()
    page = feed(body, site)
    assert (len(page.sightings), page.others, page.problems) == (count, 0, ())
    assert page.sightings[0].published_at == newest
    assert all(each.addresses and each.addresses[0].startswith("wix:") and each.title for each in page.sightings)
    assert merge(page.sightings, feed_size=20).counts == {"feed": count}
    half = feed(body[: len(body) // 2], site)
    assert kinds(half) == ["feed-cut"]
    assert half.sightings == page.sightings[: len(half.sightings)]


@real_pages
def test_real_sitemaps_of_wix() -> None:
    indexes = {path.name: sitemap(path.read_bytes()) for path in REAL.glob("*__sitemap.xml")}
    assert len(indexes) == 8
    for page in indexes.values():
        assert not page.problems
        assert not page.sightings
        assert [sub for sub, _ in page.sub_sitemaps if sub.endswith("/blog-posts-sitemap.xml")]
        assert all(lastmod and len(lastmod) == 10 for _, lastmod in page.sub_sitemaps)
    posts = sitemap(
        (REAL / "colosal-ai__proyecto-fenicio__blog-posts-sitemap.xml").read_bytes(), "https://www.fenicio.es/x"
    )
    assert (len(posts.sightings), posts.others, posts.problems) == (21, 0, ())
    pages = sitemap((REAL / "colosal-ai__proyecto-fenicio__pages-sitemap.xml").read_bytes(), "https://www.fenicio.es/x")
    assert (len(pages.sightings), pages.others, pages.problems) == (0, 5, ())


@real_pages
def test_a_real_feed_and_sitemap_merge() -> None:
    site = "https://www.fenicio.es/x"
    listed = sitemap((REAL / "colosal-ai__proyecto-fenicio__blog-posts-sitemap.xml").read_bytes(), site)
    newest = feed((REAL / "colosal-ai__proyecto-fenicio__www.fenicio.es_blog-feed.xml").read_bytes(), site)
    found = merge([*listed.sightings, *newest.sightings], feed_size=20)
    assert found.counts == {"sitemap": 21, "feed": 20}
    assert len(found.posts) == 21
    assert found.disagreements() == []
