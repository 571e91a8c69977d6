"""The generic reader: which pages are posts, which addresses are, and how a site of no known platform is discovered."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from scraper.extract import extract, extract_post
from scraper.items import Comment, Exchange, Post, Sighting
from scraper.not_a_post import NotAPost
from scraper.platforms import platform_named, recognise
from scraper.platforms._article.address import is_post_url
from scraper.platforms._platform import Answer, Ask, Blog

SITE = "https://harbour-clinic.example"
REAL = Path(__file__).parents[4] / "shared" / "real-pages" / "platforms"
GENERIC = platform_named("generic")
WORDS = "<p>Our nurses see you from eight in the morning, and nobody waits longer than ten minutes for a chair.</p>" * 3


def page(path: str, inside: str, head: str = "", attributes: str = "") -> Exchange:
    html = f"<!DOCTYPE html><html lang=en><head>{head}</head><body{attributes}>{inside}{WORDS}</body></html>"
    return Exchange(url=SITE + path, body=html.encode(), content_type="text/html")


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


MAKERS = ("", '<meta name="generator" content="Webflow">', '<meta name="generator" content="HubSpot">')
CARD = (
    '<article><h2><a href="/blog/{0}">Post {0}</a></h2><span class="author">Ann Lee</span>'
    '<time datetime="2026-0{0}-01">x</time></article>'
)
CARDS = "".join(CARD.format(number) for number in (1, 2, 3))
NO_POSTS = {
    "product": ("/products/balm", "<h1>Balm</h1><p>$6</p>", ld('{"@type":"Product","name":"Balm"}')),
    "product with reviews": (
        "/balm", "<h1>Balm</h1><div class=review><span class=reviewer>Ravi</span></div>",
        ld('{"@type":"Product","review":[{"@type":"Review","author":"Ravi","datePublished":"2026-01-02"}]}'),
    ),
    "service": ("/services/wounds", "<h1>Wound care</h1>", ""),
    "service at the root": ("/wound-care", "<h1>Wound care</h1>", '<meta property="og:type" content="article">'),
    "service with a date of change": (
        "/wound-care-2", "<h1>Wound care</h1><p>Last updated on March 3, 2026</p>",
        '<meta property="article:modified_time" content="2026-03-03T10:00:00Z">',
    ),
    "page of a graph": (
        "/wound-care-3", "<h1>Wound care</h1>",
        ld('{"@graph":[{"@type":"WebPage","datePublished":"2026-03-03","name":"Wound care"}]}'),
    ),
    "staff": ("/team/ann-lee", "<h1>Ann Lee</h1><p>Nurse</p>", ld('{"@type":"Person","name":"Ann Lee"}')),
    "staff at the root": ("/ann-lee", '<h1 class="author-name">Ann Lee</h1>', '<meta name="author" content="Agency">'),
    "landing page": ("/free-guide", "<h1>Free guide</h1><form><input></form>", ""),
    "contact": ("/contact", "<h1>Contact</h1>", ""),
    "privacy": ("/privacy-policy", "<h1>Privacy</h1><p>Effective January 5, 2026</p>", ""),
    "category": ("/blog/category/skin", f"<h1>Skin</h1>{CARDS}", ""),
    "tag": ("/blog/tag/skin", f"<h1>Skin</h1>{CARDS}", ""),
    "author's archive": ("/author/ann-lee", f"<h1>Ann Lee</h1>{CARDS}", ""),
    "listing": ("/blog", f"<h1>Blog</h1>{CARDS}", ""),
    "second page of a listing": ("/blog/page/2", f"<h1>Blog</h1>{CARDS}", ""),
    "listing at another path": ("/reading-room", f"<h1>Reading room</h1>{CARDS}", ""),
    "archive of a month": ("/2026/03", f"<h1>March</h1>{CARDS}", ""),
    "home page": ("/", f"<h1>Harbour</h1>{CARDS}", ""),
    "event": (
        "/open-day", "<h1>Open day</h1><p>Doors open at nine.</p>",
        ld('{"@type":"Event","name":"Open day","startDate":"2026-05-03"}'),
    ),
    "testimonials": (
        "/what-people-say", '<h1>What they say</h1><blockquote>Kind.<cite class="author">Ravi</cite></blockquote>', "",
    ),
    "questions": ("/questions", "<h1>Questions</h1>", ld('{"@type":"FAQPage","mainEntity":[{"@type":"Question"}]}')),
    "search": ("/search", f"<h1>Search</h1>{CARDS}", ""),
}  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS, ids=["none", "Webflow", "HubSpot"])
@pytest.mark.parametrize("name", NO_POSTS)
def test_other_pages_of_a_clinic_are_no_posts(name: str, maker: str) -> None:
    path, inside, head = NO_POSTS[name]
    exchange = page(path, inside, maker + head)
    assert not [item for item in extract(exchange, recognise(exchange)) if isinstance(item, Post)]
    with pytest.raises(NotAPost):
        extract_post(exchange)


def test_a_listing_names_its_posts() -> None:
    items = extract(page("/reading-room", f"<h1>Reading room</h1>{CARDS}"), GENERIC)
    assert [(item.url, item.published_at) for item in items if isinstance(item, Sighting)] == [
        (f"{SITE}/blog/{number}", f"2026-0{number}-01") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("inside", "head", "path"),
    [
        ("<h1>Cold</h1><p>By Ann Lee | March 3, 2026</p>", "", "/cold"),
        ("<h1>Cold</h1><time datetime=2026-03-03>x</time>", "", "/blog/cold"),
        ("<article><h1>Cold</h1><time datetime=2026-03-03>x</time></article>", "", "/cold"),
        ("<h1>Cold</h1>", ld('{"@type":"BlogPosting","headline":"Cold","datePublished":"2026-03-03"}'), "/cold"),
        ('<div class="h-entry"><h1>Cold</h1><a class="p-author">Ann Lee</a></div>', "", "/cold"),
        ("<h2>Cold</h2><p class=byline>Written by Ann Lee</p>", "<title>Cold</title>", "/2026/03/cold"),
    ],
)
def test_two_signs_make_a_post(inside: str, head: str, path: str) -> None:
    post = extract_post(page(path, inside, head))
    assert (post.platform, post.title) == ("generic", "Cold")
    assert post.published_at in ("2026-03-03", None)
    assert post.author in ("Ann Lee", None)


def test_commenters_words_are_no_text_of_the_post() -> None:
    comments = (
        "<section class=comments><h2>1 comment</h2><div id=comment-7 class=comment><b class=fn>Zora</b>Secret</div>"
    )
    post = extract_post(
        page("/blog/cold", f"<h1>Cold</h1><time datetime=2026-03-03>x</time>{WORDS}{comments}</section>")
    )
    assert "Secret" not in (post.body_text or "")
    assert "Zora" not in repr(post.body_html)


def test_a_date_that_only_htmldate_finds_ranks_last_and_is_no_sign() -> None:
    head = '<meta name="DC.date.issued" content="2024-06-02">'
    post = extract_post(page("/blog/masks", "<h1>Masks</h1><p class=byline>By Ann Lee</p>", head))
    assert (post.published_at, post.sources["published_at"]) == ("2024-06-02", "text")
    with pytest.raises(NotAPost):
        extract_post(page("/masks", "<h1>Masks</h1><p class=byline>By Ann Lee</p>", head))


@pytest.mark.parametrize(
    ("path", "named_in", "verdict"),
    [
        ("/blog/sleep", None, True), ("/en/news/sleep/", None, True), ("/2024/05/sleep", None, True),
        ("/2024/05/07/sleep.html", None, True), ("/f/sleep", None, True), ("/sleep-blog/naps", None, True),
        ("/sleep", None, None), ("/sleep", "/feed.xml", True), ("/sleep", "/post-sitemap.xml", True),
        ("/sleep", "/sitemap.blog.xml", True), ("/sleep", "/sitemap.xml", None), ("/sleep", "/page-sitemap.xml", False),
        ("/", None, False), ("/blog", None, False), ("/blog/tag/x", None, False), ("/blog/page/2", None, False),
        ("/2024/05", None, False), ("/contact", None, False), ("/products/x", "/feed.xml", False),
        ("/blog/a.jpg", None, False), ("/blog?page=3", None, False),
    ],
)  # fmt: skip
def test_what_an_address_says(path: str, named_in: str | None, verdict: bool | None) -> None:
    assert is_post_url(SITE + path, named_in and SITE + named_in) is verdict


def test_an_address_that_is_none_is_no_posts() -> None:
    assert is_post_url("http://[") is False


def discovered(answer: Callable[[str], str | None], home: str) -> tuple[list[Ask], Blog]:
    """The requests of a discovery on a site that gives these pages (None: 404), and the blog."""
    assert GENERIC is not None
    blog = Blog(root=SITE, home=page("/", home))
    plan, requests, seen = GENERIC.discover(blog), list[Ask](), set[str]()
    ask = next(plan, None)
    while ask is not None:
        requests.append(ask)
        text = answer(ask.url.removeprefix(SITE))
        exchange = Exchange(
            url=ask.url,
            body=(text or "").encode(),
            status=200 if text else 404,
            content_type="text/html" if text and "<html" in text else "application/xml",
        )
        items = extract(exchange, GENERIC)
        named = {item.url for item in items if isinstance(item, Sighting) and item.certain}
        new = len(named - seen)
        seen |= named
        try:
            ask = plan.send(Answer(ask=ask, exchange=exchange, items=items, new_posts=new))
        except StopIteration:
            break
    return requests, blog


def test_discovery_reads_sitemaps_feeds_and_listings_while_they_name_new_posts() -> None:
    feed = '<link rel="alternate" type="application/rss+xml" href="/rss">'

    def answer(path: str) -> str | None:
        if path == "/rss":
            return f"<rss version='2.0'><channel><item><link>{SITE}/sleep</link></item></channel></rss>"
        if path in ("/news", "/news/page/2", "/news/page/3"):
            number = int(path[-1]) if path[-1].isdigit() else 1
            cards = CARDS.replace("/blog/", f"/news/{number}-")
            return f"<html><body><h1>News</h1>{cards}<a href='/news/page/{min(number + 1, 3)}'>older</a></body></html>"
        return None

    requests, blog = discovered(answer, f"{feed}<a href='/news'>News</a>")
    paths = [ask.url.removeprefix(SITE) for ask in requests]
    assert paths == ["/robots.txt", "/sitemap.xml", "/rss", "/news", "/news/page/2", "/news/page/3", "/blog"]
    assert blog.evident


def test_a_site_that_pages_for_ever_is_left_after_40_requests() -> None:
    def answer(path: str) -> str | None:
        number = int(path.rpartition("/")[2]) if path[-1].isdigit() else 1
        cards = CARDS.replace("/blog/", f"/blog/{number}-")
        return f"<html><body><h1>Blog</h1>{cards}<a href='/blog/page/{number + 1}'>older</a></body></html>"

    requests, blog = discovered(answer, "<a href='/blog'>Blog</a>")
    assert len(requests) < 40
    assert blog.notes


def test_a_site_that_answers_everything_with_one_page_has_no_evident_blog() -> None:
    _, blog = discovered(lambda path: "<html><body><h1>Welcome</h1></body></html>", "<h1>Welcome</h1>")
    assert not blog.evident


def _real() -> list[dict[str, str]]:
    if not REAL.exists():
        return []
    with (REAL / "INDEX.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in rows if not row["platform"].startswith(("wordpress", "ghost"))]


@pytest.mark.skipif(not REAL.exists(), reason="../shared/real-pages/platforms is not there")
def test_real_posts_of_the_small_platforms_are_read() -> None:
    """Title, date and counts are those of the index, and no post is refused."""
    wrong = []
    for row in _real():
        exchange = Exchange(url=row["url"], body=(REAL / row["file"]).read_bytes(), content_type="text/html")
        post = extract_post(exchange)
        if post.platform != row["platform"] or (post.published_at or "")[:7] not in row["published"]:
            wrong.append((row["file"], post.platform, post.published_at))
        if row["comments_count"] not in ("?", "" if post.comments_count is None else str(post.comments_count)):
            wrong.append((row["file"], "comments", str(post.comments_count)))
        if row["comment_ids_in_html"] not in ("?", str(len(post.comments))):
            wrong.append((row["file"], "comments in the page", str(len(post.comments))))
    assert wrong == []


def test_comments_that_each_page_counts_from_one_are_not_taken_for_each_other() -> None:
    html = b"""<!doctype html><html><body><article itemscope itemtype="https://schema.org/BlogPosting">
      <h1 itemprop="headline">Rest</h1><time itemprop="datePublished" datetime="2025-01-14">14 January</time>
      <div itemprop="articleBody"><p>Rest heals, and sleep is the rest that heals most of all.</p></div></article>
      <article id="comment1" itemprop="comment"><div itemprop="text"><p>Thanks.</p></div></article>
      <article id="comment-4001" itemprop="comment"><div itemprop="text"><p>Me too.</p></div></article></body></html>"""
    ids = [
        item.platform_comment_id
        for name in ("sleep", "pollen")
        for item in GENERIC.read(Exchange(url=f"https://a.example/blog/{name}", body=html))
        if isinstance(item, Comment)
    ]
    assert ids == ["blog/sleep:1", "4001", "blog/pollen:1", "4001"]


@pytest.mark.parametrize(
    ("platform", "path"),
    [("shopify", "/blogs/news/sleep"), ("blogger", "/2024/05/sleep.html"), ("substack", "/p/sleep"),
     ("medium", "/sleep-0123456789ab")],
)  # fmt: skip
def test_a_not_found_page_with_status_200_is_no_post(platform: str, path: str) -> None:
    """The address alone is no proof."""
    body = b"<html><title>Clinic</title><body><main><h1>Page not found</h1><p>It may have moved.</p></main>"
    reader = platform_named(platform)
    assert reader is not None
    with pytest.raises(NotAPost):
        list(reader.read(Exchange(url=f"https://clinic.example{path}", body=body, content_type="text/html")))


def test_a_control_character_behind_what_is_taken_out_costs_no_page() -> None:
    body = (
        b"<html><body><article><h1>Sleep</h1><time datetime='2024-05-03T06:00:00Z'>May 3, 2024</time>"
        b"<span class='author'>Noor Hallam</span><div class='entry-content'><p>Dim the lamps an hour before bed.</p>"
        b"<form>x</form>&#1;and<script>x</script>\x02 read.</div></article></body></html>"
    )
    page = Exchange(url="https://clinic.example/blog/sleep", body=body, content_type="text/html; charset=utf-8")
    post = extract_post(page)
    assert (post.title, post.published_at) == ("Sleep", "2024-05-03T06:00:00Z")
