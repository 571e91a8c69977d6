"""Charts drawn on the server by Vega-Lite: SVG without scripts or styles, coloured by the style sheet's variables.

Each chart comes in two or three widths, of which the style sheet shows one, with a note that says what was drawn, and
with its numbers as a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from archive.site.charts._drawer import svg_of
from archive.site.charts.points import FEW, MAX_BARS, MAX_POINTS, Points, are_periods, few_colours, points, with_lines
from archive.site.charts.specification import FULL, NARROW, WIDE, specification

NOTHING = "There are no numbers to draw yet."


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing in its widths, its title, a note on what it shows, and its numbers as a table.

    `svg` is None if fewer than two points are known: `note` then says in words what is known.
    """

    title: str
    svg: Markup | None
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    note: str = ""


def draw(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    mark: str,
    x: str,
    y: Sequence[str] | str,
    color: str | None = None,
    full: bool = False,
) -> Chart:
    """Return a chart of some rows. Several `y` give one panel above the other over the same x, each with its own scale.

    `mark` is bar, line, point or step (a count that stays until the next reading). An x column of dates gives a time
    axis (UTC); an x column of text gives one category for each value. Rows without an x or y value are in the table
    but not in the drawing. A line is not drawn where nothing was read for long, and few months are bars. `full`: the
    chart stands alone in the width of the page.
    """
    table, names = [tuple(row) for row in rows], tuple(columns)
    drawn = points(names, table, x, (y,) if isinstance(y, str) else tuple(y), color)
    color = color if drawn.colours > 1 else None
    if drawn.n < 2:
        return Chart(title, None, names, table, _in_words(drawn, x))
    mark = _mark(mark, drawn)
    values, said = _chosen(drawn, mark, names)
    zero = [
        _from_zero(mark, [point[f"y{number}"] for point in values if f"y{number}" in point])
        for number in range(len(drawn.names))
    ]
    settings = {
        "mark": mark,
        "kind": drawn.kind,
        "x": x,
        "y": drawn.names,
        "color": bool(color),
        "zero": zero,
        "height": 84 if len(drawn.names) > 1 else 190 if full else 150,
        "values": values,
        "full": full,
    }
    svg = drawn_or_none(_chart, json.dumps(settings), title)
    return Chart(title, svg, names, table, _note(drawn, said, zero))


def _in_words(drawn: Points, x: str) -> str:
    """Say what is known of fewer than two points."""
    if not drawn.n:
        return NOTHING
    point = drawn.values[0]
    numbers = ", ".join(
        f"{name.replace('_', ' ')} {point[key]:,}"
        for name, key in ((name, f"y{number}") for number, name in enumerate(drawn.names))
        if key in point
    )
    at = point["x"][:16].replace("T", " ") if drawn.kind == "time" else point["x"]
    colour = f", {point['c']}" if "c" in point else ""
    return f"Only one value is known: {numbers} ({x.replace('_', ' ')} {at}{colour}). From two on there is a drawing."


def _mark(mark: str, drawn: Points) -> str:
    """Return the mark that suits the points: bars for months or years, unless many, and points where x is no time."""
    if mark in ("line", "step"):
        if drawn.kind != "time":
            return "point"
        if are_periods(drawn.values) and drawn.colours <= 1 and len(drawn.values) <= FEW:
            return "bar"
    return mark


