"""What stands in the texts of comments in place of what identifies people, and texts that differ in nothing else.

A name becomes known in a thread when its owner comments, and is unknown again when that comment is deleted. The texts
of others then change in the archive, while nobody edited them.
"""

from __future__ import annotations

import re

MASKS = {"name": "[name]", "email": "[e-mail]", "phone": "[phone]", "handle": "[handle]", "profile": "[profile]"}

_ANY = re.compile("|".join(re.escape(mask) for mask in MASKS.values()))

# What a mask may stand for: the same mask, or at most six words of one sentence and 80 characters.
_WORDS = re.compile(r"(?=.{1,80}\Z)(?!.*[.!?]\s)[^\s\[\]]+(?:[ \t\u00a0]+[^\s\[\]]+){0,5}")


def is_masked_form(text: str, masked: str) -> bool:
    """Return whether `masked` is the text with masks in place of further words, and differs in nothing else.

    An edit that puts a name in the place of a few other words looks the same.
    """
    first, *middle = _ANY.split(masked)
    if not middle or text == masked:
        return False
    last = middle.pop()
    if not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        next_at = text.find(piece, at + 1, end)
        if next_at < 0 or not _stands_for(text[at:next_at]):
            return False
        at = next_at + len(piece)
    return at < end and _stands_for(text[at:end])


def _stands_for(words: str) -> bool:
    return _ANY.fullmatch(words) is not None or _WORDS.fullmatch(words) is not None
