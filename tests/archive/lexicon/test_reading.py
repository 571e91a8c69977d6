"""Lexicons that people give: what is read, and what is answered to a file that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive.lexicon.check import example_faults, too_wide
from archive.lexicon.given import built_in, checked
from archive.lexicon.reading import BadLexicon, read_lexicon

HEAD = '[lexicon]\nid = "teeth"\ntitle = "Teeth"\n[lists]\ntreatment = ["whitening"]\n'
RULE = """
[[rule]]
id = "{id}"
version = {version}
category = "lasting"
meaning = "Says that teeth stay white"
source = "A code book"
pattern = ["{pattern}"]
{more}
[rule.examples]
match = ["Whitening lasts for ever."]
negated = ["Whitening does not last for ever."]
none = ["Does whitening last for ever?", "Some clinics claim that whitening lasts for ever."]
"""


def lexicon(**changes: Any) -> str:
    values = {"id": "lasting", "version": 1, "pattern": "last* ..1 ever", "more": ""}
    return HEAD + RULE.format(**values | changes)


def test_a_lexicon_is_read_and_agrees_with_its_examples() -> None:
    found = checked(lexicon().encode())
    assert [(rule.name, rule.lexicon, rule.category, rule.kind) for rule in found.rules] == [
        ("lasting@1", "teeth", "lasting", "claim")
    ]


def test_the_programs_own_lexicon_agrees_with_its_examples() -> None:
    found = built_in()
    assert example_faults(found) == []
    assert too_wide(found) == []
    assert all(rule.examples.match and rule.examples.none and rule.source for rule in found.rules)


def test_the_lexicon_of_the_docs_has_no_fault() -> None:
    page = (Path(__file__).parents[3] / "docs" / "own-lexicon.md").read_text("utf-8")
    text = page.partition("```toml norun\n")[2].partition("```")[0]
    assert [rule.name for rule in checked(text.encode()).rules] == ["lasting@1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'needs id = "..."'),
        ("not toml", "not valid TOML"),
        ('[lexicon]\nid = "teeth"', "has no [[rule]]"),
        ("lexicon = 3\n", "[lexicon] is no table"),
        ('[lexicon]\nid = "A b"\n', "lower-case letters"),
        ('rule = 3\n[lexicon]\nid = "teeth"', "rule 1 is no table"),
        (HEAD + "[[rule]]\nversion = 1", "rule 1 needs an id"),
        (HEAD + '[[rule]]\nid = "x"', "rule x needs category"),
        (HEAD + '[[rule]]\nid = "x"', "rule x has no examples"),
        (HEAD + '[[rule]]\nid = "x"', "rule x needs pattern"),
        (lexicon(version=0), "needs version = 1"),
        (lexicon(version='"1"'), "needs version = 1"),
        (lexicon(pattern="..4"), "rule lasting: pattern: '..4' matches everything"),
        (lexicon(pattern="(last"), "a bracket is not closed"),
        (lexicon(pattern="@none"), "no list 'none'"),
        (lexicon(more='kind = "fact"'), "kind is one of claim, topic"),
        (lexicon(more='unles = ["x"]'), "unknown key 'unles'"),
        (lexicon(more="unless = 3"), "expected a list of texts"),
        (lexicon() + RULE.format(id="lasting", version=1, pattern="x", more=""), "rule lasting@1 is there 2 times"),
        (lexicon(pattern="whiten*"), "example of negated 'Whitening does not last for ever.' is a match"),
        (lexicon(more="negation = false"), "example of negated"),
    ],
)
def test_a_lexicon_that_cannot_be_used_is_answered_in_words(text: str, message: str) -> None:
    with pytest.raises(BadLexicon) as caught:
        checked(text.encode())
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_rule_that_matches_most_sentences_is_named() -> None:
    wide = read_lexicon([lexicon(pattern="(a|the|is|we|our|you|your|of|and|in|to|was|be|has|more|on|for|what)")])
    (fault,) = too_wide(wide)
    assert fault.startswith("rule lasting@1 matches everything: ")
    narrow = read_lexicon([lexicon()])
    assert too_wide(narrow, ["Nothing at all."] * 30) == []
    assert too_wide(narrow, ["It lasts for ever."] * 16 + ["Rest."] * 14) != []
    assert too_wide(narrow, ["It lasts for ever."] * 15 + ["Rest."] * 15) == []


def test_no_message_has_a_control_character() -> None:
    with pytest.raises(BadLexicon) as caught:
        read_lexicon([HEAD + '[[rule]]\nid = "x"\n"a\\u001b[31m\\u202e" = 1'])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[" * 100_000, b"x" * 3_000_000])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadLexicon):
        checked(data)
