"""Where the words of a coding stand in the texts that the archive holds now.

A coding names a text by its SHA-256. Where no text of the post has that hash any more, because a newer parser reads the
same bytes with other white space, the words and 32 characters on either side are looked for in the texts of the same
`content_sha256`. If they occur there exactly once, the coding is anchored again; otherwise it stays as it was made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from archive.study.answers import Coding
from archive.study.sample import SamplingUnit
from archive.study.texts import Text, Texts

Anchor = Literal["exact", "re-anchored", "unanchored"]
NOWHERE = {"anchor": "unanchored", "anchor_permalink": None, "anchor_start": None, "anchor_end": None}


def anchored(texts: Texts, unit: SamplingUnit, coding: Coding) -> dict[str, Any]:
    """Return the columns `anchor*` of a coding. Raises `sqlite3.Error`."""
    present = texts.of(unit.clinic_id, unit.address)
    same = [text for text in present if text.text_sha256 == unit.text_sha256]
    name = _revision(unit.permalink)  # the slug in it may be another one by now
    exact = next((text for text in same if _revision(text.permalink) == name), same[0] if same else None)
    if exact is not None:
        return _at("exact", exact, coding.start, coding.end)
    return _again([text for text in present if text.content_sha256 == unit.content_sha256], coding)


def _revision(permalink: str) -> str:
    return permalink.rpartition("/")[2]


def _again(candidates: Sequence[Text], coding: Coding) -> dict[str, Any]:
    """The place in the first of the texts in which the words occur exactly once, between the same characters."""
    for text in candidates:
        if coding.quote is None:  # the whole text
            return _at("re-anchored", text, 0, len(text.body))
        before, quote, after = map(_loose, (coding.before or "", coding.quote, coding.after or ""))
        found = list(re.finditer(rf"(?={before}({quote}){after})", text.body))
        if len(found) == 1:
            return _at("re-anchored", text, *found[0].span(1))
    return dict(NOWHERE)


def _loose(text: str) -> str:
    r"""A pattern of the text in which white space matches any other: only that differs where `content_sha256` agrees.

    "a  b\nc" gives "a\s+b\s+c".
    """
    return re.sub(r"\s+", lambda _: r"\s+", "".join(c if c.isspace() else re.escape(c) for c in text))


def _at(anchor: Anchor, text: Text, start: int | None, end: int | None) -> dict[str, Any]:
    return {"anchor": anchor, "anchor_permalink": text.permalink, "anchor_start": start, "anchor_end": end}
