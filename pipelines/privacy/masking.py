"""Replaces what identifies people in the texts of comments: names, mailboxes, phone numbers, accounts.

`VERSION` is the version of these rules. The fold records it with the rows of a clinic, and a crawl first folds a clinic
again whose texts were masked under another version: a change of the rules must not look like an edit by a commenter.
"""

from __future__ import annotations

from collections.abc import Iterator

from archive.rows.masks import MASKS
from pipelines.privacy.finders.handles import handles
from pipelines.privacy.finders.mail import mailboxes
from pipelines.privacy.finders.names import NamePattern
from pipelines.privacy.finders.phones import phone_numbers
from pipelines.privacy.finders.profiles import profiles
from pipelines.privacy.finders.spans import Span, web_addresses, within_pages

VERSION = 3  # of the rules; 1: names, e-mail addresses and phone numbers alone; 2: lists of newest comments unknown
MASKED_BY = f"masking/{VERSION}"  # in `clinics.folded_by`
MASK = MASKS["name"]


def masked(text: str | None, names: NamePattern | None) -> str | None:
    """Return the text with [name], [e-mail], [phone], [handle] and [profile] in place of what identifies people."""
    if text is None:
        return None
    parts, at = list[str](), 0
    for kind, start, end in identifiers(text, names):
        parts += [text[at:start], MASKS[kind]]
        at = end
    return "".join([*parts, text[at:]])


def identifiers(text: str, names: NamePattern | None) -> list[Span]:
    """Return the places in a text that identify people, in order; none overlaps another.

    Where two finds overlap, the place belongs to the longer one, and of the other the rest is a place of its own.
    """
    found = sorted(set(_found(text, names)), key=lambda span: (span.start - span.end, span.start, span.kind))
    owner = bytearray(len(text))  # 1 where a place is taken
    spans = list[Span]()
    for span in found:
        start = span.start
        while start < span.end:
            if owner[start]:
                start += 1
                continue
            taken = owner.find(1, start, span.end)
            end = span.end if taken < 0 else taken
            if any(letter.isalnum() for letter in text[start:end]):
                spans.append(Span(span.kind, start, end))
                owner[start:end] = b"\1" * (end - start)
            start = end
    return sorted(spans, key=lambda span: span.start)


def _found(text: str, names: NamePattern | None) -> Iterator[Span]:
    addresses = web_addresses(text)
    yield from profiles(text, addresses)
    yield from mailboxes(text)
    in_pages = within_pages(text, addresses)
    yield from handles(text, in_pages)
    yield from phone_numbers(text, in_pages)
    if names:
        yield from names.spans(text)
