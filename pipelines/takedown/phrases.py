"""Phrases: runs of words of what is purged, by which it is recognised where no parser finds it.

A cut answer, a page with an error, a feed or a coding sheet may hold the words of a comment without its id. A phrase is
a few words in the form in which they are compared, one space between two: "the sleep of my mother". While a purge is
planned, phrases are plain words; later only their marks are known (`pipelines.takedown.marks`):

    quote the rest of my mother says quillwort and   eight words of a comment
    words marisol vega                               a name, or words that count only in an answer that nobody read
    listed marisol vega                              a name in a list of newest comments
    anchor quillwort                                 the longest word of a phrase: where it is not, no phrase is tried
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

LENGTH = 8  # words of a phrase; so many in a row are no accident
SHORTEST = 3  # words of a text that is compared at all: "Thank you!" is anybody's
OPENING = 4  # words of the beginning of a text: what a cut answer still has of it
MAX_PHRASES = 64  # phrases of a text
_ANY = "*"  # the anchor that stands for one with letters and digits, such as "runner42"
_SHORTEST_NAME = 4  # characters of a name of one word
_WORD = re.compile(r"[^\W_]+")
# An escape of JSON: "\u00e9", "\n"
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrtbf]")
# <p class="a">, </p>
_TAG = re.compile(r"<[^<>]*>")


def words_in(text: str) -> list[str]:
    """Return the words of a text in the form in which they are compared."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def plain(body: bytes) -> str:
    """Return what a body says, with the escapes of JSON and HTML undone, and without tags: feeds escape them twice."""
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", body.decode("utf-8", "replace"))
    for _ in range(2):
        text = html.unescape(_TAG.sub(" ", text))
    return _TAG.sub(" ", text)


def phrases_of(text: str) -> list[str]:
    """Return phrases that occur in every copy of a text, in their order; none of a text of one or two words."""
    words = words_in(text)
    if len(words) < LENGTH:
        return [" ".join(words)] if len(words) >= SHORTEST else []
    starts = [*range(0, len(words) - LENGTH + 1, LENGTH)][: MAX_PHRASES - 1]
    return [" ".join(words[start : start + LENGTH]) for start in dict.fromkeys([*starts, len(words) - LENGTH])]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of what is purged, in plain words."""

    quotes: frozenset[str] = frozenset()  # of comments, `LENGTH` words each
    words: frozenset[str] = frozenset()  # shorter texts, and texts of posts: where nobody read the answer
    names: frozenset[str] = frozenset()  # display names of people: the same

    @classmethod
    def of(cls, comments: Iterable[str], posts: Iterable[str], names: Iterable[str]) -> Phrases:
        """Return the phrases of texts of comments and posts, and of display names of people."""
        of_comments, of_posts = ({each for text in texts for each in phrases_of(text)} for texts in (comments, posts))
        openings = {" ".join(each.split()[:OPENING]) for each in of_comments}
        of_names = {" ".join(words_in(name)[:LENGTH]) for name in names} - {""}
        quotes = {each for each in of_comments if _is_long(each)}
        return cls(frozenset(quotes), frozenset((of_comments - quotes) | of_posts | openings), frozenset(of_names))

    def without(self, texts: Iterable[str]) -> Phrases:
        """Return the phrases without the long ones that texts which stay have, too, such as a disclaimer."""
        left = {each: _by_length(each) for each in self.quotes | self.words if _is_long(each)}
        for text in texts:
            if not left:
                break
            lower = text.casefold()
            near = [each for each, words in left.items() if all(word in lower for word in words)]
            if near:
                joined = f" {' '.join(words_in(text))} "
                for each in near:
                    if f" {each} " in joined:
                        del left[each]
        words = frozenset(each for each in self.words if not _is_long(each) or each in left)
        return Phrases(self.quotes & left.keys(), words, self.names)

    @property
    def values(self) -> set[str]:
        """The values of which marks are made."""
        names = {name for name in self.names if len(name) >= _SHORTEST_NAME and not name.isdigit()}
        marked = {"quote": self.quotes, "words": self.words | names, "listed": self.names}
        values = {f"{kind} {each}" for kind, phrases in marked.items() for each in phrases}
        anchors = {_anchor(each) for each in self.quotes | self.words | names}
        odd = {_ANY} if not all(map(_is_plain, anchors)) else set()
        return values | {f"anchor {each}" for each in anchors | odd}

    def may_be_in(self, body: bytes) -> bool:
        """Return whether a body has all words of a phrase, somewhere: most have not, and need not be read."""
        lower = body.lower()
        found = self.quotes | self.words | self.names
        return any(all(word.encode() in lower for word in _by_length(each) if word.isascii()) for each in found)

    def are_in(self, text: str) -> bool:
        """Return whether a text that a person wrote has a long phrase, or a name of two words or more."""
        names = {name for name in self.names if " " in name}
        found = {*self.quotes, *filter(_is_long, self.words), *names}
        return has_phrase(words_in(text), found.__contains__, {each.count(" ") + 1 for each in found})


def has_phrase(words: list[str], is_phrase: Callable[[str], bool], lengths: Collection[int]) -> bool:
    """Return whether one of the runs of so many words is a phrase."""
    return any(map(is_phrase, _runs(words, range(len(words)), lengths)))


def has_marked_phrase(
    words: list[str], is_marked: Callable[[str], bool], lengths: Mapping[str, Collection[int]]
) -> bool:
    """Return whether a run of words is a phrase of which there is a mark. `lengths`: those of each kind of phrase.

    A mark is a keyed hash, and a page has a hundred thousand runs: only those with an anchor are tried.
    """
    is_any = is_marked(f"anchor {_ANY}")
    anchors = {word for word in set(words) if (is_any or _is_plain(word)) and is_marked(f"anchor {word}")}
    places = [place for place, word in enumerate(words) if word in anchors]
    starts = sorted({start for place in places for start in range(max(0, place - LENGTH + 1), place + 1)})
    return any(is_marked(f"{kind} {run}") for kind in lengths for run in _runs(words, starts, lengths[kind]))


def _runs(words: list[str], starts: Iterable[int], lengths: Collection[int]) -> Iterator[str]:
    for start in starts:
        for length in lengths:
            if start + length <= len(words):
                yield " ".join(words[start : start + length])


def _anchor(phrase: str) -> str:
    words = phrase.split()
    return max(filter(_is_plain, words), key=lambda word: (len(word), word), default=words[0])


def _is_plain(word: str) -> bool:
    """Return whether a word has letters or digits alone: pages are full of ids that have both, "a3f9"."""
    return word.isalpha() or word.isdecimal()


def _is_long(phrase: str) -> bool:
    return phrase.count(" ") == LENGTH - 1


def _by_length(phrase: str) -> list[str]:
    return sorted(set(phrase.split()), key=len, reverse=True)
