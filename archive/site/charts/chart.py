"""Charts drawn on the server by Vega-Lite: SVG without scripts or styles, coloured by the style sheet's variables.

Each chart comes in two widths, of which the style sheet shows one, and with its numbers as a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from archive.site.charts._drawer import svg_of

WIDE, NARROW = 640, 330  # pixels
# A chart of more points than it has pixels shows nothing more; the table has all rows.
MOST_POINTS = 1200
MOST_BARS = 30
COLOURS = [f"var(--chart-{number})" for number in range(1, 9)]
_CONFIG = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--quiet)",
        "titleColor": "var(--quiet)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 190,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--quiet)",
        "labelFontSize": 12,
        "orient": "top",
        "title": None,
    },
    "range": {"category": COLOURS},
}
# Characters that XML cannot hold, or that are not one unit of UTF-16.
_UNDRAWABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")
# 2026, 2026-03, 2026-03-01, 2026-03-01T09:30:00.5Z
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?)?)?")


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing in both widths (None if there is nothing to draw), its title, and its numbers as a table."""

    title: str
    svg: Markup | None
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def draw(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    mark: str,
    x: str,
    y: Sequence[str] | str,
    color: str | None = None,
    height: int = 150,
) -> Chart:
    """Return a chart of some rows. Several `y` give one panel above the other over the same x, each with its own scale.

    `mark` is bar, line, point or step (a count that stays until the next reading). An x column of dates gives a time
    axis (UTC); an x column of text gives one category for each value. Rows without an x or y value are in the table
    but not in the drawing. `height` is that of one panel in pixels.
    """
    table = [tuple(row) for row in rows]
    names = tuple(columns)
    panels = (y,) if isinstance(y, str) else tuple(y)
    points = [dict(zip(names, row, strict=True)) for row in table]
    used = [name for name in (x, *panels, color) if name]
    points = [{name: _drawable(point[name]) for name in used} for point in points if point[x] is not None]
    drawn = tuple(name for name in panels if any(isinstance(point[name], int | float) for point in points))
    if not points or not drawn:
        return Chart(title, None, names, table)
    settings = json.dumps(
        {
            "mark": mark,
            "x": x,
            "y": drawn,
            "color": color,
            "height": height,
            "values": points[:: len(points) // MOST_POINTS + 1],
        }
    )
    return Chart(title, _drawn(_chart, settings, title), names, table)


class _NotDrawn(Exception):
    """Vega could not draw this time; nothing is cached."""


def _drawn(drawing: Callable[[str, str], Markup], settings: str, title: str) -> Markup | None:
    try:
        return drawing(settings, title)
    except _NotDrawn:
        return None


def _drawable(value: Any) -> Any:
    """Return a text without the characters that Vega cannot draw: controls, and those it would split (emoji)."""
    return _UNDRAWABLE.sub("□", value) if isinstance(value, str) else value


@lru_cache(maxsize=1000)
def _chart(settings: str, title: str) -> Markup:
    """Draw a chart in both widths; cached, since the same settings give the same drawing."""
    chart = json.loads(settings)
    return _both_widths(title, _svg(_specification(chart, WIDE)), _svg(_specification(chart, NARROW)))


def _both_widths(title: str, wide: Markup, narrow: Markup) -> Markup:
    drawing = (
        '<div class="drawing" role="img" aria-label="{}"><div class="wide">{}</div><div class="narrow">{}</div></div>'
    )
    return Markup(drawing).format(title, wide, narrow)  # noqa: S704 # a constant of ours, in the line above


def _svg(specification: dict[str, Any]) -> Markup:
    svg = svg_of(specification)
    if svg is None:
        raise _NotDrawn
    # Two drawings on one page must not share the ids that they refer to: clip0, gradient_0.
    unique = f"v{abs(hash(svg)) % 10**9}"
    svg = re.sub(r'(id="|url\(#|href="#)(clip|gradient_|pattern)', rf"\g<1>{unique}-\g<2>", svg)
    # The label of the whole drawing is enough; a screen reader would read Vega's inner roles and labels as well.
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 # Vega escapes


def _specification(chart: dict[str, Any], width: int) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart at one width."""
    values, x, color, mark = chart["values"], chart["x"], chart["color"], chart["mark"]
    narrow, inner = width == NARROW, width - 64
    x_encoding, axis = _x_encoding(values, x, mark, narrow)
    panels = []
    for position, name in enumerate(chart["y"]):
        lowest = position == len(chart["y"]) - 1
        encoding: dict[str, Any] = {
            "x": {"field": x, **x_encoding, "axis": axis if lowest else {**axis, "labels": False, "ticks": False}},
            "y": {"field": name, "type": "quantitative", **_y_encoding(values, name, mark)},
        }
        if color:
            encoding["color"] = {"field": color, "type": "nominal", "legend": {"columns": 2 if narrow else 4}}
        panel = {"width": inner, "height": chart["height"], "mark": _MARKS[mark], "encoding": encoding}
        panels.append(panel | {"transform": [{"filter": f"isValid(datum[{json.dumps(name)}])"}]})
    if mark == "bar" and x_encoding["type"] == "nominal" and len(panels) == 1:
        # Names are easier to read beside their bars than below them; more than `MOST_BARS` bars are not readable.
        values = values[:MOST_BARS]
        beside = {"title": None, "labelLimit": inner // 2}
        encoding["x"], encoding["y"] = encoding["y"], {"field": x, "type": "nominal", "sort": None, "axis": beside}
        panels[0] |= {"width": inner // 2, "height": {"step": 20}}
    return {"$schema": _SCHEMA, "data": {"values": values}, "vconcat": panels, "spacing": 14, "config": _CONFIG}


_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_FIRST = COLOURS[0]
_DOTS = {"size": 18, "color": _FIRST}
_MARKS = {
    "bar": {"type": "bar", "color": _FIRST},
    "point": {"type": "point", "filled": True, "color": _FIRST, "size": 30, "opacity": 0.7},
    "line": {"type": "line", "color": _FIRST, "point": {"size": 18}},
    "step": {"type": "line", "interpolate": "step-after", "color": _FIRST, "point": _DOTS},
}


def _x_encoding(points: list[dict[str, Any]], x: str, mark: str, narrow: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the type of the x axis, chosen by its values (times, numbers or names), and how it is labelled."""
    ticks: dict[str, Any] = {"grid": False, "tickCount": 4 if narrow else 8}
    values = [point[x] for point in points]
    if all(isinstance(value, str) and _TIME.fullmatch(value) for value in values):
        encoding: dict[str, Any] = {"type": "temporal", "scale": {"type": "utc"}}
        if mark == "bar" and all(len(month) == 7 for month in values):
            encoding["timeUnit"] = "utcyearmonth"
            encoding["scale"]["domain"] = _month_domain(min(values), max(values))
        elif len(set(values)) == 1:
            encoding["scale"]["domain"] = _days_around(values[0])
            ticks["tickCount"] = {"interval": "day", "step": 1}
        return encoding, {"title": None, "labelFlush": True, **ticks}
    if all(isinstance(value, int | float) for value in values):
        return {"type": "quantitative"}, {"title": x.replace("_", " "), **ticks}
    return {"type": "nominal", "sort": None}, {"title": None, "labelAngle": -40, "labelLimit": 90}


def _days_around(time: str) -> list[dict[str, Any]]:
    """Return the ends of the axis of a single time, a day before and after: else its labels are milliseconds."""
    day = date.fromisoformat(f"{time}-01-01"[:10] if len(time) < 7 else f"{time}-01"[:10])
    edges = (date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal())) for days in (-1, 2))
    return [{"year": edge.year, "month": edge.month, "date": edge.day, "utc": True} for edge in edges]


