"""A place in a text that identifies a person."""

from __future__ import annotations

import re
from typing import NamedTuple


class Span(NamedTuple):
    """A place in a text: `text[start:end]`, in Unicode code points."""

    kind: str  # "email", "phone", "handle", "profile" or "name"
    start: int
    end: int


_HOST = r"(?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,18}(?::\d{1,5})?"
# "https://example.org/a?b=1", "www.example.org/a", "example.org/a": up to white space, quotes and tags
_ADDRESS = re.compile(rf"(?<![\w@.-])(?:https?://)?{_HOST}(?:[/?#][^\s<>\"\u201c\u201d\u00ab\u00bb]*)?", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "}": "{"}


def web_addresses(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of each address of a site or page, without the punctuation that follows it."""
    found = []
    for match in _ADDRESS.finditer(text):
        end = match.end()
        while end > match.start() and _is_outside(text[match.start() : end]):
            end -= 1
        found.append((match.start(), end))
    return found


def within_pages(text: str, addresses: list[tuple[int, int]]) -> bytes:
    """Return a byte for each character of the text: 1 within an address that has a path, else 0."""
    inside = bytearray(len(text))
    for start, end in addresses:
        if "/" in text[start:end]:
            inside[start:end] = b"\1" * (end - start)
    return bytes(inside)


def _is_outside(address: str) -> bool:
    """Return whether the last character belongs to the sentence, and not to the address."""
    last = address[-1]
    if last in _CLOSING:
        return address.count(last) > address.count(_CLOSING[last])
    return last in ".,;:!?'*\u2019\u2026"
