"""Two wordings side by side, told word by word: what was kept, taken out, put in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words, the spaces between, and marks, each for itself: "off-label (IV)." is off|-|label| |(|IV|)|.
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
# Comparing takes the square of the number of words in the worst case; longer passages are told as wholes.
_MOST = 4000
# Of a long text that did not change, so many lines stay in sight on either side of a change.
_AROUND = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text: `kind` is "same", "out" or "in"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the comparison; `pieces` is empty where `skipped` lines that did not change are left out."""

    pieces: tuple[Piece, ...]
    skipped: int = 0


def compare(before: str | None, after: str | None, *, whole: bool = False) -> list[Line]:
    """Line by line, and word by word where lines changed. `whole`: also the lines that did not change."""
    old, new = (before or "").split("\n"), (after or "").split("\n")
    told: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            told += [Line((Piece("same", line),)) for line in old[a:b]]
        else:
            told += _words("\n".join(old[a:b]), "\n".join(new[c:d]), a == b, c == d)
    return told if whole else _folded(told)


def _words(before: str, after: str, only_in: bool, only_out: bool) -> list[Line]:
    if only_in or only_out:
        return _lines([Piece("in", after) if only_in else Piece("out", before)])
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if max(len(old), len(new)) > _MOST:
        return [*_lines([Piece("out", before)]), *_lines([Piece("in", after)])]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    # Lines that have little in common are easier to read one after the other than woven into each other.
    if matcher.ratio() < 0.3:
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
    """Pieces cut at the ends of lines."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("\n")
        if first:
            lines[-1].append(Piece(piece.kind, first))
        for text in others:
            lines.append([Piece(piece.kind, text)] if text else [])
    return [Line(tuple(line)) for line in lines if line]


def _folded(lines: list[Line]) -> list[Line]:
    """Without the lines that did not change, but for those next to a change."""
    same = [all(piece.kind == "same" for piece in line.pieces) for line in lines]
    keep = [not all(same[max(0, at - _AROUND) : at + _AROUND + 1]) for at in range(len(lines))]
    told: list[Line] = []
    skipped = 0
    for line, kept in zip(lines, keep, strict=True):
        if not kept:
            skipped += 1
            continue
        if skipped:
            told.append(Line((), skipped))
            skipped = 0
        told.append(line)
    return [*told, Line((), skipped)] if skipped else told