def _month_domain(first: str, last: str) -> list[dict[str, Any]]:
    """Return the ends of a month axis ("2026-03"), at least one year: a single month would fill the whole chart."""
    first = min(first, f"{int(last[:4]) - 1:04}{last[4:]}")
    start, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    edges = (divmod(number, 12) for number in (start, end + 1))
    return [{"year": year, "month": month + 1, "utc": True} for year, month in edges]


def _y_encoding(points: list[dict[str, Any]], name: str, mark: str) -> dict[str, Any]:
    """Return the y axis: counts have no fractions; bars start at zero, the scale of a step curve need not."""
    numbers = [point[name] for point in points if point[name] is not None]
    axis: dict[str, Any] = {"title": name.replace("_", " "), "tickCount": 4}
    if all(isinstance(number, int) for number in numbers):
        low, high = min(numbers, default=0), max(numbers, default=0)
        low = min(low, 0) if mark != "step" else low
        if high - low < 5:  # else there are ticks at halves, with the same labels
            axis["values"] = list(range(low, high + 1))
        axis |= {"tickMinStep": 1, "format": "~s" if max(map(abs, numbers), default=0) >= 10_000 else "d"}
    return {"axis": axis, "scale": {"zero": mark != "step", "nice": True}}


def spark(values: Sequence[int | float], width: int = 90, height: int = 22) -> Markup | None:
    """Return a small line chart for a table cell (a sparkline, size in pixels); None for fewer than two numbers.

    It is hidden from screen readers: the cell gives the numbers in words too.
    """
    if len(values) < 2:
        return None
    low, span, last = min(values), (max(values) - min(values)) or 1, len(values) - 1
    points = " ".join(
        f"{1 + position * (width - 2) / last:.1f},{height - 2 - (number - low) * (height - 4) / span:.1f}"
        for position, number in enumerate(values)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true" focusable="false">'
        '<polyline points="{2}"/></svg>'
    ).format(width, height, points)


