"""Charts, drawn on the server by Vega-Lite: SVG without script or style, coloured by the style sheet's variables.

Each comes in two widths, of which the style sheet shows one, and with its numbers as a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from archive.site.pages._drawer import svg_of

WIDE, NARROW = 640, 330
# More points than a chart has pixels say no more; the table has them all.
MOST = 1200
COLOURS = [f"var(--chart-{number})" for number in range(1, 9)]
_CONFIG = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--quiet)", "titleColor": "var(--quiet)", "gridColor": "var(--rule)",
        "domainColor": "var(--rule)", "tickColor": "var(--rule)", "labelFontSize": 12, "titleFontSize": 12,
        "titleFontWeight": "normal", "labelLimit": 190,
    },
    "legend": {
        "labelColor": "var(--ink)", "titleColor": "var(--quiet)", "labelFontSize": 12, "orient": "top", "title": None,
    },
    "range": {"category": COLOURS},
}  # fmt: skip
# What is neither printable in XML nor a single unit of UTF-16.
_UNDRAWABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")
# 2026, 2026-03, 2026-03-01, 2026-03-01T09:30:00.5Z
_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?)?)?")


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing (both widths; None where there is nothing to draw), what it shows in words, and its numbers."""

    title: str
    svg: Markup | None
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def draw(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], mark: str, x: str, y: Sequence[str] | str,
    color: str | None = None, height: int = 150,
) -> Chart:  # fmt: skip
    """A chart of some rows. With several `y`, one panel above the other over the same x, each with its own scale.

    `mark` is bar, line, point or step (a count that holds until the next reading). An x that looks like dates is
    an axis of time (UTC); text is one category each. Rows without an x or a y are in the table, not in the drawing.
    """
    table = [tuple(one) for one in rows]
    names = tuple(columns)
    panels = (y,) if isinstance(y, str) else tuple(y)
    values = [dict(zip(names, one, strict=True)) for one in table]
    used = [name for name in (x, *panels, color) if name]
    values = [{name: _drawable(one[name]) for name in used} for one in values if one[x] is not None]
    drawn = tuple(name for name in panels if any(isinstance(one[name], int | float) for one in values))
    if not values or not drawn:
        return Chart(title, None, names, table)
    spec = json.dumps(
        {
            "mark": mark, "x": x, "y": drawn, "color": color, "height": height,
            "values": values[:: len(values) // MOST + 1],
        }
    )  # fmt: skip
    return Chart(title, _drawn(_both, spec, title), names, table)


class _NotDrawn(Exception):
    """Vega could not, this time: nothing to be kept."""


def _drawn(how: Callable[[str, str], Markup], spec: str, title: str) -> Markup | None:
    try:
        return how(spec, title)
    except _NotDrawn:
        return None


def _drawable(value: Any) -> Any:
    """A text without the characters that Vega cannot set: controls, and those that it would cut in two (emoji)."""
    return _UNDRAWABLE.sub("□", value) if isinstance(value, str) else value


@lru_cache(maxsize=1000)
def _both(spec: str, title: str) -> Markup:
    """Both widths; kept, since the same numbers give the same drawing."""
    told = json.loads(spec)
    return _in_both(title, _svg(_specification(told, WIDE)), _svg(_specification(told, NARROW)))


def _in_both(title: str, wide: Markup, narrow: Markup) -> Markup:
    drawing = (
        '<div class="drawing" role="img" aria-label="{}"><div class="wide">{}</div><div class="narrow">{}</div></div>'
    )
    return Markup(drawing).format(title, wide, narrow)  # noqa: S704 # ours, in the line above


def _svg(spec: dict[str, Any]) -> Markup:
    svg = svg_of(spec)
    if svg is None:
        raise _NotDrawn
    # Two drawings of one page must not share the names that they refer to: clip0, gradient_0.
    unique = f"v{abs(hash(svg)) % 10**9}"
    svg = re.sub(r'(id="|url\(#|href="#)(clip|gradient_|pattern)', rf"\g<1>{unique}-\g<2>", svg)
    # Words that Vega writes for readers stand in the label of the whole; inner roles and labels would be read twice.
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 # Vega escapes


def _specification(told: dict[str, Any], width: int) -> dict[str, Any]:
    values, x, color, mark = told["values"], told["x"], told["color"], told["mark"]
    narrow, inner = width == NARROW, width - 64
    across, axis = _across(values, x, mark, narrow)
    panels = []
    for position, name in enumerate(told["y"]):
        lowest = position == len(told["y"]) - 1
        encoding: dict[str, Any] = {
            "x": {"field": x, **across, "axis": axis if lowest else {**axis, "labels": False, "ticks": False}},
            "y": {"field": name, "type": "quantitative", **_up(values, name, mark)},
        }
        if color:
            encoding["color"] = {"field": color, "type": "nominal", "legend": {"columns": 2 if narrow else 4}}
        panel = {"width": inner, "height": told["height"], "mark": _MARKS[mark], "encoding": encoding}
        panels.append(panel | {"transform": [{"filter": f"isValid(datum[{json.dumps(name)}])"}]})
    if mark == "bar" and across["type"] == "nominal" and len(panels) == 1:
        # Names read better beside their bar than below it; more than thirty bars are no picture any more.
        values = values[:30]
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


def _across(values: list[dict[str, Any]], x: str, mark: str, narrow: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The kind of the x axis, by what stands on it: time, numbers, names; and how it is labelled."""
    ticks = {"grid": False, "tickCount": 4 if narrow else 8}
    if all(isinstance(one[x], str) and _TIME.fullmatch(one[x]) for one in values):
        across: dict[str, Any] = {"type": "temporal", "scale": {"type": "utc"}}
        if mark == "bar" and all(len(one[x]) == 7 for one in values):
            across |= {"timeUnit": "utcyearmonth"}
            last = max(one[x] for one in values)
            first = min(*(one[x] for one in values), f"{int(last[:4]) - 1:04}{last[4:]}")
            # A year at least: a single month would be as wide as the chart.
            months = [12 * int(one[:4]) + int(one[5:]) - 1 for one in (first, last)]
            edges = (divmod(month, 12) for month in (months[0], months[1] + 1))
            across["scale"]["domain"] = [{"year": year, "month": month + 1, "utc": True} for year, month in edges]
        return across, {"title": None, "labelFlush": True, **ticks}
    if all(isinstance(one[x], int | float) for one in values):
        return {"type": "quantitative"}, {"title": x.replace("_", " "), **ticks}
    return {"type": "nominal", "sort": None}, {"title": None, "labelAngle": -40, "labelLimit": 90}


def _up(values: list[dict[str, Any]], name: str, mark: str) -> dict[str, Any]:
    """The y axis: counts have no fractions; a curve may begin where its numbers do, a bar at nothing."""
    numbers = [one[name] for one in values if one[name] is not None]
    axis: dict[str, Any] = {"title": name.replace("_", " "), "tickCount": 4}
    if all(isinstance(one, int) for one in numbers):
        axis |= {"tickMinStep": 1, "format": "~s" if max(map(abs, numbers), default=0) >= 10_000 else "d"}
    return {"axis": axis, "scale": {"zero": mark != "step", "nice": True}}


def spark(values: Sequence[int | float], width: int = 90, height: int = 22) -> Markup | None:
    """A line the size of a word, for a table's cell; None for less than two numbers. Its cell says the numbers too."""
    if len(values) < 2:
        return None
    low, span, last = min(values), (max(values) - min(values)) or 1, len(values) - 1
    points = " ".join(
        f"{1 + place * (width - 2) / last:.1f},{height - 2 - (one - low) * (height - 4) / span:.1f}"
        for place, one in enumerate(values)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true" focusable="false">'
        '<polyline points="{2}"/></svg>'
    ).format(width, height, points)


STATUSES = {
    "observed": "var(--seen)", "partial": "var(--partly)", "failed": "var(--failed)", "refused": "var(--refused)",
    "not attempted": "var(--gap)", "no blog": "var(--nothing)", "closed": "var(--nothing)",
}  # fmt: skip


def calendar(title: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> Chart:
    """Days as squares, a column a week, coloured by what the second column says (`STATUSES`); the last 53 weeks."""
    if not rows:
        return Chart(title, None, tuple(columns), rows)
    values = [dict(zip(columns[:2], one[:2], strict=True)) for one in rows[-371:]]
    spec = json.dumps({"values": values, "day": columns[0], "status": columns[1]})
    return Chart(title, _drawn(_squares, spec, title), tuple(columns), rows)


@lru_cache(maxsize=200)
def _squares(spec: str, title: str) -> Markup:
    told = json.loads(spec)
    values, day, status = told["values"], told["day"], told["status"]
    return _in_both(title, _svg(_days(values, day, status)), _svg(_days(values[-154:], day, status)))


def _days(values: list[dict[str, str]], day: str, status: str) -> dict[str, Any]:
    present = [name for name in STATUSES if any(one[status] == name for one in values)]
    return {
        "$schema": _SCHEMA, "data": {"values": values},
        "mark": {"type": "rect", "cornerRadius": 2, "stroke": "var(--page)", "strokeWidth": 2},
        "width": {"step": 12}, "height": {"step": 12},
        "encoding": {
            "x": {"field": day, "type": "ordinal", "timeUnit": "utcyearweek",
                  "axis": {"title": None, "format": "%b %Y", "labelOverlap": True, "labelAngle": 0, "ticks": False,
                           "domain": False, "labelAlign": "left", "labelExpr": "date(datum.value) <= 7 ?"
                           " utcFormat(datum.value, '%b %Y') : ''"}},
            "y": {"field": day, "type": "ordinal", "timeUnit": "utcday",
                  "axis": {"title": None, "ticks": False, "domain": False, "format": "%a"}},
            "color": {"field": status, "type": "nominal",
                      "scale": {"domain": present, "range": [STATUSES[name] for name in present]}},
        },
        "config": _CONFIG,
    }  # fmt: skip
