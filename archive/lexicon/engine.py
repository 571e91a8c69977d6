"""The matches of a text: which of its sentences match which rules, where, and whether the sentence denies it.

A sentence is read with its context: what its paragraph has before it, and the sentence before the paragraph; before
that, as long as they are short lines without a full stop (headings, items of a list), those lines, too; and the title
before the first sentence. Where the sentence
before is a question and this one answers yes or no, the answer says what the question asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from archive.lexicon import cues
from archive.lexicon.patterns import Expression
from archive.lexicon.rules import Lexicon, Rule
from archive.lexicon.starts import Starts
from archive.lexicon.words import END, INVISIBLE, Words, words_of

NEAR = 4  # words in which a comparison stands before what is compared
SHORTEST = 4  # letters of a word by which texts are chosen
AFTER = 200  # characters after a claim that may take it back
BEFORE = 8  # sentences before a sentence that its context has at most
LINE = 12  # words of a heading or an item of a list, at most
# Letters of other forms, full-width and mathematical, which are compared as plain ones.
_LETTERS = re.compile("[\uff21-\uff5a\U0001d400-\U0001d7ff]")


class Match(NamedTuple):
    """A place of a text: sentence number, start and end in Unicode code points of the text, the rule, denied or not."""

    position: int
    start: int
    end: int
    rule: Rule
    negated: bool


class _SentenceMatch(NamedTuple):
    start: int  # offsets in `Words.text`
    end: int
    negated: bool


class _Sentence(NamedTuple):
    words: Words
    is_line: bool  # a heading, or an item of a list
    is_question: bool
    follows: bool  # whether it stands in the paragraph of the sentence before it
    names_treatment: bool
    names_other: bool
    starts: int  # the expressions that can match


class Engine:
    """Finds the matches of the rules of one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._worth = _stems(lexicon)
        # The expressions have the numbers 0 to 2, then four for each rule.
        self._numbered = [(3 + 4 * number, rule) for number, rule in enumerate(lexicon.rules)]

    @cached_property
    def _starts(self) -> Starts:
        # All expressions are compiled here: a third of a second, which texts of other topics never need.
        about = [self.lexicon.treatment, self.lexicon.likely, self.lexicon.other]
        rules = [(rule.found_by, rule.denied_by, rule.required, rule.excluded) for rule in self.lexicon.rules]
        return Starts([*about, *chain.from_iterable(rules)])

    def is_worth(self, title: str | None, text: str) -> bool:
        """Return whether a text names what the rules are about at all."""
        whole = f"{title}\n{text}"
        return self._worth is None or any(
            found.search(whole.translate(INVISIBLE)) is not None for found in (self._worth, _LETTERS)
        )

    def matches(self, title: str | None, text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Match]:
        """Yield the matches of a text whose sentences have these places.

        Of each sentence and rule: the first place that affirms it, and the first that denies it.
        """
        if not self.is_worth(title, text):
            return
        before = [self._read(title)] if title else []
        ended = 0
        for position, (start, end) in enumerate(spans):
            sentence = self._read(text[start:end], position > 0 and "\n" not in text[ended:start])
            context = self._context(sentence, before)
            ended = end
            question = context[0] if context and context[0].is_question else None
            can_match = sentence.starts | (question.starts if question else 0)
            for bit, rule in self._numbered:
                if can_match >> bit & 3 and _is_about(rule, sentence, context):
                    for place in _sentence_matches(rule, bit, sentence, question):
                        first, last = sentence.words.place(place.start, place.end)
                        yield Match(position, start + first, start + last, rule, place.negated)
            before = [*before[-BEFORE:], sentence]

    def _read(self, sentence: str, follows: bool = False) -> _Sentence:
        words = words_of(sentence)
        last = words.text[-2:-1]
        starts = self._starts.of(words.text)
        other = bool(starts & 4) and self._names_other(words)
        return _Sentence(
            words,
            last not in END and len(words.spans) <= LINE,
            last == "?",
            follows,
            (bool(starts & 1) and _finds(self.lexicon.treatment, words))
            or (bool(starts & 2) and not other and _finds(self.lexicon.likely, words)),
            other,
            starts,
        )

    def _names_other(self, words: Words) -> bool:
        """Return whether a sentence names another treatment, and not only to compare."""
        found = self.lexicon.other.finditer(words.text) if self.lexicon.other else ()
        return any(not cues.COMPARED.search(_reach(words, match.start(), NEAR)) for match in found)

    @staticmethod
    def _context(sentence: _Sentence, before: Sequence[_Sentence]) -> list[_Sentence]:
        """Return the sentences that a sentence is read with, the nearest first."""
        found: list[_Sentence] = []
        for each in reversed(before):
            if found and not each.is_line and not sentence.follows:
                break
            found.append(each)
            if not each.is_line and not sentence.follows:
                break
            sentence = each
        return found


