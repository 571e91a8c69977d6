"""Words and patterns: what they match, where, and in which time."""

from __future__ import annotations

import random
import re

import pytest

from archive.lexicon import cues
from archive.lexicon.given import built_in
from archive.lexicon.patterns import MAX_WAYS, BadPattern, Expression, compiled
from archive.lexicon.words import words_of

LISTS = {"drug": ["ketamine", "s ketamin*"], "loop": ["@loop"]}


def found(pattern: str, sentence: str) -> str | None:
    words = words_of(sentence)
    match = compiled([pattern], LISTS).search(words.text)
    if match is None:
        return None
    start, end = words.place(*match.span())
    return sentence[start:end]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("It isn't Non‐Addictive!", "it is not non addictive !"),
        ("We can’t, won't, CANNOT.", "we can not , will not , can not ."),
        ("F.D.A. & 3/4 of 1,200: 50%", "fda and 3/4 of 1,200 : 50 %"),
        ("keta\u00admine Ｋｅｔａｍｉｎｅ café", "ketamine ketamine café"),
        ("It's Ana's", "it is ana"),
        ("", ""),
        ("…", ""),
    ],
)
def test_words(sentence: str, words: str) -> None:
    assert words_of(sentence).text.split() == words.split()


@pytest.mark.parametrize(
    ("pattern", "sentence", "match"),
    [
        ("non-addictive", "It is NON addictive.", "NON addictive"),
        ("addict*", "Addicted? No.", "Addicted"),
        ("safe ..2 drug", "a safe, well known drug", "safe, well known drug"),
        ("safe ..2 drug", "a safe and very well known drug", None),
        ("safe ..2 drug", "it is safe. A drug", None),
        ("(very)? (safe|mild)", "𝒪 very, very mild 😀", "very, very mild"[6:]),
        ("# %", "Of them 3.5 % slept", "3.5 %"),
        ("@drug works", "S-Ketamine works", "S-Ketamine works"),
        ("fe", "safe", None),
    ],
)
def test_patterns(pattern: str, sentence: str, match: str | None) -> None:
    assert found(pattern, sentence) == match


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("..3", "matches everything"),
        ("(a)?", "matches everything"),
        ("(a|..2)", "matches everything"),
        ("(a", "a bracket is not closed"),
        ("a)", "a bracket is closed that was not opened"),
        ("a ..99", "a gap has 1 to 12 words"),
        ("a*b", "only at the end of a word"),
        ("()", "nothing stands where a word must stand"),
        ("", "nothing stands where a word must stand"),
        ("@none", "has no list 'none'"),
        ("@loop", "names itself"),
        ("…", "is no word"),
        ("a ..9 b ..9 c ..9 d ..9 e", f"at most {MAX_WAYS}"),
        ("(" * 50 + "a" + ")" * 50, "nest deeper"),
        ("a " * 5000, "characters"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_answered_in_words(pattern: str, message: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(message)):
        compiled([pattern], LISTS)


def _expressions() -> dict[str, Expression]:
    found = {}
    for rule in built_in().rules:
        for name in ("found_by", "denied_by", "required", "excluded"):
            if expression := getattr(rule, name):
                found[f"{rule.id} {name}"] = expression
    return found | {name: value for name, value in vars(cues).items() if isinstance(value, Expression)}


def test_hostile_texts_are_searched_to_their_end() -> None:
    """Texts of a pattern's own words, from which it can match in most ways, and that it nearly matches everywhere: with
    a pattern whose ways multiply with the length of a text, this test does not end.
    """
    chosen = random.Random(7)
    for expression in _expressions().values():
        words = re.findall(r"[a-z]{2,}", expression.compiled.pattern)
        for vocabulary in (words[:1], chosen.sample(words, min(3, len(words))), words):
            text = "".join(f"{chosen.choice(vocabulary)} " for _ in range(2_000))
            assert sum(1 for _ in expression.finditer(text)) <= 2_000
