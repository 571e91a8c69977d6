"""Markup with millions of tags: its beginning is read, a problem says so, and memory stays within bounds."""

from __future__ import annotations

import pytest

from scraper.extract import extract
from scraper.items import Comment, Exchange, Post, Problem, Thread, ThreadPage
from scraper.platforms import _tree, platform_named
from scraper.platforms._tree import noting_cuts, within_limit
from tests.fuzz.wordpress import SITE, page
from tests.memory import forget_peak, megabytes

COMMENT = '<li class="comment" id="comment-{0}"><p class="comment-content">Good.</p></li>'


def _post(body: str, comments: str = "") -> Exchange:
    article = f'<article id="post-7" class="post-7 post"><h1 class="entry-title">Sleep</h1>{body}</article>{comments}'
    markup = page("WordPress 6.5", article, 'class="single single-post postid-7"')
    return Exchange(url=f"{SITE}/sleep/", body=markup, content_type="text/html")


def test_markup_is_cut_before_the_tag_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "MAX_TAGS", 3)
    with noting_cuts() as cuts:
        assert within_limit("a<p>b<p>c</p>") == "a<p>b<p>c</p>"
        assert cuts == []
        assert within_limit("a<p>b<p>c</p>d<p>e<p>") == "a<p>b<p>c</p>d"
        assert cuts == [5]
    assert within_limit("<<<<<") == "<<<"
    assert cuts == [5]


def test_a_page_that_is_cut_gives_a_problem_and_no_complete_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    comments = '<div id="comments"><h2>3 Comments</h2>' + "".join(map(COMMENT.format, range(1, 4))) + "</div>"
    exchange = _post('<div class="entry-content"><p>Rest well.</p></div>', comments)
    whole = extract(exchange, platform_named("wordpress"))
    assert any(isinstance(item, ThreadPage) for item in whole)
    assert not any(isinstance(item, Problem) and item.kind == "too-many-tags" for item in whole)
    monkeypatch.setattr(_tree, "MAX_TAGS", exchange.body.count(b"<") - 8)
    cut = extract(exchange, platform_named("wordpress"))
    assert [item.body_text for item in cut if isinstance(item, Post)] == ["Rest well."]
    assert [item.platform_comment_id for item in cut if isinstance(item, Comment)] == ["1", "2"]
    assert not any(isinstance(item, Thread | ThreadPage) for item in cut)
    assert [item.kind for item in cut if isinstance(item, Problem)][-1:] == ["too-many-tags"]


def test_the_memory_of_a_page_of_ten_megabytes_of_tags_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "MAX_TAGS", 40_000)
    exchange = _post('<div class="entry-content">' + "<p>a" * 2_500_000 + "</div>")
    before = megabytes("VmRSS")
    forget_peak()
    items = extract(exchange, platform_named("wordpress"))
    assert megabytes("VmHWM") - before < 150
    (post,) = (item for item in items if isinstance(item, Post))
    assert 39_000 < len((post.body_text or "").splitlines()) < _tree.MAX_TAGS
