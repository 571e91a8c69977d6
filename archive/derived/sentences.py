"""A text cut into sentences.

Each line of a text is a block of the page (a paragraph, a heading, an item of a list): no sentence goes beyond it.
Within a line syntok finds the ends of sentences. It knows no ends in scripts without spaces, so that those are cut
here, after their own full stops. A text in Thai, which has none, is one sentence a line.

The time is linear in the length of a text, whatever the text is: syntok itself is slow where brackets nest, and its
function for whole documents copies the text for each paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import NamedTuple

from syntok import segmenter
from syntok.tokenizer import Tokenizer

# What cuts the texts: syntok's version, and that of the rules of this package. A new one derives all texts again.
SEGMENTER = f"syntok {version('syntok')}, 2"
LONGEST = 50_000  # characters of a line that syntok reads at a time; it holds an object for each word
# Characters of a line with more opening brackets than one in `SPARSE` characters, in which brackets are ignored.
BRACKETED, SPARSE = 2_000, 20
REMEMBERED = 5_000  # characters of a line up to which it is remembered for the next text with the same line
NORMALISED = 2_000  # characters that are normalised at a time: it takes time by the square of marks in a row

_LINE = re.compile(r"[^\n]+")
# What may end a sentence within a line: "A first (short) one. A second"; the end of the line is none.
_END = re.compile("[.!?;\u203c\u203d\u2047-\u2049\ufe52\ufe57\uff01\uff0e\uff1f\uff61(\\[{\uff5f\uff5b\uff3b\uff08]")
_BRACKETS = re.compile("[(\\[{\uff5f\uff5b\uff3b\uff08\ufe5d\ufe5b\ufe59\ufd3e\u301a\u3018\u2985\u2983\u2329]")
# Full stops that need no space after them, with the quotes and brackets that they close: "\u7cd6\u5c3f\u75c5\u3002",
# also those of Hindi, Khmer, Burmese, Urdu and Amharic.
_STOP = re.compile(
    "[\u3002\uff61\uff01\uff1f\u0964\u0965\u17d4\u17d5\u104b\u06d4\u061f\u1362]+[\u300d\u300f\u201d\u2019\uff09\u300b\u3011)\"']*"
)
_SPACE = re.compile(r"\s")
_TOKENIZER = Tokenizer(replace_not_contraction=False)


class Sentence(NamedTuple):
    """A sentence: `start` and `end` in Unicode code points of its text, `hash` of its words (`hash_of`)."""

    start: int
    end: int
    hash: int


def split_sentences(text: str | None) -> list[Sentence]:
    """Return the sentences of a text in their order; none overlap, and only white space is between them."""
    found: list[Sentence] = []
    for line in _LINE.finditer(text or ""):
        first, words = line.start(), line[0]
        for start, end, number in remembered(words) if len(words) <= REMEMBERED else _cut_line(words):
            found.append(Sentence(first + start, first + end, number))
    return found


def hash_of(sentence: str) -> int:
    """Return the first 8 bytes of the SHA-256 of a sentence in Unicode's form NFC with single spaces.

    The bytes are big-endian and signed, as SQLite stores integers.
    """
    words = " ".join(sentence.split())
    if not words.isascii():
        words = "".join(
            unicodedata.normalize("NFC", words[at : at + NORMALISED]) for at in range(0, len(words), NORMALISED)
        )
    return int.from_bytes(sha256(words.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)


def sentences_digest(sentences: list[Sentence]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of the offsets and hashes, each as 8 bytes, big-endian."""
    numbers = array("q", (number for each in sentences for number in (each.start, each.end, each.hash)))
    numbers.byteswap()
    return sha256(numbers.tobytes()).hexdigest()[:16]


def _cut_line(line: str) -> tuple[tuple[int, int, int], ...]:
    """Return (start, end, hash) of each sentence of a line."""
    found = []
    for first, last in _pieces(line):
        piece = line[first:last].rstrip()
        start = len(piece) - len(piece.lstrip())
        if start == len(piece):
            continue
        starts = [start, *_later_starts(piece)]
        for at, next_at in zip(starts, [*starts[1:], len(piece)], strict=True):
            sentence = piece[at:next_at].rstrip()
            found.append((first + at, first + at + len(sentence), hash_of(sentence)))
    return tuple(found)


# An edited text has most lines of the one before, and posts of a clinic have lines in common.
remembered = lru_cache(maxsize=2048)(_cut_line)


def _pieces(line: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a line between full stops that need no space, and no part longer than `LONGEST`."""
    start = 0
    stops = () if line.isascii() else (match.end() for match in _STOP.finditer(line))
    for stop in (*stops, len(line)):
        while stop - start > LONGEST:
            space = _SPACE.search(line, start + LONGEST, stop)
            cut_at = space.start() if space is not None and space.start() < start + 2 * LONGEST else start + LONGEST
            yield start, cut_at
            start = cut_at
        yield start, stop
        start = stop


def _later_starts(piece: str) -> Iterator[int]:
    """Yield where the second and each further sentence of a piece begins."""
    if _END.search(piece, 0, len(piece) - 1) is None:
        return
    if len(piece) > BRACKETED and len(_BRACKETS.findall(piece)) * SPARSE > len(piece):
        piece = _BRACKETS.sub(" ", piece)
    sentences = segmenter.segment(_TOKENIZER.tokenize(piece))
    next(sentences, None)
    for tokens in sentences:
        if tokens[0].value:
            yield tokens[0].offset
