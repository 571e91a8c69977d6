"""The language of patterns, and their translation into regular expressions that are linear in a sentence's length.

    ketamine            a word, in any spelling of capitals, hyphens and apostrophes
    addict*             a word that begins so
    #                   a number in digits
    ..3                 up to three words of any kind, within one clause
    (safe|harmless)     one of several; each may have several words
    (very)?             what may be missing
    @treatment          one of the words of a list of the lexicon

A comma may stand after any word. No pattern reaches over the end of a sentence, a semicolon or a colon.

Every word of a text is bounded (`words.LONGEST`), and so is the number of ways in which a pattern can match from a
given word on (`MAX_WAYS`): the time is linear in the length of a sentence, whatever the sentence is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from archive.lexicon.words import END, words_of

MAX_WAYS = 4_000
LARGEST_GAP = 12
DEEPEST = 12
LONGEST_PATTERN = 4_000

# The items of "(very)? safe ..3 @treatment": "(", "very", ")?", "safe", "..3", "@treatment"
_ITEM = re.compile(r"\.\.\d+|@[\w-]+|[()|]\??|[^\s()|]+")
_GAP = re.compile(r"\.\.(\d{1,3})")
_AFTER = " (?:, )?+"  # a word ends with its space; a comma is a word of its own
_ANY = rf"(?![{''.join(sorted(END))},])[^ ]++{_AFTER}"


class BadPattern(ValueError):
    """A pattern cannot be read; the message says what is wrong with it."""


class _Part(NamedTuple):
    """A part of a pattern: its expression, in how many ways it can match, whether it needs a word, its only word."""

    expression: str
    ways: int
    needs_word: bool
    word: str | None = None
    first: frozenset[str] = frozenset()  # words that a match can begin with: "safe", "addict*", "#"; "*" any word


@dataclass(frozen=True, slots=True)
class Expression:
    """What finds some patterns in `Words.text`, and the words that their matches begin with, as patterns write them."""

    compiled: re.Pattern[str]
    first: frozenset[str]

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match."""
        return self.compiled.search(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the matches, none of which overlap."""
        return self.compiled.finditer(text)

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match at the start of the text."""
        return self.compiled.match(text)


def check_patterns(patterns: Sequence[str], lists: Mapping[str, Sequence[str]]) -> list[_Part]:
    """Read patterns, as `compiled` does, without an expression of them. Raises `BadPattern`."""
    return [_Reader(pattern, lists).whole() for pattern in patterns]


def compiled(patterns: Sequence[str], lists: Mapping[str, Sequence[str]]) -> Expression:
    """Return an expression that finds any of the patterns in `Words.text`. Raises `BadPattern`."""
    parts = check_patterns(patterns, lists)
    found = re.compile(r"(?:(?<= )|\A)(?:" + "|".join(part.expression for part in parts) + ")")
    return Expression(found, frozenset().union(*(part.first for part in parts)))


def _one_of(choices: Sequence[_Part]) -> _Part:
    """Return the choice between parts. Of single words only those match the same word of which each begins the next."""
    words = {choice.word for choice in choices if choice.word}
    begun = [word[:-1] for word in words if word.endswith("*")]
    alike = max((sum(word.startswith(begin) for begin in begun) + (word[-1] != "*") for word in words), default=0)
    return _Part(
        "(?:" + "|".join(choice.expression for choice in choices) + ")",
        alike + sum(choice.ways for choice in choices if not choice.word),
        all(choice.needs_word for choice in choices),
        first=frozenset().union(*(choice.first for choice in choices)),
    )


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str, lists: Mapping[str, Sequence[str]], within: tuple[str, ...] = ()) -> None:
        self.pattern, self.lists, self.within = pattern, lists, within
        self.items = _ITEM.findall(pattern)
        self.at = 0
        if len(pattern) > LONGEST_PATTERN:
            raise BadPattern(f"a pattern of {len(pattern)} characters; at most {LONGEST_PATTERN} are read")

    def part(self) -> _Part:
        """Return the pattern as a part of another one."""
        part = self._choice(0)
        if self.at < len(self.items):
            raise BadPattern(f"{self.pattern!r}: a bracket is closed that was not opened")
        return part

    def whole(self) -> _Part:
        """Return the pattern, if it is bounded and matches not everything."""
        part = self.part()
        if not part.needs_word:
            raise BadPattern(f"{self.pattern!r} matches everything: it needs at least one word")
        if part.ways > MAX_WAYS:
            raise BadPattern(
                f"{self.pattern!r} can match in {part.ways} ways at one place (at most {MAX_WAYS}): use shorter gaps,"
                " or several patterns"
            )
        return part

    def _choice(self, depth: int) -> _Part:
        if depth > DEEPEST:
            raise BadPattern(f"{self.pattern!r}: brackets nest deeper than {DEEPEST}")
        choices = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            choices.append(self._sequence(depth))
        return choices[0] if len(choices) == 1 else _one_of(choices)

    def _sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
        while (item := self._peek()) is not None and item not in {"|", ")", ")?"}:
            parts.append(self._item(item, depth))
        if not parts:
            raise BadPattern(f"{self.pattern!r}: nothing stands where a word must stand")
        first: frozenset[str] = frozenset()
        for part in parts:
            first |= part.first
            if part.needs_word:
                break
        return _Part(
            "".join(part.expression for part in parts),
            prod(part.ways for part in parts),
            any(part.needs_word for part in parts),
            parts[0].word if len(parts) == 1 else None,
            first,
        )

    def _item(self, item: str, depth: int) -> _Part:
        self.at += 1
        if item == "(":
            part = self._choice(depth + 1)
            closing = self._peek()
            if closing not in {")", ")?"}:
                raise BadPattern(f"{self.pattern!r}: a bracket is not closed")
            self.at += 1
            if closing == ")":
                return part._replace(expression=f"(?:{part.expression})")
            return _Part(f"(?:{part.expression})?", part.ways + 1, False, first=part.first)
        if gap := _GAP.fullmatch(item):
            return self._gap(int(gap[1]))
        if item.startswith("@"):
            return self._list(item[1:])
        if item == "#":  # a number: "1,200", "3.5"
            return _Part(rf"\d[^ ]*+{_AFTER}", 1, True, first=frozenset("#"))
        return self._word(item)

    def _gap(self, words: int) -> _Part:
        if not 1 <= words <= LARGEST_GAP:
            raise BadPattern(f"{self.pattern!r}: a gap has 1 to {LARGEST_GAP} words")
        return _Part(f"(?:{_ANY}){{0,{words}}}?", words + 1, False, first=frozenset("*"))

    def _list(self, name: str) -> _Part:
        if name not in self.lists:
            raise BadPattern(f"{self.pattern!r}: the lexicon has no list {name!r}")
        if name in self.within:
            raise BadPattern(f"{self.pattern!r}: the list {name!r} names itself")
        found = [_Reader(each, self.lists, (*self.within, name)).part() for each in self.lists[name]]
        if not found or not all(part.needs_word for part in found):
            raise BadPattern(f"the list {name!r} is empty, or one of its entries needs no word")
        return _one_of(found)

    def _word(self, item: str) -> _Part:
        if "*" in item[:-1]:
            raise BadPattern(f"{self.pattern!r}: * stands only at the end of a word")
        begins = item.endswith("*")
        found = words_of(item.removesuffix("*")).text.split()
        if not found or any(word in END or word == "," for word in found):
            raise BadPattern(f"{self.pattern!r}: {item!r} is no word")
        expression = _AFTER.join(map(re.escape, found)) + (f"[^ ]*+{_AFTER}" if begins else _AFTER)
        star = "*" if begins else ""
        first = found[0] + (star if len(found) == 1 else "")
        return _Part(expression, 1, True, " ".join(found) + star, frozenset([first]))

    def _peek(self) -> str | None:
        return self.items[self.at] if self.at < len(self.items) else None
