"""Measures the masking rules with the labels: `python -m tests.scrub.score` prints the figures of half a.

`--held-back` prints those of half b, too. It is read once, when the rules are written. `--misses` prints the rows of
half a that the rules read otherwise.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.privacy.finders.names import name_pattern
from pipelines.privacy.finders.spans import Span
from pipelines.privacy.masking import identifiers

LABELS = Path(__file__).with_name("labels.tsv")
KINDS = ("email", "phone", "handle", "profile", "name-known")


@dataclass(frozen=True, slots=True)
class Row:
    """A text with its labels."""

    id: str
    language: str
    names: tuple[str, ...]
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one kind: a find counts when its kind and its letters and digits are those of a label."""

    labels: int
    found: int  # labels that a find equals
    finds: int
    legible: int  # labels of which a letter or digit stays legible under masks of whatever kind

    @property
    def recall(self) -> float:
        """Share of the labels that were found."""
        return self.found / self.labels

    @property
    def precision(self) -> float:
        """Share of the finds that are labels."""
        return self.found / self.finds if self.finds else 1.0


def rows(half: str) -> list[Row]:
    """Return the labelled texts of half "a" or "b"."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Row(
            line["id"],
            line["language"],
            tuple(filter(None, line["known_names"].split(";"))),
            re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], line["text"]),
            tuple(_spans(line["spans"])),
        )
        for line in lines
        if line["half"] == half
    ]


def _spans(cell: str) -> Iterator[Span]:
    for each in filter(None, cell.split(";")):
        kind, _, place = each.rpartition(":")
        start, _, end = place.partition("-")
        yield Span(kind, int(start), int(end))


def found(row: Row) -> list[Span]:
    """Return what the rules find in a text, under the kinds of the labels."""
    spans = identifiers(row.text, name_pattern(row.names))
    return [Span("name-known" if span.kind == "name" else span.kind, span.start, span.end) for span in spans]


def scores(texts: Iterable[Row]) -> dict[str, Score]:
    """Return the figures of each kind."""
    counts = {kind: [0, 0, 0, 0] for kind in KINDS}
    for row in texts:
        finds = found(row)
        letters = {_letters(row.text, span) for span in finds}
        masked = {index for span in finds for index in range(span.start, span.end)}
        for span in row.spans:
            wanted = _letters(row.text, span)
            legible = not masked.issuperset(wanted[1])
            for place, counted in enumerate((True, wanted in letters, False, legible)):
                counts[span.kind][place] += counted
        for span in finds:
            counts[span.kind][2] += 1
    return {kind: Score(*numbers) for kind, numbers in counts.items()}


def _letters(text: str, span: Span) -> tuple[str, tuple[int, ...]]:
    """Return the kind, and the places of the letters and digits."""
    return span.kind, tuple(index for index in range(span.start, span.end) if text[index].isalnum())


def misses(texts: Iterable[Row]) -> Iterator[str]:
    """Yield a line for each text that the rules read otherwise than the labels."""
    for row in texts:
        labels = {_letters(row.text, span): span for span in row.spans}
        finds = {_letters(row.text, span): span for span in found(row)}
        missing = [_shown(row.text, labels[each]) for each in labels.keys() - finds.keys()]
        extra = [_shown(row.text, finds[each]) for each in finds.keys() - labels.keys()]
        if missing or extra:
            yield f"{row.id} {row.language} missed {missing} wrong {extra} in {row.text!r} {row.names}"


def _shown(text: str, span: Span) -> str:
    return f"{span.kind}: {text[span.start : span.end]}"


def table(half: str) -> list[str]:
    """Return the figures of one half, a line each kind."""
    return [
        f"{half} {kind:<11} n {score.labels:>3}  recall {score.recall:.3f}  precision {score.precision:.3f}"
        f"  legible {score.legible}  wrong {score.finds - score.found}"
        for kind, score in scores(rows(half)).items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--misses", action="store_true")
    options = parser.parse_args()
    print(*table("a"), *(table("b") if options.held_back else ()), sep="\n")
    if options.misses:
        print(*misses(rows("a")), sep="\n")
