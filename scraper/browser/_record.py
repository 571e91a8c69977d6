"""The recorder: what a page received, from the browser's network events, not from the document."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from playwright.async_api import Error, Page, Request, Response

from scraper.browser._model import Blocked, Failed, Received
from scraper.browser._proxy import Proxy

logger = logging.getLogger(__name__)

LARGEST_BODY: Final = 32 * 1024 * 1024
LARGEST_PAGE: Final = 200 * 1024 * 1024  # bytes of all bodies of a page
MAX_ANSWERS: Final = 5_000  # of a page; later ones are recorded as failed
AFTERWARDS: Final = 0.5  # seconds to wait for events of answers that the page has already
HELD_OPEN: Final = 10.0  # seconds after which a pending answer counts as one that never ends (long polling)
_DATA: Final = frozenset({"document", "script", "xhr", "fetch"})  # kinds that may bring a target
_VERSIONS: Final = {"h2": "HTTP/2", "h3": "HTTP/3"}
_PROXY_HEADERS: Final = frozenset({b"proxy-authorization", b"proxy-connection"})


class Recorder:
    """Listens to a page from before its first request until `finish`."""

    def __init__(self, page: Page, proxy: Proxy) -> None:
        self.refused: list[Blocked] = []
        self.skipped = 0
        self._page = page
        self._proxy = proxy
        self._loop = asyncio.get_running_loop()
        self._received: list[Received | None] = []  # a slot for each, in order of completion
        self._failed: list[Failed] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: dict[Request, float] = {}
        self._refused_requests: set[Request] = set()
        self._bytes = 0
        self._last_activity = self._loop.time()
        self._done = False
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_finished)
        page.on("requestfailed", self._on_failed)

    def refuse_request(self, request: Request, reason: str | None) -> None:
        """Record a request that was not allowed; without a reason it was only skipped (an image)."""
        self._refused_requests.add(request)
        if reason is None:
            self.skipped += 1
        else:
            self.refuse(request.url, request.resource_type, reason)

    def refuse(self, url: str, kind: str, reason: str) -> None:
        """Record something that was not allowed."""
        if len(self.refused) < MAX_ANSWERS:
            self.refused.append(Blocked(url=url, kind=kind, reason=reason))

    def busy(self) -> bool:
        """Return whether an answer is pending that may bring a target."""
        now = self._loop.time()
        return any(now - start < HELD_OPEN for start in self._pending.values())

    def quiet_for(self) -> float:
        """Return the seconds since the page's last request or answer; 0 while one is pending."""
        return 0.0 if self.busy() else self._loop.time() - self._last_activity

    def note_activity(self) -> None:
        """Note an action on the page that may cause requests."""
        self._last_activity = self._loop.time()

    async def finish(self, seconds: float) -> tuple[tuple[Received, ...], tuple[Failed, ...]]:
        """Return the answers and the failed requests; wait up to `seconds` for bodies that the browser still sends.

        The document may show the content of an answer before the browser reports the answer: a moment is left for that.
        """
        pending, until = set(self._pending), self._loop.time() + AFTERWARDS
        while pending & self._pending.keys() and self._loop.time() < until:
            await asyncio.sleep(AFTERWARDS / 20)
        self._done = True
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for request in self._pending:
            self._note(request, "no answer before the page was closed")
        return tuple(answer for answer in self._received if answer is not None), tuple(self._failed)

    def abandon(self) -> None:
        """Stop recording: the page has crashed, or is complete."""
        self._done = True
        for task in self._tasks:
            task.cancel()

    def _on_request(self, request: Request) -> None:
        if self._done:
            return
        if request.resource_type in _DATA:
            self._pending[request] = self._last_activity = self._loop.time()

    def _ended(self, request: Request) -> bool:
        if self._pending.pop(request, None) is not None:
            self._last_activity = self._loop.time()
        return not self._done and request not in self._refused_requests

    def _on_failed(self, request: Request) -> None:
        if self._ended(request):
            reason = self._proxy.connector.refused(request.url)
            if reason is not None and "TUNNEL" in (request.failure or ""):
                self.refuse(request.url, request.resource_type, reason)
            else:
                self._note(request, request.failure or "no reason given")

    def _note(self, request: Request, reason: str) -> None:
        if len(self._failed) < MAX_ANSWERS:
            failed = Failed(url=request.url, method=request.method, kind=request.resource_type, reason=reason)
            self._failed.append(failed)

    def _on_finished(self, request: Request) -> None:
        if not self._ended(request) or not request.url.startswith(("http:", "https:")):
            return
        if len(self._received) >= MAX_ANSWERS:
            self._note(request, f"more than {MAX_ANSWERS} answers; not recorded")
            return
        slot = len(self._received)
        self._received.append(None)
        task = self._loop.create_task(self._take(request, slot, datetime.now(UTC)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, request: Request, slot: int, at: datetime) -> None:
        try:
            response = await request.response()
            if response is None:
                self._note(request, "no answer")
                return
            headers = _pairs(await response.headers_array())
            if (b"x-own-proxy", self._proxy.mark.encode()) in [(name.lower(), value) for name, value in headers]:
                self._record_proxy_answer(request, response.status)
                return
            body, truncated = await self._body(request, response)
            version = await _or_else(response.http_version, "HTTP/1.1")
            self._received[slot] = Received(
                url=request.url,
                method=request.method,
                request_headers=_pairs(await request.headers_array()),
                request_body=request.post_data_buffer or b"",
                status=response.status,
                reason=response.status_text,
                protocol=_VERSIONS.get(version.lower(), version.upper()),
                headers=headers,
                body=body,
                kind=request.resource_type,
                ip=self._proxy.connector.peer(request.url),
                completed_at=at,
                truncated=truncated,
                main=request.is_navigation_request() and request.frame == self._page.main_frame,
            )
        except Error as error:  # the page, or the browser, is gone
            self._note(request, str(error).splitlines()[0])

    def _record_proxy_answer(self, request: Request, status: int) -> None:
        reason = self._proxy.connector.refused(request.url)
        if status == 403 and reason is not None:
            self.refuse(request.url, request.resource_type, reason)
        else:
            self._note(request, f"the proxy got no answer ({status})")

    async def _body(self, request: Request, response: Response) -> tuple[bytes, str | None]:
        if 300 <= response.status < 400 and response.status != 304:
            return b"", "redirect"  # the browser has none
        try:
            sizes = await request.sizes()
            if sizes["responseBodySize"] > LARGEST_BODY or self._bytes > LARGEST_PAGE:
                return b"", "too-large"
            body = await response.body()
        except Error as error:
            logger.debug("%s: no body: %s", request.url, error)
            return b"", "evicted"
        self._bytes += len(body)
        if len(body) > LARGEST_BODY or self._bytes > LARGEST_PAGE:
            return b"", "too-large"
        return body, None


async def _or_else(ask: Callable[[], Awaitable[str]], otherwise: str) -> str:
    try:
        return await ask() or otherwise
    except Error:
        return otherwise


def _pairs(headers: Iterable[Any]) -> tuple[tuple[bytes, bytes], ...]:
    """Return headers as bytes, without those for the proxy and HTTP/2's pseudo-headers (`:path`)."""
    pairs = [(_bytes(header["name"]), _bytes(header["value"])) for header in headers]
    return tuple(pair for pair in pairs if pair[0].lower() not in _PROXY_HEADERS and not pair[0].startswith(b":"))


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
