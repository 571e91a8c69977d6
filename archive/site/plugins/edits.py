"""Edits: the page `/-/edits` with the words that went and came, and its files with both texts."""

from __future__ import annotations

import re
import sqlite3
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.derived.store import Progress, progress
from archive.export import Source, known_values
from archive.listings.edits import KINDS, PLACES, Edits
from archive.search.index import COUNTED
from archive.site.pages import feed
from archive.site.pages._rows import Row, rows, value
from archive.site.sending import refused, send_feed, send_file
from archive.site.serving import absolute_url, check_access, read_cached, read_database, render
from archive.site.visitors.values import check_filters, why_filters_refused

EDITS_PER_PAGE = 25
MAX_ATTRIBUTES = 200  # values of attributes that the form offers
SHOWN_CHARACTERS = 400  # of what was removed or added; the comparison has all
_ARGUMENTS = ("q", "in", "clinic", "attribute", "from", "to", "kind")
PLACE_WORDS = {
    "changed": "in the words removed or added",
    "removed": "in the words removed",
    "added": "in the words added",
    "text": "in the old or new text",
}


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of the page and its files."""
    return [
        (r"/-/edits$", show_edits),
        (r"/-/edits\.(?P<form>csv|xlsx|json)$", send_edits),
        (r"/-/edits\.atom$", send_edits_feed),
    ]


def _fields(request: Request) -> tuple[dict[str, str], list[str]]:
    """Return the filters of the address, and what in it is not understood, each in a sentence."""
    given = {name: (request.args.get(name) or "").strip() for name in _ARGUMENTS}
    why = []
    for name, known in (("kind", KINDS), ("in", PLACES)):
        if given[name] and given[name] not in known:
            why.append(f"{name} = {given[name][:80]!r}: not one of {', '.join(known)}")
    fields = {
        "topic": given["q"],
        "place": given["in"] or "changed",
        "clinic_id": given["clinic"],
        "attribute": given["attribute"],
        "since": given["from"],
        "until": given["to"],
        "kind": given["kind"],
    }
    return fields, why


def _state(connection: sqlite3.Connection) -> tuple[int, Progress]:
    """Return the number of edits, and how much of the archive is derived. Raises `sqlite3.Error`."""
    return value(connection, "SELECT count(*) FROM cache_edits"), progress(connection)


async def show_edits(datasette: Datasette, request: Request) -> Any:
    """Answer with a page of edits; `?before=` is the number of the last edit of the page before."""
    await check_access(datasette, request)
    await check_filters(datasette, request)
    fields, why = _fields(request)
    if why:
        raise DatasetteError("; ".join(why), title="A value that is not allowed", status=400)
    text = request.args.get("before") or ""
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    arguments = {name: value for name in _ARGUMENTS if (value := request.args.get(name))}
    is_filtered = bool(arguments.keys() - {"in"})

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        found, following = Edits(**fields).page(connection, EDITS_PER_PAGE, before)
        return {
            "edits": found,
            "matching": Edits(**fields).number(connection, COUNTED + 1) if is_filtered else 0,
            "following": following,
            "clinics": rows(connection, "SELECT clinic_id, name FROM clinics ORDER BY name, clinic_id"),
            "attributes": rows(
                connection,
                "SELECT DISTINCT name, value FROM clinic_attributes WHERE value IS NOT NULL ORDER BY name, value LIMIT"
                f" {MAX_ATTRIBUTES}",
            ),
        }

    context = await read_database(datasette, read)
    number, state = (await read_cached(datasette, "edits", _state))[0]
    prefixes = _prefixes(fields["topic"])
    return await render(
        datasette,
        request,
        "edits.html",
        {
            **context,
            **fields,
            "number": number,
            "state": state,
            "kinds": KINDS,
            "places": PLACE_WORDS,
            "shown": SHOWN_CHARACTERS,
            "is_first": before is None,
            "is_filtered": is_filtered,
            "counted": COUNTED,
            "prefixes": prefixes,
            "with_prefixes": urlencode(arguments | {"q": prefixes}),
            "arguments": urlencode(arguments),
        },
    )


def _prefixes(topic: str) -> str:
    """Return longer words as beginnings that find more: "ketamine" gives "ketamin*"; "" where no word is longer."""
    # "ketamine", but not "ketamin*", "pain", or '"off label"'
    return re.sub(r"\w+", lambda word: f"{word[0][:-1]}*", topic) if re.fullmatch(r"\w{5,}(\s+\w{5,})*", topic) else ""


async def send_edits(datasette: Datasette, request: Request) -> Any:
    """Answer with the file of all edits that the filters select."""
    await check_access(datasette, request)
    fields, why = _fields(request)
    if refusal := await why_filters_refused(datasette, request) or "; ".join(why):
        return refused(refusal, 400)
    base = absolute_url(request, datasette.urls.path("").rstrip("/"))
    return send_file(datasette, request, Source("edits", "", {**fields, "base": base}))


async def send_edits_feed(datasette: Datasette, request: Request) -> Any:
    """Answer with the Atom feed of the newest edits that the filters select; without any, also of those not derived.

    An unknown clinic is answered 404, as in the feed of its posts.
    """
    await check_access(datasette, request)
    fields, why = _fields(request)
    if fields["clinic_id"] and fields["clinic_id"] not in (await read_database(datasette, known_values))["clinic"]:
        raise NotFound(f"No clinic {fields['clinic_id'][:80]!r} in this archive; the home page lists all clinics")
    if refusal := await why_filters_refused(datasette, request) or "; ".join(why):
        return refused(refusal, 400)
    clinic_id = fields["clinic_id"]
    filters = {name: value for name, value in fields.items() if value and name not in ("clinic_id", "place")}

    def read(connection: sqlite3.Connection) -> list[Row]:
        return feed.edits_about(connection, Edits(**fields)) if filters else feed.edits(connection, clinic_id or None)

    return send_feed(datasette, request, _title(fields), await read_database(datasette, read))


def _title(fields: dict[str, str]) -> str:
    """Return what a feed is about: "Edits about ketamine in the words removed of riverside, state=NY"."""
    about = f" about {fields['topic']} {PLACE_WORDS[fields['place']]}" if fields["topic"] else ""
    of_clinic = f" of {fields['clinic_id']}" if fields["clinic_id"] else ""
    others = (fields["attribute"], fields["kind"], fields["since"] and f"from {fields['since']}")
    rest = [*filter(None, others), *([f"to {fields['until']}"] if fields["until"] else [])]
    return f"Edits{about}{of_clinic}{''.join(f', {each}' for each in rest)}"
