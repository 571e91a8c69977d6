"""Lists of comments, as WordPress's blocks and widget print them: in a page, and within JSON."""

from __future__ import annotations

import json
from html import escape

import pytest

from scraper.comments._listed import listed, lists_comments, without_lists

WIDGET = (
    '<ul id="recentcomments"><li class="recentcomments"><span class="comment-author-link"><a href="https://a.example/"'
    ' class="url" rel="ugc">Ada Roe</a></span> on <a href="/b">Rest</a></li></ul>'
)
BLOCK = (
    '<ol class="has-dates wp-block-latest-comments"><li class="wp-block-latest-comments__comment"><article><footer>'
    '<a class="wp-block-latest-comments__comment-author" href="/">Zo&#235;</a> on <a href="/c">Sleep</a></footer>'
    '<div class="wp-block-latest-comments__comment-excerpt"><p>It helped.</p></div></article></li></ol>'
)
THREAD = (
    '<div class="wp-block-comments"><ol class="wp-block-comment-template"><li id="comment-4" class="comment depth-1">'
    '<div class="wp-block-avatar"><img alt="Ada Roe Avatar" src="https://a.example/avatar/1"></div>'
    '<div class="wp-block-comment-author-name"><a rel="ugc" href="https://a.example">Ada Roe</a></div>'
    '<div class="wp-block-comment-content"><p>Walks helped.</p></div></li></ol></div>'
)
STYLE = "<style>.recentcomments a{display:inline}</style><p>comment-author-link</p>"


@pytest.mark.parametrize(
    ("html", "names"), [(WIDGET, ["Ada Roe"]), (BLOCK, ["Zoë"]), (THREAD, ["Ada Roe"]), (STYLE, [])]
)
def test_lists(html: str, names: list[str]) -> None:
    as_json = json.dumps({"content": {"rendered": html}}).replace("/", "\\/")
    for body in (html.encode(), as_json.encode(), escape(html).encode()):
        assert lists_comments(body) == bool(names)
        assert listed(body)[0] == names
    left = without_lists(html)
    assert listed(left.encode())[0] == []
    assert not [word for word in ("Ada", "Zo&#235;", "helped") if word in left]


def test_words_of_an_entry() -> None:
    ((text,), left) = (listed(BLOCK.encode())[1], without_lists(f"<p>Before.</p>{BLOCK}<p>After.</p>"))
    assert text.split() == ["Zoë", "on", "Sleep", "It", "helped."]
    assert ("Before." in left, "After." in left, "helped" in left) == (True, True, False)


@pytest.mark.parametrize("piece", ['<li class="recentcomments">', '<li class="recentcomments" ', "<li ", "<a <li>"])
def test_what_is_never_closed_is_read_in_linear_time(piece: str) -> None:
    """Not in a time that grows with the square of their number."""
    body = f'<p class="recentcomments">{piece * 30_000}'
    assert listed(body.encode()) == ([], [])
    assert without_lists(body) == body
