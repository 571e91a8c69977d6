"""Texts as the index compares them: characters that look alike are one, and scripts without spaces have words.

What is searched for and what was published are folded alike: "ﬁnally" and "finally", "treat-ment" with an invisible
hyphen and "treatment", "الصحّة" and "الصحة" are the same. Case and the accents of Latin letters are left to SQLite's
tokenizer, which ignores them.

Chinese, Japanese, Korean, Thai, Lao, Tibetan, Burmese and Khmer put no spaces between words, or join other syllables to
them. A run of such letters becomes its pairs, and its last letter: "糖尿病" is "糖尿 尿病 病". A word of two or more
letters is found anywhere in a run as the phrase of its pairs; a single letter as the beginning of a pair.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass

# Soft hyphens, zero-width characters, marks of direction and variation; vowel points of Hebrew, vowel marks and the
# lengthening stroke of Arabic: "treat\u00adment", "שָׁלוֹם", "الصحّة".
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]+"
)
# Letters from the first one beyond ASCII to the end of the word, with the marks that belong to them: "ﬁnally", "ｶﾞｲﾄﾞ",
# and "e\u0301" of "cafe\u0301"; units such as "㎎" of "5㎎". Signs such as ™ are no letters, and stay as they are.
_FROM_NON_ASCII = re.compile(
    "(?:[^\\W\x00-\x7f]|[\u3371-\u33df\u33ff]|[A-Za-z][\u0300-\u036f])[\\w\u0300-\u036f\u3099\u309a\u3371-\u33df\u33ff]*"
)
# Marks after thirty in a row, which no language has: normalising takes time by the square of their number.
_SURPLUS = re.compile("(?<=[\u0300-\u036f\u3099\u309a]{30})[\u0300-\u036f\u3099\u309a]+")
# A letter with what composes with it: "e\u0301", "ｶﾞ", and the vowel and final consonant of a Korean syllable.
_LETTER = re.compile(".[\u0300-\u036f\u3099\u309a\uff9e\uff9f\u1160-\u11ff]*", re.DOTALL)
# A run of letters, and their marks, of scripts without spaces: "糖尿病", "비타민을", "สุขภาพ".
_RUN = re.compile(
    "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf\u0f40-\u0fbc\u1000-\u103f\u1050-\u109d\u1100-\u11ff"
    "\u1780-\u17d3\u2e80-\u2fd5\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\ua9e0-\ua9ef\uaa60-\uaa7f\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff"
    "\U00020000-\U0003ffff]+"
)


def folded(text: str) -> str:
    """Return a text as it is indexed; the same text where nothing of this concerns it."""
    return text if text.isascii() else _RUN.sub(lambda run: _pairs(run[0]), _plain(text))


def folded_words(text: str) -> str:
    """Return words as they are searched for: at the end of a run the pairs alone, because the run may continue."""
    if text.isascii():
        return " ".join(text.split())
    plain = _plain(text)
    end = len(plain)
    # "。" of "糖尿病。"; also the mark of "สุขภาพดี", which is no letter by itself but part of a run.
    while end and not (plain[end - 1].isalnum() or plain[end - 1] == "_"):
        end -= 1
    return " ".join(_RUN.sub(lambda run: _pairs(run[0], whole=run.end() < end), plain).split())


def plain(text: str) -> str:
    """Return a text without invisible characters, and with ligatures and the like as their letters."""
    return text if text.isascii() else _plain(text)


def is_joined(letter: str) -> bool:
    """Whether a letter is of a script without spaces, in which a word may begin and end anywhere in a run."""
    return _RUN.match(letter) is not None


def is_single_letter(words: str) -> bool:
    """Whether folded words end in a single letter of a script without spaces, which begins a pair."""
    last = words.rpartition(" ")[2]
    return len(last) == 1 and _RUN.fullmatch(last) is not None


def _plain(text: str) -> str:
    visible = _SURPLUS.sub("", _IGNORED.sub("", text))
    return _FROM_NON_ASCII.sub(lambda word: unicodedata.normalize("NFKC", word[0]), visible)


def _pairs(run: str, *, whole: bool = True) -> str:
    """Return the pairs of a run, and if it is `whole`, or has no pair, its last letter; spaces between all."""
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    if whole or not pairs:
        pairs.append(run[-1])
    return f" {' '.join(pairs)} "


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; its character i comes from the characters `starts[i]` to `ends[i]` of the text."""

    text: str
    starts: array[int]
    ends: array[int]


def folded_with_places(text: str) -> Folded:
    """Return what `folded` returns, and where each character comes from."""
    whole = plain_with_places(text)
    return whole if text.isascii() else _replace(whole, _RUN, _pairs_with_places)


def plain_with_places(text: str) -> Folded:
    """Return what `plain` returns, and where each character comes from."""
    whole = Folded(text, array("l", range(len(text))), array("l", range(1, len(text) + 1)))
    if not text.isascii():
        for pattern, replaced in ((_IGNORED, _nothing), (_SURPLUS, _nothing), (_FROM_NON_ASCII, _composed)):
            whole = _replace(whole, pattern, replaced)
    return whole


# The characters that take the place of a match: each with the first and the end of those, in the match, that it is of.
_Characters = list[tuple[str, int, int]]


def _nothing(found: str) -> _Characters:
    return []


def _composed(found: str) -> _Characters:
    normal = unicodedata.normalize("NFKC", found)
    letters = list(_LETTER.finditer(found))
    single = [unicodedata.normalize("NFKC", letter[0]) for letter in letters]
    if "".join(single) == normal:
        return [(new, *letter.span()) for letter, text in zip(letters, single, strict=True) for new in text]
    return [(new, 0, len(found)) for new in normal]


def _pairs_with_places(found: str) -> _Characters:
    pairs: _Characters = [(" ", 0, 0)]
    for at in range(len(found) - 1):
        pairs += [(found[at], at, at + 1), (found[at + 1], at + 1, at + 2), (" ", at + 2, at + 2)]
    last = len(found) - 1
    return [*pairs, (found[last], last, last + 1), (" ", last + 1, last + 1)]


def _replace(old: Folded, pattern: re.Pattern[str], replaced: object) -> Folded:
    assert callable(replaced)
    parts: list[str] = []
    starts, ends = array("l"), array("l")
    done = 0
    for match in pattern.finditer(old.text):
        first = match.start()
        parts.append(old.text[done:first])
        starts += old.starts[done:first]
        ends += old.ends[done:first]
        for character, start, end in replaced(match[0]):
            parts.append(character)
            place = first + start
            starts.append(old.starts[place] if place < len(old.starts) else old.ends[-1])
            ends.append(old.ends[first + end - 1] if end > start else starts[-1])
        done = match.end()
    parts.append(old.text[done:])
    starts += old.starts[done:]
    ends += old.ends[done:]
    return Folded("".join(parts), starts, ends)
