"""Whose page it is: told by generator tag, headers and head, never by words in the body or by one asset."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scraper.discover import items_of
from scraper.feeds import is_comment_feed
from scraper.items import Exchange, Sighting
from scraper.not_a_post import UnsupportedPlatform
from scraper.platforms import marked, platform_named, recognise, site_root
from scraper.platforms._recognise import maker_sentence, unsupported
from tests.dummies import DUMMY_ROOT, FAILING, registered
from tests.scaling import assert_linear

SITE = "https://riverside.example"
REAL = Path(__file__).parents[4] / "shared" / "real-pages" / "platforms"
SHOWIT = '<meta name="generator" content="Showit 3">'
WIX_PICTURE = '<img src="https://static.wixstatic.com/media/a_b~mv2.png">'


def page(head: str = "", inside: str = "<p>Hello.</p>", **changes: object) -> Exchange:
    text = f"<!DOCTYPE html><html><head>{head}</head><body>{inside}</body></html>"
    values = {"url": f"{SITE}/", "body": text.encode(), "content_type": "text/html"} | changes
    return Exchange(**values)  # type: ignore[arg-type]


def named(exchange: Exchange) -> str:
    """The maker that a page of another platform than Wix names; "" for none."""
    platform = recognise(exchange)
    assert platform is None or platform.name != "wix"
    with pytest.raises(UnsupportedPlatform) as error:
        list(unsupported(exchange))
    found = str(error.value).partition(" runs ")[2].partition(", which is not supported")[0]
    assert platform is None or platform.fallback or platform.marks.maker == found
    return found


class TestWhatIsNoMark:
    @pytest.mark.parametrize(
        "body",
        [
            "<p>Made without Wix.com Website Builder</p>",
            '<p>&lt;meta name="generator" content="Wix.com Website Builder"&gt;</p>',
            "<pre>x-wix-request-id: 1\nServer: Pepyaka</pre>",
            WIX_PICTURE,
            '<p>Look for id="wix-warmup-data" in it</p>',
            '<pre>data-hook="post-page"</pre>',
            '<!-- <div data-hook="post-page"> -->',
            '&lt;div data-hook="feed-page-root"&gt;',
        ],
    )
    def test_words_and_pictures_in_a_body(self, body: str) -> None:
        assert named(page(inside=body)) == ""
        assert named(page(SHOWIT, body)) == "Showit"

    @pytest.mark.parametrize(
        "head",
        [
            '<!-- <meta name="generator" content="Wix.com Website Builder"> -->',
            """<script>var a = '<meta name="generator" content="Wix.com Website Builder">'</script>""",
            '<TITLE><meta name="generator" content="Wix.com Website Builder"></TITLE>',
            '<!-- <meta http-equiv="X-Wix-Meta-Site-Id" content="1"> -->',
            '<title>http-equiv="X-Wix-Meta-Site-Id"</title>', "<!-- http-equiv=X-Wix-Meta",
        ],
    )  # fmt: skip
    def test_texts_in_a_head(self, head: str) -> None:
        assert named(page(head)) == ""
        assert named(page(SHOWIT + head)) == "Showit"

    def test_a_page_without_a_head_is_words_from_its_start(self) -> None:
        body = b'<p>Written with http-equiv="X-Wix-Meta-Site-Id"</p>'
        assert named(page(body=body)) == ""

    @pytest.mark.parametrize(
        "marked_up",
        [
            '<!-- a --><meta name="generator" content="Wix.com Website Builder">',
            '<script></script><META CONTENT="1" HTTP-EQUIV=X-Wix-Meta-Site-Id>',
        ],
    )
    def test_elements_beside_them_are_marks(self, marked_up: str) -> None:
        assert recognise(page(marked_up)) is platform_named("wix")
        widget = '<!-- x --><section class="a b" data-hook="post-page">'
        assert recognise(page(inside=widget)) is platform_named("wix")

    def test_many_comments_that_never_end_cost_nothing(self) -> None:
        assert named(page("<!--" * 90_000)) == ""
        assert named(page("<script>" * 40_000)) == ""

    @pytest.mark.parametrize(
        "asset",
        [
            "https://static1.squarespace.com/a.css", "https://other.example/wp-content/a.css",
            "https://cdn.shopify.com/a.css", "https://a.website-files.com/a.css", "https://img1.wsimg.com/a.css",
            "https://static.wixstatic.com/a.css",
        ],
    )  # fmt: skip
    def test_one_asset_alone(self, asset: str) -> None:
        assert named(page(f'<link rel="stylesheet" href="{asset}">')) == ""
        assert named(page(inside=f'<img src="{asset}">' * 3)) == ""


class TestWhichMarkIsStronger:
    def test_a_squarespace_page_with_a_wordpress_asset_is_squarespace(self) -> None:
        assets = '<link href="https://x.example/wp-content/a.css"><script>Static.SQUARESPACE_CONTEXT = {}</script>'
        assert named(page(assets)) == "Squarespace"
        asset = '<link href="https://x.example/wp-content/a.css">'
        assert named(page(asset, headers={"server": "Squarespace"})) == "Squarespace"
        assert named(page(asset, headers={"x-servedby": "squarespace-web-7"})) == "Squarespace"

    def test_a_generator_tag_outweighs_headers_and_headers_outweigh_the_head(self) -> None:
        link = {"link": '<https://x.example/wp-json/>; rel="https://api.w.org/"'}
        assert named(page('<meta name="generator" content="Ghost 5.1">', headers=link)) == "Ghost"
        squarespace = page("<script>Static.SQUARESPACE_CONTEXT = {}</script>", headers=link)
        assert recognise(squarespace) is platform_named("wordpress")

    def test_a_generator_tag_of_another_maker_outweighs_headers_and_head_of_wix(self) -> None:
        head = SHOWIT + '<meta http-equiv="X-Wix-Meta-Site-Id" content="1">'
        assert named(page(head, headers={"server": "Pepyaka"})) == "Showit"

    def test_the_same_holds_between_platforms_that_are_read(self) -> None:
        wix = page('<meta name="generator" content="Wix.com Website Builder">')
        with registered("early"):
            early = platform_named("aab")
            assert early is not None
            assert marked(page()) is early
            assert marked(wix) is platform_named("wix")
            assert marked(page(headers={"server": "Pepyaka"})) is platform_named("wix")
            assert marked(page('<meta name="generator" content="Early 1">', headers={"server": "Pepyaka"})) is early

    @pytest.mark.parametrize(
        ("maker", "changes"),
        [
            ("HubSpot", {"body": b'<html><head></head>\n<body class="blog hs-blog-post">x</body></html>'}),
            ("Duda", {"body": b'<html><body id="dmRoot" class="dmRoot dmBody">x</body></html>'}),
            ("GoDaddy Websites", {"headers": {"x-siteid": "1"}}),
            ("Weebly", {"headers": {"x-host": "blu1.sf2p.intern.weebly.net"}}),
            ("Shopify", {"headers": {"powered-by": "Shopify"}}),
            ("Webflow", {"headers": {"x-wf-region": "us-east-1"}}),
        ],
    )
    def test_other_marks(self, maker: str, changes: dict[str, object]) -> None:
        assert named(page(**changes)) == maker  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    [
        "/comments/feed/", "/sleep/comments/feed/", "/feeds/comments/default", "/feeds/7/comments/default?max=5",
        "/?feed=comments-rss2", "/feed/comments", "/comments.rss", "/comments-rss2.xml", "/COMMENTS/FEED",
    ],
)  # fmt: skip
def test_a_feed_of_comments_names_no_post(path: str) -> None:
    feed = f"<rss version='2.0'><channel><item><link>{SITE}/post/a</link></item></channel></rss>".encode()
    wix = platform_named("wix")
    assert list(items_of(Exchange(url=f"{SITE}/feed/", body=feed), wix) or ()) == [
        Sighting(url=f"{SITE}/post/a", source="feed")
    ]
    assert list(items_of(Exchange(url=SITE + path, body=feed), wix) or ()) == []


@pytest.mark.parametrize("link", ["/post/a#comment-12", "/post/a/#comment-7", "/post/a?showComment=15#c34"])
def test_a_feed_whose_items_all_link_to_comments_names_no_post(link: str) -> None:
    def seen(*links: str) -> list[object]:
        items = "".join(f"<item><link>{SITE}{each}</link></item>" for each in links)
        body = f"<rss version='2.0'><channel>{items}</channel></rss>".encode()
        return list(items_of(Exchange(url=f"{SITE}/latest", body=body), platform_named("wix")) or ())

    assert seen(link, link) == []
    assert len(seen(link, "/post/b")) == 2


@pytest.mark.parametrize(
    ("item", "names"),
    [
        ("<item><link><![CDATA[{}#comment-3]]></link></item>", 0), ("<item><link>\n{}#comment-3\n</link></item>", 0),
        ('<entry><link rel="alternate" href="{}?showComment=1#c1"/></entry>', 0),
        ('<entry><thr:in-reply-to ref="x"/><link rel="alternate" href="{}"/></entry>', 0),
        ('<entry><link rel="alternate" href="{}"/></entry>', 1),
        ("<item><link>{}</link><comments>{}#comments</comments></item>", 1),
        ("<item><link>{}#section-2</link></item>", 1),
    ],
)  # fmt: skip
def test_what_a_feed_of_comments_is_known_by(item: str, names: int) -> None:
    root = ('<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">', "</feed>")
    start, end = root if "entry" in item else ("<rss version='2.0'><channel>", "</channel></rss>")
    body = f"{start}{item.replace('{}', f'{SITE}/post/a')}{end}".encode()
    found = list(items_of(Exchange(url=f"{SITE}/latest", body=body), platform_named("wix")) or ())
    assert len([each for each in found if isinstance(each, Sighting)]) == names


@pytest.mark.parametrize("dummy", ["greedy", *(f"greedy:{method}" for method in FAILING)])
def test_the_root_of_a_site_is_no_matter_of_a_platform_that_names_another(dummy: str) -> None:
    with registered(dummy):
        for url in (SITE, f"{SITE}/post/a", "https://user.wixsite.com/clinic/post/a"):
            assert DUMMY_ROOT not in site_root(url)
        assert site_root(f"{SITE}/post/a") == SITE
        assert site_root("https://user.wixsite.com/clinic/post/a") == "https://user.wixsite.com/clinic"


def _real() -> list[tuple[str, str, str]]:
    if not REAL.exists():
        return []
    with (REAL / "INDEX.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(row["file"], row["platform"].partition("-")[0], row["url"]) for row in rows]


@pytest.mark.skipif(not REAL.exists(), reason="../shared/real-pages/platforms is not there")
def test_real_pages_of_other_platforms() -> None:
    """Every page names its maker, none is taken for one of ours."""
    wrong = []
    for file, platform, url in _real():
        exchange = Exchange(url=url, body=(REAL / file).read_bytes(), content_type="text/html")
        found = recognise(exchange)
        if (found.name if found else "").lower() != platform and f"runs {platform}" not in maker_sentence(
            exchange
        ).lower():
            wrong.append(f"{file}: {found.name if found else maker_sentence(exchange)}")
    assert wrong == []


def test_links_of_a_feed_that_are_never_closed_cost_no_more_than_their_length() -> None:
    def read(size: int) -> None:
        is_comment_feed(Exchange(url="https://www.clinic.example/feed", body=b"<rss><item>" + b"<link " * size))

    assert_linear(read, 40_000)
