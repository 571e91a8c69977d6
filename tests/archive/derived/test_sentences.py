"""Texts cut into sentences: the offsets, what is alike, and texts that were written to take long."""

from __future__ import annotations

import pytest

from archive.derived.sentences import LONGEST, hash_of, sentences_digest, split_sentences


def sentences(text: str) -> list[str]:
    """Cut a text, and check that nothing but white space is between the sentences."""
    found, last = split_sentences(text), 0
    for each in found:
        assert last <= each.start < each.end
        assert text[last : each.start].strip() == ""
        last = each.end
    assert text[last:].strip() == ""
    assert all(each.hash == hash_of(text[each.start : each.end]) for each in found)
    return [text[each.start : each.end] for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sleep well. Wake early!", ["Sleep well.", "Wake early!"]),
        ("Dr. Reed sees you (see fig. 2) today. Then rest.", ["Dr. Reed sees you (see fig. 2) today.", "Then rest."]),
        ("Our clinic\nWe open at 9 a.m. daily.", ["Our clinic", "We open at 9 a.m. daily."]),
        ("  Two  spaces.  \n\n\tA tab \r\n", ["Two  spaces.", "A tab"]),
        ("睡眠很重要。多喝水！好吗？", ["睡眠很重要。", "多喝水！", "好吗？"]),
        ("「よく眠る。」水を飲む。", ["「よく眠る。」", "水を飲む。"]),
        ("นอนหลับให้เพียงพอ ดื่มน้ำ\nพักผ่อน", ["นอนหลับให้เพียงพอ ดื่มน้ำ", "พักผ่อน"]),
        ("हम सोते हैं। हम उठते हैं।", ["हम सोते हैं।", "हम उठते हैं।"]),
        ("We don't. You can't!", ["We don't.", "You can't!"]),
        ("Rest now \U0001f634 Wake. Eat \u2600\ufe0f", ["Rest now \U0001f634 Wake.", "Eat \u2600\ufe0f"]),
        ("\n \n", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_no_text_has_no_sentence() -> None:
    assert split_sentences(None) == split_sentences("") == []
    assert sentences_digest([]) == "e3b0c44298fc1c14"


def test_the_same_words_are_alike_whatever_the_space_and_the_form() -> None:
    assert hash_of("Caf\u00e9 \u00a0 is  open.") == hash_of("Cafe\u0301 is open.")
    assert hash_of("Open.") != hash_of("Closed.")
    assert -(2**63) <= hash_of("Open.") < 2**63


def test_the_digest_is_of_offsets_and_hashes() -> None:
    first, moved = split_sentences("Sleep well. Rest."), split_sentences("Sleep well.  Rest.")
    assert [each.hash for each in first] == [each.hash for each in moved]
    assert sentences_digest(first) != sentences_digest(moved)
    assert sentences_digest(first) == sentences_digest(split_sentences("Sleep well. Rest."))


def test_a_sentence_of_20_000_characters_is_one() -> None:
    long = "Word " * 4_000 + "end."
    assert [len(each) for each in sentences(f"Short. {long} Short. ")] == [6, len(long), 6]


# Each takes syntok's own `analyze`, or NFC, time by the square of the length, or forty times as long as words.
HOSTILE = [
    "( ",
    "[a ",
    "((a.",
    "a b.\n\n",
    "e\u0301\u0327\u05b0",
    "xx. (",
    "1. ",
    "\u3002",
    "a",
    "\u200b",
    "\x00. A",
    ") ",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_texts_are_cut(part: str) -> None:
    text = part * (200_000 // len(part))
    assert max(map(len, sentences(text)), default=0) <= 2 * LONGEST
