"""What an edit changed: its sentences and words, and its kind.

Two texts are compared as sets of sentences. A sentence that is in both, wherever it stands, did not change; one that
stands twice counts twice. A sentence
that is gone, and one that came and has most of its words, are one that was reworded: of these only the words that went
and came count. The time is bounded for any two texts: where very many sentences changed, or a sentence is very long,
passages are compared as wholes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from archive.derived.sentences import Sentence

BETWEEN = " \u2026 "  # between two passages of what was removed, or added
SIMILAR = 0.5  # of the words of two sentences, twice those in both: from here on one is the other reworded
MAX_PAIRS = 40_000  # pairs of sentences that are compared; of more, those near each other
NEAR = 20  # sentences
MAX_STEPS = 250_000  # words of one sentence times words of the other, up to which they are compared word by word
# Pairs of equal words in the sentences of an edit that are compared word by word, in their order: of sentences in which
# few words repeat, the time is by the cube of their length.
MAX_EQUAL = 60_000

# Soft hyphens, zero-width characters and marks of direction: two texts that differ in these alone look the same.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with its title and its sentences; `sentences` has the sentences of `text`."""

    title: str | None
    text: str
    sentences: Sequence[Sentence]

    def words(self, position: int) -> list[str]:
        """Return the words of the sentence at this position, with the punctuation that touches them."""
        each = self.sentences[position]
        return self.text[each.start : each.end].split()


