"""The ready questions as Datasette's canned queries, with a form for their parameters and a chart of their answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]
from datasette.views.table import TableView  # type: ignore[import-untyped]

from archive.export import known_values
from archive.questions import questions
from archive.site.charts.chart import Chart, draw
from archive.site.charts.of_sql import chart_of_sql
from archive.site.serving import DATABASE, check_access, read_database
from archive.site.visitors.values import why_refused


@hookimpl  # type: ignore[untyped-decorator]
def canned_queries(database: str) -> dict[str, dict[str, Any]]:
    """Return every question; its SQL is hidden until the visitor opens it."""
    if database != DATABASE:
        return {}
    return {
        question.name: {
            "sql": question.sql,
            "title": question.title,
            "description": question.description,
            "hide_sql": True,
            "params": list(question.parameters),
        }
        for question in questions().values()
    }


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the route of the questions' pages and JSON, which Datasette answers once the values are checked."""
    names = "|".join(questions())
    return [(rf"/(?P<database>{DATABASE})/(?P<table>{names})(\.(?P<format>json))?$", show_question)]


async def show_question(datasette: Datasette, request: Request, send: Any) -> Any:
    """Answer as Datasette does. Raises `DatasetteError` (400) for a value that a parameter cannot have.

    A page without any argument is the empty form, in which nothing is wrong yet.
    """
    await check_access(datasette, request)
    if request.query_string or request.url_vars["format"]:
        why = await why_refused(datasette, request, request.url_vars["table"])
        if why is not None:
            raise DatasetteError(why, title="A value that is not allowed", status=400)
    return await TableView.as_view(datasette)(request, send)


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(
    datasette: Datasette, template: str, view_name: str | None
) -> dict[str, Any] | Callable[[], Any]:
    """Return, for the page of a question, all questions, what can be chosen and the function of the chart."""
    if template != "query.html":
        return {}

    async def variables() -> dict[str, Any]:
        def choices(connection: sqlite3.Connection) -> dict[str, list[tuple[str, str]]]:
            clinics = connection.execute("SELECT clinic_id, name FROM clinics ORDER BY name, 1")
            categories = known_values(connection)["category"]
            return {"clinic": [tuple(row) for row in clinics], "category": [(name, name) for name in categories]}

        return {"questions": questions(), "choices": await read_database(datasette, choices), "chart_of": chart_of}

    return variables


def chart_of(name: str | None, columns: list[str], rows: list[Any]) -> Chart | None:
    """Return the chart of a question's answer, or of typed SQL that gives a date and a number; None without a chart."""
    values = [tuple(row) for row in rows]
    if name is None:
        return chart_of_sql(columns, values)
    question = questions().get(name)
    if question is None or question.drawing is None or not values:
        return None
    drawing = question.drawing
    return draw(question.title, columns, values, drawing.mark, drawing.x, drawing.y, drawing.color, full=True)
