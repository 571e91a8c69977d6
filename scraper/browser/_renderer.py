"""The renderer: one request in, one page in the browser, one `Rendering` out.

Browser, contexts, pages and their administration are scrapy-playwright's. The handling of a page is ours, because
scrapy-playwright returns the page's content as the answer, which is not what the server sent, and waits for "load".
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from playwright._impl._errors import TargetClosedError  # has no public name
from playwright.async_api import Error, Page
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from scrapy_playwright.handler import BrowserContextWrapper, ScrapyPlaywrightDownloadHandler

from scraper.browser._interception import RequestPolicy, context_options, restrict_context
from scraper.browser._model import (
    META,
    RENDERING,
    Blocked,
    BrowserCrashed,
    BrowserFailure,
    PageUnreachable,
    Render,
    Rendering,
)
from scraper.browser._page import Driver
from scraper.browser._provider import LazyProvider
from scraper.browser._proxy import Proxy
from scraper.browser._record import Recorder

logger = logging.getLogger(__name__)

LARGEST_DOM: Final = 32 * 1024 * 1024
LAST_SECONDS: Final = 3.0  # for each of the last steps: the DOM, pending bodies, closing
_ENCODED = (b"content-encoding", b"content-length", b"transfer-encoding")


class Renderer(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]  # it has no types
    """Renders the requests of `RenderingHandler`; created at a crawl's first rendered request."""

    browser_provider: LazyProvider

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._agent: str = settings["USER_AGENT"]
        self._page_seconds = settings.getfloat("BROWSER_PAGE_SECONDS", 45.0)
        self._quiet_seconds = settings.getfloat("BROWSER_QUIET_SECONDS", 10.0)
        self.config.launch_options = {
            "executable_path": settings.get("BROWSER_EXECUTABLE"),
            "args": [f"--user-agent={self._agent}"],
        }
        # The base class creates one when the engine starts, which is over.
        self.browser_provider = LazyProvider(self.config)
        self._proxies: dict[str, Proxy] = {}

    async def _download_request(self, request: Request, spider: Any = None) -> Response:
        """Render one request; after a crash of the browser once more, in a new one. Raises `BrowserFailure`."""
        async with self.browser_provider.slot():
            try:
                return await self._attempt(request)
            except BrowserCrashed as crash:
                logger.warning("%s; trying again in a new one", crash)
                self.stats.inc_value("browser/crashed")
                return await self._attempt(request)

    async def _attempt(self, request: Request) -> Response:
        render: Render = request.meta[META]
        page: Page | None = None
        crashed = asyncio.Event()
        self._forget_dead()
        proxy = await self._proxy(render)
        request.meta["playwright_context"] = render.context
        request.meta["playwright_context_kwargs"] = context_options(proxy, self._agent)
        try:
            async with asyncio.timeout(self._page_seconds):  # a browser that crashes may never answer
                page = await self._create_page(request=request, spider=self._crawler.spider)
            page.on("crash", lambda _: crashed.set())
            return await self._visit(page, request, render, proxy)
        except TimeoutError as error:
            page = None
            await self._discard()
            raise BrowserCrashed(f"{request.url}: the browser did not answer") from error
        except Error as error:
            first = str(error).splitlines()[0].strip()
            if not crashed.is_set():
                if not isinstance(error, TargetClosedError) and self._connected():
                    raise BrowserFailure(f"{request.url}: {first}") from error
                page = None
                await self._discard()
            raise BrowserCrashed(f"{request.url}: the browser crashed ({first})") from error
        finally:
            if page is not None:
                await self._leave(page, render.context)

    async def _visit(self, page: Page, request: Request, render: Render, proxy: Proxy) -> Response:
        recorder = Recorder(page, proxy)
        try:
            rendering = await self._rendered(page, request, render, proxy, recorder)
        finally:
            recorder.abandon()
        request.meta[RENDERING] = rendering
        return _answer(request, rendering)

    async def _rendered(
        self, page: Page, request: Request, render: Render, proxy: Proxy, recorder: Recorder
    ) -> Rendering:
        loop = asyncio.get_running_loop()
        began, refusals = loop.time(), len(proxy.connector.refusals)
        # The rest of the time is for collecting what is there.
        deadline = began + self._page_seconds - min(LAST_SECONDS, self._page_seconds / 4)
        async with asyncio.timeout_at(deadline):
            await RequestPolicy(page, render, recorder, proxy).install()
        driver = Driver(page, render.wanted, recorder, deadline, self._quiet_seconds)
        failure = None
        try:
            await page.goto(request.url, wait_until="commit", timeout=(deadline - loop.time()) * 1_000)
        except Error as error:
            if not self._connected() or page.is_closed() or isinstance(error, TargetClosedError):
                raise
            failure = str(error).splitlines()[0].removeprefix("Page.goto: ")
        else:
            await driver.drive()
        dom, dom_at = (b"", None) if failure else await self._dom(page, driver)
        received, failed = await recorder.finish(LAST_SECONDS)
        recorded = {urlsplit(blocked.url).netloc for blocked in recorder.refused}
        # Connections without an event of the page: sockets of workers, connections made in advance.
        unreported = [
            Blocked(url=f"{refusal.host}:{refusal.port}", kind="connection", reason=refusal.reason)
            for refusal in proxy.connector.refusals[refusals:]
            if not {refusal.host, f"{refusal.host}:{refusal.port}"} & recorded
        ]
        return Rendering(
            url=page.url,
            received=received,
            failed=failed,
            dom=dom,
            dom_at=dom_at,
            complete=failure is None and driver.reason is None,
            reason=failure or driver.reason,
            pressed=driver.pressed,
            refused=(*recorder.refused, *unreported),
            skipped=recorder.skipped,
            seconds=loop.time() - began,
        )

    async def _dom(self, page: Page, driver: Driver) -> tuple[bytes, datetime | None]:
        """Return the document as it is now; nothing where it is too large, or the page does not respond."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                dom = (await page.content()).encode("utf-8", "surrogatepass")
        except TimeoutError:
            driver.missing.append("the page did not answer")
            return b"", None
        if not page.url.startswith(("http:", "https:")):  # "about:blank", "blob:", which no server sends
            driver.missing.append(f"the page navigated to {page.url.partition(':')[0]}:")
            return b"", None
        if len(dom) > LARGEST_DOM:
            driver.missing.append(f"its document is larger than {LARGEST_DOM} bytes")
            return b"", None
        return dom, datetime.now(UTC)

    async def _leave(self, page: Page, context: str) -> None:
        """Close the page; where that fails, its context, and at last the browser."""
        wrapper = self.context_wrappers.get(context)
        for closing in (page.close, wrapper and wrapper.context.close):
            try:
                async with asyncio.timeout(LAST_SECONDS):
                    await page.unroute_all(behavior="ignoreErrors")
                    if closing:
                        await closing()
            except TimeoutError:
                logger.warning("%s does not close", page.url)
            except Error as error:
                logger.debug("gone already: %s", error)
                return
            else:
                self.stats.inc_value("playwright/page_count/closed")
                return
        await self._discard()

    async def _proxy(self, render: Render) -> Proxy:
        """Return the clinic's own proxy, started."""
        proxy = self._proxies.get(render.context)
        if proxy is None:
            proxy = self._proxies[render.context] = Proxy()
            await proxy.start()
        proxy.connector.private |= render.private
        return proxy

    async def _create_browser_context(self, *args: Any, **kwargs: Any) -> BrowserContextWrapper:
        wrapper = await super()._create_browser_context(*args, **kwargs)
        await restrict_context(wrapper.context)
        return wrapper

    def _connected(self) -> bool:
        return hasattr(self, "browser") and self.browser.is_connected()

    def _forget_dead(self) -> None:
        """Forget a browser that has crashed, and its contexts; the next page starts a new one."""
        if hasattr(self, "browser") and not self.browser.is_connected():
            self.context_wrappers.clear()
            del self.browser

    async def _discard(self) -> None:
        """End the browser in any state: after a crash of the driver it still seems connected."""
        browser = getattr(self, "browser", None)
        self.context_wrappers.clear()
        if browser is not None:
            del self.browser
            await self.browser_provider.discard(browser)

    async def _browser_disconnected_callback(self) -> None:
        # The base class closes contexts and forgets the browser later, when the next one may be running.
        self._forget_dead()

    async def _close(self) -> None:
        """Close the contexts, the proxies, and the browser if no other clinic uses it."""
        for wrapper in list(self.context_wrappers.values()):
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await wrapper.context.close()
        self.context_wrappers.clear()
        for proxy in self._proxies.values():
            await proxy.close()
        self._proxies.clear()
        await self.browser_provider.close()


def _answer(request: Request, rendering: Rendering) -> Response:
    """Return the page's own document as Scrapy's response. Raises `PageUnreachable` where there is none."""
    document = rendering.document
    if document is None:
        refusals = (blocked.reason for blocked in rendering.refused if blocked.kind == "document")
        reason = next(refusals, None) or rendering.reason
        raise PageUnreachable(f"{request.url}: the browser received no answer ({reason})")
    headers = Headers()
    for name, value in document.headers:
        if name.lower() not in _ENCODED:  # the body is decoded
            headers.appendlist(name, value)
    kind = responsetypes.from_args(headers=headers, url=document.url, body=document.body)
    return kind(
        url=document.url,
        status=document.status,
        headers=headers,
        body=document.body,
        request=request,
        flags=["rendered"],
        protocol=document.protocol,
    )
