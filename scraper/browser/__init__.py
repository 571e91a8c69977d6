"""A real browser for what only a browser shows, under the crawler's own manners.

A request becomes a rendered one by its meta:

    Request(url, meta={**rendered_request_meta(Wanted(counters="..."), context=clinic.slug, allow=asked_robots)})

and comes back as the page's own document, with everything else the browser received in `request.meta["rendering"]`.
Settings: `BROWSER_EXECUTABLE` (else Chromium on PATH), `BROWSER_PAGE_SECONDS` (45, for a page, whatever it does),
`BROWSER_QUIET_SECONDS` (10, without traffic, after which what is missing is held never to come).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scraper.browser._handler import RenderingHandler
from scraper.browser._model import (
    META,
    RENDERING,
    VISITED,
    Allow,
    Blocked,
    BrowserCrashed,
    BrowserFailure,
    Failed,
    NoBrowser,
    PageUnreachable,
    Received,
    Render,
    Rendering,
)
from scraper.platforms._platform import RenderTargets

__all__ = [
    "META",
    "RENDERING",
    "VISITED",
    "Allow",
    "Blocked",
    "BrowserCrashed",
    "BrowserFailure",
    "Failed",
    "NoBrowser",
    "PageUnreachable",
    "Received",
    "Render",
    "RenderTargets",
    "Rendering",
    "RenderingHandler",
    "rendered_request_meta",
]


def rendered_request_meta(
    wanted: RenderTargets,
    *,
    context: str,
    private: Iterable[str] = (),
    allow: Allow | None = None,
    images: bool = False,
) -> dict[str, Any]:
    """What makes a request a rendered one.

    `context`: pages of one context share cookies and storage; the clinic's slug. `private`: each `host:port` (or
    `host`) that may be a private address; nothing else on that network may. `allow`: awaited for every sub-request,
    gives why it must not be made (robots.txt of its host, say) or None; the page's own address is not asked again.
    """
    return {META: Render(wanted=wanted, context=context, private=frozenset(private), allow=allow, images=images)}
