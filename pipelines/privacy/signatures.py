"""Finds the name that a comment is signed with."""

from __future__ import annotations

import re

from pipelines.privacy.finders.names import PARTICLES

# Where the last words of a comment begin: a new line, sentence or dash. "Ask me. Anna Roe" ends with "Anna Roe".
LAST_WORDS = re.compile(r"\n|(?<=[.!?\u2026])\s+|\s(?=[\u2012-\u2015~]\s*\w)")
# "— Anna", "-- Anna", "~Anna"
DASHES = re.compile(r"^[-~\u2010-\u2015]+\s*")
CLOSINGS = {
    "thank",
    "thanks",
    "you",
    "best",
    "wishes",
    "kind",
    "warm",
    "regards",
    "love",
    "sincerely",
    "cheers",
    "yours",
    "gracias",
    "saludos",
    "obrigada",
    "obrigado",
    "abraços",
    "danke",
    "gruß",
    "grüße",
    "groetjes",
    "bedankt",
}
LONGEST_SIGNATURE = 4  # words


def signature(text: str | None) -> str | None:
    """Return the name that a comment is signed with in its last words; None without a signature.

    "— Philippa G.", "Clementine Abernethorpe" and "Thanks, Anna B." after a text are signatures. After a dash up to
    four words of any kind are one; else at least two words that all begin with a capital. "Wonderful" and "See you in
    May" are none.
    """
    pieces = [piece.strip() for piece in LAST_WORDS.split(text or "") if piece.strip()]
    if len(pieces) < 2:
        return None
    bare = DASHES.sub("", pieces[-1])
    words = [word for word in re.split(r"[\s,]+", bare) if word]
    names = [word for word in words if word.lower().strip(".!") not in CLOSINGS]
    if not names or len(words) > LONGEST_SIGNATURE or any(letter.isdigit() for word in names for letter in word):
        return None
    if any(len(word) > 2 and word[-1] in ".!?:;" for word in names):
        return None
    proper = all(word[0].isupper() or word.lower() in PARTICLES for word in names)
    return " ".join(names) if bare != pieces[-1] or (proper and len(words) > 1) else None