def _chosen(drawn: Points, mark: str, columns: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the points that are drawn, and sentences on those that are not."""
    values, said = drawn.values, []
    if drawn.colours > 1:
        values, sentence = few_colours(values, together=mark == "bar")
        said += [sentence] if sentence else []
    if mark == "bar" and drawn.kind == "name" and len(values) > MAX_BARS:
        said.append(f"{MAX_BARS} of {len(values):,} shown, the first of the table")
        values = values[:MAX_BARS]
    if mark in ("line", "step"):
        values, breaks = with_lines(values)
        missing = "in periods without a value" if are_periods(drawn.values) else "where nothing was read for long"
        said += [f"no line {missing}"] if breaks else []
    every = len(values) // MAX_POINTS + 1
    if every > 1:
        said.append(f"every {every}th of {len(values):,} points is drawn")
    return values[::every], said


def _from_zero(mark: str, numbers: Sequence[float]) -> bool:
    """Whether an axis begins at 0: always that of bars and lines, and of steps unless they would be flat at its top."""
    low, high = min(numbers, default=0), max(numbers, default=0)
    return mark not in ("step", "point") or low < 0.5 * high


def _note(drawn: Points, said: list[str], zero: list[bool]) -> str:
    """Return the words below a chart's title: how many points from when to when, what is left out, the base line."""
    first, last = drawn.first_and_last
    span = [f"{first[:10]} to {last[:10]}"] if drawn.kind == "time" and first[:10] != last[:10] else []
    above = [name.replace("_", " ") for name, from_zero in zip(drawn.names, zero, strict=True) if not from_zero]
    base = f"the axis of {' and '.join(above)} does not begin at 0" if above else "axis from 0"
    return "; ".join([", ".join([_number(drawn), *span]), *said, base])


def _number(drawn: Points) -> str:
    """Say how many points there are: of counts per month also their sum."""
    if drawn.kind != "time" or not are_periods(drawn.values):
        return f"n = {drawn.n:,}"
    number = len({point["x"] for point in drawn.values})
    period = ("month" if len(drawn.values[0]["x"]) == 7 else "year") + ("s" if number > 1 else "")
    counts = [point["y0"] for point in drawn.values if "y0" in point]
    if len(drawn.names) > 1 or not all(isinstance(count, int) for count in counts):
        return f"n = {number:,} {period}"
    return f"n = {sum(counts):,} {drawn.names[0].replace('_', ' ')} in {number:,} {period}"


class _NotDrawn(Exception):
    """Vega could not draw this time; nothing is cached."""


def drawn_or_none(drawing: Callable[[str, str], Markup], settings: str, title: str) -> Markup | None:
    """Return a cached drawing; None if Vega could not draw it this time."""
    try:
        return drawing(settings, title)
    except _NotDrawn:
        return None


@lru_cache(maxsize=1000)
def _chart(settings: str, title: str) -> Markup:
    """Draw a chart in its widths; cached, since the same settings give the same drawing."""
    chart = json.loads(settings)
    widths = (("narrow", NARROW), ("wide", WIDE), *([("full", FULL)] if chart["full"] else []))
    return in_widths(title, {name: svg(specification(chart, width)) for name, width in widths})


def in_widths(title: str, drawings: dict[str, Markup], kind: str = "") -> Markup:
    """Return drawings of one chart in several widths, by the class that the style sheet knows each by."""
    kind = "drawing in-full" if "full" in drawings else f"drawing {kind}".strip()
    inner = Markup("").join(Markup('<div class="{}">{}</div>').format(*pair) for pair in drawings.items())
    return Markup('<div class="{}" role="img" aria-label="{}">{}</div>').format(kind, title, inner)


def svg(chart: dict[str, Any]) -> Markup:
    """Return the SVG of a Vega-Lite specification. Raises `_NotDrawn`."""
    drawing = svg_of(chart)
    if drawing is None:
        raise _NotDrawn
    # Two drawings on one page must not share the ids that they refer to: clip0, gradient_0.
    unique = f"v{abs(hash(drawing)) % 10**9}"
    drawing = re.sub(r'(id="|url\(#|href="#)(clip|gradient_|pattern)', rf"\g<1>{unique}-\g<2>", drawing)
    # The label of the whole drawing is enough; a screen reader would read Vega's inner roles and labels as well.
    drawing = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", drawing)
    return Markup(drawing.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 # Vega escapes


def spark(values: Sequence[int | float], width: int = 90, height: int = 22) -> Markup | None:
    """Return a small line chart for a table cell (a sparkline, size in pixels); None for fewer than two numbers.

    It is hidden from screen readers: the cell gives the numbers in words too.
    """
    if len(values) < 2:
        return None
    low, span, last = min(values), (max(values) - min(values)) or 1, len(values) - 1
    places = " ".join(
        f"{1 + position * (width - 2) / last:.1f},{height - 2 - (number - low) * (height - 4) / span:.1f}"
        for position, number in enumerate(values)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true" focusable="false">'
        '<polyline points="{2}"/></svg>'
    ).format(width, height, places)
