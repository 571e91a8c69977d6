"""What is asked of a rendered page, what came of it, and how it can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scraper.platforms._platform import RenderTargets

META: Final = "render"  # in `request.meta`: a `Render`, which makes a request a rendered one
RENDERING: Final = "rendering"  # in `request.meta` afterwards: the `Rendering`, also where the request failed
VISITED: Final = "visited"  # in `request.meta` once recorded: (capture, `Exchange` or `Problem` in it)

# Why an address must not be fetched, in words; None where it may. Asked of every request that a page makes.
Allow = Callable[[str], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """How one request is rendered. `rendered_request_meta` makes it."""

    wanted: RenderTargets
    context: str  # a context (cookies, storage) for each; the clinic's slug
    private: frozenset[str] = frozenset()  # `host:port` or `host` that may be private
    allow: Allow | None = None
    images: bool = False  # load images, media and fonts too


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One answer that the browser got, from its own response events."""

    url: str
    method: str
    request_headers: tuple[tuple[bytes, bytes], ...]
    request_body: bytes
    status: int
    reason: str
    protocol: str  # "HTTP/1.1", "HTTP/2"
    headers: tuple[tuple[bytes, bytes], ...]  # as served, a repeated one as often as it came
    body: bytes  # decoded: Content-Encoding among the headers tells of what was on the wire
    kind: str  # Playwright's resource type: document, script, stylesheet, xhr, fetch, ...
    ip: str | None
    completed_at: datetime
    truncated: str | None = None  # why the body is not here ("redirect", "too-large", "evicted"); None: it is, whole
    main: bool = False  # the page's own document, or a redirect on the way to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A request of the page that got no answer."""

    url: str
    method: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A request that was not let out, and why."""

    url: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A page as a visitor would have seen it."""

    url: str  # where the page ended
    received: tuple[Received, ...]  # in order of completion
    failed: tuple[Failed, ...]
    dom: bytes  # UTF-8; empty where it could not be had
    dom_at: datetime | None
    complete: bool  # all that was wanted came
    reason: str | None  # why it is not complete
    pressed: int  # buttons
    refused: tuple[Blocked, ...]
    skipped: int = 0  # images, media, fonts that were not asked for
    seconds: float = 0.0

    @property
    def document(self) -> Received | None:
        """The page's own document, less redirects; None: none came."""
        return next((one for one in self.received if one.main and one.truncated != "redirect"), None)


class BrowserFailure(Exception):
    """A page that could not be rendered. `kind` names it in a Problem."""

    kind = "render-failed"


class NoBrowser(BrowserFailure):
    """No Chromium on this machine, or none that starts."""

    kind = "no-browser"


class BrowserCrashed(BrowserFailure):
    """The browser, or the page's own process, died under the page, and did so again at the second attempt."""

    kind = "browser-crashed"


class PageUnreachable(BrowserFailure):
    """The browser got no answer to the page's own address."""

    kind = "page-unreachable"
