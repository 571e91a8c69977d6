"""Which expressions can match in a sentence at all, by the words that their matches begin with.

Most rules say nothing about most sentences. A sentence's words are looked up once, instead of searching it for each
rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from archive.lexicon.patterns import Expression

MAX_REMEMBERED = 100_000  # words


class Starts:
    """Numbers expressions in their order, and finds those that can match. A set of numbers is an integer's bits."""

    def __init__(self, expressions: Iterable[Expression | None]) -> None:
        self._always = 0
        self._whole: defaultdict[str, int] = defaultdict(int)
        self._begun: defaultdict[str, int] = defaultdict(int)
        self._number = 0
        self._remembered: dict[str, int] = {}
        for number, expression in enumerate(expressions):
            for word in expression.first if expression else ():
                self._add(word, 1 << number)

    def _add(self, word: str, bit: int) -> None:
        if word == "*":
            self._always |= bit
        elif word == "#":
            self._number |= bit
        elif word.endswith("*"):
            self._begun[word[:-1]] |= bit
        else:
            self._whole[word] |= bit

    def of(self, text: str) -> int:
        """Return the numbers of the expressions that can match in the words of a text (`Words.text`)."""
        found = self._always
        for word in text.split():
            bits = self._remembered.get(word)
            found |= self._look_up(word) if bits is None else bits
        return found

    def _look_up(self, word: str) -> int:
        bits = self._whole.get(word, 0) | (self._number if word[0].isdigit() else 0)
        for length in range(1, len(word) + 1):
            bits |= self._begun.get(word[:length], 0)
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[word] = bits
        return bits
