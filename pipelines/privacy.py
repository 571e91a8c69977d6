"""Commenters are people: their ids become keyed pseudonyms before anything else sees them, their names are masked.

A pseudonym is HMAC-SHA256 of the clinic and the platform's id of the person under the archive's own key
(`pseudonym.key`, mode 0600, beside `archive.db`), so it is the same in every crawl and means nothing outside. A display
name alone ("Guest", "Anna") is nobody's in particular and gives no pseudonym.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Self

from scrapy.crawler import Crawler

from pipelines.run import Run
from scraper.items import Author, Comment, Extraction, Item, Names, Post

MASK, MASKED_EMAIL, MASKED_PHONE = "[name]", "[e-mail]", "[phone]"
# "jane.roe+x@mail.example.org"
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# "(555) 010-2368", "+1 555 010 2368", "555.010.2368"; not "2019-02-01" and not a run of fewer than 9 digits
PHONE = re.compile(r"(?<![\w-])(?!\d{4}-\d\d-\d\d)\+?(?:\(?\d{1,4}\)?[ .\u00a0/-]?){2,5}\d{2,4}(?![\w-])")
# Parts of a name that are ordinary words too often to be masked alone ("de la Cruz" is masked as a whole).
PARTICLES = {"the", "and", "von", "van", "der", "den", "del", "las", "los", "bin", "dos", "dr", "mrs", "mr", "ms"}


def pseudonym(key: bytes, clinic_id: str, person: str) -> str:
    """ "reader-" and 12 letters and digits (60 bits): one person at one clinic, in this archive."""
    digest = hmac.new(key, f"{clinic_id}\0{person}".encode(), hashlib.sha256).digest()
    return "reader-" + base64.b32encode(digest)[:12].decode().lower()


class Pseudonymise:
    """Replaces commenters' ids and names by keyed pseudonyms; the first pipeline."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Run.of(crawler.settings))

    def process_item(self, extraction: Extraction) -> Extraction:
        """The same extraction without a raw id of any person; display names travel on only as `Names` to be masked."""
        return pseudonymous(extraction, self._run.key)


def pseudonymous(extraction: Extraction, key: bytes) -> Extraction:
    """See `Pseudonymise`; a pure function, so that a rebuild does the same."""

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
        elif isinstance(item, Post):
            items.append(replace(item, author_person=known_as(item.author_person)))
        elif isinstance(item, Names):
            items.append(Names(names={known_as(person) or "": name for person, name in item.names.items()}))
        else:
            items.append(item)
    if names:
        items.append(Names(names=names))
    return replace(extraction, items=tuple(items))


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the names in a text: each whole ("Marisol Vega") and by its parts ("Marisol"); None without names."""
    parts: set[str] = set()
    for name in names:
        whole = " ".join(name.split())
        parts.add(whole)
        parts.update(part for part in re.split(r"[\s,]+", whole) if len(part) > 2 and part.lower() not in PARTICLES)
    wanted = sorted((re.escape(part) for part in parts if part), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE) if wanted else None


def masked(text: str | None, pattern: re.Pattern[str] | None) -> str | None:
    """The text with names, e-mail addresses and phone numbers replaced by `[name]`, `[e-mail]`, `[phone]`."""
    if text is None:
        return None
    text = EMAIL.sub(MASKED_EMAIL, text)
    text = PHONE.sub(lambda found: MASKED_PHONE if sum(map(str.isdigit, found[0])) >= 9 else found[0], text)
    return pattern.sub(MASK, text) if pattern else text


def masked_thread(thread: list[Extraction], policy: str) -> list[Extraction]:
    """The captures of one thread with the names that any of them tells masked in the texts of all of them.

    `policy` is the stanza's `privacy`: "pseudonymous" and "omit" mask, "omit" drops the pseudonyms as well, "keep"
    leaves the texts and puts the names where they are known.
    """
    names: dict[str, str] = {}
    for extraction in thread:
        for item in extraction.items:
            if isinstance(item, Names):
                names.update(item.names)
    pattern = name_pattern(names.values())

    def as_allowed(item: Comment) -> Comment:
        if policy == "keep":
            return replace(item, author=_name(names, item))
        author = None if policy == "omit" else item.author
        return replace(
            item, author=author, body_text=masked(item.body_text, pattern), body_html=masked(item.body_html, pattern)
        )

    return [
        replace(
            extraction,
            items=tuple(
                as_allowed(item) if isinstance(item, Comment) else item
                for item in extraction.items
                if not isinstance(item, Names)
            ),
        )
        for extraction in thread
    ]


def _name(names: Mapping[str, str], item: Comment) -> str | None:
    return names.get(item.platform_comment_id) or names.get(item.person or "") or item.author
