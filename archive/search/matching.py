"""Every place of a word, the beginning of a word, or a phrase in a text, by the rules of the index.

A word is a run of letters and digits. Case, the accents of Latin letters and invisible characters make no difference
(`archive.search.folding`). In scripts without spaces the letters are found anywhere in a run. Nothing typed is a
pattern: punctuation separates words, whatever it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archive.search.folding import folded_words, is_joined, is_single_letter, plain, plain_with_places

# Characters and words of what is looked for.
LONGEST, MAX_WORDS = 200, 20
# Letters of a beginning: a single one begins a large part of all words.
SHORTEST_BEGINNING = 2
_ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")
_REST = re.compile(rb"[0-9a-z]+")  # of a word
# What remains of a text without these bytes has letters beyond ASCII: ASCII, the first bytes of U+0080 to U+00BF and of
# U+2000 to U+2FFF, and all later bytes of a character.
_NO_LETTERS = bytes([*range(0xC0), 0xC2, 0xE2])
# Of U+2000 to U+2FFF those from U+2C00 on are letters.
_RARE_LETTERS = re.compile(rb"\xe2[\xb0-\xbf]")


# What patterns are written with elsewhere, but for one * at the end: "ket.*", "off[- ]label", "pain|ache".
_OF_PATTERNS = re.compile(r"[\[\](){}|?+^$\\]|\*(?!$)|[^\w\s]\*$|^\*")


class BadKeyword(ValueError):
    """Nothing can be looked for; the message says why and what to write."""


class _Folds(dict[int, str]):
    """Lower case without the accents of Latin letters, a character for each: "É" gives "e". Filled as needed."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        apart = unicodedata.normalize("NFD", letter)
        if apart[0].isascii() and len(apart) > 1 and all(map(unicodedata.combining, apart[1:])):
            letter = apart[0]
        lower = letter.lower()
        self[code] = letter = lower if len(lower) == 1 else letter
        return letter


_FOLDS = _Folds()


@dataclass(frozen=True)
class Keyword:
    """What is looked for: its words in their order, and whether the last one is the beginning of a word.

    `match` is the FTS5 string that finds the texts.
    """

    words: tuple[str, ...]
    prefix: bool
    match: str

    def __str__(self) -> str:
        return " ".join(self.words) + ("…" if self.prefix else "")

    def places(self, text: str, *, is_plain: bool) -> Iterator[tuple[int, int]]:
        """Yield start and end, in code points, of each place in a text.

        `is_plain`: folding does not change the text except for accents, as in the table `search_fts`.
        """
        if self._bytes_pattern is not None and is_plain and _has_ascii_letters_only(text):
            return self._places_in_ascii(text.encode("ascii", "replace"))
        return self._places(text) if is_plain else self._places_in_folded(text)

    def _places_in_folded(self, text: str) -> Iterator[tuple[int, int]]:
        normal = plain_with_places(text)
        for start, end in self._places(normal.text):
            yield normal.starts[start], normal.ends[end - 1]

    @cached_property
    def _bytes_pattern(self) -> re.Pattern[bytes] | None:
        if not all(word.isascii() for word in self.words):
            return None
        # "off label" finds "off-label" and, at the end, only a whole word.
        words = rb"[^0-9a-z]+".join(word.encode() for word in self.words)
        return re.compile(words if self.prefix else words + rb"(?![0-9a-z])")

    def _places_in_ascii(self, text: bytes) -> Iterator[tuple[int, int]]:
        assert self._bytes_pattern is not None
        lower, search, end = text.lower(), self._bytes_pattern.search, 0
        while match := search(lower, end):
            start, end = match.span()
            if not start or lower[start - 1] not in _ALNUM:
                if self.prefix and (rest := _REST.match(lower, end)):
                    end = rest.end()
                yield start, end
            else:  # "xb b b" has the phrase "b b" once, and not at its second letter
                end = start + 1

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = [re.escape(self.words[0])]
        for before, word in zip(self.words, self.words[1:], strict=False):
            # "5-HT 糖尿病": between letters of scripts without spaces and others there need not be anything.
            parts += [r"[\W_]*" if is_joined(before[-1]) or is_joined(word[0]) else r"[\W_]+", re.escape(word)]
        return re.compile("".join(parts))

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        lower, end = text.translate(_FOLDS), 0
        while match := self._pattern.search(lower, end):
            start, end = match.span()
            is_whole = not start or not _continues(lower[start - 1], lower[start])
            if self.prefix:  # only from a whole beginning on: letters in a long word would be read again for each match
                while is_whole and end < len(lower) and _continues(lower[end], lower[end - 1]):
                    end += 1
            elif end < len(lower) and _continues(lower[end], lower[end - 1]):
                is_whole = False
            if is_whole:
                yield start, end
            else:
                end = start + 1


def keyword(typed: str, *, prefix: bool = False) -> Keyword:
    """Return what is looked for; `ketam*` is a beginning, as `prefix` makes any. Raises `BadKeyword`."""
    text = typed.replace("\x00", " ").encode("utf-8", "replace").decode().strip()
    if len(text) > LONGEST:
        raise BadKeyword(f"This has {len(text):,} characters; a word or phrase may have {LONGEST}.")
    starred = text.endswith("*") and len(text) > 1 and _is_letter(text[-2])
    words = tuple(_words(plain(text).translate(_FOLDS)))
    if not words:
        raise BadKeyword("There is no word in this: a word has a letter or a digit. Type a word or a phrase.")
    if len(words) > MAX_WORDS:
        raise BadKeyword(f"This has {len(words)} words; a phrase may have {MAX_WORDS}.")
    prefix = prefix or starred
    if prefix and len(words) == 1 and len(words[0]) < SHORTEST_BEGINNING and not is_joined(words[0]):
        raise BadKeyword(
            f"{typed.strip()!r} begins too many words: type {SHORTEST_BEGINNING} letters or more, or look for it as a"
            " whole word."
        )
    folded = folded_words(text)
    star = "*" if prefix or is_single_letter(folded) else ""
    return Keyword(words, prefix, '"' + folded.replace('"', '""') + '"' + star)


def looks_like_pattern(typed: str) -> bool:
    """Whether a text has characters of regular expressions, which here only separate words."""
    return _OF_PATTERNS.search(typed.strip()) is not None


def _has_ascii_letters_only(text: str) -> bool:
    if text.isascii():
        return True
    data = text.encode("utf-8", "replace")
    return not data.translate(None, _NO_LETTERS) and _RARE_LETTERS.search(data) is None


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text; a run of letters of a script without spaces is one."""
    word = ""
    for letter in text:
        if word and not (_is_letter(letter) and is_joined(letter) == is_joined(word[-1])):
            yield word
            word = ""
        if _is_letter(letter):
            word += letter
    if word:
        yield word


def _is_letter(letter: str) -> bool:
    """Whether a character belongs to words: letters, digits, and the marks that are vowels of Hindi or Thai."""
    return letter.isalnum() or (not letter.isascii() and unicodedata.category(letter) in ("Mn", "Mc", "Co"))


def _continues(letter: str, neighbour: str) -> bool:
    """Whether a letter beside a match belongs to the same word as its `neighbour`, the outermost one in the match."""
    return _is_letter(letter) and not is_joined(letter) and not is_joined(neighbour)
