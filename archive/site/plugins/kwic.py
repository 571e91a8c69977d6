"""A word in context: the page `/-/kwic`, and its files with all rows."""

from __future__ import annotations

import re
import sqlite3
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request  # type: ignore[import-untyped]

from archive.export import Source
from archive.listings.concordance import MAX_TEXT_CHARACTERS, Concordance
from archive.search.index import COUNTED
from archive.search.matching import LONGEST, BadKeyword, keyword, looks_like_pattern
from archive.site.pages._rows import rows
from archive.site.sending import refused, send_file
from archive.site.serving import absolute_url, check_access, is_published, read_database, render
from archive.site.visitors.values import check_filters, why_filters_refused

ROWS_PER_PAGE = 50
_ARGUMENTS = ("q", "clinic", "match", "past", "comments")
CONTEXT = 48  # characters on each side, on the page; files have more
# "2337560549199446022-3": a row number of the index, and how many rows of that text were on the pages before.
_BEFORE = re.compile(r"(\d{1,18}|[1-8]\d{18})-(\d{1,9})", re.ASCII)


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of the page and its files."""
    return [(r"/-/kwic$", show_kwic), (r"/-/kwic\.(?P<form>csv|xlsx|json)$", send_kwic)]


def _fields(datasette: Datasette, request: Request) -> dict[str, Any]:
    """Return the fields of the form; comments are never searched on a published copy."""
    return {
        "word": (request.args.get("q") or "").strip(),
        "clinic_id": (request.args.get("clinic") or "").strip(),
        "prefix": request.args.get("match") == "prefix",
        "past": bool(request.args.get("past")),
        "comments": bool(request.args.get("comments")) and not is_published(datasette),
    }


async def show_kwic(datasette: Datasette, request: Request) -> Any:
    """Answer with a page of occurrences; `?before=` is where it begins."""
    await check_access(datasette, request)
    await check_filters(datasette, request)
    fields = _fields(datasette, request)
    why, wanted = "", None
    if fields["word"]:
        try:
            wanted = keyword(fields["word"], prefix=fields["prefix"])
        except BadKeyword as error:
            why = str(error)
    begun = _BEFORE.fullmatch(request.args.get("before") or "")

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        clinics = rows(connection, "SELECT clinic_id, name FROM clinics ORDER BY name, clinic_id")
        context: dict[str, Any] = {
            "clinics": clinics,
            "found": [],
            "following": None,
            "texts": 0,
            "times": 0,
            "is_cut": False,
        }
        if wanted is None:
            return context
        concordance = Concordance(wanted, fields["clinic_id"], fields["past"], fields["comments"])
        before = (int(begun[1]), int(begun[2])) if begun else None
        found, following, context["is_cut"] = concordance.page(connection, ROWS_PER_PAGE, before)
        context["found"] = [_shortened(dict(zip(concordance.columns, row, strict=True))) for row in found]
        context["texts"] = concordance.number_of_texts(connection, COUNTED + 1)
        # A page that has all occurrences counts them; to count more, all texts would have to be read.
        if begun is None and following is None and not context["is_cut"]:
            context["times"] = len(found)
            context["texts"] = len({row["permalink"] for row in context["found"]})
        context["following"] = f"{following[0]}-{following[1]}" if following else None
        return context

    context = await read_database(datasette, read)
    arguments = {name: value for name in _ARGUMENTS if (value := request.args.get(name))}
    return await render(
        datasette,
        request,
        "kwic.html",
        {
            **context,
            **fields,
            "names": {clinic["clinic_id"]: clinic["name"] for clinic in context["clinics"]},
            "why": why,
            "is_pattern": looks_like_pattern(fields["word"]),
            "wanted": wanted,
            "counted": COUNTED,
            "most_text": MAX_TEXT_CHARACTERS,
            "is_first": begun is None,
            "longest": LONGEST,
            "serves_copy": is_published(datasette),
            "arguments": urlencode(arguments),
        },
    )


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    """Shorten the context of a row to whole words where it has spaces, with an ellipsis where there is more."""
    left, right = row["left"], row["right"]
    if len(left) > CONTEXT:
        left = left[-CONTEXT:].partition(" ")[2] or left[-CONTEXT:]
    if len(right) > CONTEXT:
        right = right[:CONTEXT].rpartition(" ")[0] or right[:CONTEXT]
    begins = len(left) == row["position"]
    return {**row, "left": left if begins else f"…{left}", "right": right if right == row["right"] else f"{right}…"}


async def send_kwic(datasette: Datasette, request: Request) -> Any:
    """Answer with the file of all occurrences."""
    await check_access(datasette, request)
    fields = _fields(datasette, request)
    if request.args.get("comments") and is_published(datasette):
        return refused("Comments are not searched in a published copy.", 403)
    if (refusal := await why_filters_refused(datasette, request)) is not None:
        return refused(refusal, 400)
    try:
        keyword(fields["word"], prefix=fields["prefix"])
    except BadKeyword as error:
        return refused(str(error), 400)
    base = absolute_url(request, datasette.urls.path("").rstrip("/"))
    return send_file(datasette, request, Source("kwic", "", {**fields, "base": base}))
