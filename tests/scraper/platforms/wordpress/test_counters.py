"""Numbers of views, likes and comments: of the post itself, as its own area prints them."""

from __future__ import annotations

import pytest

from scraper.extract import extract
from scraper.items import Exchange, Post
from scraper.platforms import platform_named
from scraper.platforms.wordpress.html.printed import number_of_comments
from scraper.platforms.wordpress.page import read_page

URL = "https://fernside-clinic.example/sleep/"


def page(own: str = "", *, outside: str = "", head: str = "") -> str:
    return (
        f"<html><head>{head}</head><body class='single single-post postid-8'><main>"
        f"<article class='post-8 post type-post hentry'><h1>Sleep</h1>{own}"
        f"<div class='entry-content'><p>Dim the lamps.</p></div></article>{outside}</main></body></html>"
    )


def post_of(own: str = "", *, outside: str = "", head: str = "") -> Post:
    items = read_page(Exchange(url=URL, body=page(own, outside=outside, head=head).encode()))
    return next(item for item in items if isinstance(item, Post))


@pytest.mark.parametrize(
    ("html", "views"),
    [
        ('<div class="post-views post-8"><span class="post-views-count">1,204</span></div>', 1204),
        (
            '<div class="td-post-views"><i class="td-icon-views"></i><span class="td-nr-views-8">117632</span></div>',
            117632,
        ),
        ('<span class="post-views" title="14267 Article Views">14,267</span>', 14267),
        ("<p>181,038 views</p>", 181038),
        ("<div>Views: 37</div>", 37),
        ('<div><span class="ss88viewstxt">1,693</span> views</div>', 1693),
        ('<div><span class="fa fa-eye"></span> 704</div>', 704),
        ('<span class="mkdf-post-info-count">0 Views</span>', 0),
        ('<meta itemprop="interactionCount" content="UserPageVisits:12">', 12),
    ],
)
def test_views_are_read_in_the_posts_own_area(html: str, views: int) -> None:
    assert post_of(html).views == views


@pytest.mark.parametrize(
    "html",
    [
        '<div class="post-views post-9"><span class="post-views-count">1,204</span></div>',  # of another post
        '<ul class="wpp-list"><li>Naps <span class="wpp-views">9,310 views</span></li></ul>',
        '<div class="related-posts"><span class="post-views">88</span></div>',
        '<aside><span class="views">88 views</span></aside>',
        "<p>Blog stats: 88,120 hits</p>",
        "<h2>7 views of the harbour</h2>",
        '<p class="reviews">10 reviews</p>',
        '<span class="post-views">999+</span>',
        '<span class="view-all">3</span>',
        '<div class="list"><div><h3><a href="/naps/">Naps</a></h3><p>812 views</p></div></div>',
        '<ul><li><a href="/naps/"><h4>Naps</h4></a><span class="post-views">812</span></li></ul>',
        "<p>It has <b>12 views</b> a day.</p>",
    ],
)
def test_numbers_of_other_things_are_no_views(html: str) -> None:
    assert post_of(html).views is None


def ulike(number: str, kind: str, value: str) -> str:
    button = f'<button data-ulike-id="{number}" data-ulike-type="{kind}"></button>'
    return f'<div class="wpulike">{button}<i data-ulike-counter-value="{value}"></i></div>'


@pytest.mark.parametrize(
    ("html", "likes"),
    [
        (ulike("8", "post", "+12,345"), 12345),
        (ulike("9", "post", "5"), None),
        (ulike("8", "comment", "5"), None),
        ('<a class="zilla-likes"><span>0</span></a>', 0),
        ('<div class="essb_links"><span class="like">201K</span></div>', None),
        ('<span class="fb-like">12</span>', None),
        ('<div class="sharedaddy sd-like">4 likes</div>', None),
    ],
)  # fmt: skip
def test_likes_are_of_this_post_and_of_no_share_button(html: str, likes: int | None) -> None:
    assert post_of(html).likes == likes


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("7 thoughts on “Sleep”", 7), ("36 Kommentare", 36), ("Comments (3)", 3), ("Comments: 12", 12),
        ("15,219 Comments", 15219), ("Un commentaire", 1), ("One response to Sleep", 1), ("No comments yet", 0),
        ("0 Comments", 0), ("Keine Kommentare", 0), ("3 comentarios", 3), ("5 Comments:", 5),
        ("Leave a comment", None), ("Comments are closed", None), ("Comments", None), ("12", None),
    ],
)  # fmt: skip
def test_numbers_of_comments_in_words_of_themes(printed: str, number: int | None) -> None:
    assert number_of_comments(printed) == number


