"""Replaces commenters' ids by keyed pseudonyms before any other code sees them; their names are masked later.

A pseudonym is HMAC-SHA256 of the clinic and the platform's id of the person, with the archive's own key
(`pseudonym.key`, mode 0600, beside `archive.db`). So it is the same in every crawl, and cannot be computed without the
key. A display name alone ("Guest", "Anna") does not identify a person and gives no pseudonym.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

from scraper.items import Author, Comment, Extraction, Item, Names, Post


def pseudonym(key: bytes, clinic_id: str, person: str) -> str:
    """Return the pseudonym of a person at a clinic: "reader-" and 12 letters and digits (60 bits)."""
    # An id may be any text, even half a surrogate pair, which has no UTF-8.
    digest = hmac.new(key, f"{clinic_id}\0{person}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return "reader-" + base64.b32encode(digest)[:12].decode().lower()


def pseudonymous(extraction: Extraction, key: bytes) -> Extraction:
    """Return the extraction without raw ids of people; their names stay only in `Names`, to be masked."""

    def known_as(person: str | None) -> str | None:
        return pseudonym(key, extraction.clinic_id, person) if person else None

    items: list[Item] = []
    names: dict[str, str] = {}
    for item in extraction.items:
        if isinstance(item, Comment):
            if item.author:
                names[item.platform_comment_id] = item.author
            items.append(replace(item, person=known_as(item.person), author=known_as(item.person)))
        elif isinstance(item, Author):
            items.append(replace(item, person=known_as(item.person)))
        elif isinstance(item, Post) and item.author_person is not None:
            items.append(replace(item, author_person=known_as(item.author_person)))
        elif isinstance(item, Names):
            # A person without an id has no comment, but the name is masked like the others.
            items.append(Names(names={known_as(person) or name: name for person, name in item.names.items()}))
        else:
            items.append(item)
    if names:
        items.append(Names(names=names))
    return replace(extraction, items=tuple(items))


def names_people(extraction: Extraction) -> bool:
    """Return whether an item names a person, so that the archive's key is needed to store it."""
    for item in extraction.items:
        if isinstance(item, Comment | Author) and item.person:
            return True
        if isinstance(item, Post) and item.author_person:
            return True
        if isinstance(item, Names) and item.names:
            return True
    return False
