"""What an edit changed, in words and by kind; and what became of each sentence."""

from __future__ import annotations

from typing import Any

import pytest

from archive.derived import edits
from archive.derived.edits import Edit, Wording, changes_between, edit_between
from archive.derived.fates import Step, intervals
from archive.derived.posts import PostToDerive, RevisionText, derive_post
from archive.derived.sentences import split_sentences
from tests.scaling import assert_linear


def wording(text: str, title: str | None = "On sleep") -> Wording:
    return Wording(title, text, split_sentences(text))


def edit(old: str, new: str, *titles: str) -> Edit:
    return edit_between(wording(old, *titles[:1]), wording(new, *titles[1:]))


@pytest.mark.parametrize(
    ("old", "new", "kind", "removed", "added"),
    [
        ("Sleep well. Rest.", "Sleep well.", "wording", "Rest.", None),
        ("Sleep well.", "Sleep well. Wake early.", "wording", None, "Wake early."),
        ("It cures most pain here.", "It eases some pain here.", "wording", "cures most", "eases some"),
        (
            "It cures all pain in two weeks, we say. Rest. Ask us.",
            "It eases all pain in ten weeks, we say. Ask us. Call.",
            "wording",
            "cures \u2026 two \u2026 Rest.",
            "eases \u2026 ten \u2026 Call.",
        ),
        ("One. Two. Three.", "Three. One. Two.", "order", None, None),
        ("We sleep and then we eat.", "We eat and then we sleep.", "order", "sleep \u2026 eat.", "eat \u2026 sleep."),
        ("Sleep well. Rest.", "Sleep  well.\nRest.", "space", None, None),
        ("A heading\nThe text goes on.", "A heading The text goes on.", "space", None, None),
        ("Sleep\u00ad well.", "Sleep well.", "space", None, None),
        ("Sleep well.", "Sleep well.", "links", None, None),
        ("Sleep well, friend.", "Sleep Well friend!", "punctuation", "well, friend.", "Well friend!"),
        ("An off-label use of it.", "An off label use of it.", "punctuation", "off-label", "off label"),
        ("糖尿病的治疗。多喝水。", "糖尿病的治疗。", "wording", "多喝水。", None),
        ("", "Sleep well.", "wording", None, "Sleep well."),
    ],
)
def test_what_an_edit_changed(old: str, new: str, kind: str, removed: str | None, added: str | None) -> None:
    found = edit(old, new)
    assert (found.kind, found.removed, found.added) == (kind, removed, added)


def test_a_title_is_compared_too() -> None:
    found = edit("Rest.", "Rest.", "On deep sleep", "On sleep")
    assert (found.kind, found.removed, found.words_removed, found.words_added) == ("title", "deep", 1, 0)
    found = edit("Rest.", "Rest. Eat.", "On sleep", "On food")
    assert (found.kind, found.removed, found.added) == ("wording", "sleep", "food \u2026 Eat.")


def test_the_most_similar_sentences_are_pairs() -> None:
    old = wording("We treat pain with rest and water. We treat pain with rest. Ask.")
    new = wording("Call. We treat pain with rest or water. We treat all pain with rest.")
    assert changes_between(old, new).reworded == {0: 1, 1: 2}


def test_very_many_changes_and_very_long_sentences_are_bounded() -> None:
    old, new = (" ".join(f"We say {name} {number} here." for number in range(3000)) for name in ("yes", "no"))
    found = edit(old, new)
    assert (found.kind, len(found.changes.reworded)) == ("wording", 3000)
    long = ["a b " * 5_000, "b a " * 5_000]
    assert len(edit(f"x {long[0]}", f"y {long[1]}").removed or "") > edits.MAX_STEPS**0.5
    assert edit("x. " * 20_000, "y. " * 20_000).kind == "wording"


def fates(*texts: str | None) -> list[tuple[Any, ...]]:
    """(sentence number's revision, fate, from, last, missing, returned); None: the same text by another parser."""
    steps: list[Step] = []
    for number, text in enumerate(texts):
        new = wording((text or "").removeprefix("~"))
        changes = changes_between(steps[-1].wording, new) if steps and not (text or "").startswith("~") else None
        steps.append(Step(number, f"day {number}", new, changes, f"end of {number - 1}", f"capture {number - 1}"))
    return [
        (each.revision_id, each.position, each.fate, each.last_seen_at, each.missing_at, each.returned_at)
        for each in intervals(steps)
    ]


