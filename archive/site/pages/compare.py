"""Two revisions compared word by word: what stayed the same, what was removed, what was added."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words, the spaces between them, and single punctuation marks: "off-label (IV)." is off|-|label| |(|IV|)|.
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
# In the worst case a comparison takes time in the square of the number of tokens; longer passages are compared as
# wholes.
_MAX_TOKENS = 4000
# Unchanged lines that stay visible before and after a change.
_CONTEXT_LINES = 1
# Below this ratio of equal tokens, two passages are easier to read one after the other than merged.
_SIMILAR = 0.3


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text: `kind` is "same", "out" (removed) or "in" (added)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the comparison; `pieces` is empty if `skipped` unchanged lines are left out here."""

    pieces: tuple[Piece, ...]
    skipped: int = 0


def compare(before: str | None, after: str | None, *, whole: bool = False) -> list[Line]:
    """Compare two texts line by line, and changed lines word by word. `whole`: keep all unchanged lines too."""
    old, new = (before or "").split("\n"), (after or "").split("\n")
    lines: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [Line((Piece("same", line),)) for line in old[a:b]]
        else:
            lines += _compare_words("\n".join(old[a:b]), "\n".join(new[c:d]), a == b, c == d)
    return lines if whole else _without_unchanged(lines)


def _compare_words(before: str, after: str, only_in: bool, only_out: bool) -> list[Line]:
    if only_in or only_out:
        return _lines([Piece("in", after) if only_in else Piece("out", before)])
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(old), len(new)) > _MAX_TOKENS:
        return [*_lines([Piece("out", before)]), *_lines([Piece("in", after)])]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _SIMILAR:
        return [*_lines([Piece("out", before)]), *_lines([Piece("in", after)])]
    pieces: list[Piece] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
        else:
            pieces += [Piece("out", "".join(old[a:b]))] if b > a else []
            pieces += [Piece("in", "".join(new[c:d]))] if d > c else []
    return _lines(pieces)


def _lines(pieces: list[Piece]) -> list[Line]:
    """Split pieces at line ends."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("\n")
        if first:
            lines[-1].append(Piece(piece.kind, first))
        for text in others:
            lines.append([Piece(piece.kind, text)] if text else [])
    return [Line(tuple(line)) for line in lines if line]


def _without_unchanged(lines: list[Line]) -> list[Line]:
    """Replace unchanged lines by their number, except those next to a change."""
    same = [all(piece.kind == "same" for piece in line.pieces) for line in lines]
    visible = [not all(same[max(0, at - _CONTEXT_LINES) : at + _CONTEXT_LINES + 1]) for at in range(len(lines))]
    result: list[Line] = []
    skipped = 0
    for line, is_visible in zip(lines, visible, strict=True):
        if not is_visible:
            skipped += 1
            continue
        if skipped:
            result.append(Line((), skipped))
            skipped = 0
        result.append(line)
    return [*result, Line((), skipped)] if skipped else result