@dataclass(frozen=True, slots=True)
class Changes:
    """Positions of the sentences that went and came, in their order; `reworded`: the new position by the old one."""

    removed: tuple[int, ...]
    added: tuple[int, ...]
    reworded: dict[int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit changed. `removed`, `added`: its passages, or None; `kind`: a value of `cache_edits.kind`."""

    removed: str | None
    added: str | None
    words_removed: int
    words_added: int
    kind: str
    changes: Changes


def places(sentences: Iterable[Sentence]) -> dict[tuple[int, int], int]:
    """Return the place of each sentence by its hash and by how often the same sentence stands before it."""
    numbers: Counter[int] = Counter()
    found = {}
    for place, each in enumerate(sentences):
        found[each.hash, numbers[each.hash]] = place
        numbers[each.hash] += 1
    return found


def edit_between(old: Wording, new: Wording) -> Edit:
    """Return what changed between two wordings of a post, of which one is the edit of the other."""
    changes = changes_between(old, new)
    kind = _kind(old, new)
    removed, added = ([], []) if kind in ("space", "links") else _passages(old, new, changes)
    return Edit(_joined(removed), _joined(added), _number(removed), _number(added), kind, changes)


def changes_between(old: Wording, new: Wording) -> Changes:
    """Return which sentences went, came, and were reworded."""
    before, after = places(old.sentences), places(new.sentences)
    removed = tuple(place for key, place in before.items() if key not in after)
    added = tuple(place for key, place in after.items() if key not in before)
    return Changes(removed, added, _reworded(old, new, removed, added))


def _reworded(old: Wording, new: Wording, removed: Sequence[int], added: Sequence[int]) -> dict[int, int]:
    """Pair the most similar sentences first; of equally similar ones those whose places are nearest."""
    old_words, new_words = (
        [_plain(text.words(at)) for at in places] for text, places in ((old, removed), (new, added))
    )
    found = []
    for a, b in _candidates(len(removed), len(added)):
        size = len(old_words[a]) + len(new_words[b])
        # Of at most min(a, b) words in common: most pairs are too unlike in length.
        if size and min(len(old_words[a]), len(new_words[b])) * 2 >= SIMILAR * size:
            alike = 2 * len(old_words[a] & new_words[b]) / size
            if alike >= SIMILAR:
                found.append((-alike, abs(removed[a] - added[b]), removed[a], added[b]))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, a, b in sorted(found):
        if a not in pairs and b not in taken:
            pairs[a] = b
            taken.add(b)
    return pairs


def _plain(words: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, (_MARKS.sub("", word).lower() for word in words)))


def _candidates(removed: int, added: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs to be compared: all, or of too many those at about the same place among the changed."""
    for a in range(removed):
        if removed * added <= MAX_PAIRS:
            yield from ((a, b) for b in range(added))
        else:
            middle = a * added // removed
            yield from ((a, b) for b in range(max(0, middle - NEAR), min(added, middle + NEAR + 1)))


def _kind(old: Wording, new: Wording) -> str:
    before, after = (_INVISIBLE.sub("", text.text).split() for text in (old, new))
    if before == after:
        if (old.title or "").split() != (new.title or "").split():
            return "title"
        return "space" if old.text != new.text or old.title != new.title else "links"
    before, after = _middles(before, after)
    before, after = (list(filter(None, (_MARKS.sub("", word).lower() for word in words))) for words in (before, after))
    if before == after:
        # "off-label" and "off label" differ by a mark, too: their words joined are the same.
        return "title" if (old.title or "").split() != (new.title or "").split() else "punctuation"
    if "".join(before) == "".join(after):
        return "punctuation"
    return "order" if Counter(before) == Counter(after) else "wording"


def _passages(old: Wording, new: Wording, changes: Changes) -> tuple[list[list[str]], list[list[str]]]:
    """Return the passages that went and those that came, each as its words, in the order of the texts."""
    titles = _middles(_words(old.title), _words(new.title))
    removed, added = ([], []) if old.title == new.title else _differences(*titles, MAX_EQUAL)
    left = MAX_EQUAL
    whole_old = [place for place in changes.removed if place not in changes.reworded]
    whole_new = sorted(set(changes.added) - set(changes.reworded.values()))
    by_old: dict[int, list[list[str]]] = {place: [old.words(place)] for place in whole_old}
    by_new: dict[int, list[list[str]]] = {place: [new.words(place)] for place in whole_new}
    for a, b in sorted(changes.reworded.items()):
        words = _middles(old.words(a), new.words(b))
        by_old[a], by_new[b] = _differences(*words, left)
        left = max(0, left - _equal_pairs(*words))
    removed += _in_order(by_old, set(whole_old))
    added += _in_order(by_new, set(whole_new))
    return removed, added


def _in_order(by_place: dict[int, list[list[str]]], whole: set[int]) -> list[list[str]]:
    """Return the passages in the order of their sentences; whole sentences that touch are one passage."""
    passages: list[list[str]] = []
    for place in sorted(by_place):
        if place in whole and place - 1 in whole:
            passages[-1] = [*passages[-1], *by_place[place][0]]
        else:
            passages += by_place[place]
    return passages


def _equal_pairs(old: list[str], new: list[str]) -> int:
    """Return how many pairs of a word of the first and one of the second are equal."""
    numbers = Counter(new)
    return sum(numbers[word] for word in old)


def _differences(old: list[str], new: list[str], most: int) -> tuple[list[list[str]], list[list[str]]]:
    """Return the words of the first that are not in the second, passage by passage, and the reverse.

    `most`: pairs of equal words; with more of them both are one passage.
    """
    if len(old) * len(new) > MAX_STEPS or _equal_pairs(old, new) > most:
        return [old], [new]
    removed, added = [], []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += [old[a:b]] if b > a else []
            added += [new[c:d]] if d > c else []
    return removed, added


def _middles(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Return both lists without the words with which both begin, and those with which both end."""
    shorter = min(len(old), len(new))
    first = 0
    while first < shorter and old[first] == new[first]:
        first += 1
    last = 0
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return old[first : len(old) - last], new[first : len(new) - last]


def _words(text: str | None) -> list[str]:
    return (text or "").split()


def _joined(passages: Iterable[Sequence[str]]) -> str | None:
    return BETWEEN.join(" ".join(words) for words in passages) or None


def _number(passages: Iterable[Sequence[str]]) -> int:
    return sum(len(words) for words in passages)
