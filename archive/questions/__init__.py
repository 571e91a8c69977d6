"""Ready questions: SQL with parameters, a file each. Its head says what it asks, and how to draw the answer.

    -- Views gained between two dates            what it asks, one line
    -- What is read from the newest ...          more, any number of lines
    -- :clinic (clinic) = ; a clinic's short name, empty for all
    -- chart: bar x=title y=views_gained

A parameter is optional text; its default stands after "=". A question without parameters would be a view.
`clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')` is one clinic, or all of them: slugs are of small
letters, digits and hyphens, and SQLite finds a range by index where it would scan for "empty or equal".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

# As in "-- :from (date) = 2026-01-01; first day": name, kind (clinic, date, text, ...), default, what it means.
_PARAMETER = re.compile(r"-- :(?P<name>\w+) \((?P<kind>\w+)\) = (?P<default>[^;]*); (?P<meaning>.+)")
# How to draw, such as: a line, x is the column month, y hits, a colour for each clinic_id.
_CHART = re.compile(r"-- chart: (?P<mark>bar|line|point) (?P<axes>.+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a question asks for; `kind` is clinic, date, number or text."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """How an answer is drawn: the mark, and which column stands for x, y and colour."""

    mark: str
    x: str
    y: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A ready question: its name (also its address and its file's), one line, more words, SQL."""

    name: str
    title: str
    description: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[Parameter, ...] = ()
    drawing: Drawing | None = None


@cache
def questions() -> Mapping[str, Question]:
    """Every question by name, in the order of their files (`30_views_gained.sql` gives views_gained)."""
    return {one.name: one for one in map(_read, sorted(Path(__file__).parent.glob("*.sql")))}


def _read(path: Path) -> Question:
    text = path.read_text("utf-8").strip()
    title, *lines = text.split("\n")
    words, asked, drawing = [], [], None
    for line in lines:
        if not line.startswith("--"):
            break
        if match := _PARAMETER.fullmatch(line):
            asked.append(Parameter(match["name"], match["kind"], match["default"].strip(), match["meaning"]))
        elif match := _CHART.fullmatch(line):
            drawing = Drawing(match["mark"], **dict(one.split("=", 1) for one in match["axes"].split()))
        else:
            words.append(line.removeprefix("--").strip())
    return Question(
        re.sub(r"^\d+_", "", path.stem), title.removeprefix("--").strip(), " ".join(words), text,
        {one.name: one.default for one in asked}, tuple(asked), drawing,
    )  # fmt: skip
