"""A sentence as words: lower case, without hyphens and apostrophes, each with its place in the text.

Patterns and sentences are cut by the same function, so that "Non-Addictive", "non addictive" and "non‐addictive" are
the same words. "isn't" is two words ("is", "not"), and so is "cannot".
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

LONGEST = 40  # characters of a word that are compared
END = frozenset(".!?;:")  # marks over which no pattern reaches

# A word with its apostrophes ("isn't"), initials ("F.D.A."), a number ("1,200", "3/4"), or a mark that counts. Marks
# over a letter belong to it.
_TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,}|\d+(?:[.,]\d+)*(?:/\d+)?|[^\W\d_]+(?:[\u0300-\u036f\u00ad\u200b-\u200d]+[^\W\d_]*)*(?:['’][^\W\d_]+)*|[.!?;:,%$£€&]"
)
INVISIBLE = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D])  # where a word may be broken at the end of a line
_SUFFIXES = {"ll": "will", "re": "are", "ve": "have", "m": "am", "d": "would"}
_IS = frozenset({"it", "that", "there", "he", "she", "what", "here", "who", "this"})
_APART = {"cannot": ("can", "not"), "&": ("and",)}
_STEMS = {"ca": "can", "wo": "will", "sha": "shall", "ai": "is"}


@dataclass(frozen=True, slots=True)
class Words:
    """`text`: the words in their order, each with a space after it; `spans`: start and end of each in the sentence."""

    text: str
    offsets: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where the sentence has the words that stand between two offsets of `text`."""
        return self.spans[self.number(start)][0], self.spans[self.number(end - 1)][1]

    def number(self, offset: int) -> int:
        """Return the number of the word at an offset of `text`, from 0."""
        return bisect_right(self.offsets, offset) - 1


def words_of(sentence: str) -> Words:
    """Return the words of a sentence."""
    parts: list[str] = []
    offsets: list[int] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for match in _TOKEN.finditer(sentence):
        for word in _spelled(match[0]):
            parts.append(word)
            offsets.append(at)
            spans.append(match.span())
            at += len(word) + 1
    return Words(" ".join([*parts, ""]) if parts else "", tuple(offsets), tuple(spans))


def _spelled(word: str) -> tuple[str, ...]:
    """Return a word as it is compared: "Isn’t" gives is, not."""
    if len(word) > LONGEST:
        word = word[:LONGEST]
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word.translate(INVISIBLE)).replace("’", "'")
    word = word.casefold().replace(".", "") if len(word) > 1 and word[1] == "." else word.casefold()
    if word in _APART:
        return _APART[word]
    if "'" not in word:
        return (word,)
    stem, _, suffix = word.partition("'")
    if suffix == "t" and stem.endswith("n") and len(stem) > 1:
        return (_STEMS.get(stem[:-1], stem[:-1]), "not")
    if suffix in _SUFFIXES:
        return (stem, _SUFFIXES[suffix])
    if suffix == "s":
        return (stem, "is") if stem in _IS else (stem,)
    return (stem + suffix,)
