"""Pages of tables, views and queries: their cells, the columns that they begin with, and the choice of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.utils.asgi import Request  # type: ignore[import-untyped]

from archive.site.tables.cells import Grid, grid
from archive.site.tables.columns import first_columns

# Arguments of the address that name columns by which the rows are ordered.
_SORTS = ("_sort", "_sort_desc")


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(template: str) -> dict[str, Any]:
    """Return the functions that the templates of tables and queries call."""
    if template not in ("table.html", "query.html"):
        return {}
    return {"grid_of_table": grid_of_table, "grid": grid, "shown_columns": shown_columns}


def shown_columns(request: Request, columns: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[str]:
    """Return the names of the columns that a table's page shows: those that the address chooses, or the first ones.

    `columns` are Datasette's columns for display. `_col=NAME` chooses a column, `_columns=all` every one.
    """
    names = [column["name"] for column in columns]
    if "_col" in request.args or "_nocol" in request.args or request.args.get("_columns") == "all":
        return names
    filtered = {key.split("__")[0] for key in request.args if not key.startswith("_")}
    sorted_by = {request.args.get(name) for name in _SORTS}
    wanted = {name for name in names if name in filtered | sorted_by}
    return first_columns(names, [*keys, *(name for name in ("Link", "rowid") if name in names)], wanted)


def grid_of_table(columns: Sequence[str], rows: Sequence[Any]) -> Grid:
    """Return the cells of a table's page, of the columns that it shows. A key's first cell is a link to its row."""
    cells = [[cell for cell in row if cell["column"] in columns] for row in rows]
    names = [cell["column"] for cell in cells[0]] if cells else []
    return grid(
        names, [[cell["raw"] for cell in row] for row in cells], [[cell["value"] for cell in row] for row in cells]
    )
