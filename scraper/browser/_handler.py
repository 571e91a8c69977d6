"""Scrapy's download handler for http and https: Scrapy's own, and the browser for rendered requests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from scraper.browser._model import META
from scraper.robots.politeness import host_turn

if TYPE_CHECKING:
    from scraper.browser._renderer import Renderer

# Scrapy makes a handler for http and one for https, and a clinic has one browser context.
_renderers: WeakKeyDictionary[Crawler, Renderer] = WeakKeyDictionary()


class RenderingHandler(HTTP11DownloadHandler):
    """`DOWNLOAD_HANDLERS = {"http": "scraper.browser.RenderingHandler", "https": "scraper.browser.RenderingHandler"}`.

    A request with `rendered_request_meta(...)` in its meta goes to the browser, any other to Scrapy's handler.
    Playwright is not imported before the first rendered request.
    """

    async def download_request(self, request: Request) -> Response:
        """Return the answer; of a rendered request the page's document (the rest is in `request.meta["rendering"]`)."""
        if META not in request.meta:
            async with host_turn(request, self._crawler):
                return await super().download_request(request)
        renderer = _renderers.get(self._crawler)
        if renderer is None:
            from scraper.browser._renderer import Renderer  # noqa: PLC0415 (see above)

            renderer = _renderers[self._crawler] = Renderer(self._crawler)
        return await renderer._download_request(request)

    async def close(self) -> None:
        """Close connections and the renderer at the end of the crawl."""
        await super().close()
        renderer = _renderers.pop(self._crawler, None)
        if renderer is not None:
            await renderer.close()