@pytest.mark.parametrize(
    ("own", "outside", "number"),
    [
        ('<a href="/sleep/#comments">4 Comments</a>', "", 4),
        ('<a href="/sleep/#respond"><i class="icon"></i> 4</a>', "", 4),
        ("", '<div id="comments"><h3>2 Responses</h3></div>', 2),
        ("", '<div id="comments"><h3>No Comments</h3></div>', 0),
        ("", '<div id="respond"><h3>Leave a comment</h3></div>', None),
        ("", '<div class="card"><a href="/naps/#comments">9 Comments</a></div>', None),
        ("", '<div class="comments"><a href="/naps/#comments">9 Comments</a></div>', None),
        ("<h2>5 thoughts on burnout</h2>", "", None),
        ('<a href="/sleep/comment-page-2/#comments">2</a>', "", None),
        ("", '<div class="widget"><div class="comments">40 comments</div></div>', None),
    ],
)
def test_comments_are_counted_by_the_posts_own_area(own: str, outside: str, number: int | None) -> None:
    assert post_of(own, outside=outside).comments_count == number


LD = '<script type="application/ld+json">{"@type":"Article","commentCount":%s}</script>'


def test_a_zero_of_json_ld_is_no_zero() -> None:
    assert post_of(head=LD % 12).comments_count == 12
    post = post_of(head=LD % 0)
    assert (post.comments_count, post.comments_count_raw) == (None, "0")


@pytest.mark.parametrize(
    "mark",
    [
        '<div id="disqus_thread"></div>', '<script src="https://riverside.disqus.com/embed.js"></script>',
        '<div class="fb-comments" data-href="https://a.example/"></div>', "<hyvor-talk-comments></hyvor-talk-comments>",
        '<script src="https://talk.hyvor.com/web-api/embed.js"></script>',
        '<script data-isso="https://isso.example/" src="https://isso.example/js/embed.min.js"></script>',
        '<script src="https://giscus.app/client.js" data-repo="a/b" data-term="x"></script>',
        '<script src="https://utteranc.es/client.js" repo="a/b"></script>',
        '<script src="https://launcher.spot.im/spot/sp_1"></script>', '<div id="vuukle-comments"></div>',
        '<div id="cusdis_thread"></div>', '<script src="https://www.intensedebate.com/js/wordpress.js"></script>',
        '<div id="livefyre-comments"></div>', '<script src="https://cdn.commento.io/js/commento.js"></script>',
        '<div id="coral_thread"></div>', '<div id="graphcomment"></div>',
    ],
)  # fmt: skip
def test_a_printed_zero_says_nothing_where_another_service_has_the_comments(mark: str) -> None:
    generator = '<meta name="generator" content="WordPress 6.5">'
    html = page(head=generator, outside=f'<div id="comments"><h3>0 Comments</h3>{mark}</div>')
    items = extract(Exchange(url=URL, body=html.encode(), content_type="text/html"), platform_named("wordpress"))
    post = next(item for item in items if isinstance(item, Post))
    assert (post.comments_count, post.comments_count_raw) == (None, "0 Comments")


def test_interactions_of_json_ld_are_read_of_the_article() -> None:
    counter = '{"interactionType":"https://schema.org/%s","userInteractionCount":%d}'
    stated = (
        f'{{"@type":"Article","interactionStatistic":[{counter % ("ViewAction", 70)},{counter % ("LikeAction", 3)}]}}'
    )
    post = post_of(head=f'<script type="application/ld+json">{stated}</script>')
    assert (post.views, post.likes) == (70, 3)


FORM = (
    "<div id='respond' class='comment-respond'><h3>Leave a reply</h3>"
    "<form action='https://fernside-clinic.example/wp-comments-post.php'><p>Name</p></form></div>"
)
ISSO = "<section id='isso-thread'></section><script data-isso='https://isso.example/' src='/embed.min.js'></script>"


@pytest.mark.parametrize(
    ("area", "number"),
    [
        (f"<div id='comments' class='comments-area'>{FORM}</div>", 0),
        (f"<section class='wp-block-comments'><h2>Comments</h2><div>{FORM}</div></section>", 0),
        (f"<div id='comments' class='comments-area'><p>Comments are shown to members.</p>{FORM}</div>", None),
        (f"<div id='comments' class='comments-area'><button>Load comments</button>{FORM}</div>", None),
        (f"<div id='comments' class='comments-area'><div class='thread'></div>{FORM}</div>", None),
        ("<div id='comments' class='comments-area'><p>Comments are closed.</p></div>", None),
        (f"<div id='comments'>{FORM}</div>", None),  # a theme's own area, which a script may fill
        (FORM, None),  # in no area: the comments may stand anywhere
        (f"<div id='comments' class='comments-area'>{FORM}</div>{ISSO}", None),
    ],
)
def test_an_empty_thread_with_its_form_is_a_zero(area: str, number: int | None) -> None:
    markup = page(outside=area, head="<meta name='generator' content='WordPress 6.5'>")
    exchange = Exchange(url=URL, body=markup.encode(), content_type="text/html")
    (post,) = (item for item in extract(exchange, platform_named("wordpress")) if isinstance(item, Post))
    assert post.comments_count == number
