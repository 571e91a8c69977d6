"""`/archive/NAME.csv`, `/archive/NAME.xlsx` and `/archive.csv?sql=`: every row, in place of Datasette's own, which cut.

`?_excel=on` gives the CSV that is safe in a spreadsheet. Filters, sorting and search of a table's page hold for
its file.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import InvalidSql, escape_fts, tilde_decode, validate_sql_select  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]

from archive.export import EXCEL_RULE, FORMATS, Source, TooManyRows, csv_blocks, write
from archive.site.serving import DATABASE, LONGEST, Stream, allowed, database_file

# Sheets that are made at a time, each at the price of a core; others wait for their turn.
_TURN = asyncio.Semaphore(2)
# How a file is wished, not what it holds.
_ABOUT_THE_FILE = {"_dl", "_stream", "_excel", "_labels", "_next", "_shape", "_format", "_nl", "_facet", "_facet_size",
                   "_trace", "_hide_sql", "_show_sql", "_ttl", "_size"}  # fmt: skip
# "select ... limit 51", as Datasette writes it for a page of a table
_LIMIT = re.compile(r"\s+limit\s+\d+\s*$", re.IGNORECASE)


# The order that Datasette gives a table unasked: the whole of it comes as it lies there, half as dear as in an order.
_ORDER = re.compile(r"\s+order by (?:(?!\border by\b).)*$", re.IGNORECASE | re.DOTALL)


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Files of tables, views, questions and typed SQL."""
    return [
        (rf"/{DATABASE}/(?P<name>[^/]+)\.(?P<form>csv|xlsx)$", named),
        (rf"/{DATABASE}\.(?P<form>csv|xlsx)$", typed),
    ]


async def named(datasette: Datasette, request: Request) -> Any:
    """A table, a view or a question."""
    await allowed(datasette, request)
    name = tilde_decode(request.url_vars["name"])
    question = await datasette.get_canned_query(DATABASE, name, request.actor)
    if question is not None:
        await datasette.ensure_permissions(request.actor, [("view-query", (DATABASE, name))])
        return await _file(datasette, request, Source(name, question["sql"], _asked(request, question["sql"])))
    database = datasette.get_database(DATABASE)
    if name not in {*await database.table_names(), *await database.view_names()}:
        raise NotFound(f"No table, view or question {name!r}: /{DATABASE} lists all that there are")
    sql, values = await _of_table(datasette, request, name)
    if isinstance(sql, Response):
        return sql
    return await _file(datasette, request, Source(name, await _labelled(datasette, request, name, sql, values), values))


async def typed(datasette: Datasette, request: Request) -> Any:
    """SQL that a visitor typed: a SELECT, as on the page."""
    await allowed(datasette, request)
    await datasette.ensure_permissions(request.actor, [("execute-sql", DATABASE)])
    sql = request.args.get("sql")
    if not sql:
        return _refused(f"Say which: /{DATABASE}.csv?sql=SELECT ...", 400)
    try:
        validate_sql_select(sql)
    except InvalidSql as error:
        return _refused(str(error), 400)
    return await _file(datasette, request, Source("query", sql, _asked(request, sql)))


def _asked(request: Request, sql: str) -> dict[str, str]:
    """A query's parameters from the address; one that is not there is empty, as a form's empty field is."""
    names = set(re.findall(r"(?<![:\w]):([A-Za-z_]\w*)", sql))
    return {name: request.args.get(name) or "" for name in names}


