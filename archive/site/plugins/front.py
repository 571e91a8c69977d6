"""The pages that lead into the archive: all clinics, and what this archive is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request, Response  # type: ignore[import-untyped]

from archive.reports.status import CLINIC_STATES
from archive.site.front import about, clinics
from archive.site.front.health import clinic_statuses, judged, state
from archive.site.serving import absolute_url, check_access, page_number, read_cached, render
from archive.site.visitors.door import base_url


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of these pages."""
    return [(r"/-/clinics$", show_clinics), (r"/-/about$", show_about)]


async def show_clinics(datasette: Datasette, request: Request) -> Response:
    """Answer with one page of the clinics; `?q=`, `?platform=`, `?state=` filter them, `?sort=` is their order."""
    await check_access(datasette, request)
    listed, _ = await read_cached(datasette, "overview", clinics.overview)
    statuses = await clinic_statuses(datasette)
    given = {name: (request.args.get(name) or "").strip()[:300] for name in ("q", "platform", "state", "sort")}
    given["sort"] = given["sort"] if given["sort"] in clinics.SORTS else "name"
    wanted = clinics.Filter(given["q"], given["platform"], given["state"], given["sort"])
    states = {clinic_id: state(status) for clinic_id, status in statuses.items()}
    found = clinics.found(listed, states, wanted)
    pages = max(-(-len(found) // clinics.PER_PAGE), 1)
    number = min(page_number(request), pages)
    return await render(
        datasette,
        request,
        "clinics.html",
        {
            "clinics": found[(number - 1) * clinics.PER_PAGE : number * clinics.PER_PAGE],
            "found": len(found),
            "all": len(listed),
            "given": given,
            "platforms": sorted({clinics.platform(clinic) for clinic in listed} - {""}),
            "states": [name for name in CLINIC_STATES if name in states.values()],
            "sorts": clinics.SORTS,
            "judgement": judged(statuses),
            "number": number,
            "pages": pages,
            "query": urlencode({name: value for name, value in given.items() if value}) + "&",
        },
    )


async def show_about(datasette: Datasette, request: Request) -> Response:
    """Answer with the page about this archive."""
    await check_access(datasette, request)
    summary, computed_at = await read_cached(datasette, "about", about.summary)
    title = datasette.metadata("title") or "Clinic blog archive"
    home = absolute_url(request, datasette.urls.path(""))
    today = datetime.now(UTC).date()
    return await render(
        datasette,
        request,
        "about.html",
        {
            **summary,
            **about.contact(),
            "computed_at": computed_at.isoformat(),
            "citation": about.citation(title, summary["totals"], home, today),
            "is_public": bool(base_url()),
            "described": datasette.metadata() or {},
            "judgement": judged(await clinic_statuses(datasette)),
        },
    )
