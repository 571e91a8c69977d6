"""The comments widget in the DOM: threads given back as they were shown, and nothing claimed beyond what is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.items import Comment, Exchange, Post, Problem, ThreadPage
from scraper.platforms.wix import comments_dom
from tests.making import extract

PAGE = "https://clinic.example/post/a"
KEY = "64ddbf6a1737d98af033206f"
AT = datetime(2026, 3, 10, 8, 15, 30, tzinfo=UTC)
DOM = Exchange(url=PAGE, body=b"", content_type="text/html; charset=utf-8", fetched_at=AT, via="dom", page=PAGE)
REAL = Path(__file__).parents[5] / "shared" / "real-pages" / "pages"


def item(
    name: str, level: str = "top-level", *, author: str = "Ivo Plum", text: str = "Thanks.", ago: str = "5d",
    to: str = "", more: str = "", hook: str = "",
) -> str:  # fmt: skip
    replying = f'<button data-hook="replying-to-btn">Replying to {escape(to)}</button>' if to else ""
    return (
        f'<div id="C-{name}" data-hook="list-item {level}{hook}"><a href="/profile/x/profile">'
        f'<span data-hook="comments-author">{escape(author)}</span></a>'
        f'<span data-hook="time-ago">{ago}</span>{replying}'
        f'<div data-hook="comment-content"><div data-id="content-viewer"><p>{escape(text)}</p></div></div>{more}</div>'
    )


def replies(top: str, *items: str) -> str:
    return f'<div data-hook="reply-list" id="reply-list-{top}">{"".join(items)}</div>'


def rendered(*items: str, key: str = KEY, heading: str = "Comments", after: str = "") -> str:
    return (
        f'<div class="wc-comments-root" data-hook="wc-root {key}"><span data-hook="wc-header-title">{heading}</span>'
        f'<div data-hook="top-level-comment-list">{"".join(items)}</div>{after}</div>'
    )


def dom(
    *parts: str, stats: str = "<span>9 views</span><span>2 comments</span>", body: str = "<p>Hello.</p>"
) -> Exchange:
    markers = [f'<div type="{edge}" data-hook="rcv-block-{edge}"></div>' for edge in ("first", "last")]
    html = (
        '<html lang="en"><head><meta name="generator" content="Wix.com Website Builder"></head><body>'
        '<div data-hook="post-page"><article data-hook="post"><h1 data-hook="post-title">A</h1>'
        f'<div data-id="content-viewer">{markers[0]}{body}{markers[1]}</div>{"".join(parts)}'
        f'<div data-hook="post-stats">{stats}</div></article></div></body></html>'
    )
    return replace(DOM, body=html.encode())


def comments(*parts: str) -> list[Comment]:
    return [entry for entry in extract(dom(*parts)) if isinstance(entry, Comment)]


def thread(*parts: str) -> ThreadPage | None:
    return next((entry for entry in extract(dom(*parts)) if isinstance(entry, ThreadPage)), None)


class TestThePost:
    def test_is_read_as_shown_and_says_that_it_was_rendered(self) -> None:
        post = next(entry for entry in extract(dom(rendered(item("a")))) if isinstance(entry, Post))
        assert (post.views, post.comments_count, post.body_text) == (9, 2, "Hello.")
        assert set(post.sources.values()) == {"rendered"}
        assert post.addresses == (PAGE, f"wix:{KEY}") and post.comments_key == KEY

    def test_takes_nothing_from_the_comments_inside_it(self) -> None:
        words = "Keep reading this exclusive post; 77 views, 5 comments"
        trap = (
            '<div data-hook="post-stats"><span>77 views</span></div><span data-hook="user-name">Zed</span>'
            '<a href="/blog/tags/trap">trap</a>'
        )
        with_comments, without = extract(dom(rendered(item("a", text=words, more=trap)))), extract(dom())
        posts = [next(entry for entry in found if isinstance(entry, Post)) for found in (with_comments, without)]
        assert replace(posts[0], addresses=(), comments_key=None) == replace(posts[1], addresses=(), comments_key=None)

    def test_a_text_without_markers_is_not_taken_from_a_comment(self) -> None:
        page = dom(rendered(item("a", text="A comment is no post.")), body="")
        bare = page.body.replace(b"rcv-block-", b"x-").replace(b'data-id="content-viewer"', b"", 1)
        found = extract(replace(page, body=bare))
        assert not any(isinstance(entry, Post | Comment) for entry in found)
        assert [entry.kind for entry in found if isinstance(entry, Problem)] == ["not-a-post"]

    def test_counters_that_never_came_stay_unknown(self) -> None:
        waiting = '<div data-hook="skeleton-loader" style="--width:40px"> </div>' * 2
        cards = '<section data-hook="recent-posts"><div data-hook="post-stats"><span>88 views</span></div></section>'
        page = dom(stats=waiting)
        page = replace(page, body=page.body.replace(b"</article>", b"</article>" + cards.encode()))
        post = next(entry for entry in extract(page) if isinstance(entry, Post))
        assert (post.views, post.comments_count, post.counters_pending) == (None, None, True)


class TestAComment:
    def test_is_filed_under_the_widgets_post_else_the_pages(self) -> None:
        assert comments(rendered(item("a")))[0].post == (f"wix:{KEY}",)
        assert comments(rendered(item("a"), key="portfolio"))[0].post == (PAGE,)

    @pytest.mark.parametrize(
        ("ago", "posted", "precision"),
        [
            ("14 min. ago", "2026-03-10T08:01:00Z", "minute"), ("1m", "2026-03-10T08:14:00Z", "minute"),
            ("3 hours ago", "2026-03-10T05:00:00Z", "hour"), ("23h", "2026-03-09T09:00:00Z", "hour"),
            ("5d", "2026-03-05", "day"), ("2 days ago", "2026-03-08", "day"), ("Mar 02", "2026-03-02", "day"),
            ("Apr 02, 2023", "2023-04-02", "day"), ("Dec 05", "2025-12-05", "day"), ("3w", "2026-02-17", "month"),
            ("2y", "2024-03-10", "year"), ("March", None, None), ("", None, None),
        ],
    )  # fmt: skip
    def test_is_dated_as_exactly_as_it_is_printed(self, ago: str, posted: str | None, precision: str | None) -> None:
        (found,) = comments(rendered(item("a", ago=ago)))
        assert (found.posted_at, found.posted_at_precision) == (posted, precision)

    def test_is_not_dated_where_the_capture_is_not(self) -> None:
        page = replace(dom(rendered(item("a", ago="5h"), item("b", ago="Apr 02, 2023"))), fetched_at=None)
        assert [entry.posted_at for entry in extract(page) if isinstance(entry, Comment)] == [None, "2023-04-02"]

    def test_names_nobody_where_the_name_is_a_placeholder(self) -> None:
        found = comments(
            rendered(*(item(f"c{n}", author=name) for n, name in enumerate(("Guest", "Unknown member", "Ria Moss"))))
        )
        assert [entry.author for entry in found] == [None, None, "Ria Moss"]
        assert "Ria" not in repr(found) and all(entry.person is None for entry in found)

    def test_tells_likes_edits_and_what_waits(self) -> None:
        like = '<span data-hook="like-text">{}</span>'
        edited, liked, plain, pending = comments(
            rendered(
                item("a", hook=" edited"),
                item("b", more=like.format(12) + '<div data-hook="edited-comment-indicator">Edited</div>'),
                item("c", more=like.format("Like")),
                item("d", more='<span data-hook="pending-moderation-badge">Pending</span>'),
            )
        )
        assert [entry.edited for entry in (edited, liked, plain)] == [True, True, None]
        assert (liked.likes, plain.likes, pending.status) == (12, None, "pending")

    def test_deleted_keeps_its_place_and_takes_nothing_from_its_answers(self) -> None:
        gone = f'<div id="C-a" data-hook="list-item top-level">{replies("a", item("b", "reply"))}</div>'
        deleted, answer = comments(rendered(gone))
        assert (deleted.status, deleted.author, deleted.body_text) == ("deleted", None, None)
        assert (answer.status, answer.parent_id) == ("published", "a")

    def test_answers_whom_it_names(self) -> None:
        found = comments(
            rendered(
                item("a", author="Ivo Plum"),
                replies(
                    "a",
                    item("b", "reply", author="Ria Moss", to="Ivo Plum"),
                    item("c", "reply", author="Ivo Plum", to="Ria Moss"),
                    item("d", "reply", author="Ria Moss", to="Ivo Plum"),
                    item("e", "reply", author="Zed", to="Ria Moss"),  # which of hers?
                ),
            )
        )
        assert [(entry.platform_comment_id, entry.parent_id) for entry in found] == [
            ("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "a"),
        ]  # fmt: skip


class TestTheThread:
    def test_is_whole_where_nothing_is_left_to_press(self) -> None:
        assert thread(rendered(item("a"), heading="Comments (1)")) == ThreadPage(post=(f"wix:{KEY}",), cursor=None)

    @pytest.mark.parametrize("hook", ["show-more-comments", "show-replies-btn", "load-more-replies"])
    def test_is_not_where_a_button_is(self, hook: str) -> None:
        found = thread(rendered(item("a"), after=f'<button data-hook="{hook}">More</button>'))
        assert found is not None and found.following == (f"({hook})",)

    def test_is_not_where_the_heading_counts_more(self) -> None:
        found = thread(rendered(item("a"), heading="Comments (1,204)"))
        assert found is not None and found.following == ("(more)",)

    def test_says_nothing_where_the_list_is_empty(self) -> None:
        """It may not have come yet."""
        assert thread(rendered()) is None and thread() is None


# A thread as (author, text, answers); an answer is to the top comment or to any answer before it.
NAMES = st.sampled_from(["Ivo Plum", "Ria Moss", "Zoë Ørn", "李 雷", "A <b> & C"])
TEXTS = st.text("abc <>&\"'é\n", min_size=1, max_size=30).filter(str.strip)
THREADS = st.lists(
    st.tuples(NAMES, TEXTS, st.lists(st.tuples(TEXTS, st.integers(0, 9)), max_size=5), st.booleans()), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(THREADS)
def test_a_thread_comes_back_as_it_was_shown(tops: list[tuple[str, str, list[tuple[str, int]], bool]]) -> None:
    """Same comments, same order, same parents, with the replies beside their comment or inside it."""
    wanted, parts = [], []
    for n, (author, text, answers, inside) in enumerate(tops):
        people = [author]
        wanted.append((f"t{n}", None, author, " ".join(text.split())))
        made = []
        for m, (words, at) in enumerate(answers):
            person, to = f"Person {n}{m}", at % len(people)
            parent = f"t{n}" if to == 0 else f"t{n}r{to - 1}"
            made.append(item(f"t{n}r{m}", "reply", author=person, text=words, to=people[to]))
            wanted.append((f"t{n}r{m}", parent, person, " ".join(words.split())))
            people.append(person)
        below = replies(f"t{n}", *made)
        parts.append(item(f"t{n}", author=author, text=text, more=below if inside else ""))
        parts.append("" if inside else below)
    found = comments(rendered(*parts))
    facts = [(entry.platform_comment_id, entry.parent_id, entry.author, entry.body_text) for entry in found]
    assert facts == wanted


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b'<div data-hook="wc-root x">', b"<div data-hook='wc-root'><div"])
)
def test_any_bytes_are_cut_without_loss(body: bytes, mark: bytes) -> None:
    page = body + mark + body
    rest, widgets = comments_dom.cut_widgets(page)
    assert len(rest) + sum(map(len, widgets)) == len(page)
    for widget in widgets:
        list(comments_dom.read_widget(widget, DOM))


def test_scripts_and_attributes_do_not_end_a_widget_early() -> None:
    trap = (
        '<style>.a{content:"</div>"}</style><script>x="</div></div>"</script><i title="a > </div>"></i><!-- </div> -->'
    )
    rest, (found,) = comments_dom.cut_widgets(f"<main>{rendered(trap, item('a'))}<p>after</p></main>".encode())
    assert rest == b"<main><p>after</p></main>" and found.endswith(b"</div>") and b"C-a" in found


def test_real_widgets() -> None:
    """Of a Comments widget and three forum pages: ids, dates, parents, an edit; their texts stay where they are."""
    if not REAL.is_dir():
        pytest.skip("../shared/real-pages is not here")
    facts, saved = {}, replace(DOM, fetched_at=datetime(2025, 8, 4, 8, 43, tzinfo=UTC))
    for path in sorted(REAL.glob("*.html")):
        page = path.read_bytes()
        rest, widgets = comments_dom.cut_widgets(page)
        assert b"comments-author" not in rest
        for widget in widgets:
            found = list(comments_dom.read_widget(widget, saved))
            shape = [
                (entry.platform_comment_id[:4], (entry.parent_id or "")[:4], entry.posted_at, entry.edited)
                for entry in found
                if isinstance(entry, Comment)
            ]
            facts[path.name.rpartition("_")[2]] = shape
            assert all(entry.body_text for entry in found if isinstance(entry, Comment))
            assert isinstance(found[-1], ThreadPage) and found[-1].following == ()
    assert facts == {
        "fe-punch-script-1.html": [("038f", "", "2025-07-30", None), ("1b31", "", "2025-07-27", True)],
        "fe-r6-animation-gui.html": [
            ("5752", "", "2024-01-07", None), ("6eb9", "", "2022-03-21", None),
            ("5899", "6eb9", "2022-12-15", None), ("ecef", "5899", "2022-12-18", None),
        ],
        "free-headless-r6-r15.html": [
            ("7e5b", "", "2023-04-02", None), ("8572", "", "2022-12-05", None),
            ("f975", "8572", "2022-12-12", None), ("ab21", "8572", "2023-01-14", None),
        ],
        "vibe.html": [("75ac", "", "2025-08-04T08:29:00Z", None)],
    }  # fmt: skip
