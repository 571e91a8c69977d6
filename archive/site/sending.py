"""Files as answers: every row of a table, question, query or listing, made in a process of the request's own."""

from __future__ import annotations

from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request, Response  # type: ignore[import-untyped]

from archive.export import EXCEL_RULE, FORMATS, Source
from archive.site.pages._rows import Row
from archive.site.pages.feed import atom_feed
from archive.site.serving import DOWNLOAD_TIMEOUT, Stream, absolute_url, database_file
from archive.site.visitors.limits import AnswerTooLarge
from archive.site.visitors.queries import WORKER

_TOO_SLOW = "the query gave no row within the time of a page's query; select or sort fewer rows"
_JSON = "application/json; charset=utf-8"


def send_file(datasette: Datasette, request: Request, source: Source) -> Stream:
    """Return the file of a source; its form is that of the address: csv, xlsx or json, and `?_excel=on` of CSV."""
    suffix = request.url_vars["form"]
    excel = suffix == "csv" and bool(request.args.get("_excel"))
    form = "excel-csv" if excel else suffix
    media_type = _JSON if form == "json" else FORMATS[form].media_type
    ending = ".json" if form == "json" else FORMATS[form].suffix
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{source.name}{ending}"',
    }
    if excel:
        headers["X-Archive-Altered"] = EXCEL_RULE

    def refuse(error: Exception) -> Response:
        if isinstance(error, AnswerTooLarge):
            return refused(str(error), 413)
        return refused(f"{source.name}: {_TOO_SLOW if str(error) == 'interrupted' else error}", 400)

    worker = WORKER.get()
    assert worker is not None  # `archive.site.visitors.door` gives one to each request for a file
    seconds = datasette.sql_time_limit_ms / 1000
    path = database_file(datasette)
    blocks = worker.file(path, form, source, seconds=seconds, file_seconds=DOWNLOAD_TIMEOUT)
    return Stream(blocks, headers, request, refuse)


def send_feed(datasette: Datasette, request: Request, title: str, entries: list[Row]) -> Response:
    """Return an Atom feed of entries as `archive.site.pages.feed` reads them."""
    home_url = absolute_url(request, datasette.urls.path("").rstrip("/"))
    feed_url = absolute_url(request, request.full_path)
    body = atom_feed(f"{title}: {datasette.metadata('title')}", home_url, feed_url, entries)
    return Response(body=body, status=200, headers={}, content_type="application/atom+xml; charset=utf-8")


def refused(why: str, status: int) -> Response:
    """Return the answer that says why there is no file."""
    return Response.text(f"{why}\n", status=status)
