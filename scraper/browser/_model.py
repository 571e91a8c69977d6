"""The values of rendering: what a request wants, what the browser received, how rendering can fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scraper.platforms._platform import RenderTargets

META: Final = "render"  # in `request.meta`: a `Render`, which makes a request a rendered one
RENDERING: Final = "rendering"  # in `request.meta` afterwards: the `Rendering`, also where the request failed
VISITED: Final = "visited"  # in `request.meta` once recorded: (capture, `Exchange` or `Problem` in it)

# Returns why an address must not be fetched, in words; None where it may. Called for every request of a page.
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
    """One answer that the browser received, from its response events."""

    url: str
    method: str
    request_headers: tuple[tuple[bytes, bytes], ...]
    request_body: bytes
    status: int
    reason: str
    protocol: str  # "HTTP/1.1", "HTTP/2"
    headers: tuple[tuple[bytes, bytes], ...]  # as served, repeated headers included
    body: bytes  # decoded; the Content-Encoding header describes the bytes on the wire
    kind: str  # Playwright's resource type: document, script, stylesheet, xhr, fetch, ...
    ip: str | None
    completed_at: datetime
    truncated: str | None = None  # why the body is missing ("redirect", "too-large", "evicted"); None: it is complete
    main: bool = False  # the page's own document, or a redirect to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A request of the page without an answer."""

    url: str
    method: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A request that was not allowed, and why."""

    url: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A rendered page: what the browser received, and the document at the end."""

    url: str  # of the page at the end
    received: tuple[Received, ...]  # in order of completion
    failed: tuple[Failed, ...]
    dom: bytes  # UTF-8; empty where it is not available
    dom_at: datetime | None
    complete: bool  # all targets appeared
    reason: str | None  # why it is not complete
    pressed: int  # buttons
    refused: tuple[Blocked, ...]
    skipped: int = 0  # images, media and fonts that were not requested
    seconds: float = 0.0

    @property
    def document(self) -> Received | None:
        """The page's own document, without redirects; None: none was received."""
        return next((answer for answer in self.received if answer.main and answer.truncated != "redirect"), None)


class BrowserFailure(Exception):
    """A page cannot be rendered. `kind` is that of the Problem."""

    kind = "render-failed"


class NoBrowser(BrowserFailure):
    """This machine has no Chromium that starts."""

    kind = "no-browser"


class BrowserCrashed(BrowserFailure):
    """The browser or the page's process crashed, at the second attempt too."""

    kind = "browser-crashed"


class PageUnreachable(BrowserFailure):
    """The browser received no answer from the page's own address."""

    kind = "page-unreachable"
