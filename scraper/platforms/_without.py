"""JSON without some of its objects: what readers of comments leave of an answer from which comments are removed.

The bytes of everything else stay as they were served.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from scraper.platforms._json import MAX_BYTES

IsRow = Callable[[Mapping[str, Any]], bool]
_REPLY_LISTS = ("replies", "children")  # names of the lists that hold the replies to a comment, inside its object
_TEXT = '"text"'  # the name of a piece of text, which may be a single word
_DEEPEST = 100  # lists and objects inside each other
_MAX_VALUES = 500_000  # of one answer: each takes about 300 bytes in memory while the answer is taken apart
_BLANK = re.compile(r"[ \t\n\r]*")
# A number or a word: -1.5e3, true, null
_SCALAR = re.compile(r"[^\s,:\[\]{}\"]+")


class Inseparable(ValueError):
    """An answer has no known form, so that nothing can be removed from it alone."""


def without_rows(body: bytes, is_removed: IsRow) -> bytes:
    """Return a JSON answer without the objects for which `is_removed` is true; the replies inside them stay.

    Replies move to the place of the comment that held them. Time and memory grow with the answer's size alone. Raises
    `Inseparable` where the answer is no JSON, nested too deep (more than 100 lists and objects inside each other), or
    too large (more than 12,000,000 bytes, or 500,000 values).
    """
    return _Edit(is_removed=is_removed).of(body)


def with_texts(body: bytes, is_row: IsRow, change: Callable[[str], str]) -> bytes:
    """Return a JSON answer whose texts are as `change` gives them, in objects that `is_row` chooses.

    Raises `Inseparable` as `without_rows`.
    """
    return _Edit(is_changed=is_row, change=change).of(body)


@dataclass(slots=True)
class _Node:
    """A value, where it lies in the text, and what becomes of it."""

    start: int
    end: int = 0
    value: Any = None
    children: Sequence[tuple[str, _Node]] = ()  # of an object: the text of each name, and value
    is_removed: bool = False
    is_edited: bool = False  # something inside it is removed or replaced
    replacement: str | None = None  # JSON that takes its place


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


class _Parser:
    """Reads the values of a JSON text. Raises ValueError, IndexError where it is no JSON; `Inseparable` at a limit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._values = self._depth = 0

    def value(self, at: int) -> _Node:
        """Return the value that begins at a place."""
        self._values += 1
        if self._values > _MAX_VALUES:
            raise Inseparable(f"more than {_MAX_VALUES} values of JSON")
        text, node = self._text, _Node(at)
        match text[at]:
            case '"':
                node.value, node.end = scanstring(text, at + 1, False)
            case "[" | "{":
                self._depth += 1
                if self._depth > _DEEPEST:
                    raise Inseparable(f"more than {_DEEPEST} lists and objects of JSON inside each other")
                self._read_children(node, is_object=text[at] == "{")
                self._depth -= 1
            case _:
                scalar = _SCALAR.match(text, at)
                if scalar is None:
                    raise ValueError("no value")
                node.value, node.end = json.loads(scalar[0]), scalar.end()
        return node

    def _read_children(self, node: _Node, *, is_object: bool) -> None:
        text, close = self._text, "}" if is_object else "]"
        at = _after_blanks(text, node.start + 1)
        values: dict[str, Any] = {}
        children: list[tuple[str, _Node]] = []
        while text[at] != close:
            name = ""
            if is_object:
                key, end = scanstring(text, at + 1, False)
                colon = _after_blanks(text, end)
                if text[at] != '"' or text[colon] != ":":
                    raise ValueError("no name")
                name, at = text[at:end], _after_blanks(text, colon + 1)
            child = self.value(at)
            children.append((name, child))
            if is_object:
                values[key] = child.value
            at = _after_blanks(text, child.end)
            if text[at] == ",":
                at = _after_blanks(text, at + 1)
            elif text[at] != close:
                raise ValueError("no comma")
        node.end, node.children = at + 1, children
        node.value = values if is_object else [child.value for _, child in children]


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is removed from a JSON text, and what is changed in it."""

    is_removed: IsRow = lambda _: False
    is_changed: IsRow = lambda _: False
    change: Callable[[str], str] = str

    def of(self, body: bytes) -> bytes:
        """Return the edited text; the very bytes where nothing changes. Raises `Inseparable`."""
        if len(body) > MAX_BYTES:
            raise Inseparable(f"more than {MAX_BYTES} bytes of JSON")
        try:
            encoding = json.detect_encoding(body)
            text = body.decode(encoding, "surrogatepass")
            root = _Parser(text).value(_after_blanks(text, 0))
            if _after_blanks(text, root.end) != len(text):
                raise Inseparable("more follows the JSON value")
            if not self._mark(root, is_inside=False):
                return body
            pieces = [text[: root.start]]
            _write(text, root, pieces)
            return "".join([*pieces, text[root.end :]]).encode(encoding, "surrogatepass")
        except Inseparable:
            raise
        except (ValueError, IndexError) as error:
            raise Inseparable("no JSON") from error

    def _mark(self, node: _Node, *, name: str = "", is_inside: bool) -> bool:
        """Note in a value of this name, and in all inside it, what becomes of them; return whether anything changes.

        `is_inside`: it is in an object whose texts are changed.
        """
        if isinstance(node.value, str):
            is_text = is_inside and (name == _TEXT or len(node.value.split(None, 1)) > 1)
            changed = self.change(node.value) if is_text else node.value
            node.replacement = json.dumps(changed) if changed != node.value else None
            return node.replacement is not None
        is_inside = is_inside or (isinstance(node.value, dict) and self.is_changed(node.value))
        for child_name, child in node.children:
            child.is_removed = isinstance(child.value, dict) and self.is_removed(child.value)
            is_changed = self._mark(child, name=child_name, is_inside=is_inside)
            node.is_edited = node.is_edited or child.is_removed or is_changed
        return node.is_edited


def _write(text: str, node: _Node, pieces: list[str]) -> None:
    """Add what is left of a value. Each piece of the text is copied once, however deep it lies."""
    if not node.is_edited:
        pieces.append(text[node.start : node.end] if node.replacement is None else node.replacement)
        return
    is_object = isinstance(node.value, dict)
    separator = "{" if is_object else "["
    for name, child in _staying(node):
        pieces.append(f"{separator}{name}:" if name else separator)
        _write(text, child, pieces)
        separator = ","
    pieces.append(("}" if is_object else "]") if separator == "," else "{}" if is_object else "[]")


def _staying(node: _Node) -> Iterator[tuple[str, _Node]]:
    for name, child in node.children:
        if not child.is_removed:
            yield name, child
        elif not name:  # an element of a list
            yield from _replies(child)


def _replies(row: _Node) -> Iterator[tuple[str, _Node]]:
    for name, child in row.children:
        if isinstance(child.value, list) and json.loads(name) in _REPLY_LISTS:
            yield from _staying(child)
