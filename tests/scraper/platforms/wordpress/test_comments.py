"""Comments in pages: of core's walker, of themes that mark little, and of hostile visitors."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scraper.items import Comment, Exchange, Item, ThreadPage
from scraper.platforms.wordpress.html.comments.pages import is_comment_page, post_address
from scraper.platforms.wordpress.page import read_page

URL = "https://fernside-clinic.example/sleep/"


def read(comments: str, *, heading: str = "", url: str = URL) -> list[Item]:
    html = (
        "<html lang='en'><body class='single single-post postid-8'><main><article class='post-8 post type-post hentry'>"
        "<h1>Sleep</h1><div class='entry-content'><p>Dim the lamps.</p></div></article>"
        f"<div id='comments'>{heading}{comments}</div></main></body></html>"
    )
    return list(read_page(Exchange(url=url, body=html.encode(), fetched_at=datetime(2024, 6, 1, tzinfo=UTC))))


def comments_of(html: str) -> list[Comment]:
    return [item for item in read(html) if isinstance(item, Comment)]


def only(html: str) -> Comment:
    (comment,) = comments_of(html)
    return comment


@pytest.mark.parametrize(
    ("html", "author", "posted_at", "text"),
    [
        (  # names and dates in elements of the theme's own
            '<li class="comment" id="li-comment-5"><div id="comment-5"><h5>Pim</h5><p>A red lamp?</p>'
            '<span class="date-comment">01 . Apr . 2023</span></div></li>',
            "Pim", "2023-04-01", "A red lamp?",
        ),
        (
            '<li class="comment" id="comment-5"><div class="right"><div '
            'class="comment-meta"><span class="authorName">Pim'
            '</span><span class="commentsDate">April 1, 2023 at 8:16 am <a '
            'class="comment-reply-link">Reply</a></span></div>'
            '<div class="commenttext"><p>A red lamp?</p></div></div></li>',
            "Pim", "2023-04-01", "A red lamp?",
        ),
        (
            '<li class="comment" id="comment-5"><div class="comment-box"><div '
            'class="comment-author meta"><strong>Pim</strong>'
            ' 1. April 2023 um 15:28 Uhr <a class="comment-reply-link">- Antworten</a></div>'
            '<div class="comment-text"><p>A red lamp?</p></div></div></li>',
            "Pim", "2023-04-01", "A red lamp?",
        ),
        (  # the old walker of core: nothing marks the text
            '<li class="comment" id="comment-5"><div class="comment-body"><div '
            'class="comment-author vcard"><cite class="fn">'
            'Pim</cite> <span class="says">says:</span></div><div '
            'class="comment-meta"><a href="/sleep/#comment-5">April 1, '
            '2023 at 5:32 pm</a></div><p>A red lamp?</p><div '
            'class="vote-box">4</div><div class="reply">Reply</div></div></li>',
            "Pim", "2023-04-01", "A red lamp?",
        ),
        (  # an id on the text alone
            '<ul><li><div class="comment"><div class="info"><span class="x-comment-author">Pim</span><span '
            'class="x-comment-date">April 1, 2023</span></div><div '
            'class="x-comment-text"><div id="comment-5"><p>A red lamp?'
            '</p></div></div></div></li></ul>',
            "Pim", "2023-04-01", "A red lamp?",
        ),
        (  # no name, an unknown zone, a numeric date that is two dates
            '<li class="comment" id="comment-5"><div class="comment-content">A red '
            'lamp?</div><span class="comment-date">'
            "2/11/2024</span></li>",
            None, None, "A red lamp?",
        ),
    ],
)  # fmt: skip
def test_name_date_and_text_of_one_comment(html: str, author: str | None, posted_at: str | None, text: str) -> None:
    comment = only(html)
    assert (comment.platform_comment_id, comment.author, comment.posted_at, comment.body_text) == (
        "5", author, posted_at, text,
    )  # fmt: skip


NESTED = '<li class="comment" id="comment-{0}"><div class="comment-content">{0}</div>{1}</li>'


@pytest.mark.parametrize(
    "html",
    [
        NESTED.format(1, f'<ul class="children">{NESTED.format(2, "")}</ul>'),
        NESTED.format(1, f'<ol class="children">{NESTED.format(2, "")}</ol>'),
        f'<ol>{NESTED.format(1, "")}<ul class="children">{NESTED.format(2, "")}</ul></ol>',
        '<div class="wc-comment" id="wc-comm-1_0">1</div><div class="wc-comment" id="wc-comm-2_1">2</div>',
    ],
)
def test_a_reply_has_the_comment_around_it_as_parent(html: str) -> None:
    assert [(comment.platform_comment_id, comment.parent_id) for comment in comments_of(html)] == [
        ("1", None),
        ("2", "1"),
    ]


def test_a_comment_is_given_once_and_is_never_its_own_parent() -> None:
    comment = only(
        '<li class="comment" id="comment-5"><div id="comment-5" class="comment-meta"><b class="fn">Pim</b></div></li>'
    )
    assert (comment.author, comment.parent_id) == ("Pim", None)
    assert only('<div id="wpd-comm-5_5" class="wpd-comment">x</div>').parent_id is None


@pytest.mark.parametrize(
    ("classes", "kind"),
    [("comment", "comment"), ("pingback", "pingback"), ("trackback", "trackback"), ("post pingback", "pingback")],
)
def test_pingbacks_and_trackbacks_are_no_words_of_people(classes: str, kind: str) -> None:
    comment = only(
        f'<li class="{classes}" id="comment-5"><div '
        'class="comment-body">Pingback: <a class="url" href="https://a.example/">Notes</a></div></li>'
    )
    assert comment.type == kind
    assert kind == "comment" or (comment.author, comment.author_kind, comment.body_text) == ("Notes", "unknown", None)


@pytest.mark.parametrize(
    ("classes", "kind", "person"),
    [
        ("comment byuser comment-author-noor bypostauthor", "staff", "account:noor"),
        ("comment byuser comment-author-pim", "member", "account:pim"),
        ("comment", "guest", "avatar:0123456789abcdef0123456789abcdef:Pim"),
    ],
)
def test_identities_feed_the_pseudonym_alone(classes: str, kind: str, person: str) -> None:
    avatar = '<img src="https://2.gravatar.com/avatar/0123456789ABCDEF0123456789abcdef?s=42" class="avatar">'
    comment = only(
        f'<li class="{classes}" id="comment-5">{avatar}<b '
        f'class="fn">Pim</b><div class="comment-content">Hm. {avatar}</div></li>'
    )
    assert (comment.author_kind, comment.person, comment.author) == (kind, person, "Pim")
    assert (comment.body_text, comment.body_html) == ("Hm.", "<p>Hm.</p>")


def test_no_words_of_a_comment_are_words_of_the_post() -> None:
    html = NESTED.format(
        5, '<div class="entry-content"><p>Words of a reader, and many of them, more than the post has.</p></div>'
    )
    items = read(f"<ol>{html}</ol>")
    assert "reader" not in str([getattr(item, "body_text", "") for item in items if not isinstance(item, Comment)])


@pytest.mark.parametrize(
    ("heading", "more", "following"),
    [
        ("<h2>1 Comment</h2>", "", ()),
        ("<h2>1 Comment</h2>", '<a href="/naps/comment-page-2/">x</a>', ()),  # of another post
        ("<h2>9 Comments</h2>", '<a href="comment-page-1/#comments">x</a>', (f"{URL}comment-page-1/",)),
        ("<h2>9 Comments</h2>", '<a href="?cpage=1&utm_source=a#comments">x</a>', (f"{URL}?cpage=1",)),
        ("<h2>9 Comments</h2>", "", None),  # a script loads the others
        ("", "", None),  # nothing says how many there are
    ],
)  # fmt: skip
def test_a_thread_is_whole_only_where_the_page_says_so(
    heading: str, more: str, following: tuple[str, ...] | None
) -> None:
    pages = [item for item in read(NESTED.format(5, "") + more, heading=heading) if isinstance(item, ThreadPage)]
    assert [page.following for page in pages] == ([] if following is None else [following])


@pytest.mark.parametrize("url", [f"{URL}comment-page-2/", f"{URL}?cpage=2", f"{URL}comment-page-2/?utm_source=a"])
def test_a_page_of_comments_belongs_to_its_post(url: str) -> None:
    assert is_comment_page(url)
    assert not is_comment_page(URL)
    assert post_address(url) == URL.rstrip("/")


def test_thousands_of_nested_and_broken_comments_end() -> None:
    deep = "".join(f'<li class="comment" id="comment-{number}"><ul class="children">' for number in range(1, 3_000))
    assert len(comments_of(f"<ol>{deep}")) > 10
