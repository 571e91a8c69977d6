"""What a page embeds of a comment service: the attributes of an element, and values that its scripts are given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser

from scraper.items import Exchange
from scraper.platforms._page import encoding_of, utf8

_LONGEST_TAG = 4_000  # bytes
_MOST_TAGS = 50  # that contain a mark
_MOST_SCRIPTS = 500
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

    In a text, a comment or the content of a script it is no evidence. At most 50 elements are looked at.
    """
    body = utf8(page)
    lower, mark, position = _lower(body), mark.lower(), -1
    for _ in range(_MOST_TAGS):
        position = lower.find(mark, position + 1)
        if position < 0:
            return
        begin = lower.rfind(b"<", max(0, position - _LONGEST_TAG), position)
        end = lower.find(b">", position)
        if begin < 0 or end < 0 or b">" in lower[begin:position] or _is_hidden(lower, begin):
            continue
        parser = _FirstTag()
        parser.feed(body[begin : min(end, begin + _LONGEST_TAG) + 1].decode(encoding_of(page, body), "replace"))
        if parser.tag is not None:
            yield parser.tag, parser.attributes
        position = end


@lru_cache(maxsize=2)  # every service looks at the same page
def _lower(body: bytes) -> bytes:
    return body.lower()


def _is_hidden(body: bytes, position: int) -> bool:
    """Return whether the place lies in a comment, or in the content of a script."""
    before = body[max(0, position - 200_000) : position]
    return before.rfind(b"<!--") > before.rfind(b"-->") or before.rfind(b"<script") > before.rfind(b"</script")


def scripts_with(page: Exchange, mark: bytes) -> str:
    """Return the contents of the page's scripts that contain the mark, joined by line ends; "" without any."""
    body = utf8(page)
    if mark not in body:
        return ""
    found = [text for text in _scripts(body) if mark in text]
    return b"\n".join(found)[:400_000].decode(encoding_of(page, body), "replace")


def _scripts(body: bytes) -> Iterator[bytes]:
    """Yield the contents of the first 500 scripts. One that does not end is the last."""
    lower, position = _lower(body), 0
    for _ in range(_MOST_SCRIPTS):
        begin = lower.find(b"<script", position)
        opened = lower.find(b">", begin) if begin >= 0 else -1
        position = lower.find(b"</script", opened) if opened >= 0 else -1
        if position < 0:
            return
        yield body[opened + 1 : position]


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
