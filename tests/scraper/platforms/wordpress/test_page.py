"""Which pages of a WordPress site are posts, and what a post's page says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scraper.items import Exchange, Item, Post, Problem, Sighting
from scraper.not_a_post import NotAPost
from scraper.platforms.wordpress.page import read_page

URL = "https://fernside-clinic.example/sleep/"
DATED = '<meta property="article:published_time" content="2024-05-03T10:00:00+00:00">'
LD = '<script type="application/ld+json">%s</script>'
ARTICLE = (
    '<article id="post-8" class="post-8 post type-post hentry"><h1 class="entry-title">Sleep</h1>'
    '<div class="entry-content"><p>Dim the lamps an hour before bed.</p></div></article>'
)


def read(body: str, *, head: str = DATED, classes: str = "single single-post postid-8", url: str = URL) -> list[Item]:
    html = f"<html lang='en'><head>{head}</head><body class='{classes}'>{body}</body></html>"
    return list(read_page(Exchange(url=url, body=html.encode())))


def post_of(body: str, *, head: str = DATED, classes: str = "single single-post postid-8", url: str = URL) -> Post:
    return next(item for item in read(body, head=head, classes=classes, url=url) if isinstance(item, Post))


@pytest.mark.parametrize(
    ("classes", "head"),
    [
        ("single single-post postid-8", ""),
        ("", DATED),
        ("theme", LD % '{"@type":"BlogPosting","datePublished":"2024-05-03"}'),
        ("", '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/8">'),
        ("", '<link rel="alternate" type="application/json" href="/?rest_route=%2Fwp%2Fv2%2Fposts%2F8">'),
    ],
)  # fmt: skip
def test_a_post_is_known_by_what_core_or_a_plugin_says(classes: str, head: str) -> None:
    post = post_of(ARTICLE, classes=classes, head=head)
    assert (post.platform_post_id, post.title, post.body_text) == ("8", "Sleep", "Dim the lamps an hour before bed.")
    assert post.addresses == ("https://fernside-clinic.example/sleep", "wordpress:8")


@pytest.mark.parametrize(
    "classes",
    [
        "page page-id-8", "page-template-default page", "single single-product postid-8 woocommerce",
        "attachment single-attachment", "single single-team postid-8", "single single-service postid-8",
        "single single-elementor_library postid-8", "single single-tribe_events postid-8",
        "single single-doctor postid-8",
        "woocommerce woocommerce-page archive",
    ],
)  # fmt: skip
def test_pages_products_staff_services_and_events_are_no_posts(classes: str) -> None:
    with pytest.raises(NotAPost):
        read(ARTICLE.replace("type-post", "type-other"), classes=classes)


def test_the_front_page_gives_no_post_and_raises_nothing() -> None:
    items = read(ARTICLE.replace("type-post", "type-page"), classes="home page", url="https://fernside-clinic.example/")
    assert not [item for item in items if isinstance(item, Post | Problem)]


def test_an_entry_of_another_type_is_a_post_with_date_and_author() -> None:
    body = ARTICLE.replace("type-post", "type-story").replace(
        "</h1>", '</h1><a rel="author" href="/author/n/">Noor</a>'
    )
    assert post_of(body, classes="single single-story postid-8").author == "Noor"
    with pytest.raises(NotAPost):
        read(ARTICLE.replace("type-post", "type-story"), classes="single single-story postid-8")


def test_a_page_under_tags_that_calls_itself_a_dated_article_by_someone_is_a_post() -> None:
    head = (
        '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2024-05-03","author":'
        '{"name":"Noor Hallam"}}</script>'
    )
    page = ARTICLE.replace("type-post", "type-page")
    filed = page.replace("type-page", "type-page tag-sleep")
    assert post_of(filed, classes="page page-id-8", head=head).author == "Noor Hallam"
    with pytest.raises(NotAPost):  # SEO plugins call every page an article
        read(filed, classes="page page-id-8", head=head.replace("NewsArticle", "Article"))
    with pytest.raises(NotAPost):  # a page for a service
        read(page, classes="page page-id-8", head=head.replace("NewsArticle", "BlogPosting"))


@pytest.mark.parametrize(
    ("html", "author"),
    [
        ('<span class="byline">By <a href="/author/n/">Noor Hallam</a>15,219 Comments</span>', "Noor Hallam"),
        ('<p class="author">Written by: Noor Hallam | May 3</p>', "Noor Hallam"),
        ('<div class="author"><h3>By <a href="/noor/">Noor Hallam</a>, <i>Columnist</i></h3></div>', "Noor Hallam"),
        (
            '<a rel="author" href="/author/n/">View all of Noor\'s posts</a><h2 class="author-title">By Noor</h2>',
            "Noor",
        ),
        ('<span itemprop="author"><meta itemprop="name" content=""><span itemprop="name">Noor</span></span>', "Noor"),
        ('<aside><span class="author">Somebody</span></aside>', None),
        ('<div class="related-posts"><span class="author">Somebody</span></div>', None),
    ],
)
def test_the_author_is_the_name_in_the_posts_own_byline(html: str, author: str | None) -> None:
    assert post_of(ARTICLE.replace("</h1>", f"</h1>{html}")).author == author


@pytest.mark.parametrize(
    ("html", "published"),
    [
        ('<time class="published" datetime="2024-05-03T06:00:00-04:00">May 3</time>', "2024-05-03T10:00:00Z"),
        ('<time class="updated" datetime="2024-06-01T00:00:00Z"></time><time>May 3, 2024</time>', "2024-05-03"),
        ('<time datetime="03-05-2024 10:29">3. Mai 2024 10:29</time>', "2024-05-03"),
        ('<p class="fusion-meta-info"><b class="updated">2024-06-01</b><b>May 3rd, 2024</b></p>', "2024-05-03"),
        ('<span class="entry-date">Posted on May 3, 2024 at 9:15 pm</span>', "2024-05-03"),
        ('<span class="entry-date">03/05/2024</span>', None),  # March or May
    ],
)  # fmt: skip
def test_a_printed_date_without_a_zone_is_a_day(html: str, published: str | None) -> None:
    assert post_of(ARTICLE.replace("</h1>", f"</h1>{html}"), head="").published_at == published


@pytest.mark.parametrize(
    ("head", "published", "source"),
    [("", "2024-05-03", "relative"), (LD % '{"@type":"WebPage","datePublished":"2024-05-02T22:00:00Z"}', None, "html")],
)
def test_a_date_counted_back_from_the_capture_gives_way_to_an_exact_one(
    head: str, published: str | None, source: str
) -> None:
    body = ARTICLE.replace("</h1>", '</h1><span class="entry-date">3 days ago</span>')
    html = f"<html lang='en'><head>{head}</head><body class='single single-post postid-8'>{body}</body></html>"
    exchange = Exchange(url=URL, body=html.encode(), fetched_at=datetime(2024, 5, 6, 9, tzinfo=UTC))
    post = next(item for item in read_page(exchange) if isinstance(item, Post))
    assert (post.published_at, post.sources["published_at"]) == (published or "2024-05-02T22:00:00Z", source)
    assert post.counted_to == ("2024-05-03T09:00:00Z" if published else None)


def test_a_date_that_is_of_both_is_no_change() -> None:
    both = '<p class="posted-on"><time class="published updated" datetime="2024-05-03T10:00:00Z">May 3</time></p>'
    post = post_of(ARTICLE.replace("</h1>", f"</h1>{both}"), head="")
    assert (post.published_at, post.modified_at) == ("2024-05-03T10:00:00Z", None)
    changed = '<time class="updated" datetime="2024-05-20T06:30:00Z">May 20</time>'
    assert post_of(ARTICLE.replace("</h1>", f"</h1>{both}{changed}"), head="").modified_at == "2024-05-20T06:30:00Z"


def test_recipe_plugins_write_local_time_as_utc() -> None:
    head = '<script type="application/ld+json">{"@type":"Recipe","datePublished":"2024-05-03T23:00:00+00:00"}</script>'
    assert post_of(ARTICLE, head=head).published_at == "2024-05-03"


def test_a_banner_above_the_article_is_the_posts() -> None:
    banner = '<div class="banner"><h1>Sleep</h1><span class="author">Noor</span><i class="icon-eye"></i></div>'
    post = post_of(
        banner + ARTICLE.replace('<h1 class="entry-title">Sleep</h1>', ""),
        head='<meta property="og:title" content="Sleep">',
    )
    assert (post.title, post.author) == ("Sleep", "Noor")


@pytest.mark.parametrize(
    "container",
    [
        "wp-block-post-content", "elementor elementor-8", "elementor-widget-theme-post-content", "et_pb_post_content",
        "fusion-content-tb", "fl-builder-content-8", "td-post-content", "post-content", "a-theme-of-its-own",
    ],
)  # fmt: skip
def test_the_text_is_in_the_container_of_theme_or_builder(container: str) -> None:
    words = "Dim the lamps an hour before bed, and keep the phone in another room with the curtains shut."
    text = f"<div class='{container}'><p>{words}</p><p>{words[::-1]}</p></div>"
    assert (
        post_of(f"<main><h1>Sleep</h1>{text}<aside><p>{words * 9}</p></aside></main>").body_text or ""
    ).splitlines()[:1] == [words]


def test_a_post_of_pictures_has_no_text() -> None:
    post = post_of(
        '<main><h1>Sleep</h1><div class="wp-block-post-content"><img src="/a.png"></div><p>Posted by Noor</p></main>'
    )
    assert (post.body_text, len(post.images), post.access) == (None, 1, None)


def test_a_later_page_of_a_post_gives_no_post() -> None:
    assert not [item for item in read(ARTICLE, classes="single single-post single-paged-2") if isinstance(item, Post)]


@pytest.mark.parametrize("token", ["single-paged-0", "single-paged-1", "single-paged-02"])
def test_a_page_that_is_numbered_by_no_later_page_is_the_post(token: str) -> None:
    assert [item for item in read(ARTICLE, classes=f"single single-post {token}") if isinstance(item, Post)]


def test_a_list_gives_sightings_alone() -> None:
    cards = ARTICLE.replace("Sleep", '<a href="/sleep/">Sleep</a>')
    items = read(cards, classes="archive category")
    assert [(item.url, item.certain) for item in items if isinstance(item, Sighting)] == [(URL.rstrip("/"), True)]


@pytest.mark.parametrize(
    "script",
    ["{", "[" * 5_000, '{"@graph":[1,null,{"@type":["A","Article"],"author":[{"@id":"#x"}]}]}', '"text"', "null"],
)
def test_hostile_json_ld_is_at_most_a_problem(script: str) -> None:
    items = read(ARTICLE, head=f'{DATED}<script type="application/ld+json">{script}</script>')
    assert any(isinstance(item, Post) for item in items)