def _sentence_matches(rule: Rule, bit: int, sentence: _Sentence, question: _Sentence | None) -> list[_SentenceMatch]:
    """Return the places of a rule in a sentence, the first that affirms and the first that denies.

    `bit`: the first of the four numbers of the rule's expressions; `question`: the question before the sentence.
    """
    found = _found(rule, sentence.words, sentence.starts >> bit, sentence.is_question)
    if not found and question and (answer := _answer(sentence.words)) is not None:
        end, affirms = answer
        in_question = _found(rule, question.words, question.starts >> bit, None)
        found = [_SentenceMatch(0, end, place.negated == affirms) for place in in_question]
    firsts = {place.negated: place for place in reversed(found)}
    return sorted(firsts.values())


def _finds(expression: Expression | None, words: Words) -> bool:
    return expression is not None and expression.search(words.text) is not None


def _is_about(rule: Rule, sentence: _Sentence, context: Sequence[_Sentence]) -> bool:
    if rule.about == "any" or sentence.names_treatment:
        return True
    if rule.about == "sentence" or sentence.names_other:
        return False
    return any(each.names_treatment for each in context)


def _found(rule: Rule, words: Words, starts: int, asks: bool | None) -> list[_SentenceMatch]:
    """Return the places of a rule in a sentence.

    `starts`: four bits, which expressions of the rule can match. `asks`: whether it is a question; None: its answer is
    known.
    """
    text, is_claim = words.text, rule.kind == "claim"
    if not starts & 3 or (is_claim and asks) or (rule.required and not (starts & 4 and rule.required.search(text))):
        return []
    places: list[_SentenceMatch] = []
    if rule.denied_by and starts & 2:
        places += [_SentenceMatch(*match.span(), True) for match in rule.denied_by.finditer(text)]
    if starts & 1 and not (rule.excluded and starts & 8 and rule.excluded.search(text)):
        places += [
            _SentenceMatch(*match.span(), rule.negation and _denied(words, *match.span()))
            for match in rule.found_by.finditer(text)
        ]
    if not is_claim or asks is None:
        return _longest(places)
    found = [(place, _stated(words, place)) for place in _longest(places)]
    return [place._replace(negated=negated) for place, negated in found if negated is not None]


def _longest(places: list[_SentenceMatch]) -> list[_SentenceMatch]:
    """Return the places without those that overlap a longer one; of two alike, what denies is the better one."""
    taken: list[_SentenceMatch] = []
    end = -1
    for place in sorted(places, key=lambda place: (place.start, -place.end, not place.negated)):
        if place.start >= end:
            taken.append(place)
            end = place.end
        elif place.end - place.start > taken[-1].end - taken[-1].start:
            taken[-1] = place
            end = place.end
    return taken


def _denied(words: Words, at: int, end: int) -> bool:
    """Return whether a denial reaches the words between two offsets."""
    if cues.DENIED_AFTER.match(words.text[end : end + AFTER]):
        return True
    reach = _reach(words, at, cues.REPORT_REACH)
    spared = [match.span() for match in cues.NO_DENIAL.finditer(reach)]
    for match in cues.DENIAL.finditer(reach):
        if match[0].endswith(", ") and words.text.startswith(match[0], 0) and at > 0 and match.start() == 0:
            continue  # "No, ..." answers, and denies nothing of what follows
        if (
            reach.count(" ", match.start()) - reach.count(",", match.start()) - match[0].rstrip().count(" ")
            > cues.REACH
        ):
            continue
        if not any(start < match.end() and match.start() < end for start, end in spared):
            return True
    return False


def _stated(words: Words, place: _SentenceMatch) -> bool | None:
    """Return whether the sentence denies the claim at a place; None where it only reports the claim."""
    before, after = _reach(words, place.start, cues.REPORT_REACH), words.text[place.start : place.end + AFTER]
    if cues.TAKEN_BACK.search(before):
        return not place.negated
    if cues.REPORT.search(before):
        return True if cues.TAKEN_BACK.search(after) else None
    return place.negated


def _reach(words: Words, at: int, length: int) -> str:
    """Return up to `length` words before an offset, from the last end of a clause on."""
    number = words.number(at) if at else 0
    first = words.offsets[max(0, number - length)] if number else at
    reach = words.text[first:at]
    cut = max((reach.rfind(f"{mark} ") for mark in END), default=-1)
    if cut >= 0:
        reach = reach[cut + 2 :]
    borders = list(cues.BORDER.finditer(reach))
    return reach[borders[-1].end() :] if borders else reach


def _answer(words: Words) -> tuple[int, bool] | None:
    """Return the end of the word that answers a question, and whether it affirms."""
    for cue, affirms in ((cues.YES, True), (cues.NO, False)):
        if match := cue.match(words.text):
            return match.end(), affirms
    return None


def _stems(lexicon: Lexicon) -> re.Pattern[str] | None:
    """Return what a text must have for any rule to match; None if some rule asks for nothing."""
    if "treatment" not in lexicon.lists or any(rule.about == "any" for rule in lexicon.rules):
        return None
    entries = [*lexicon.lists["treatment"], *lexicon.lists.get("likely", ())]
    # Of "s ketamin*" the longest word is needed in any case; of an entry with a choice it is not known.
    needed = [max(re.findall(r"[a-z]+", entry), key=len, default="") for entry in entries]
    if any(len(word) < SHORTEST for word in needed) or any(set(entry) & set("(@") for entry in entries):
        return None
    return re.compile("|".join(sorted(set(needed))), re.IGNORECASE)
