"""Ready questions: SQL with parameters, one file each, whose first comment lines describe it.

    -- Views gained between two dates            the title, one line
    -- The gain of each post is ...              the description, any number of lines
    -- group: numbers
    -- :clinic (clinic) = ; a clinic's short name, empty for all
    -- chart: bar x=title y=views_gained

Parameters are texts with a default after "=", here empty. A query without parameters is a view instead of a question.
`clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')` selects one clinic, or all if `:clinic` is empty:
short names consist of lower-case letters, digits and hyphens. SQLite finds such a range by an index, while "empty or
equal" would scan the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

# "-- :from (date) = 2026-01-01; first day": name, kind (clinic, date, number, text, word), default, meaning.
_PARAMETER = re.compile(r"-- :(?P<name>\w+) \((?P<kind>\w+)\) = (?P<default>[^;]*); (?P<meaning>.+)")
_NUMBER = re.compile(r"-?\d{1,9}")  # 30
_MOST_NAMES = 20  # clinics that a message names
_GROUP = re.compile(r"-- group: (?P<name>\w+)")  # -- group: edits
# "-- chart: line x=month y=hits color=clinic_id": a line, the columns of both axes, a colour for each clinic_id.
_CHART = re.compile(r"-- chart: (?P<mark>bar|line|point) (?P<axes>.+)")

# The groups of the list of questions, in its order. A file names its own; one that names none is among the last.
GROUPS = {
    "edits": "Edits and removals",
    "numbers": "Numbers over time",
    "comments": "Comments",
    "texts": "Words and links",
    "quality": "Quality of the data",
    "more": "More",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question; `kind` is clinic, date, number, text, or word (a text that must not be empty)."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """How an answer is drawn: the mark (bar, line, point), and the columns for x, y and colour."""

    mark: str
    x: str
    y: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A ready question. Its name is in its address and its file's name; `parameters` maps names to defaults."""

    name: str
    title: str
    description: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Parameter, ...] = ()
    drawing: Drawing | None = None
    group: str = "more"


class BadValue(ValueError):
    """A parameter of a question has a value that it cannot have; the message says which are allowed."""


def check(question: Question, values: Mapping[str, str], clinics: Sequence[str]) -> None:
    """Raise `BadValue` for the first value that its parameter cannot have; `clinics` are the ids in the archive."""
    for parameter in question.fields:
        value = values.get(parameter.name, parameter.default)
        if why := _why_bad(parameter.kind, value, clinics):
            raise BadValue(f"{parameter.name} = {value[:80]!r}: {why} ({parameter.meaning})")


def _why_bad(kind: str, value: str, clinics: Sequence[str]) -> str | None:
    if kind == "word":
        return None if any(letter.isalnum() for letter in value) else "it needs a letter or digit"
    if not value:
        return None
    if kind == "clinic" and value not in clinics:
        names = ", ".join(clinics[:_MOST_NAMES]) + (", ..." if len(clinics) > _MOST_NAMES else "")
        return f"the archive has no such clinic; it has {names or 'none'}"
    if kind == "date" and not _is_day(value):
        return "not a date of the calendar; write it as 2026-03-01"
    if kind == "number" and not _NUMBER.fullmatch(value):
        return "not a whole number; write it as 30"
    return None


def _is_day(text: str) -> bool:
    """Whether a text is a date such as 2026-03-01. Python also reads 20260301 and 2026-W09-7, SQLite does not."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def grouped() -> list[tuple[str, list[Question]]]:
    """Return the questions in the order of `GROUPS`, under the title of each group that has any."""
    order = {title: [each for each in questions().values() if each.group == name] for name, title in GROUPS.items()}
    return [(title, found) for title, found in order.items() if found]


@cache
def questions() -> Mapping[str, Question]:
    """Return every question by name, in the order of their files (`30_views_gained.sql` gives views_gained)."""
    return {question.name: question for question in map(_read, sorted(Path(__file__).parent.glob("*.sql")))}


def _read(path: Path) -> Question:
    text = path.read_text("utf-8").strip()
    title, *lines = text.split("\n")
    description, fields, drawing, group = [], [], None, "more"
    for line in lines:
        if not line.startswith("--"):
            break
        if match := _PARAMETER.fullmatch(line):
            fields.append(Parameter(match["name"], match["kind"], match["default"].strip(), match["meaning"]))
        elif match := _CHART.fullmatch(line):
            drawing = Drawing(match["mark"], **dict(axis.split("=", 1) for axis in match["axes"].split()))
        elif match := _GROUP.fullmatch(line):
            group = match["name"] if match["name"] in GROUPS else "more"
        else:
            description.append(line.removeprefix("--").strip())
    return Question(
        name=re.sub(r"^\d+_", "", path.stem),
        title=title.removeprefix("--").strip(),
        description=" ".join(description),
        sql=text,
        parameters={parameter.name: parameter.default for parameter in fields},
        fields=tuple(fields),
        drawing=drawing,
        group=group,
    )
