"""The page for SQL of one's own: tables and columns beside the text, examples, and errors in words beside it too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Base400, Request, Response  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]
from markupsafe import Markup

from archive.site.serving import DATABASE, check_access
from archive.site.tables.schema import EXAMPLES, Described, described, in_words

TOO_SLOW = Markup(
    "The query took longer than a page may take. Narrow it down (one clinic, a shorter period), or download the file:"
    " with <code>.csv</code> after the address it may take up to 15 minutes."
)


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the route of the page on which nothing is typed yet."""
    return [(r"/-/sql$", show_sql)]


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(datasette: Datasette, template: str) -> dict[str, Any]:
    """Return, for pages of queries and the list of tables, what the archive holds, and the examples."""
    if template not in ("query.html", "database.html"):
        return {}
    views, stored = _described(datasette)
    return {
        "described_views": views,
        "described_tables": stored,
        "examples": EXAMPLES,
        "in_words": lambda error: in_words(str(error), views, stored),
    }


def _described(datasette: Datasette) -> tuple[list[Described], list[Described]]:
    return described(datasette.metadata("tables", database=DATABASE, fallback=False) or {})


async def show_sql(datasette: Datasette, request: Request) -> Response:
    """Answer with the empty form."""
    await check_access(datasette, request)
    return await _page(datasette, request, "", None, 200)


@hookimpl  # type: ignore[untyped-decorator]
def handle_exception(
    datasette: Datasette, request: Request, exception: Exception
) -> Callable[[], Awaitable[Response]] | None:
    """Answer SQL that Datasette refuses with the form that it was typed in. None leaves other errors to Datasette."""
    sql = request.args.get("sql")
    path = datasette.urls.path(f"/{DATABASE}")
    if not sql or request.path.rstrip("/") != path or not isinstance(exception, Base400 | DatasetteError):
        return None
    message = str(getattr(exception, "message", None) or exception.args[0])
    # Datasette's own message about a query that took too long is HTML that contains a script.
    error = TOO_SLOW if "sql_time_limit_ms" in message else message

    async def answer() -> Response:
        return await _page(datasette, request, sql, error, exception.status)

    return answer


async def _page(datasette: Datasette, request: Request, sql: str, error: str | None, status: int) -> Response:
    context = {
        "database": DATABASE,
        "canned_query": None,
        "query": {"sql": sql, "params": {}},
        "editable": True,
        "allow_execute_sql": await datasette.permission_allowed(request.actor, "execute-sql", DATABASE, default=True),
        "hide_sql": False,
        "named_parameter_values": {},
        "metadata": {},
        "columns": [],
        "rows": [],
        "display_rows": [],
        "error": error,
        "is_empty": not sql,
    }
    return Response.html(await datasette.render_template("query.html", context, request=request), status=status)
