"""Phrases of what is purged, found in answers by their marks."""

from __future__ import annotations

import pytest

from pipelines.takedown.marks import mark
from pipelines.takedown.phrases import LENGTH, Phrases, has_marked_phrase, plain, words_in

COMMENT = "For years I slept badly, then the nurse showed me how to breathe out slowly before midnight."
OTHERS = "A page of a1b2c3 other words, for years and years, then the nurse went home. " * 40
LENGTHS = {"quote": [LENGTH], "words": range(1, LENGTH + 1)}


def is_found(phrases: Phrases, text: str) -> bool:
    marks = {mark(b"key", "clinic", value) for value in phrases.values}
    return has_marked_phrase(
        words_in(plain(text.encode())), lambda value: mark(b"key", "clinic", value) in marks, LENGTHS
    )


@pytest.mark.parametrize(
    ("comment", "name", "repeated"),
    [
        (COMMENT, "", f"somebody wrote: {COMMENT.upper()}"),
        (COMMENT, "", "... THEN THE NURSE SHOWED ME HOW TO BREATHE, she said"),
        ("0171 555 0143", "", "call 0171-555-0143 now"),
        ("a1 b2 c3", "", "codes a1, b2 and a1 b2 c3"),
        ("", "Marisol Vega", "by marisol <b>VEGA"),
        ("", "runner42", "by Runner42 on Monday"),
        ("", "Zoë Ångström", "by Zoë Ångström"),
    ],
)
def test_found_wherever_it_stands(comment: str, name: str, repeated: str) -> None:
    phrases = Phrases.of([comment], [], [name])
    assert is_found(phrases, f"{OTHERS} {repeated}. {OTHERS}")
    assert not is_found(phrases, OTHERS)


def test_few_hashes_are_made_of_a_page_of_ids() -> None:
    """One for each plain word that is new, none for its runs and ids."""
    tried: list[str] = []
    ids = " ".join(f"x{number}y" for number in range(5_000))
    assert not has_marked_phrase(words_in(OTHERS + ids), lambda value: bool(tried.append(value)), LENGTHS)
    assert len(tried) < 30
