"""What a page embeds of a comment service: the attributes of an element, and values that its scripts are given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import islice

from scraper.items import Exchange
from scraper.platforms._page import contents, encoding_of, markup_of, utf8

_LONGEST_TAG = 4_000  # bytes
_MAX_TAGS = 50  # that contain a mark
_MAX_SCRIPTS = 500  # likewise
# What a script assigns: identifier = "41" of a variable, "disqusUrl":"https:\/\/a.example\/" or host: 'x' of an object
_VALUE = r"""(?<![\w$]){}["']?\s*[:=]\s*("(?:[^"\\\n]|\\.){{0,2000}}"|'(?:[^'\\\n]|\\.){{0,2000}}')"""


class _FirstTag(HTMLParser):
    """The attributes of the first element of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.tag: str | None = None
        self.attributes: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.tag is None:
            self.tag, self.attributes = tag, {name: value or "" for name, value in reversed(attrs)}


def elements_with(page: Exchange, mark: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and attributes of the page's elements whose opening tag contains the mark, in any case of letters.

    In a text, a comment or the content of a script or style it is no evidence. At most 50 elements are looked at.
    """
    body = utf8(page)
    markup, lower = markup_of(body)
    mark, position = mark.lower(), -1
    for _ in range(_MAX_TAGS):
        position = lower.find(mark, position + 1)
        if position < 0:
            return
        begin = lower.rfind(b"<", max(0, position - _LONGEST_TAG), position)
        end = lower.find(b">", position)
        if begin < 0 or end < 0 or b">" in lower[begin:position]:
            continue
        parser = _FirstTag()
        parser.feed(markup[begin : min(end, begin + _LONGEST_TAG) + 1].decode(encoding_of(page, body), "replace"))
        if parser.tag is not None:
            yield parser.tag, parser.attributes
        position = end


def scripts_with(page: Exchange, mark: bytes) -> str:
    """Return the contents of the page's scripts that contain the mark, joined by line ends; "" without any."""
    body = utf8(page)
    if mark not in body:
        return ""
    texts = (body[begin:end] for name, begin, end in contents(body) if name == b"<script")
    found = islice((text for text in texts if mark in text), _MAX_SCRIPTS)
    return b"\n".join(found)[:400_000].decode(encoding_of(page, body), "replace")


def assigned(script: str, *names: str) -> str | None:
    """Return the text that a script assigns to the first of these names that it knows; None where it computes it.

    Both notations count, that of a variable and that of an object: `name = "text"`, `name: 'text'`.
    """
    for name in names:
        found = re.search(_VALUE.format(re.escape(name)), script)
        if found is not None:
            return _literal(found[1])
    return None


def _literal(text: str) -> str | None:
    r"""Return the value of a string literal of JavaScript: `"a\/b"`, `'it\'s'`."""
    if text.startswith("'"):
        text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value.strip() or None if isinstance(value, str) else None