def test_a_sentence_is_kept_removed_reworded_or_returns() -> None:
    assert fates("A stays. B goes.", "A stays.") == [
        (0, 1, "removed", "end of 0", "day 1", None),
        (0, 0, None, None, None, None),
    ]
    assert fates("We sleep all night.", "We sleep each night.")[0] == (0, 0, "reworded", "end of 0", "day 1", None)
    assert fates("A stays. B goes.", "A stays.", "A stays. B goes.") == [
        (0, 1, "returned", "end of 0", "day 1", "day 2"),
        (0, 0, None, None, None, None),
        (2, 1, None, None, None, None),
    ]


def test_a_sentence_that_stands_twice_counts_twice() -> None:
    assert fates("Call us. Sleep. Call us.", "Call us. Sleep.")[0] == (0, 2, "removed", "end of 0", "day 1", None)


def test_what_another_parser_reads_differently_has_no_fate() -> None:
    assert [each[2] for each in fates("A stays. Menu.", "~A stays.", "A stays. B came.")] == [None, None]


def test_an_edit_is_compared_with_the_reading_of_the_same_parser() -> None:
    """Two versions of the parser read both captures; the newer one leaves the menu out."""
    rows = [
        (1, "c1", "t1", "first", 1, "A stays. Menu. B goes."),
        (2, "c1", "t1", "extractor", 2, "A stays. B goes."),
        (4, "c2", "t2", "content", 1, "A stays. Menu."),
        (3, "c2", "t2", "extractor", 2, "A stays."),
    ]
    revisions = [
        RevisionText(number, capture, at, kind, "html", version, None, text)
        for number, capture, at, kind, version, text in rows
    ]
    found = derive_post(PostToDerive(7, revisions, frozenset({1, 2, 3, 4})))
    assert [(each.old_revision_id, each.revision_id, each.removed, each.added) for each in found.edits] == [
        (1, 4, "B goes.", None)
    ]
    assert [row[2:4] for row in found.fates if row[10]] == [(1, 2)]


def _edits(*rows: tuple[str, str, str]) -> list[tuple[str, str | None]]:
    """Source and added words of each edit; `rows`: moment, source and text of each revision of a post."""
    firsts: set[str] = set()
    revisions = []
    for number, (at, source, text) in enumerate(rows, 1):
        kind = "content" if source in firsts else "source"
        firsts.add(source)
        revisions.append(RevisionText(number, f"c{number}", at, kind, source, 1, None, text))
    return [(each.source, each.added) for each in derive_post(PostToDerive(7, revisions, frozenset())).edits]


def test_an_edit_that_two_sources_show_is_one() -> None:
    both = [("t1", "html", "A."), ("t2", "api", "A."), ("t3", "api", "A. B."), ("t4", "html", "A. B.")]
    assert _edits(*both) == [("api", "B.")]
    assert _edits(*both, ("t5", "html", "A. B. C."), ("t6", "api", "A. B. D.")) == [
        ("api", "B."), ("html", "C."), ("api", "D."),
    ]  # fmt: skip


def test_the_same_words_that_come_twice_are_two_edits() -> None:
    once = [("t1", "html", "A."), ("t2", "html", "A. B."), ("t3", "html", "A.")]
    assert _edits(*once, ("t4", "html", "A. B.")) == [("html", "B."), ("html", None), ("html", "B.")]
    assert _edits(*once, ("t4", "api", "A."), ("t5", "api", "A. B.")) == [
        ("html", "B."), ("html", None), ("api", "B."),
    ]  # fmt: skip


def few_words(first: str, words: list[str], lines: int) -> str:
    return "\n".join(" ".join([f"{first}{line}", *words, f"{first}{line}"]) for line in range(lines))


def test_sentences_in_which_few_words_repeat_are_compared_in_linear_time() -> None:
    """Compared word by word, each of these lines takes over a second."""

    def compare(lines: int) -> None:
        old, new = few_words("q", ["a", "b"] * 240, lines), few_words("s", ["b", "b", "a"] * 160, lines)
        found = edit(old, new)
        assert (found.words_removed, found.words_added) == (lines * 482, lines * 482)

    assert_linear(compare, 400)
