"""Interception: which requests of a page are allowed, and what else a page may not do."""

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
from scraper.browser._connector import endpoint_of
from scraper.browser._model import Render
from scraper.browser._proxy import Proxy, authorised
from scraper.browser._record import Recorder

logger = logging.getLogger(__name__)

HEAVY: Final = frozenset({"image", "media", "font", "texttrack"})  # loaded only where the stanza wants images
# Streams that do not end, and reports to others that the page was viewed.
_OFF: Final = frozenset({"eventsource", "websocket", "ping", "cspviolationreport", "manifest"})
_ALL: Final = re.compile("")
# Removes connections that bypass the proxy, and other windows. WebSockets have a route of their own, so that a script
# finds the class it expects.
_REMOVE_APIS: Final = """
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel", "WebTransport"]) {
  try { delete window[name]; } catch (error) {}
  if (name in window) Object.defineProperty(window, name, {value: undefined});
}
window.open = () => null;
window.print = () => {};
"""


def context_options(proxy: Proxy, agent: str) -> dict[str, Any]:
    """Return the options of a clinic's context: no permissions, downloads or service workers, all through the proxy."""
    return {
        "accept_downloads": False,
        "ignore_https_errors": False,
        "permissions": [],
        "proxy": authorised(proxy),
        "service_workers": "block",
        "user_agent": agent,
        # Client hints name the browser. Without this line a headless shell adds a name that bot walls refuse.
        "extra_http_headers": {"Sec-CH-UA": '"Chromium"'},
        "viewport": {"width": 1280, "height": 1600},  # tall: less to scroll
        "reduced_motion": "reduce",
    }


async def restrict_context(context: BrowserContext) -> None:
    """Restrict every page of the context, also one that the crawler did not open (a popup)."""
    await context.add_init_script(_REMOVE_APIS)
    await context.route(_ALL, _abort)  # a page of ours has a route of its own, which comes first


async def _abort(route: Route) -> None:
    try:
        await route.abort()
    except Error:  # the window closed itself
        logger.debug("a request of a closed window")


class RequestPolicy:
    """Decides about the requests of one page, and closes its dialogs, downloads, popups and sockets."""

    def __init__(self, page: Page, render: Render, recorder: Recorder, proxy: Proxy) -> None:
        self._page = page
        self._render = render
        self._recorder = recorder
        self._proxy = proxy
        self._entered = False
        self._session: CDPSession

    async def install(self) -> None:
        """Install the policy, before the page's first request."""
        page = self._page
        page.on("dialog", self._dismiss)
        page.on("download", self._cancel)
        page.on("popup", self._close)
        await page.route_web_socket(_ALL, self._no_socket)
        await page.route(_ALL, self._on_route)
        # The browser follows redirects without calling the route: Playwright's routes see only a request's first
        # address. (Redirects of workers, and of frames in a process of their own, remain unchecked.)
        session = self._session = await page.context.new_cdp_session(page)
        session.on("Fetch.requestPaused", self._on_paused)
        session.on("Fetch.authRequired", self._on_auth_required)
        everything = [{"urlPattern": "*", "requestStage": "Request"}]
        await session.send("Fetch.enable", {"patterns": everything, "handleAuthRequests": True})

    async def _on_auth_required(self, event: dict[str, Any]) -> None:
        """Answer a request for a password: of our proxy with its own, of any other with none."""
        ours = event["authChallenge"].get("source") == "Proxy"
        answer = {"response": "ProvideCredentials", "username": self._proxy.username, "password": self._proxy.password}
        sent = {
            "requestId": event["requestId"],
            "authChallengeResponse": answer if ours else {"response": "CancelAuth"},
        }
        await _quietly(self._session.send("Fetch.continueWithAuth", sent))

    async def _on_paused(self, paused: dict[str, Any]) -> None:
        """Continue or fail a redirected request; the route decides about any other."""
        url, request = paused["request"]["url"], {"requestId": paused["requestId"]}
        reason = None
        # The proxy refuses private addresses, and reports them.
        if "redirectedRequestId" in paused and url.startswith(("http:", "https:")) and not self._private(url):
            reason = await self._forbidden(url)
        try:
            if reason is None:
                await self._session.send("Fetch.continueRequest", request)
            else:
                self._recorder.refuse(url, str(paused.get("resourceType", "")).lower(), reason)
                await self._session.send("Fetch.failRequest", {**request, "errorReason": "BlockedByClient"})
        except Error as error:
            logger.debug("%s: the page is closed: %s", url, error)

    async def _on_route(self, route: Route, request: Request) -> None:
        """Continue or abort one request."""
        kind = request.resource_type
        try:
            if kind in _OFF or (kind in HEAVY and not self._render.images):
                self._recorder.refuse_request(request, None if kind in HEAVY else f"{kind} is off")
                await route.abort("blockedbyclient")
                return
            reason = await self._refusal(request)
            if reason is None:
                await route.continue_()
            else:
                self._recorder.refuse_request(request, reason)
                # "aborted" leaves the page as it is; another reason would replace it by an error page.
                await route.abort("aborted" if request.is_navigation_request() else "blockedbyclient")
        except Error as error:
            logger.debug("%s: the page is closed: %s", request.url, error)

    async def _refusal(self, request: Request) -> str | None:
        if request.is_navigation_request() and self._is_main(request):
            if self._entered:
                return "the page tried to navigate to another address"
            self._entered = True
            return None  # the crawler has checked robots.txt already
        return self._private(request.url) or await self._forbidden(request.url)

    async def _forbidden(self, url: str) -> str | None:
        """Return why the crawler's own rules forbid the address; None where they allow it."""
        if self._render.allow is None:
            return None
        try:
            return await self._render.allow(url)
        except Exception as error:  # of any kind: what cannot be checked is not fetched
            logger.exception("cannot check whether a request of the page is allowed")
            return f"cannot check whether it may be fetched ({type(error).__name__})"

    def _is_main(self, request: Request) -> bool:
        try:
            return request.frame == self._page.main_frame
        except Error:  # "not available yet": so early it is the page's own
            return not self._entered

    def _private(self, url: str) -> str | None:
        """Return why the address is private by its spelling; the proxy checks what its name resolves to."""
        try:
            host, endpoint = (urlsplit(url).hostname or "").lower(), endpoint_of(url)
        except ValueError:
            return "not an address that can be fetched"
        if {host, endpoint} & self._render.private or not is_private_host(host):
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


async def _quietly(awaitable: Any) -> None:
    """Await it; log an error of Playwright, which comes where the page is gone."""
    try:
        await awaitable
    except Error as error:
        logger.debug("gone already: %s", error)
