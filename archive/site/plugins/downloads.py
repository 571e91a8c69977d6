"""`/archive/NAME.csv`, `/archive/NAME.xlsx`, `/archive.csv?sql=`: files of every row; Datasette's own are truncated.

`?_excel=on` gives a CSV file that is safe to open in a spreadsheet. Filters, sorting and search of a table's page apply
to its file too.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import InvalidSql, tilde_decode, validate_sql_select  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]

from archive.export import Source
from archive.site.sending import refused, send_file
from archive.site.serving import DATABASE, check_access
from archive.site.visitors.queries import DESCRIBED_ONLY
from archive.site.visitors.values import why_refused

# Parameters of the address that set the form of the file or page, not its rows.
_FORM_PARAMETERS = {
    "_dl",
    "_excel",
    "_facet",
    "_facet_size",
    "_format",
    "_hide_sql",
    "_labels",
    "_next",
    "_nl",
    "_shape",
    "_show_sql",
    "_size",
    "_stream",
    "_trace",
    "_ttl",
}


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of files of tables, views, questions and typed SQL."""
    return [
        (rf"/{DATABASE}/(?P<name>[^/]+)\.(?P<form>csv|xlsx)$", file_by_name),
        (rf"/{DATABASE}\.(?P<form>csv|xlsx)$", file_of_sql),
    ]


async def file_by_name(datasette: Datasette, request: Request) -> Any:
    """Answer with the file of a table, a view or a question."""
    await check_access(datasette, request)
    name = tilde_decode(request.url_vars["name"])
    question = await datasette.get_canned_query(DATABASE, name, request.actor)
    if question is not None:
        await datasette.ensure_permissions(request.actor, [("view-query", (DATABASE, name))])
        if (why := await why_refused(datasette, request, name)) is not None:
            return refused(why, 400)
        return send_file(datasette, request, Source(name, question["sql"], _parameters(request, question["sql"])))
    database = datasette.get_database(DATABASE)
    if name not in {*await database.table_names(), *await database.view_names()}:
        raise NotFound(f"No table, view or question {name!r}: /{DATABASE} lists them all")
    sql, values = await _table_sql(datasette, request, name)
    if isinstance(sql, Response):
        return sql
    return send_file(
        datasette, request, Source(name, await _with_labels(datasette, request, name, sql, values), values)
    )


async def file_of_sql(datasette: Datasette, request: Request) -> Any:
    """Answer with the file of a SELECT that the visitor typed."""
    await check_access(datasette, request)
    await datasette.ensure_permissions(request.actor, [("execute-sql", DATABASE)])
    sql = request.args.get("sql")
    if not sql:
        return refused(f"No SQL given; write /{DATABASE}.csv?sql=SELECT ...", 400)
    try:
        validate_sql_select(sql)
    except InvalidSql as error:
        return refused(str(error), 400)
    return send_file(datasette, request, Source("query", sql, _parameters(request, sql)))


def _parameters(request: Request, sql: str) -> dict[str, str]:
    """Return a query's parameters from the address; a missing one is empty, as an empty field of a form is."""
    names = set(re.findall(r"(?<![:\w]):([A-Za-z_]\w*)", sql))
    return {name: request.args.get(name) or "" for name in names}


async def _table_sql(datasette: Datasette, request: Request, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the SQL and values that Datasette makes of a table's address: its filters and order, without its limit.

    In place of the SQL it returns a `Response` if Datasette refuses the address.
    """
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    filters = [(key, value) for key, value in pairs if key not in _FORM_PARAMETERS]
    query = urlencode([*filters, ("_size", "1"), ("_nofacet", "1"), ("_nocount", "1"), ("_shape", "objects")])
    headers = {"cookie": request.headers["cookie"]} if "cookie" in request.headers else {}
    path = request.path.rsplit(".", 1)[0].removeprefix(datasette.setting("base_url").rstrip("/"))
    token = DESCRIBED_ONLY.set(True)
    try:
        answer = await datasette.client.get(f"{path}.json?{query}", headers=headers)
    finally:
        DESCRIBED_ONLY.reset(token)
    data = json.loads(answer.text) if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code != 200 or "query" not in data:
        return refused(data.get("error") or f"{name} could not be read", answer.status_code), {}
    sql, _, _ = data["query"]["sql"].rpartition(" limit ")  # Datasette ends each page's SQL so: " limit 2"
    if not any(request.args.get(name) for name in ("_sort", "_sort_desc", "_size")) and not data["is_view"]:
        sql = _without_order(sql)
    size = request.args.get("_size") or ""
    limit = f" limit {size}" if size.isascii() and size.isdigit() else ""
    return sql + limit, data["query"]["params"]


def _without_order(sql: str) -> str:
    """Leave out Datasette's default order of a table, which halves the time of a file: "... order by post_id"."""
    before, _, order = sql.rpartition(" order by ")
    # A parenthesis or quote: the last order is that of a subquery or the words of a text.
    return sql if not before or set(order) & set("()'\"") else before


async def _with_labels(datasette: Datasette, request: Request, name: str, sql: str, values: dict[str, Any]) -> str:
    """Add, if the request has `_labels=on`, the label of each foreign key's row as a column `KEY_label`."""
    if not request.args.get("_labels"):
        return sql
    database = datasette.get_database(DATABASE)
    labels = {}
    for key in await database.foreign_keys_for_table(name):
        label = await database.label_column_for_table(key["other_table"])
        if label:
            labels[key["column"]] = (key["other_table"], key["other_column"], label)
    selected = []
    for column in (await database.execute(f"SELECT * FROM ({sql}) LIMIT 0", values)).columns:
        selected.append(f"labelled.[{column}]")
        if column in labels:
            table, other, label = labels[column]
            selected.append(
                f"(SELECT o.[{label}] FROM [{table}] AS o WHERE o.[{other}] = labelled.[{column}]) AS [{column}_label]"
            )
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS labelled"
