"""A page for each capture: request and answer, hash, the rows read from it, and its WARC record as a download."""

from __future__ import annotations

import asyncio
import gzip
import os
import shlex
import sqlite3
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import tilde_encode  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]
from markupsafe import Markup

from archive.public import withheld
from archive.reports.record import RecordView, view
from archive.site.pages._rows import row as first_row
from archive.site.pages._rows import value
from archive.site.serving import DATABASE, archive_folder, read_database
from archive.warc import BadRecord, members

# Set by `clinic-archive serve --with-comment-captures`.
WITH_COMMENTS = "CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES"
CLOSED = (
    "This record contains, or may contain, comments and the names of their authors: it is not part of this public copy,"
    " and its address is cut to its host."
)
CAPTURE_COLUMNS = (
    "capture_id",
    "first_capture_id",
    "last_capture_id",
    "old_capture_id",
    "refers_to",
    "robots_capture_id",
)
# `warcio extract --payload` undoes the content coding, while `payload_sha256` is of the body before that: without the
# header, only chunks of the transfer are joined.
_HASH = """
import hashlib, sys
from warcio.archiveiterator import ArchiveIterator
with open(sys.argv[1], "rb") as file:
    file.seek(int(sys.argv[2]))
    record = next(iter(ArchiveIterator(file)))
    if record.http_headers:
        record.http_headers.remove_header("Content-Encoding")
    print(hashlib.sha256(record.content_stream().read()).hexdigest())
"""
# Table and column of the rows that name a capture.
REFERENCES = (
    ("revisions", "capture_id"),
    ("readings", "capture_id"),
    ("sightings", "capture_id"),
    ("comments", "capture_id"),
    ("absences", "capture_id"),
    ("problems", "capture_id"),
    ("captures", "refers_to"),
)


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of a capture's page and of its record as a file."""
    return [
        (r"/-/capture/(?P<capture_id>[^/]+)$", page),
        (r"/-/capture/(?P<capture_id>[^/]+)/record\.warc\.gz$", record),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(row: Any, value: object, column: str, table: str | None, database: str, datasette: Datasette) -> Any:
    """Return a capture's id as a link to its page, and a post's `revision_id` as links to the revision and its capture.

    None leaves the cell to Datasette.
    """
    if value is None or database != DATABASE:
        return None
    key, label = (value["value"], value["label"]) if isinstance(value, dict) else (value, None)
    if column in CAPTURE_COLUMNS:
        return link(datasette, str(key), label)
    if table == "posts" and column == "revision_id":
        return _revision(datasette, key)
    return None


def link(datasette: Datasette, capture_id: str, label: str | None = None) -> Markup:
    """Return a link to the capture's page, labelled with its date if that is known, else with the start of its id."""
    path = datasette.urls.path(f"/-/capture/{tilde_encode(capture_id)}")
    text = label[:19].replace("T", " ") if label else f"{capture_id[:8]}…"
    return Markup('<a href="{}" title="the record of capture {}">{}</a>').format(path, capture_id, text)


async def _revision(datasette: Datasette, revision_id: object) -> Markup:
    found = await datasette.get_database(DATABASE).execute(
        "SELECT capture_id FROM revisions WHERE revision_id = ?", [revision_id]
    )
    path = datasette.urls.row(DATABASE, "revisions", str(revision_id))
    revision = Markup('<a href="{}">{}</a>').format(path, revision_id)
    first = found.first()
    return revision + Markup(", record ") + link(datasette, first[0]) if first else revision


async def page(datasette: Datasette, request: Request) -> Response:
    """Answer with the page of one capture."""
    capture = await _capture(datasette, request)
    if withdrawn := await _withdrawn(datasette, capture):
        return withdrawn
    original = await _row(datasette, capture["refers_to"]) if capture["refers_to"] else None
    is_closed = await _is_closed(datasette, capture, original)
    content = RecordView() if is_closed else await asyncio.to_thread(view, archive_folder(datasette), capture)
    html = await datasette.render_template(
        "capture.html",
        {
            "capture": capture,
            "content": content,
            "agrees": bool(content.digest) and content.digest == capture["payload_sha256"],
            "original": original,
            "original_link": link(datasette, capture["refers_to"]) if capture["refers_to"] else None,
            "row": datasette.urls.row(DATABASE, "captures", tilde_encode(capture["capture_id"])),
            "record": datasette.urls.path(f"/-/capture/{capture['capture_id']}/record.warc.gz"),
            "downloadable": not is_closed and _is_downloadable(capture, original),
            "closed": CLOSED if is_closed else None,
            "references": await _references(datasette, capture["capture_id"]),
            "recipe": _recipe(original or capture),
            "allowed": f"{datasette.urls.database(DATABASE)}/what_allowed_this_fetch?capture={capture['capture_id']}",
            "private": DATABASE,
        },
        request=request,
    )
    return Response.html(html)


async def record(datasette: Datasette, request: Request) -> Response:
    """Answer with the record of one capture, its bytes as they are in the archive: response, then request."""
    capture = await _capture(datasette, request)
    if withdrawn := await _withdrawn(datasette, capture):
        return withdrawn
    original = await _row(datasette, capture["refers_to"]) if capture["refers_to"] else None
    if await _is_closed(datasette, capture, original):
        return Response.text(f"{CLOSED}\n", status=403)
    if not _is_downloadable(capture, original):
        return Response.text(
            "This record contains, or may contain, comments and the names of their authors, so it cannot be downloaded"
            " here. `clinic-archive serve --with-comment-captures` on the archive's own machine allows it.\n",
            status=403,
        )
    try:
        parts = await asyncio.to_thread(
            lambda: list(members(archive_folder(datasette), capture["warc_file"], capture["warc_offset"]))
        )
    except (BadRecord, OSError, ValueError) as error:
        why = error.why if isinstance(error, BadRecord) else getattr(error, "strerror", None) or str(error)
        return Response.text(
            f"The record cannot be read: {why}. Run `clinic-archive verify` for details.\n", status=404
        )
    body = b"".join(part if part.startswith(b"\x1f\x8b") else gzip.compress(part, mtime=0) for part in parts)
    day = capture["fetched_at"][:19].translate({ord(character): None for character in "-:T"})
    name = f"{capture['clinic_id']}-{day}-{capture['capture_id'][:8]}.warc.gz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(body=body, status=200, headers=headers, content_type="application/warc")


async def _withdrawn(datasette: Datasette, capture: dict[str, Any]) -> Response | None:
    """Return the answer for a capture whose record, or the one it refers to, holds something that was withdrawn."""
    original = await _row(datasette, capture["refers_to"]) if capture["refers_to"] else None
    if not capture["withdrawn"] and not (original and original["withdrawn"]):
        return None
    return Response.text(
        "This record holds something that was withdrawn on request. It is not given out.\n", status=410
    )


async def _is_closed(datasette: Datasette, capture: dict[str, Any], original: dict[str, Any] | None) -> bool:
    """Whether this is a public copy, and the record or the one it refers to may hold comments: it is never given."""
    if _holds_no_comments(capture, original):
        return False
    return await read_database(datasette, withheld) is not None


def _holds_no_comments(capture: dict[str, Any], original: dict[str, Any] | None) -> bool:
    return capture["holds_comments"] == 0 and (original is None or original["holds_comments"] == 0)


def _is_downloadable(capture: dict[str, Any], original: dict[str, Any] | None) -> bool:
    """Whether the record and the one it refers to hold no comments, or the server was started to show them."""
    if os.environ.get(WITH_COMMENTS):
        return True
    return _holds_no_comments(capture, original)


async def _capture(datasette: Datasette, request: Request) -> dict[str, Any]:
    """Return the requested row of `captures`. Raises `Forbidden`, `NotFound`."""
    await datasette.ensure_permissions(
        request.actor, [("view-table", (DATABASE, "captures")), ("view-database", DATABASE), "view-instance"]
    )
    capture_id = request.url_vars["capture_id"]
    found = await _row(datasette, capture_id)
    if found is None:
        raise NotFound(f"No capture {capture_id} in this archive; /archive/captures lists all captures")
    return found


async def _row(datasette: Datasette, capture_id: str) -> dict[str, Any] | None:
    sql = "SELECT * FROM captures WHERE capture_id = ?"
    return await read_database(datasette, lambda connection: first_row(connection, sql, [capture_id]))


async def _references(datasette: Datasette, capture_id: str) -> list[tuple[str, int, str]]:
    """Return the rows that name the capture: a label, the number of rows, the URL of their list."""

    def count(connection: sqlite3.Connection) -> list[int]:
        sql = "SELECT count(*) FROM {} WHERE {} = ?"
        return [value(connection, sql.format(table, column), [capture_id]) for table, column in REFERENCES]

    references = []
    for (table, column), number in zip(REFERENCES, await read_database(datasette, count), strict=True):
        if number:
            url = f"{datasette.urls.table(DATABASE, table)}?{column}={tilde_encode(capture_id)}"
            label = table.removesuffix("s") if number == 1 else table
            if column == "refers_to":
                label += " that refers to it" if number == 1 else " that refer to it"
            references.append((label, number, url))
    return references


def _recipe(capture: dict[str, Any]) -> str:
    """Return a shell command that computes the hash of the body, as it was served, with tools that are not ours."""
    return f"python -c '{_HASH}' {shlex.quote(capture['warc_file'])} {capture['warc_offset']}"
