"""What a chart draws of some rows: its points, where a line is broken, and what its note says of them."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal

# A chart of more points than it has pixels shows nothing more; the table has all rows.
MAX_POINTS = 1200
MAX_BARS = 30
MAX_COLOURS = 8
# Months or years up to which a single series is drawn as bars: a line between them shows a course that nobody has seen,
# and swings to and fro where a month has one post. More bars are thinner than a line.
FEW = 150
# A line is broken where the next reading is later than this many times the usual distance, and where only a few
# distances are known, after this many days.
_USUAL, _DAYS = 2.5, 14.0
# 2026, 2026-03, 2026-03-01, 2026-03-01T09:30:00.5Z, and SQLite's own 2026-03-01 09:30:00
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?)?)?")
# Characters that XML cannot hold, or that are not one unit of UTF-16.
_UNDRAWABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")
Kind = Literal["time", "number", "name"]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a chart: `x`, `y0`, `y1` ..., `c` (colour) and `s` (number of the unbroken line) of each.

    `names` are the columns that have numbers; `n` counts the rows with at least one of them.
    """

    kind: Kind
    names: tuple[str, ...]
    values: list[dict[str, Any]]
    n: int
    colours: int

    @property
    def first_and_last(self) -> tuple[Any, Any]:
        """The smallest and the largest x."""
        places = [point["x"] for point in self.values]
        return min(places), max(places)


def points(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], x: str, y: Sequence[str], color: str | None
) -> Points:
    """Return the points of rows: those with an x and a number. The kind of x is told by its values."""
    at, hue = columns.index(x), columns.index(color) if color else None
    places = [columns.index(name) for name in y]
    usable = [row for row in rows if row[at] is not None and any(_is_number(row[place]) for place in places)]
    places = [place for place in places if any(_is_number(row[place]) for row in usable)]
    values = []
    for row in usable:
        point = {"x": _drawable(row[at])}
        point |= {f"y{number}": row[place] for number, place in enumerate(places) if _is_number(row[place])}
        point |= {"c": _drawable(row[hue]) if row[hue] is not None else "unknown"} if hue is not None else {}
        values.append(point)
    colours = len({point["c"] for point in values}) if color else 0
    return Points(_kind(values), tuple(columns[place] for place in places), values, len(usable), colours)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _drawable(value: Any) -> Any:
    """Return a text without the characters that Vega cannot draw: controls, and those it would split (emoji)."""
    return _UNDRAWABLE.sub("□", value) if isinstance(value, str) else value if _is_number(value) else str(value)


def is_time(value: Any) -> bool:
    """Whether a value is a moment, day, month or year that exists in the calendar."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        _day(value)
    except ValueError:
        return False
    return True


def _kind(values: list[dict[str, Any]]) -> Kind:
    if values and all(is_time(point["x"]) for point in values):
        return "time"
    return "number" if values and all(_is_number(point["x"]) for point in values) else "name"


def _day(time: str) -> date:
    return date.fromisoformat(f"{time}-01-01"[:10] if len(time) < 7 else f"{time}-01"[:10])


def in_days(time: str) -> float:
    """Return a time (UTC) as days since the year 1: "2026-03-01T12:00:00Z" is half a day after "2026-03-01"."""
    hours, minutes, seconds = (time[11:13] or 0, time[14:16] or 0, time[17:].rstrip("Z") or 0)
    return _day(time).toordinal() + (int(hours) + int(minutes) / 60 + float(seconds) / 3600) / 24


def are_periods(values: list[dict[str, Any]]) -> bool:
    """Whether every x is a month or every x a year: counts of a period, no readings at a moment."""
    return len({len(point["x"]) for point in values}) == 1 and len(values[0]["x"]) in (4, 7)


def with_lines(values: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Number the unbroken lines of points over time (`s`), each colour for itself; return them and the breaks."""
    lines, breaks, drawn = 0, 0, []
    periods = are_periods(values)
    for colour in dict.fromkeys(point.get("c") for point in values):
        own = sorted((point for point in values if point.get("c") == colour), key=lambda point: str(point["x"]))
        times = [_period(point["x"]) if periods else in_days(point["x"]) for point in own]
        distances = [later - earlier for earlier, later in pairwise(times)]
        most = 1.0 if periods else _most(distances)
        for place, point in enumerate(own):
            if place and distances[place - 1] > most:
                lines, breaks = lines + 1, breaks + 1
            drawn.append(point | {"s": lines})
        lines += 1
    return drawn, breaks


def _period(text: str) -> float:
    """Return the number of a month (2026-03) or year (2026)."""
    return int(text[:4]) * 12 + int(text[5:]) if len(text) == 7 else int(text)


def _most(distances: list[float]) -> float:
    """Return the days after which a line is broken."""
    own = [distance for distance in distances if distance > 0]
    return max(_USUAL * statistics.median(own), 2.0) if len(own) > 3 else _DAYS


def few_colours(values: list[dict[str, Any]], together: bool) -> tuple[list[dict[str, Any]], str]:
    """Keep the colours with most points; bars of the rest are drawn `together`. Return a sentence about it, or ''."""
    often = Counter(point["c"] for point in values)
    if len(often) <= MAX_COLOURS:
        return values, ""
    frequent = {name for name, _ in often.most_common(MAX_COLOURS - 1)}
    note = f"{len(frequent)} of {len(often):,} by colour" + (", the rest as others" if together else "")
    if together:
        return [point if point["c"] in frequent else point | {"c": "others"} for point in values], note
    return [point for point in values if point["c"] in frequent], note
