"""What the engine finds in texts: context, answers, denial, reports, places."""

from __future__ import annotations

import pytest

from archive.derived.sentences import split_sentences
from archive.lexicon.engine import Engine
from archive.lexicon.given import built_in

ENGINE = Engine(built_in())


def found(text: str, category: str, title: str | None = None) -> list[tuple[str, bool]]:
    """The words that match a category, and whether they deny it."""
    matches = ENGINE.matches(title, text, [each[:2] for each in split_sentences(text)])
    return [
        (text[each.start : each.end].strip(" ,"), each.negated) for each in matches if each.rule.category == category
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ketamine is safe.", [("safe", False)]),
        ("Is ketamine safe?", []),
        ("Is ketamine safe? Yes, it is.", [("Yes", False)]),
        ("Is ketamine safe? No.", [("No", True)]),
        ("Is ketamine safe? Ask us.", []),
        ("Some blogs say that ketamine is safe.", []),
        ("It is a myth that ketamine is safe.", [("safe", True)]),
        ("Many clinics claim ketamine is safe, but that is not true.", [("safe", True)]),
        ("Studies show that ketamine is safe.", [("safe", False)]),
        ("Ketamine is not safe.", [("safe", True)]),
        ("Ketamine is not only fast but safe.", [("safe", False)]),
        ("Aspirin is safe.", []),
        ("Ketamine is given here.\nAspirin is safe.", []),
        ("Ketamine\nSafe\nFast", [("Safe", False)]),
        ("Ketamine is given here.\nWe have a garden.\nIt is safe.", []),
        ("Ｋｅｔａｍｉｎｅ is safe.", [("safe", False)]),
        ("Keta\u00admine is safe.", [("safe", False)]),
        ("😀 𝒦etamine? Ketamine is safe, 😀.", [("safe", False)]),
    ],
)
def test_claims(text: str, expected: list[tuple[str, bool]]) -> None:
    assert found(text, "safety-claim") == expected


def test_the_title_is_the_context_of_the_first_sentence() -> None:
    assert found("It is safe.", "safety-claim") == []
    assert found("It is safe.", "safety-claim", title="On ketamine") == [("safe", False)]


def test_topics_match_in_questions_too() -> None:
    assert found("Can ketamine help with OCD?", "condition-ocd") == [("OCD", False)]
    assert found("We do not use ketamine for OCD.", "condition-ocd") == [("OCD", True)]


@pytest.mark.parametrize(
    "text",
    [
        "ketamine safe " * 1_500,
        "ketamine " + "not " * 5_000 + "safe",
        "ketamine " + "x" * 20_000,
        "some people say ketamine is safe, " * 600,
        "\u0301" * 20_000 + " ketamine",
        "ketamine isn't isn't'isn't" + "'" * 20_000,
        "ketamine.\n" * 2_000,
    ],
)
def test_a_hostile_text_gives_at_most_two_matches_a_rule_and_sentence(text: str) -> None:
    sentences = split_sentences(text)
    matches = list(ENGINE.matches(None, text, [each[:2] for each in sentences]))
    assert len({(each.position, each.rule.name, each.negated) for each in matches}) == len(matches)
    for each in matches:
        start, end, _ = sentences[each.position]
        assert start <= each.start < each.end <= end
