"""The Vega-Lite specification of a chart at one width. Colours are variables of the style sheet."""

from __future__ import annotations

from datetime import date
from typing import Any

from archive.site.charts.points import Kind, in_days

# Widths in pixels: a phone, half of the page, all of it.
NARROW, WIDE, FULL = 330, 600, 1080
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
COLOURS = [f"var(--chart-{number})" for number in range(1, 9)]
CONFIG = {
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
_DOTS = {"size": 18, "color": COLOURS[0]}
_MARKS = {
    "bar": {"type": "bar", "color": COLOURS[0]},
    "point": {"type": "point", "filled": True, "color": COLOURS[0], "size": 30, "opacity": 0.7},
    "line": {"type": "line", "color": COLOURS[0], "point": _DOTS},
    "step": {"type": "line", "interpolate": "step-after", "color": COLOURS[0], "point": _DOTS},
}
# The unit stands above its axis, from left to right.
_UNIT_ABOVE = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleX": 0,
    "titleY": -8,
    "titleBaseline": "bottom",
}


def specification(chart: dict[str, Any], width: int) -> dict[str, Any]:
    """Return the specification of a chart (mark, kind, x, y, units, colour, height, zero, values) at one width."""
    values, mark, kind = chart["values"], chart["mark"], chart["kind"]
    narrow, inner = width == NARROW, width - 60
    x_encoding, axis = _x_encoding(values, chart["x"], mark, kind, width)
    panels = []
    for number, name in enumerate(chart["y"]):
        lowest, field = number == len(chart["y"]) - 1, f"y{number}"
        encoding: dict[str, Any] = {
            "x": {"field": "x", **x_encoding, "axis": axis if lowest else {**axis, "labels": False, "ticks": False}},
            "y": {"field": field, "type": "quantitative", **_y_encoding(values, field, name, chart["zero"][number])},
        }
        if chart["color"]:
            encoding["color"] = {"field": "c", "type": "nominal", "legend": {"columns": 2 if narrow else 4}}
        if mark in ("line", "step"):
            encoding["detail"] = {"field": "s", "type": "nominal"}
        panel = {"width": inner, "height": chart["height"], "mark": _MARKS[mark], "encoding": encoding}
        panels.append(panel | {"transform": [{"filter": f"isValid(datum.{field})"}]})
    if mark == "bar" and kind == "name" and len(panels) == 1:
        # Names are easier to read beside their bars than below them.
        names = min(inner // 2, 300)
        beside = {"title": None, "labelLimit": names}
        above = {**encoding["y"]["axis"], "titleAngle": 0, "titleX": None, "titleY": None, "titleAnchor": None}
        above = {name: value for name, value in above.items() if value is not None and not name.startswith("title")}
        encoding["x"] = {**encoding["y"], "axis": {**above, "title": chart["y"][0].replace("_", " ")}}
        encoding["y"] = {"field": "x", "type": "nominal", "sort": None, "axis": beside}
        panels[0] |= {"width": inner - names + 40, "height": {"step": 20}}
    return {"$schema": SCHEMA, "data": {"values": values}, "vconcat": panels, "spacing": 26, "config": CONFIG}


def _x_encoding(
    values: list[dict[str, Any]], name: str, mark: str, kind: Kind, width: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the type of the x axis and how it is labelled."""
    ticks: dict[str, Any] = {"grid": False, "tickCount": {NARROW: 4, WIDE: 8}.get(width, 12)}
    places = [point["x"] for point in values]
    if kind == "number":
        return {"type": "quantitative"}, {"title": name.replace("_", " "), **ticks}
    if kind == "name":
        return {"type": "nominal", "sort": None}, {"title": None, "labelAngle": -40, "labelLimit": 90}
    encoding: dict[str, Any] = {"type": "temporal", "scale": {"type": "utc"}}
    first, last = min(places), max(places)
    if mark == "bar" and all(len(place) == 7 for place in places):
        encoding["timeUnit"] = "utcyearmonth"
        encoding["scale"]["domain"] = _months(first, last)
    elif mark == "bar" and all(len(place) == 4 for place in places):
        encoding["timeUnit"] = "utcyear"
    elif in_days(last) - in_days(first) < 3:  # else the labels are hours, or milliseconds
        encoding["scale"]["domain"] = _days_around(first, last)
        ticks |= {"tickCount": {"interval": "day", "step": 1}, "format": "%-d %b %Y"}
    return encoding, {"title": None, "labelFlush": True, **ticks}


def _days_around(first: str, last: str) -> list[dict[str, Any]]:
    """Return the ends of the axis of times within three days: a day before and one after."""
    before, after = int(in_days(first)) - 1, int(in_days(last)) + 2
    edges = [date.fromordinal(min(max(day, 1), date.max.toordinal())) for day in (before, after)]
    return [{"year": edge.year, "month": edge.month, "date": edge.day, "utc": True} for edge in edges]


def _months(first: str, last: str) -> list[dict[str, Any]]:
    """Return the ends of a month axis ("2026-03"), at least one year: a single month would fill the whole chart."""
    first = min(first, f"{int(last[:4]) - 1:04}{last[4:]}")
    start, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    edges = (divmod(number, 12) for number in (start, end + 1))
    return [{"year": year, "month": month + 1, "utc": True} for year, month in edges]


def _y_encoding(values: list[dict[str, Any]], field: str, name: str, zero: bool) -> dict[str, Any]:
    """Return the y axis, with the name of its unit: counts have no fractions."""
    numbers = [point[field] for point in values if field in point]
    axis: dict[str, Any] = {"title": name.replace("_", " "), "tickCount": 4, **_UNIT_ABOVE}
    if all(isinstance(number, int) for number in numbers):
        low, high = min(numbers, default=0), max(numbers, default=0)
        low = min(low, 0) if zero else low
        if high - low < 5:  # else there are ticks at halves, with the same labels
            axis["values"] = list(range(low, high + 1))
        axis |= {"tickMinStep": 1, "format": "~s" if max(map(abs, numbers), default=0) >= 10_000 else "d"}
    return {"axis": axis, "scale": {"zero": zero, "nice": True}}
