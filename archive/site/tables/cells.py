"""The cells of a table as a page shows them: numbers right-aligned, moments without fractions, long texts clipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

# Characters of a text that fits into two lines of a cell; a longer one is cut by the style sheet.
SHORT = 28
# 2026-03-01T09:30:00.123456Z
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its HTML or text, and how it is shown: number, none (no value), short, or long (clipped)."""

    html: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells, and the names of those of their columns that hold numbers only."""

    rows: list[list[tuple[str, Cell]]]
    numbers: frozenset[str]


def grid(columns: Sequence[str], values: Sequence[Sequence[Any]], displayed: Sequence[Sequence[Any]]) -> Grid:
    """Return the cells of rows: `values` are the values of SQLite, `displayed` the HTML or text that Datasette made."""
    numbers = frozenset(name for place, name in enumerate(columns) if _is_numeric(name, [row[place] for row in values]))
    rows = [
        [(name, _cell(value, html, name in numbers)) for name, value, html in zip(columns, row, cells, strict=True)]
        for row, cells in zip(values, displayed, strict=True)
    ]
    return Grid(rows, numbers)


def _is_numeric(name: str, values: Sequence[Any]) -> bool:
    """Whether a column holds numbers that a reader compares: keys are names, whatever their type."""
    known = [value for value in values if value is not None]
    return bool(known) and not name.endswith("_id") and all(isinstance(value, int | float) for value in known)


def _cell(value: Any, html: Any, is_number: bool) -> Cell:
    if value is None or value == "":
        return Cell("", "none")
    if is_number:
        return Cell(html, "number")
    text = str(value)
    if isinstance(value, str) and (match := _MOMENT.fullmatch(value)) and html == value:
        return Cell(
            Markup('<time datetime="{}" title="{}">{} {}</time>').format(value, value, *match.groups()), "short"
        )
    return Cell(html, "short" if len(text) <= SHORT else "long")
