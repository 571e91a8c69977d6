"""The renderer: one request in, one page in the browser, one `Rendering` out.

Browser, contexts, pages and their bookkeeping are scrapy-playwright's. What is done with a page is ours: it makes the
answer of the page's content, which recorded as served would be a lie, and waits for "load" where we wait for less.
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

from scraper.browser._interception import RequestPolicy, context_options, fence_context
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
LAST_SECONDS: Final = 3.0  # for each of the last things: the DOM, bodies under way, closing
_ENCODED = (b"content-encoding", b"content-length", b"transfer-encoding")


class Renderer(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]  # it has no types
    """The rendering half of `RenderingHandler`, made at a crawl's first rendered request."""

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
        # The base class would make one when the engine starts, which was before.
        self.browser_provider = LazyProvider(self.config)
        self._proxies: dict[str, Proxy] = {}

    async def _download_request(self, request: Request, spider: Any = None) -> Response:
        """A page that the browser died under is tried once more, in a new one. Raises `BrowserFailure`."""
        async with self.browser_provider.place():
            try:
                return await self._attempt(request)
            except BrowserCrashed as crash:
                logger.warning("%s; once more in a new one", crash)
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
            async with asyncio.timeout(self._page_seconds):  # a browser that dies meanwhile may leave the question open
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
            raise BrowserCrashed(f"{request.url}: the browser died under the page ({first})") from error
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
        # The last of the time is for what is there by then.
        deadline = began + self._page_seconds - min(LAST_SECONDS, self._page_seconds / 4)
        async with asyncio.timeout_at(deadline):
            await RequestPolicy(page, render, recorder, proxy).put_up()
        driver = Driver(page, render.wanted, recorder, deadline, self._quiet_seconds)
        lost = None
        try:
            await page.goto(request.url, wait_until="commit", timeout=(deadline - loop.time()) * 1_000)
        except Error as error:
            if not self._connected() or page.is_closed() or isinstance(error, TargetClosedError):
                raise
            lost = str(error).splitlines()[0].removeprefix("Page.goto: ")
        else:
            await driver.drive()
        dom, dom_at = (b"", None) if lost else await self._dom(page, driver)
        received, failed = await recorder.finish(LAST_SECONDS)
        told = {urlsplit(one.url).netloc for one in recorder.refused}
        # What no event of the page told of: sockets of workers, connections made in advance.
        behind = [
            Blocked(url=f"{one.host}:{one.port}", kind="connection", reason=one.reason)
            for one in proxy.connector.refusals[refusals:]
            if not {one.host, f"{one.host}:{one.port}"} & told
        ]
        return Rendering(
            url=page.url,
            received=received,
            failed=failed,
            dom=dom,
            dom_at=dom_at,
            complete=lost is None and driver.reason is None,
            reason=lost or driver.reason,
            pressed=driver.pressed,
            refused=(*recorder.refused, *behind),
            skipped=recorder.skipped,
            seconds=loop.time() - began,
        )

    async def _dom(self, page: Page, driver: Driver) -> tuple[bytes, datetime | None]:
        """The document as it stands now; nothing where it is too large, or its own script does not let go."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                dom = (await page.content()).encode("utf-8", "surrogatepass")
        except TimeoutError:
            driver.missing.append("the page did not answer")
            return b"", None
        if not page.url.startswith(("http:", "https:")):  # "about:blank", "blob:", which are asked of nobody
            driver.missing.append(f"the page left for {page.url.partition(':')[0]}:")
            return b"", None
        if len(dom) > LARGEST_DOM:
            driver.missing.append(f"its document is larger than {LARGEST_DOM} bytes")
            return b"", None
        return dom, datetime.now(UTC)

    async def _leave(self, page: Page, context: str) -> None:
        """Close the page; where it does not let go, its context, and at last the browser."""
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
        """The clinic's own way out."""
        proxy = self._proxies.get(render.context)
        if proxy is None:
            proxy = self._proxies[render.context] = Proxy()
            await proxy.start()
        proxy.connector.private |= render.private
        return proxy

    async def _create_browser_context(self, *args: Any, **kwargs: Any) -> BrowserContextWrapper:
        wrapper = await super()._create_browser_context(*args, **kwargs)
        await fence_context(wrapper.context)
        return wrapper

    def _connected(self) -> bool:
        return hasattr(self, "browser") and self.browser.is_connected()

    def _forget_dead(self) -> None:
        """A browser that died is no more, and its contexts with it; the next page asks for a new one."""
        if hasattr(self, "browser") and not self.browser.is_connected():
            self.context_wrappers.clear()
            del self.browser

    async def _discard(self) -> None:
        """End the browser, however it is: a dead driver leaves it looking alive."""
        browser = getattr(self, "browser", None)
        self.context_wrappers.clear()
        if browser is not None:
            del self.browser
            await self.browser_provider.discard(browser)

    async def _browser_disconnected_callback(self) -> None:
        # The base class closes contexts and forgets the browser in its own time, which may be that of the next one.
        self._forget_dead()

    async def _close(self) -> None:
        """The end of the crawl: the context, the proxy, and the browser if no other clinic uses it."""
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
    """The page's own document as Scrapy's response. Raises `PageUnreachable` where none came."""
    document = rendering.document
    if document is None:
        told = next((one.reason for one in rendering.refused if one.kind == "document"), None) or rendering.reason
        raise PageUnreachable(f"{request.url}: the browser got no answer ({told})")
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
