"""The pages of the archive beside those of posts: home, status, a clinic, search, questions, feeds."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]
from jinja2 import Environment

from archive.export import Source
from archive.questions import grouped
from archive.reports.judgement import judgement
from archive.reports.record import robots_text
from archive.reports.status import DEFAULT_AGE, read_status
from archive.reports.status_words import age, facts
from archive.search.index import COUNTED, KINDS, RANKED, Query, terms
from archive.site.front import clinics
from archive.site.front.health import clinic_state, clinic_statuses, judged, state
from archive.site.pages import clinic, feed, home, search_results
from archive.site.pages._rows import rows
from archive.site.pages.permalinks import post_path
from archive.site.sending import refused, send_feed, send_file
from archive.site.serving import (
    DATABASE,
    absolute_url,
    archive_folder,
    check_access,
    page_number,
    query_cache,
    read_cached,
    read_database,
    render,
)
from archive.site.visitors.values import check_filters, why_filters_refused


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of these pages."""
    return [
        (r"/$", show_home),
        (r"/-/search$", show_search),
        (r"/-/search\.(?P<form>csv|xlsx|json)$", send_search),
        (r"/-/explore$", show_questions),
        (r"/-/status$", show_status),
        (r"/-/posts\.atom$", show_feed),
        (rf"/(?P<clinic>(?!-$|{DATABASE}$)[a-z0-9-]+)$", show_clinic),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def prepare_jinja2_environment(env: Environment) -> None:
    """Add what all templates use: the formats of dates, numbers and intervals, and the paths of posts and files."""
    env.filters["day"] = lambda text: str(text or "")[:10]
    env.filters["moment"] = lambda text: f"{str(text)[:10]} {str(text)[11:16]}".strip() if text else ""
    env.filters["number"] = lambda value: "" if value is None else f"{value:,}"
    env.globals["between"] = between
    # "/archive/posts.csv" with an argument is "/archive/posts.csv?_excel=on", in another format "/archive/posts.xlsx".
    env.filters["with"] = lambda url, argument: f"{url}{'&' if '?' in url else '?'}{argument}"
    env.filters["as_form"] = lambda url, form: re.sub(r"\.csv(?=\?|$)", f".{form}", url, count=1)
    env.globals["post_path"] = lambda post: post_path(post["clinic_id"], post["slug"], post["platform_post_id"])


def between(first: str | None, last: str) -> str:
    """Return the interval of a change, as short as is clear: "between 2026-03-01 09:30 and 2026-03-02 09:31"."""
    if not first:
        return f"before {last[:16].replace('T', ' ')}"
    length = 19 if first[:16] == last[:16] else 16
    start, end = (text[:length].replace("T", " ") for text in (first, last))
    return f"between {start} and {end[11:] if start[:10] == end[:10] else end}"


@hookimpl  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> None:
    """Compute the totals of the home page, which can take seconds, before the first visitor comes."""
    if DATABASE in datasette.databases and datasette.executor is not None:
        warm = query_cache(datasette).warm
        threading.Thread(target=warm, args=("home", home.summary), daemon=True).start()


async def show_home(datasette: Datasette, request: Request) -> Response:
    """Answer with the home page."""
    await check_access(datasette, request)
    context, computed_at = await read_cached(datasette, "home", home.summary)
    statuses = await clinic_statuses(datasette)
    listed = [{**clinic, "state": state(statuses.get(clinic["clinic_id"]))} for clinic in context["clinics"]]
    context = {**context, "computed_at": computed_at.isoformat(), "judgement": judged(statuses), "clinics": listed}
    return await render(datasette, request, "home.html", context)


async def show_status(datasette: Datasette, request: Request) -> Response:
    """Answer with the status page: the judgement, the disk, and `?page=` of the clinics, the stale ones first."""
    await check_access(datasette, request)
    folder = archive_folder(datasette)
    status = await read_database(datasette, lambda connection: read_status(connection, folder, datetime.now(UTC)))
    number, pages = page_number(request), max(-(-len(status.clinics) // clinics.PER_PAGE), 1)
    number = min(number, pages)
    first = (number - 1) * clinics.PER_PAGE
    return await render(
        datasette,
        request,
        "status.html",
        {
            "status": status,
            "clinics": status.in_order(DEFAULT_AGE)[first : first + clinics.PER_PAGE],
            "number": number,
            "pages": pages,
            "facts": facts(status),
            "max_age": DEFAULT_AGE,
            "age_of": age,
            "judgement": judgement(status.clinics, DEFAULT_AGE),
        },
    )


async def show_clinic(datasette: Datasette, request: Request) -> Response:
    """Answer with a clinic's page; `?sort=` is one of `clinic.SORTS`, `?page=` a page of its posts."""
    await check_access(datasette, request)
    clinic_id = request.url_vars["clinic"]
    sort = request.args.get("sort") or "published"
    number = page_number(request)
    sort = sort if sort in clinic.SORTS else "published"
    overview = await read_database(datasette, lambda connection: clinic.overview(connection, clinic_id))
    if overview is None:
        raise NotFound(f"No clinic {clinic_id!r} in this archive; the home page lists all clinics")
    posts = await read_database(datasette, lambda connection: clinic.posts(connection, clinic_id, sort, number))
    context, _ = await read_cached(
        datasette, ("clinic", clinic_id), lambda connection: clinic.summary(connection, clinic_id)
    )
    capture = context["robots"]
    rules = await asyncio.to_thread(robots_text, archive_folder(datasette), capture) if capture else None
    return await render(
        datasette,
        request,
        "clinic.html",
        {
            **context,
            "clinic": overview,
            "state": await clinic_state(datasette, clinic_id),
            "posts": posts,
            "sort": sort,
            "sorts": list(clinic.SORTS),
            "rules": rules,
            "number": number,
            "pages": -(-overview["posts"] // clinic.POSTS_PER_PAGE),
        },
    )


def _searched(request: Request) -> tuple[dict[str, str], Query]:
    """Return the fields of a search as given, and the search."""
    given = {name: (request.args.get(name) or "").strip() for name in ("q", "clinic", "platform", "from", "to", "kind")}
    order = "best" if request.args.get("order") == "best" else "newest"
    query = Query(
        given["q"],
        given["clinic"],
        given["platform"],
        given["from"],
        given["to"],
        given["kind"] if given["kind"] in KINDS else "",
        bool(request.args.get("commented")),
        order == "best",
    )
    return given, query


async def send_search(datasette: Datasette, request: Request) -> Any:
    """Answer with the file of all results of a search."""
    await check_access(datasette, request)
    _, query = _searched(request)
    if (refusal := await why_filters_refused(datasette, request)) is not None:
        return refused(refusal, 400)
    if not terms(query.words):
        return refused("Nothing to search for: a word has a letter or a digit. Write ?q=WORDS.", 400)
    base = absolute_url(request, datasette.urls.path("").rstrip("/"))
    return send_file(datasette, request, Source("search", "", {**asdict(query), "base": base}))


async def show_search(datasette: Datasette, request: Request) -> Response:
    """Answer with the results of a search in posts, comments and past revisions."""
    await check_access(datasette, request)
    await check_filters(datasette, request)
    given, query = _searched(request)
    # Results are counted, and pages offered, up to COUNTED.
    number = min(page_number(request), COUNTED // search_results.RESULTS_PER_PAGE)

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        results: dict[str, Any] = (
            search_results.results(connection, query, number) if given["q"] else {"hits": [], "more": False}
        )
        results["clinics"] = rows(connection, "SELECT clinic_id, name, platform FROM clinics ORDER BY name, clinic_id")
        return results

    context = await read_database(datasette, read)
    order = "best" if query.best_first else "newest"
    arguments = {name: value for name, value in given.items() if value} | {"order": order}
    arguments |= {"commented": "on"} if query.commented else {}
    return await render(
        datasette,
        request,
        "search.html",
        {
            **context,
            "platforms": sorted({row["platform"] for row in context["clinics"] if row["platform"]}),
            "given": given,
            "order": order,
            "commented": query.commented,
            "ranked": RANKED,
            "page_number": number,
            "arguments": urlencode(arguments),
            "kwic": urlencode({"q": given["q"].replace('"', ""), "clinic": given["clinic"]}),
            "narrowed": lambda **changed: urlencode({**arguments, **changed}),
            "names": {row["clinic_id"]: row["name"] for row in context["clinics"]},
            "next": urlencode({**arguments, "page": number + 1}),
            "previous": urlencode({**arguments, "page": number - 1}),
        },
    )


async def show_questions(datasette: Datasette, request: Request) -> Response:
    """Answer with the list of ready questions, by their groups."""
    await check_access(datasette, request)
    return await render(datasette, request, "explore.html", {"groups": grouped()})


async def show_feed(datasette: Datasette, request: Request) -> Response:
    """Answer with an Atom feed of new posts; `?clinic=SLUG` for one clinic."""
    await check_access(datasette, request)
    clinic_id = request.args.get("clinic") or None
    if clinic_id is not None:
        known = await read_database(datasette, lambda connection: clinic.overview(connection, clinic_id))
        if known is None:
            raise NotFound(f"No clinic {clinic_id!r} in this archive; the home page lists all clinics")
    entries = await read_database(datasette, lambda connection: feed.new_posts(connection, clinic_id))
    return send_feed(datasette, request, "New posts" + (f" of {clinic_id}" if clinic_id else ""), entries)
