"""A page for each capture: what was asked and answered, the hash, what stands on it, and the record to take away."""

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

from archive.reports.record import view
from archive.site.pages._rows import row as first_row
from archive.site.pages._rows import value
from archive.site.serving import DATABASE, ask, folder
from archive.warc import BadRecord, members

# Set by `clinic-archive serve --with-comment-captures`.
WITH_COMMENTS = "CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES"
NAMES = ("capture_id", "first_capture_id", "last_capture_id", "old_capture_id", "refers_to")
STANDING = (
    ("revisions", "capture_id"), ("readings", "capture_id"), ("sightings", "capture_id"), ("comments", "capture_id"),
    ("absences", "capture_id"), ("problems", "capture_id"), ("captures", "refers_to"),
)  # fmt: skip


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """The page of a capture, and its record as a file."""
    return [
        (r"/-/capture/(?P<capture_id>[^/]+)$", page),
        (r"/-/capture/(?P<capture_id>[^/]+)/record\.warc\.gz$", record),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(row: Any, value: object, column: str, table: str | None, database: str, datasette: Datasette) -> Any:
    """A capture's id leads to its page; the text that a post shows leads to its revision and on to the record."""
    if value is None or database != DATABASE:
        return None
    key, label = (value["value"], value["label"]) if isinstance(value, dict) else (value, None)
    if column in NAMES:
        return link(datasette, str(key), label)
    if table == "posts" and column == "revision_id":
        return _revision(datasette, key)
    return None


def link(datasette: Datasette, capture_id: str, label: str | None = None) -> Markup:
    """The capture's page, by its date where that is known, else by the start of its id: enough to tell it by eye."""
    place = datasette.urls.path(f"/-/capture/{tilde_encode(capture_id)}")
    shown = label[:19].replace("T", " ") if label else f"{capture_id[:8]}…"
    return Markup('<a href="{}" title="the record of capture {}">{}</a>').format(place, capture_id, shown)


async def _revision(datasette: Datasette, revision_id: object) -> Markup:
    found = await datasette.get_database(DATABASE).execute(
        "SELECT capture_id FROM revisions WHERE revision_id = ?", [revision_id]
    )
    place = datasette.urls.row(DATABASE, "revisions", str(revision_id))
    revision = Markup('<a href="{}">{}</a>').format(place, revision_id)
    first = found.first()
    return revision + Markup(", record ") + link(datasette, first[0]) if first else revision


async def page(datasette: Datasette, request: Request) -> Response:
    """The page of one capture."""
    capture = await _capture(datasette, request)
    shown = await asyncio.to_thread(view, folder(datasette), capture)
    original = await _row(datasette, capture["refers_to"]) if capture["refers_to"] else None
    agrees = bool(shown.digest) and shown.digest == capture["payload_sha256"]
    html = await datasette.render_template(
        "capture.html",
        {
            "capture": capture, "shown": shown, "agrees": agrees, "original": original,
            "original_link": link(datasette, capture["refers_to"]) if capture["refers_to"] else None,
            "row": datasette.urls.row(DATABASE, "captures", tilde_encode(capture["capture_id"])),
            "record": datasette.urls.path(f"/-/capture/{capture['capture_id']}/record.warc.gz"),
            "given_out": _given_out(capture, original), "standing": await _standing(datasette, capture["capture_id"]),
            "recipe": _recipe(original or capture), "private": DATABASE,
        },
        request=request,
    )  # fmt: skip
    return Response.html(html)


async def record(datasette: Datasette, request: Request) -> Response:
    """The record of one capture, its bytes as they lie in the archive: answer, then request."""
    capture = await _capture(datasette, request)
    original = await _row(datasette, capture["refers_to"]) if capture["refers_to"] else None
    if not _given_out(capture, original):
        return Response.text(
            "This record holds, or may hold, comments and the names of who wrote them; it is not given out here."
            " `clinic-archive serve --with-comment-captures` on the archive's own machine gives it.\n",
            status=403,
        )
    try:
        parts = await asyncio.to_thread(
            lambda: list(members(folder(datasette), capture["warc_file"], capture["warc_offset"]))
        )
    except (BadRecord, OSError, ValueError) as error:
        why = error.why if isinstance(error, BadRecord) else getattr(error, "strerror", None) or str(error)
        return Response.text(f"The record cannot be read: {why}; `clinic-archive verify` tells more.\n", status=404)
    body = b"".join(part if part.startswith(b"\x1f\x8b") else gzip.compress(part, mtime=0) for part in parts)
    day = capture["fetched_at"][:19].translate({ord(one): None for one in "-:T"})
    name = f"{capture['clinic_id']}-{day}-{capture['capture_id'][:8]}.warc.gz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(body=body, status=200, headers=headers, content_type="application/warc")


def _given_out(capture: dict[str, Any], original: dict[str, Any] | None) -> bool:
    """Nobody's comment is in it, or those who look may see them."""
    if os.environ.get(WITH_COMMENTS):
        return True
    return all(one is None or one["holds_comments"] == 0 for one in (capture, original))


async def _capture(datasette: Datasette, request: Request) -> dict[str, Any]:
    """The row that is asked for, where the visitor may see it. Raises `Forbidden`, `NotFound`."""
    await datasette.ensure_permissions(
        request.actor, [("view-table", (DATABASE, "captures")), ("view-database", DATABASE), "view-instance"]
    )
    capture_id = request.url_vars["capture_id"]
    found = await _row(datasette, capture_id)
    if found is None:
        raise NotFound(f"No capture {capture_id} in this archive; /archive/captures lists all that there are")
    return found


async def _row(datasette: Datasette, capture_id: str) -> dict[str, Any] | None:
    sql = "SELECT * FROM captures WHERE capture_id = ?"
    return await ask(datasette, lambda connection: first_row(connection, sql, [capture_id]))


async def _standing(datasette: Datasette, capture_id: str) -> list[tuple[str, int, str]]:
    """What stands on the capture: table, number of rows, where they are shown."""

    def count(connection: sqlite3.Connection) -> list[int]:
        sql = "SELECT count(*) FROM {} WHERE {} = ?"
        return [value(connection, sql.format(*one), [capture_id]) for one in STANDING]

    told = []
    for (table, column), number in zip(STANDING, await ask(datasette, count), strict=True):
        if number:
            place = f"{datasette.urls.table(DATABASE, table)}?{column}={tilde_encode(capture_id)}"
            rows = table.removesuffix("s") if number == 1 else table
            told.append(
                (f"{rows} that refer{'s' * (number == 1)} to it" if column == "refers_to" else rows, number, place)
            )
    return told


def _recipe(capture: dict[str, Any]) -> str:
    """How anybody checks the hash with tools of others."""
    name, offset = shlex.quote(capture["warc_file"]), capture["warc_offset"]
    return f"warcio extract --payload {name} {offset} | sha256sum"
