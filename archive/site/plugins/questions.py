"""Ready questions as Datasette's canned queries, with forms that know what is asked, and answers drawn."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.questions import questions
from archive.site.pages.chart import Chart, draw
from archive.site.serving import DATABASE, ask


@hookimpl  # type: ignore[untyped-decorator]
def canned_queries(database: str) -> dict[str, dict[str, Any]]:
    """Every question, its SQL out of sight until it is asked for."""
    if database != DATABASE:
        return {}
    return {
        one.name: {
            "sql": one.sql, "title": one.title, "description": one.description, "hide_sql": True,
            "params": list(one.parameters),
        }
        for one in questions().values()
    }  # fmt: skip


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(
    datasette: Datasette, template: str, view_name: str | None
) -> dict[str, Any] | Callable[[], Any]:
    """For the page of a question: what it asks for, the clinics to choose from, the drawing of its answer."""
    if template != "query.html":
        return {}

    async def told() -> dict[str, Any]:
        def clinics(connection: sqlite3.Connection) -> list[tuple[str, str]]:
            return [tuple(row) for row in connection.execute("SELECT clinic_id, name FROM clinics ORDER BY name, 1")]

        return {"questions": questions(), "clinics": await ask(datasette, clinics), "drawing_of": drawing_of}

    return told


def drawing_of(name: str | None, columns: list[str], rows: list[Any]) -> Chart | None:
    """The chart of a question's answer, where it has one."""
    question = questions().get(name or "")
    if question is None or question.drawing is None or not rows:
        return None
    how = question.drawing
    values = [tuple(row) for row in rows]
    return draw(question.title, columns, values, how.mark, how.x, how.y, how.color)
