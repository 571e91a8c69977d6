"""The chart of a query that a visitor wrote: it has one if its rows give a date and a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archive.site.charts.chart import Chart, draw
from archive.site.charts.points import MAX_COLOURS, is_time

# Numbers of which each gets a panel of its own.
MAX_PANELS = 3
# Keys and places, which are numbers that measure nothing.
_NO_MEASURES = ("id", "rowid", "position", "depth", "extractor_version")


def chart_of_sql(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Chart | None:
    """Return the chart of the first column of dates and the first columns of numbers; None if one of them is missing.

    A column of a few texts gives the colours if each of them has every date once. Several rows of one date are points,
    since no line leads through them.
    """
    # Columns of one name cannot be told apart.
    names = [name for name in columns if list(columns).count(name) == 1]
    known = {name: [row[columns.index(name)] for row in rows] for name in names}
    known = {name: [value for value in values if value is not None] for name, values in known.items()}
    x = next((name for name, values in known.items() if values and all(map(is_time, values))), None)
    numbers = [name for name, values in known.items() if _measures(name, values)]
    if x is None or not numbers:
        return None
    dates = [row[columns.index(x)] for row in rows]
    if len(set(dates)) == len(dates):
        return draw(_title(numbers, x), columns, rows, "line", x, numbers[:MAX_PANELS], full=True)
    for name, values in known.items():
        if name != x and name not in numbers and 1 < len(set(map(str, values))) <= MAX_COLOURS:
            pairs = [(day, row[columns.index(name)]) for day, row in zip(dates, rows, strict=True)]
            if len(set(pairs)) == len(pairs):
                return draw(_title(numbers[:1], x), columns, rows, "line", x, numbers[0], name, full=True)
    return draw(_title(numbers, x), columns, rows, "point", x, numbers[:MAX_PANELS], full=True)


def _measures(name: str, values: Sequence[Any]) -> bool:
    is_key = name.lower() in _NO_MEASURES or name.lower().endswith("_id")
    return bool(values) and not is_key and all(isinstance(value, int | float) for value in values)


def _title(numbers: Sequence[str], x: str) -> str:
    named = [name.replace("_", " ") for name in numbers[:MAX_PANELS]]
    return f"{', '.join(named)} by {x.replace('_', ' ')}"
