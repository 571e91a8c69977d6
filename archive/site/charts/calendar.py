"""A calendar of a clinic's coverage: one square a day, one column a week."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from archive.site.charts.chart import Chart, drawn_or_none, in_widths, svg
from archive.site.charts.specification import CONFIG, SCHEMA

STATUSES = {
    "observed": "var(--seen)",
    "partial": "var(--partly)",
    "failed": "var(--failed)",
    "refused": "var(--refused)",
    "not attempted": "var(--gap)",
    "no blog": "var(--nothing)",
    "closed": "var(--nothing)",
}
_DAYS, _NARROW_DAYS = 53 * 7, 22 * 7


def calendar(title: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> Chart:
    """Return a calendar of the last 53 weeks, coloured by the second column.

    `rows` start with the day (ISO date) and one of `STATUSES`, oldest first.
    """
    if not rows:
        return Chart(title, None, tuple(columns), rows, "No day has been observed yet.")
    days = [dict(zip(columns[:2], row[:2], strict=True)) for row in rows[-_DAYS:]]
    settings = json.dumps({"values": days, "day": columns[0], "status": columns[1]})
    number = Counter(row[1] for row in rows)
    counted = ", ".join(f"{number[name]:,} {name}" for name in STATUSES if number[name])
    return Chart(
        title, drawn_or_none(_calendar, settings, title), tuple(columns), rows, f"n = {len(rows):,} days: {counted}"
    )


@lru_cache(maxsize=200)
def _calendar(settings: str, title: str) -> Markup:
    chart = json.loads(settings)
    days, day, status = chart["values"], chart["day"], chart["status"]
    parts = {"narrow": days[-_NARROW_DAYS:], "wide": days}
    return in_widths(title, {name: svg(_squares(part, day, status)) for name, part in parts.items()}, "as-is")


def _squares(days: list[dict[str, str]], day: str, status: str) -> dict[str, Any]:
    """Return the Vega-Lite specification of a calendar."""
    present = [name for name in STATUSES if any(square[status] == name for square in days)]
    no_lines = {"title": None, "ticks": False, "domain": False}
    # Label the column of a week with its month only if the week holds the first of the month.
    month = "date(datum.value) <= 7 ? utcFormat(datum.value, '%b %Y') : ''"
    week_axis = {"format": "%b %Y", "labelOverlap": True, "labelAngle": 0, "labelAlign": "left", "labelExpr": month}
    return {
        "$schema": SCHEMA,
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
        "config": CONFIG,
    }