STATUSES = {
    "observed": "var(--seen)",
    "partial": "var(--partly)",
    "failed": "var(--failed)",
    "refused": "var(--refused)",
    "not attempted": "var(--gap)",
    "no blog": "var(--nothing)",
    "closed": "var(--nothing)",
}
_CALENDAR_DAYS, _NARROW_CALENDAR_DAYS = 53 * 7, 22 * 7


def calendar(title: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> Chart:
    """Return a calendar of the last 53 weeks: one square a day, one column a week, coloured by the second column.

    `rows` start with the day (ISO date) and one of `STATUSES`, oldest first.
    """
    if not rows:
        return Chart(title, None, tuple(columns), rows)
    days = [dict(zip(columns[:2], row[:2], strict=True)) for row in rows[-_CALENDAR_DAYS:]]
    settings = json.dumps({"values": days, "day": columns[0], "status": columns[1]})
    return Chart(title, _drawn(_calendar, settings, title), tuple(columns), rows)


@lru_cache(maxsize=200)
def _calendar(settings: str, title: str) -> Markup:
    chart = json.loads(settings)
    days, day, status = chart["values"], chart["day"], chart["status"]
    narrow = days[-_NARROW_CALENDAR_DAYS:]
    return _both_widths(title, _svg(_squares(days, day, status)), _svg(_squares(narrow, day, status)))


def _squares(days: list[dict[str, str]], day: str, status: str) -> dict[str, Any]:
    """Return the Vega-Lite specification of a calendar."""
    present = [name for name in STATUSES if any(square[status] == name for square in days)]
    no_lines = {"title": None, "ticks": False, "domain": False}
    # Label the column of a week with its month only if the week holds the first of the month.
    month = "date(datum.value) <= 7 ? utcFormat(datum.value, '%b %Y') : ''"
    week_axis = {"format": "%b %Y", "labelOverlap": True, "labelAngle": 0, "labelAlign": "left", "labelExpr": month}
    return {
        "$schema": _SCHEMA,
        "data": {"values": days},
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "var(--page)", "strokeWidth": 2},
        "width": {"step": 12},
        "height": {"step": 12},
        "encoding": {
            "x": {"field": day, "type": "ordinal", "timeUnit": "utcyearweek", "axis": {**no_lines, **week_axis}},
            "y": {"field": day, "type": "ordinal", "timeUnit": "utcday", "axis": {**no_lines, "format": "%a"}},
            "color": {
                "field": status,
                "type": "nominal",
                "scale": {"domain": present, "range": [STATUSES[name] for name in present]},
            },
        },
        "config": _CONFIG,
    }
