"""The browser process: Debian's Chromium under Playwright, started for the first rendered page and not before.

One for the whole run: clinics side by side share it, each in a context of its own behind a proxy of its own, so that
eight clinics do not mean eight browsers. The last one to leave ends it.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from playwright.async_api import Browser, BrowserContext, Error, Playwright, async_playwright
from scrapy.exceptions import NotSupported
from scrapy_playwright.handler import Config

from scraper.browser._model import NoBrowser

logger = logging.getLogger(__name__)

PAGES = 2  # rendered side by side in a run; more would slow each other down, and time limits would tell lies
STOP_SECONDS = 10.0
FOLDER = "clinic-archive-browser-"
NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = (
    "no Chromium found: install it (Debian, Ubuntu: apt install chromium; macOS: brew install --cask chromium) or name"
    " one as `browser` under [crawler] in clinics.toml"
)
FLAGS = (
    # Names are the proxy's to resolve. Whatever would go round it finds no host.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # It does nothing of its own accord.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
)


def find_browser(executable: str | None = None) -> str:
    """The Chromium to start: the one named, else the first on PATH or in /usr/bin. Raises `NoBrowser`."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/bin"
    names = (executable,) if executable else NAMES
    found = next((found for name in names if (found := shutil.which(name, path=path))), None)
    if found is None:
        raise NoBrowser(
            f"{executable}, `browser` in clinics.toml, is no program: correct it, or install Chromium and leave it out"
            if executable
            else INSTALL
        )
    return found


class _Process:
    """Playwright's driver and the browser under it."""

    def __init__(self) -> None:
        self.leases = 0
        self.lock = asyncio.Lock()
        self.places = asyncio.Semaphore(PAGES)
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._folder: str | None = None  # of its own, for profile and sockets
        self._held: int | None = None  # the lock on it
        self._warned = False

    async def browser(self, options: dict[str, Any]) -> Browser:
        """The running browser; a new one where there is none, or it died."""
        async with self.lock:
            if self._browser is None or not self._browser.is_connected():
                await self._stop()
                self._browser = await self._launch(options)
            return self._browser

    async def discard(self, browser: Browser | None) -> None:
        """End this browser, which is dead or out of hand, unless another one has already taken its place."""
        async with self.lock:
            if browser is None or browser is self._browser:
                await self._stop()

    async def _launch(self, options: dict[str, Any]) -> Browser:
        executable = find_browser(options.get("executable_path"))
        sandbox = os.geteuid() != 0
        if not sandbox and not self._warned:
            self._warned = True
            logger.warning("run as root: the browser's sandbox is off; run as another user to have it on")
        _sweep()
        self._folder = tempfile.mkdtemp(prefix=FOLDER, dir=_short())
        self._held = hold(self._folder)
        try:
            with _temporary(self._folder):
                self._driver = await async_playwright().start()
            return await self._driver.chromium.launch(
                **{
                    **options,
                    "executable_path": executable,
                    "chromium_sandbox": sandbox,
                    "args": [*FLAGS, *options.get("args", ())],
                    # Scrapy ends the run on Ctrl-C, and the browser with it; by itself it would go from under a page.
                    "handle_sigint": False,
                    "handle_sigterm": False,
                    "handle_sighup": False,
                }
            )
        except Error as error:
            await self._stop()
            raise NoBrowser(f"{executable} did not start: {_why(str(error))}") from error

    async def stop(self) -> None:
        """End the browser and its driver."""
        async with self.lock:
            await self._stop()

    async def _stop(self) -> None:
        browser, self._browser = self._browser, None
        driver, self._driver = self._driver, None
        # The driver ends what is left of the browser; where it is dead too, the browser's pipe to it broke.
        for ending in (browser and browser.is_connected() and browser.close, driver and driver.stop):
            if ending:
                try:
                    async with asyncio.timeout(STOP_SECONDS):
                        await ending()
                except (Exception, TimeoutError) as error:  # a dead driver raises a bare Exception
                    logger.debug("the browser did not close by itself: %r", error)
        folder, self._folder = self._folder, None
        for _ in range(50):  # a browser that was killed leaves its profile; one without a driver takes time to notice
            if folder is None or not Path(folder).exists():
                break
            shutil.rmtree(folder, ignore_errors=True)
            await asyncio.sleep(0.1)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def hold(folder: str | Path) -> int | None:
    """Lock the folder until the descriptor is closed, or the process gone; None: somebody holds it."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _sweep() -> None:
    """Take away the folders of runs that were killed, and so could not do it themselves."""
    for left in Path(_short() or tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError):  # another user's, or gone already
            held = hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)


def _short() -> str | None:
    """Where the browser's folder goes: its sockets have paths of some 100 bytes at most. None: the usual place."""
    return "/tmp" if len(tempfile.gettempdir()) > 30 and Path("/tmp").is_dir() else None  # noqa: S108


def _why(told: str) -> str:
    """The line that says why a browser did not start, among the many that Playwright tells."""
    lines = [line.strip(" -") for line in told.splitlines()]
    return next((line for line in lines if "FATAL" in line or "error while loading" in line), lines[0])


@contextmanager
def _temporary(folder: str) -> Iterator[None]:
    """Programs started in the block keep what is temporary in this folder. Playwright takes no other word for it."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


class LazyProvider:
    """A provider for scrapy-playwright that starts nothing until a browser is needed."""

    _running: ClassVar[dict[asyncio.AbstractEventLoop, _Process]] = {}

    def __init__(self, config: Config) -> None:
        self._options = config.launch_options
        self._process: _Process | None = None

    async def start(self) -> None:
        """Nothing: a run that renders nothing starts no process."""

    async def launch_browser(self) -> Browser:
        """The run's browser, started now if it is the first to ask. Raises `NoBrowser`."""
        return await self._leased().browser(self._options)

    async def discard(self, browser: Browser | None) -> None:
        """End a browser that is dead or out of hand; the next page starts a new one."""
        if self._process is not None:
            await self._process.discard(browser)

    def place(self) -> asyncio.Semaphore:
        """To be held while a page is rendered."""
        return self._leased().places

    def _leased(self) -> _Process:
        if self._process is None:
            self._process = self._running.setdefault(asyncio.get_running_loop(), _Process())
            self._process.leases += 1
        return self._process

    async def launch_persistent_context(self, context_kwargs: dict[str, Any]) -> BrowserContext:
        """Never: each clinic begins without a past."""
        raise NotSupported("a rendered page has no profile that outlives it")

    async def close(self) -> None:
        """Leave the browser; the last to leave ends it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.leases -= 1
        if process.leases == 0:
            self._running.pop(asyncio.get_running_loop(), None)
            await process.stop()
