"""Fences: what a page may not do, and which of its requests are let out."""

from __future__ import annotations

import logging
import re
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    CDPSession,
    Dialog,
    Download,
    Error,
    Page,
    Request,
    Route,
    WebSocketRoute,
)

from scraper.addresses import is_private_host
from scraper.browser._connector import place_of
from scraper.browser._model import Render
from scraper.browser._proxy import Proxy, authorised
from scraper.browser._record import Recorder

logger = logging.getLogger(__name__)

HEAVY: Final = frozenset({"image", "media", "font", "texttrack"})  # loaded only where asked for
# Streams that do not end, and what tells others that the page was seen.
_OFF: Final = frozenset({"eventsource", "websocket", "ping", "cspviolationreport", "manifest"})
_ALL: Final = re.compile("")
# Ways out that pass no proxy, and ways to other windows. WebSockets have a fence of their own, which lets a script find
# the class it expects.
_WITHOUT: Final = """
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel", "WebTransport"]) {
  try { delete window[name]; } catch (error) {}
  if (name in window) Object.defineProperty(window, name, {value: undefined});
}
window.open = () => null;
window.print = () => {};
"""


def context_options(proxy: Proxy, agent: str) -> dict[str, Any]:
    """How a clinic's context is made: no permissions, downloads or service workers, everything through the proxy."""
    return {
        "accept_downloads": False,
        "ignore_https_errors": False,
        "permissions": [],
        "proxy": authorised(proxy),
        "service_workers": "block",
        "user_agent": agent,
        "viewport": {"width": 1280, "height": 1600},  # tall: less to scroll
        "reduced_motion": "reduce",
    }


async def fence_context(context: BrowserContext) -> None:
    """What holds for every page of the context, also for one that nobody asked for (a popup)."""
    await context.add_init_script(_WITHOUT)
    await context.route(_ALL, _abort)  # a page under way has a route of its own, which comes first


async def _abort(route: Route) -> None:
    try:
        await route.abort()
    except Error:  # the window closed itself
        logger.debug("a request of a closed window")


class RequestPolicy:
    """The fence around one page."""

    def __init__(self, page: Page, render: Render, recorder: Recorder, proxy: Proxy) -> None:
        self._page = page
        self._render = render
        self._recorder = recorder
        self._proxy = proxy
        self._entered = False
        self._session: CDPSession

    async def put_up(self) -> None:
        """Before the page's first request."""
        page = self._page
        page.on("dialog", self._dismiss)
        page.on("download", self._cancel)
        page.on("popup", self._close)
        await page.route_web_socket(_ALL, self._no_socket)
        await page.route(_ALL, self._gate)
        # Where an answer leads, the browser follows without asking the gate: Playwright's routes see a request's first
        # address alone. (Frames in a process of their own, and workers, are followed unasked still.)
        session = self._session = await page.context.new_cdp_session(page)
        session.on("Fetch.requestPaused", self._led)
        session.on("Fetch.authRequired", self._known)
        everything = [{"urlPattern": "*", "requestStage": "Request"}]
        await session.send("Fetch.enable", {"patterns": everything, "handleAuthRequests": True})

    async def _known(self, asked: dict[str, Any]) -> None:
        """Who listens to requests is asked for passwords too: our proxy's is known, others are not given."""
        ours = asked["authChallenge"].get("source") == "Proxy"
        answer = {"response": "ProvideCredentials", "username": self._proxy.username, "password": self._proxy.password}
        sent = {
            "requestId": asked["requestId"],
            "authChallengeResponse": answer if ours else {"response": "CancelAuth"},
        }
        await _quietly(self._session.send("Fetch.continueWithAuth", sent))

    async def _led(self, paused: dict[str, Any]) -> None:
        """Let a request go on to where a redirect led it, or not; any other has the gate before it."""
        url, request = paused["request"]["url"], {"requestId": paused["requestId"]}
        reason = None
        # A private address is the proxy's to refuse, which tells it as it does every other.
        if "redirectedRequestId" in paused and url.startswith(("http:", "https:")) and not self._private(url):
            reason = await self._forbidden(url)
        try:
            if reason is None:
                await self._session.send("Fetch.continueRequest", request)
            else:
                self._recorder.refuse(url, str(paused.get("resourceType", "")).lower(), reason)
                await self._session.send("Fetch.failRequest", {**request, "errorReason": "BlockedByClient"})
        except Error as error:
            logger.debug("%s: the page was closed meanwhile: %s", url, error)

    async def _gate(self, route: Route, request: Request) -> None:
        """Let one request out, or not."""
        kind = request.resource_type
        try:
            if kind in _OFF or (kind in HEAVY and not self._render.images):
                self._recorder.turn_away(request, None if kind in HEAVY else f"{kind} is off")
                await route.abort("blockedbyclient")
                return
            reason = await self._refusal(request)
            if reason is None:
                await route.continue_()
            else:
                self._recorder.turn_away(request, reason)
                # "aborted" leaves the page as it is; another word would put an error page in its place.
                await route.abort("aborted" if request.is_navigation_request() else "blockedbyclient")
        except Error as error:
            logger.debug("%s: the page was closed meanwhile: %s", request.url, error)

    async def _refusal(self, request: Request) -> str | None:
        if request.is_navigation_request() and self._is_main(request):
            if self._entered:
                return "the page wanted to leave for another address"
            self._entered = True
            return None  # the crawler asked robots.txt before it came here
        return self._private(request.url) or await self._forbidden(request.url)

    async def _forbidden(self, url: str) -> str | None:
        """Why the crawler's own rules forbid the address."""
        if self._render.allow is None:
            return None
        try:
            return await self._render.allow(url)
        except Exception as error:  # whatever it is: what could not be asked is not fetched
            logger.exception("could not ask whether a page's request may be made")
            return f"could not ask whether it may be fetched ({type(error).__name__})"

    def _is_main(self, request: Request) -> bool:
        try:
            return request.frame == self._page.main_frame
        except Error:  # "not available yet": so early it can only be the page's own
            return not self._entered

    def _private(self, url: str) -> str | None:
        """Why the address is private by its spelling; what its name resolves to is the proxy's to say."""
        try:
            host, place = (urlsplit(url).hostname or "").lower(), place_of(url)
        except ValueError:
            return "no address that can be fetched"
        if {host, place} & self._render.private or not is_private_host(host):
            return None
        return f"{host} is a private address"

    async def _dismiss(self, dialog: Dialog) -> None:
        self._recorder.refuse(self._page.url, "dialog", f"{dialog.type} was dismissed")
        await _quietly(dialog.dismiss())

    async def _cancel(self, download: Download) -> None:
        self._recorder.refuse(download.url, "download", "downloads are off")
        await _quietly(download.cancel())

    async def _close(self, popup: Page) -> None:
        self._recorder.refuse(popup.url, "popup", "other windows are off")
        await _quietly(popup.close())

    async def _no_socket(self, socket: WebSocketRoute) -> None:
        self._recorder.refuse(socket.url, "websocket", "WebSockets are off")
        await _quietly(socket.close())


async def _quietly(doing: Any) -> None:
    try:
        await doing
    except Error as error:
        logger.debug("gone already: %s", error)
