"""Ready questions: SQL with parameters, one file each, whose first comment lines describe it.

    -- Views gained between two dates            the title, one line
    -- The gain of each post is ...              the description, any number of lines
    -- group: numbers
    -- :clinic (clinic) = ; a clinic's short name, empty for all
    -- :word (word) = ; a word or a phrase; such as sleep
    -- integer: views_gained, views_before        the type of columns, where no table has a column of that name
    -- chart: bar x=title y=views_gained

Parameters are texts with a default after "=", here empty. One of kind word or attribute must be given, and has an
example after "such as". A query without parameters is a view instead of a question.
`clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')` selects one clinic, or all if `:clinic` is empty:
short names consist of lower-case letters, digits and hyphens. SQLite finds such a range by an index, while "empty or
equal" would scan the table.

On a lake (`export --lake`) DuckDB runs the same SQL, or that of `NAME.duckdb.sql` beside it where the dialects differ.
There each column is qualified whose name is that of a parameter. A question that needs the search index (a table
`..._fts`) runs on SQLite alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path

# "-- :from (date) = 2026-01-01; first day": name, kind, default, meaning; "-- :word (word) = ; a word; such as sleep".
_PARAMETER = re.compile(
    r"-- :(?P<name>\w+) \((?P<kind>\w+)\) = (?P<default>[^;]*); (?P<meaning>[^;]+)(?:; such as (?P<example>.+))?"
)
_EXAMPLES = {"date": "2026-03-01", "number": "30"}
_NUMBER = re.compile(r"-?\d{1,9}")  # 30
_MAX_NAMES, _NEAREST = 20, 3  # clinics that a message names, and those whose names are like a wrong one
# "-- integer: views_gained, views_before": a type and the columns that have it.
_TYPED = re.compile(r"-- (?P<type>integer|number|text|boolean|date|timestamp|timestamp or date): (?P<columns>[\w, ]+)")
_GROUP = re.compile(r"-- group: (?P<name>\w+)")  # -- group: edits
# "-- chart: line x=month y=hits color=clinic_id": a line, the columns of both axes, a colour for each clinic_id.
_CHART = re.compile(r"-- chart: (?P<mark>bar|line|point) (?P<axes>.+)")

DUCKDB = ".duckdb.sql"  # how the name of a file of SQL for DuckDB ends
_SEARCH_INDEX = re.compile(r"_fts\b")  # posts_fts

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
    """A parameter of a question.

    `kind` is clinic, date, number, text, attribute, category (of rules), or word (a text that has a letter).
    `example` is a value that the form shows, "" where none is needed.
    """

    name: str
    kind: str
    default: str
    meaning: str
    example: str = ""

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.kind in ("word", "attribute") and not self.default

    @property
    def written(self) -> str:
        """The parameter as a list shows it: "word=sleep (required)"."""
        example = self.default or (self.example if self.required else "")
        return f"{self.name}={example or '...'}{' (required)' if self.required else ''}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How an answer is drawn: the mark (bar, line, point), and the columns for x, y and colour."""

    mark: str
    x: str
    y: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A ready question. Its name is in its address and its file's name.

    `parameters` maps names to defaults, `types` columns to their types.
    """

    name: str
    title: str
    description: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Parameter, ...] = ()
    drawing: Drawing | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    group: str = "more"
    duckdb: str | None = None
    """Its SQL for DuckDB, with the same parameters; None: it runs on SQLite alone."""


class BadValue(ValueError):
    """A parameter of a question has a value that it cannot have; the message says which are allowed."""


def check_value(question: Question, values: Mapping[str, str], known: Mapping[str, Sequence[str]]) -> None:
    """Raise `BadValue` for the first value that its parameter cannot have.

    `known` has the values that the archive knows for the kinds clinic, attribute and category.
    """
    for parameter in question.fields:
        value = values.get(parameter.name, parameter.default)
        if not value.strip() and parameter.required:
            raise BadValue(f"{parameter.name} is required: {parameter.meaning}, such as {parameter.example}")
        if why := _why_bad(parameter.kind, value, known.get(parameter.kind, ())):
            raise BadValue(f"{parameter.name} = {value[:80]!r}: {why} ({parameter.meaning})")
    first, last = values.get("from", ""), values.get("to", "")
    if first and last and first > last:
        raise BadValue(f"from = {first!r}: it is after to = {last!r}")


def _why_bad(kind: str, value: str, known: Sequence[str]) -> str | None:
    if kind == "word":
        return None if any(letter.isalnum() for letter in value) else "it needs a letter or digit"
    if not value:
        return None
    if kind in ("clinic", "attribute") and value not in known:
        return f"the archive has no such {kind}; {nearest(value, known)}"
    if kind == "category" and known and value not in known:  # before the first derivation no rule is stored
        return f"no rule has this category; there are {', '.join(known)}"
    if kind == "date" and not _is_day(value):
        return "not a date of the calendar; write it as 2026-03-01"
    if kind == "number" and not _NUMBER.fullmatch(value):
        return "not a whole number; write it as 30"
    return None


def nearest(value: str, known: Sequence[str]) -> str:
    """Return the names that are like a wrong one, else the first of all: "nearest are a, b", "it has a, b"."""
    wrong = value[:100].lower()
    like = get_close_matches(wrong, known, _NEAREST)
    like += [name for name in known if len(wrong) > 2 and wrong in name.lower()]
    if like:
        return f"nearest: {', '.join(list(dict.fromkeys(like))[:_NEAREST])}"
    return f"it has {', '.join(known[:_MAX_NAMES]) or 'none'}{', ...' if len(known) > _MAX_NAMES else ''}"


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
    return {question.name: question for question in map(_read, _files())}


def _files() -> list[Path]:
    return sorted(path for path in Path(__file__).parent.glob("*.sql") if not path.name.endswith(DUCKDB))


def _read(path: Path) -> Question:
    text = path.read_text("utf-8").strip()
    title, *lines = text.split("\n")
    own = path.with_name(path.name.removesuffix(".sql") + DUCKDB)
    description, fields, drawing, group = [], [], None, "more"
    types: dict[str, str] = {}
    for line in lines:
        if not line.startswith("--"):
            break
        if match := _PARAMETER.fullmatch(line):
            fields.append(_parameter(match))
        elif match := _CHART.fullmatch(line):
            drawing = Drawing(match["mark"], **dict(axis.split("=", 1) for axis in match["axes"].split()))
        elif match := _TYPED.fullmatch(line):
            types |= dict.fromkeys(re.split(r",\s*", match["columns"]), match["type"])
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
        types=types,
        group=group,
        duckdb=own.read_text("utf-8").strip() if own.exists() else None if _SEARCH_INDEX.search(text) else text,
    )


def _parameter(match: re.Match[str]) -> Parameter:
    example = match["example"] or _EXAMPLES.get(match["kind"], "")
    return Parameter(match["name"], match["kind"], match["default"].strip(), match["meaning"].strip(), example)