async def _of_table(datasette: Datasette, request: Request, name: str) -> tuple[Any, dict[str, Any]]:
    """The SQL that Datasette makes of a table's address, its filters and its order, without its limit."""
    kept = [pair for pair in parse_qsl(request.query_string, keep_blank_values=True) if pair[0] not in _ABOUT_THE_FILE]
    query = urlencode([*kept, ("_size", "1"), ("_nofacet", "1"), ("_nocount", "1"), ("_shape", "objects")])
    headers = {"cookie": request.headers["cookie"]} if "cookie" in request.headers else {}
    path = request.path.rsplit(".", 1)[0].removeprefix(datasette.setting("base_url").rstrip("/"))
    answer = await datasette.client.get(f"{path}.json?{query}", headers=headers)
    told = json.loads(answer.text) if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code != 200 or "query" not in told:
        return _refused(told.get("error") or f"{name} could not be read", answer.status_code), {}
    sql = _LIMIT.sub("", told["query"]["sql"])
    if not any(request.args.get(name) for name in ("_sort", "_sort_desc", "_size")) and not told["is_view"]:
        sql = _ORDER.sub("", sql)
    size = request.args.get("_size") or ""
    limit = f" limit {size}" if size.isascii() and size.isdigit() else ""
    return sql + limit, told["query"]["params"]


async def _labelled(datasette: Datasette, request: Request, name: str, sql: str, values: dict[str, Any]) -> str:
    """With `_labels=on`, beside each key the name of the row that it means, as `KEY_label`."""
    if not request.args.get("_labels"):
        return sql
    database = datasette.get_database(DATABASE)
    labels = {}
    for key in await database.foreign_keys_for_table(name):
        label = await database.label_column_for_table(key["other_table"])
        if label:
            labels[key["column"]] = (key["other_table"], key["other_column"], label)
    chosen = []
    for column in (await database.execute(f"SELECT * FROM ({sql}) LIMIT 0", values)).columns:
        chosen.append(f"labelled.[{column}]")
        if column in labels:
            table, other, label = labels[column]
            chosen.append(
                f"(SELECT o.[{label}] FROM [{table}] AS o WHERE o.[{other}] = labelled.[{column}]) AS [{column}_label]"
            )
    return f"SELECT {', '.join(chosen)} FROM ({sql}) AS labelled"


async def _file(datasette: Datasette, request: Request, source: Source) -> Any:
    excel = bool(request.args.get("_excel"))
    form = FORMATS["xlsx" if request.url_vars["form"] == "xlsx" else "excel-csv" if excel else "csv"]
    headers = {
        "Content-Type": form.media_type,
        "Content-Disposition": f'attachment; filename="{source.name}{form.suffix}"',
        "Cache-Control": "no-cache",
    }
    path = database_file(datasette)
    if form.suffix == ".xlsx":
        return await _sheet(path, source, headers)
    if excel:
        headers["X-Archive-Altered"] = EXCEL_RULE
    abandoned = threading.Event()

    def refuse(error: sqlite3.Error) -> Response:
        return _refused(f"{source.name}: {error}", 400)

    return Stream(_blocks(path, source, abandoned, excel=excel), headers, request, refuse, abandoned)


def _blocks(path: Path, source: Source, abandoned: threading.Event, *, excel: bool) -> Generator[bytes]:
    connection = _connect(path, abandoned)
    try:
        yield from csv_blocks(connection, source, excel=excel)
    finally:
        connection.close()


async def _sheet(path: Path, source: Source, headers: dict[str, str]) -> Response:
    def make() -> bytes:
        connection = _connect(path, threading.Event())
        try:
            with tempfile.TemporaryDirectory() as aside:
                return write(Path(aside) / "sheet.xlsx", connection, source, FORMATS["xlsx"]).path.read_bytes()
        finally:
            connection.close()

    async with _TURN:
        try:
            body = await asyncio.to_thread(make)
        except TooManyRows as error:
            return _refused(str(error), 413)
        except sqlite3.Error as error:
            return _refused(f"{source.name}: {error}", 400)
    return Response(body=body, status=200, headers=headers, content_type=headers["Content-Type"])


def _connect(path: Path, abandoned: threading.Event) -> sqlite3.Connection:
    """A connection of its own, which only reads, and only for a time or until nobody waits for it any more."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=30)
    connection.create_function("escape_fts", 1, escape_fts)  # in the SQL of a table that is searched
    end = time.monotonic() + LONGEST  # a query that never ends must not hold the machine
    connection.set_progress_handler(lambda: abandoned.is_set() or time.monotonic() > end, 100_000)
    return connection


def _refused(why: str, status: int) -> Response:
    return Response.text(f"{why}\n", status=status)
