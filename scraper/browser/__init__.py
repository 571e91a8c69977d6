"""A real browser for what only a browser shows, under the crawler's own rules of politeness.

A request becomes a rendered one by its meta:

    Request(url, meta={**rendered_request_meta(RenderTargets(counters="..."), context=clinic.slug, allow=check_robots)})

and its response is the page's own document, with all else that the browser received in `request.meta["rendering"]`.
Settings: `BROWSER_EXECUTABLE` (else Chromium on PATH), `BROWSER_PAGE_SECONDS` (45, the limit for a page),
`BROWSER_QUIET_SECONDS` (10, without traffic, after which missing elements are given up).
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
    """Return the meta that makes a request a rendered one.

    `context`: pages of one context share cookies and storage; the clinic's slug. `private`: each `host:port` (or
    `host`) that may be a private address; no other private address may be requested. `allow`: awaited for every
    sub-request, returns why it must not be made (robots.txt of its host) or None; not called for the page itself.
    """
    return {META: Render(wanted=wanted, context=context, private=frozenset(private), allow=allow, images=images)}
