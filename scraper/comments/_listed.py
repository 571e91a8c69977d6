"""Comments that a page, a feed or a text lists beside or within posts: names, dates and words.

Source of the classes: WordPress, wp-includes/blocks/latest-comments.php ("wp-block-latest-comments__comment"),
comment-template.php ("wp-block-comment-template", whose blocks are "wp-block-comment-author-name" and others), and
class-wp-widget-recent-comments.php ("recentcomments", "comment-author-link").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_WIDGET = (b"recentcomments", b"comment-author-link")
_BLOCKS = (b"wp-block-latest-comments__comment", b"wp-block-comment-template")
# <li class="recentcomments">, <li class=\"wp-block-latest-comments__comment\"> within JSON, &lt;li class=&quot;... in a
# feed; no rule of a style sheet
_LIST = re.compile(rb"class=(?:\\?[\"']|&quot;)[^\"'>]{0,5000}\b(?:" + b"|".join((*_WIDGET, *_BLOCKS)) + rb")\b")
# <span class="comment-author-link"><a href="https://a.example" class="url">Ada</a></span>
# <a class="wp-block-latest-comments__comment-author" href="https://a.example">Ada</a>
# <div class="wp-block-comment-author-name"><a href="https://a.example">Ada</a></div>
_NAME = re.compile(
    r"class=[\"'][^\"'<>]{0,500}comment-author(?:-link|-name)?\b[^<>]{0,500}>\s{0,99}(?:<a\b[^<>]{0,2000}>)?\s{0,99}([^<>]{1,200})"
)
# <li class="recentcomments">, <div class="wp-block-comment-content">
_ENTRY = re.compile(
    r"<(li|div)\b[^<>]*class=[\"'][^\"'<>]*\b(?:wp-block-latest-comments__comment|recentcomments"
    r"|wp-block-comment-(?:author-name|content)|wp-block-avatar)\b"
)
_TAG = re.compile(r"<[^<>]*>")
# "\u00e9", "\/"
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\([/\"])")


def lists_comments(body: bytes) -> bool:
    """Return whether a page, or a text within JSON, lists comments."""
    marks = (*_WIDGET, *_BLOCKS) if b"wp-block-" in body else _WIDGET
    return any(mark in body for mark in marks) and _LIST.search(body) is not None


def listed(body: bytes) -> tuple[list[str], list[str]]:
    """Return the names of the people whose comments are listed, and the texts of the entries."""
    if not lists_comments(body):
        return [], []
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], body.decode("utf-8", "replace"))
    text = html.unescape(text) if "class=&quot;" in text else text
    names = [html.unescape(name).strip() for name in _NAME.findall(text)]
    return names, [html.unescape(_TAG.sub(" ", text[start:end])) for start, end in _entries(text)]


def without_lists(text: str) -> str:
    """Return a text with HTML without the entries of such lists."""
    left, at = [], 0
    for start, end in _entries(text):
        left.append(text[at:start])
        at = end
    return "".join([*left, text[at:]])


def _entries(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the entries, each to its end tag: in linear time, however many are open."""
    at = 0
    while (opened := _ENTRY.search(text, at)) is not None:
        closing = f"</{opened[1]}>"
        end = text.find(closing, opened.end())
        if end < 0:
            return
        at = end + len(closing)
        yield opened.start(), at
