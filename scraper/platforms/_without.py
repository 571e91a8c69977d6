"""JSON without some of its objects: what readers of comments leave of an answer from which comments are removed.

The bytes of everything else stay as they were served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from scraper.platforms._json import MOST_BYTES

IsRow = Callable[[Mapping[str, Any]], bool]
_REPLIES = ("replies", "children")  # names of the lists that hold the replies to a comment, inside its object
_TEXT = '"text"'  # the name of a piece of text, which may be a single word
_BLANK = re.compile(r"[ \t\n\r]*")
# A number or a word: -1.5e3, true, null
_ATOM = re.compile(r"[^\s,:\[\]{}\"]+")


class Inseparable(ValueError):
    """An answer has no known form, so that nothing can be removed from it alone."""


def without_rows(body: bytes, is_removed: IsRow) -> bytes:
    """Return a JSON answer without the objects for which `is_removed` is true; the replies inside them stay.

    Replies move to the place of the comment that held them. Raises `Inseparable` where the answer is no JSON, nested
    too deep or too large.
    """
    return _Edit(is_removed=is_removed).of(body)


def with_texts(body: bytes, is_row: IsRow, change: Callable[[str], str]) -> bytes:
    """Return a JSON answer whose texts are as `change` gives them, in objects that `is_row` chooses.

    Raises `Inseparable` as `without_rows`.
    """
    return _Edit(is_changed=is_row, change=change).of(body)


@dataclass(slots=True)
class _Node:
    """A value, and where it lies in the text."""

    start: int
    end: int = 0
    value: Any = None
    children: list[tuple[str, _Node]] = field(default_factory=list)  # of an object: the text of each name, and value


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _parsed(text: str, at: int) -> _Node:
    node = _Node(at)
    match text[at]:
        case '"':
            node.value, node.end = scanstring(text, at + 1, False)
        case "[" | "{":
            _parse_children(text, node, is_object=text[at] == "{")
        case _:
            atom = _ATOM.match(text, at)
            if atom is None:
                raise ValueError("no value")
            node.value, node.end = json.loads(atom[0]), atom.end()
    return node


def _parse_children(text: str, node: _Node, *, is_object: bool) -> None:
    close = "}" if is_object else "]"
    at = _after_blanks(text, node.start + 1)
    values: dict[str, Any] = {}
    while text[at] != close:
        name = ""
        if is_object:
            key, end = scanstring(text, at + 1, False)
            colon = _after_blanks(text, end)
            if text[at] != '"' or text[colon] != ":":
                raise ValueError("no name")
            name, at = text[at:end], _after_blanks(text, colon + 1)
        child = _parsed(text, at)
        node.children.append((name, child))
        if is_object:
            values[key] = child.value
        at = _after_blanks(text, child.end)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
        elif text[at] != close:
            raise ValueError("no comma")
    node.end = at + 1
    node.value = values if is_object else [child.value for _, child in node.children]


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is removed from a JSON text, and what is changed in it."""

    is_removed: IsRow = lambda _: False
    is_changed: IsRow = lambda _: False
    change: Callable[[str], str] = str

    def of(self, body: bytes) -> bytes:
        """Return the edited text; the very bytes where nothing changes. Raises `Inseparable`."""
        if len(body) > MOST_BYTES:
            raise Inseparable(f"more than {MOST_BYTES} bytes of JSON")
        try:
            encoding = json.detect_encoding(body)
            text = body.decode(encoding, "surrogatepass")
            root = _parsed(text, _after_blanks(text, 0))
            if _after_blanks(text, root.end) != len(text):
                raise Inseparable("more follows the JSON value")
            left = self._left(text, root, is_inside=False)
            return (text[: root.start] + left + text[root.end :]).encode(encoding, "surrogatepass")
        except (ValueError, IndexError, RecursionError) as error:
            raise Inseparable("no JSON, or nested too deep") from error

    def _left(self, text: str, node: _Node, *, name: str = "", is_inside: bool) -> str:
        """Return what is left of a value of this name; `is_inside`: of an object whose texts are changed."""
        whole = text[node.start : node.end]
        is_text = isinstance(node.value, str) and (name == _TEXT or len(node.value.split(None, 1)) > 1)
        if is_inside and is_text:
            changed = self.change(node.value)
            return whole if changed == node.value else json.dumps(changed)
        if not node.children:
            return whole
        parts = list(self._parts(text, node, is_inside=is_inside))
        if parts == [_member(name, text[child.start : child.end]) for name, child in node.children]:
            return whole
        return ("{%s}" if isinstance(node.value, dict) else "[%s]") % ",".join(parts)

    def _parts(self, text: str, node: _Node, *, is_inside: bool) -> Iterator[str]:
        is_inside = is_inside or (isinstance(node.value, dict) and self.is_changed(node.value))
        for name, child in node.children:
            if isinstance(child.value, dict) and self.is_removed(child.value):
                if not name:  # an element of a list
                    yield from self._replies(text, child)
                continue
            yield _member(name, self._left(text, child, name=name, is_inside=is_inside))

    def _replies(self, text: str, row: _Node) -> Iterator[str]:
        for name, child in row.children:
            if isinstance(child.value, list) and json.loads(name) in _REPLIES:
                yield from self._parts(text, child, is_inside=False)


def _member(name: str, value: str) -> str:
    return f"{name}:{value}" if name else value
