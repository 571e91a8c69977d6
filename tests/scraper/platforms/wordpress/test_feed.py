"""Feeds with whole texts, and feeds of excerpts."""

from __future__ import annotations

from scraper.items import Exchange, Post, Problem
from scraper.platforms.wordpress.feed import read_posts

ROOT = "https://fernside-clinic.example"
NAMESPACES = " ".join(
    f'xmlns:{name}="{address}"'
    for name, address in (
        ("content", "http://purl.org/rss/1.0/modules/content/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("slash", "http://purl.org/rss/1.0/modules/slash/"),
    )
)


def rss(items: str, url: str = f"{ROOT}/feed/") -> Exchange:
    return Exchange(url=url, body=f'<rss version="2.0" {NAMESPACES}><channel>{items}</channel></rss>'.encode())


def item(content: str = "", *, title: str = "Sleep", more: str = "", guid: str = f"{ROOT}/?p=8") -> str:
    encoded = f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else ""
    return (
        f"<item><title>{title}</title><link>{ROOT}/sleep/</link><dc:creator><![CDATA[Noor Hallam]]></dc:creator>"
        f'<pubDate>Fri, 03 May 2024 10:00:00 +0000</pubDate><guid isPermaLink="false">{guid}</guid>'
        f"<category><![CDATA[Home]]></category><category><![CDATA[light]]></category>{encoded}{more}</item>"
    )


def post_of(exchange: Exchange) -> Post:
    return next(item for item in read_posts(exchange) if isinstance(item, Post))


def test_an_item_with_its_text_is_a_post() -> None:
    post = post_of(rss(item("<p>Dim the lamps.</p>", more="<slash:comments>4</slash:comments>")))
    assert (post.platform_post_id, post.addresses) == ("8", (f"{ROOT}/sleep", "wordpress:8"))
    assert (post.title, post.author, post.published_at) == ("Sleep", "Noor Hallam", "2024-05-03T10:00:00Z")
    assert (post.body_text, post.access) == ("Dim the lamps.", "public")
    assert (post.categories, post.tags) == ((), ())  # mixed in one list
    assert (post.comments_count, post.modified_at) == (4, None)
    assert set(post.sources.values()) == {"feed"}


def test_the_text_is_the_same_on_every_page_of_every_feed() -> None:
    html = '<p><a href="#rest">Rest</a> <a href="/wp-login.php?redirect_to=http%3A%2F%2Fx%2Ffeed">Log in</a></p>'
    first, second = post_of(rss(item(html))), post_of(rss(item(html), f"{ROOT}/feed/?paged=2"))
    assert [link.url for link in first.links] == [f"{ROOT}/sleep/#rest", f"{ROOT}/wp-login.php"]
    assert first == second


def test_a_feed_shows_no_comments_so_that_its_zero_is_unknown() -> None:
    post = post_of(rss(item("<p>Dim.</p>", more="<slash:comments>0</slash:comments>")))
    assert (post.comments_count, post.comments_count_raw) == (None, "0")


def test_a_feed_of_excerpts_gives_no_text() -> None:
    post = post_of(rss(item(more="<description><![CDATA[Dim the lamps an hour [&#8230;]]]></description>")))
    assert (post.body_text, post.access, post.excerpt) == (None, None, "Dim the lamps an hour […]")


def test_an_excerpt_that_wordpress_cut_from_the_text_is_none() -> None:
    cut = "<description><![CDATA[Dim the [&#8230;]]]></description>"
    assert post_of(rss(item("<p>Dim the lamps.</p>", more=cut))).excerpt is None
    marked = "<description>Dim the...</description>"
    assert post_of(rss(item("<p>Dim the lamps.</p>", more=marked))).excerpt is None
    assert post_of(rss(item("<p>Dark rooms.</p>", more=marked))).excerpt == "Dim the..."
    own = "<description><![CDATA[<p>Why darkness helps.</p>]]></description>"
    assert post_of(rss(item("<p>Dim the lamps.</p>", more=own))).excerpt == "Why darkness helps."


def test_a_post_with_a_password_has_its_plain_title_and_no_words() -> None:
    form = '<form class="post-password-form" action="/wp-login.php?action=postpass"><p>Enter it</p></form>'
    more = "<description>There is no excerpt.</description>"
    post = post_of(rss(item(form, title="Protected: Results: by post", more=more)))
    assert (post.title, post.access, post.body_text, post.excerpt) == ("Results: by post", "password", None, None)


def test_titles_are_plain_text_in_rss_and_html_in_atom() -> None:
    assert post_of(rss(item("<p>x</p>", title="R&amp;#038;D &lt;what matters&gt;"))).title == "R&D <what matters>"
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="html"><![CDATA[R&#038;D <em>now</em>]]></title>'
        f'<link rel="alternate" href="{ROOT}/?p=8"/><id>{ROOT}/?p=8</id><updated>2024-05-20T06:30:00Z</updated>'
        "<published>2024-05-03T10:00:00Z</published><content "
        'type="html"><![CDATA[<p>Dim.</p>]]></content></entry></feed>'
    )
    post = post_of(Exchange(url=f"{ROOT}/feed/atom/", body=atom.encode()))
    assert (post.title, post.modified_at, post.published_at) == (
        "R&D now",
        "2024-05-20T06:30:00Z",
        "2024-05-03T10:00:00Z",
    )
    assert post.addresses == (f"{ROOT}/?p=8", "wordpress:8")


def test_the_sentence_that_a_plugin_adds_is_no_text() -> None:
    footer = f'<p>Der Beitrag <a href="{ROOT}/sleep/">Sleep</a> erschien zuerst auf <a href="{ROOT}">Fernside</a>.</p>'
    own = f'<p>See <a href="{ROOT}/naps/">naps</a> and <a href="{ROOT}">us</a>.</p>'
    assert post_of(rss(item("<p>Dim.</p>" + footer))).body_text == "Dim."
    assert post_of(rss(item("<p>Dim.</p>" + own))).body_text == "Dim.\nSee naps and us."
    broken = '<p><a href="http://[x">a</a> and <a href="http://[y">b</a></p>'
    assert post_of(rss(item(broken))).body_text == "a and b"


def test_faulty_and_foreign_feeds_give_what_can_be_read() -> None:
    foreign = item("<p>x</p>").replace(f"{ROOT}/sleep/", "https://elsewhere.example/a/")
    assert not list(read_posts(rss(foreign)))
    cut = rss(item("<p>Dim.</p>"))
    cut = Exchange(url=cut.url, body=cut.body[:-40])
    assert {type(found) for found in read_posts(cut)} <= {Post, Problem}
    assert [type(found) for found in read_posts(Exchange(url=cut.url, body=b"<html><p>no</p>"))] == [Problem]
    assert not post_of(rss(item("<p>x</p>", guid="https://old.example/?p=9"))).platform_post_id
