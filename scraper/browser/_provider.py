"""The browser process: Debian's Chromium under Playwright, started for the first rendered page.

One process serves the whole run: clinics that are visited at the same time share it, each with a context and a proxy
of its own. The last clinic that closes its provider ends it.
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

PAGES = 2  # rendered at the same time in a run; more would slow each other down and run into time limits
STOP_SECONDS = 10.0
FOLDER = "clinic-archive-browser-"
# The headless shell first: without a window to draw, a page takes about a quarter of the CPU.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
INSTALL = (
    "no Chromium found: install it (Debian: apt install chromium-headless-shell; macOS: brew install --cask chromium)"
    " or name one as `browser` under [crawler] in clinics.toml"
)
FLAGS = (
    # The proxy resolves names. A connection that bypasses it finds no host.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # No activity of its own.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
)


def find_browser(executable: str | None = None) -> str:
    """Return the Chromium to start: `executable`, else the first on PATH or in /usr/bin. Raises `NoBrowser`."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/bin"
    names = (executable,) if executable else NAMES
    found = next((found for name in names if (found := shutil.which(name, path=path))), None)
    if found is None:
        raise NoBrowser(
            f"{executable}, `browser` in clinics.toml, is not a program: correct it, or remove it and install Chromium"
            if executable
            else INSTALL
        )
    return found


class _Process:
    """Playwright's driver and its browser."""

    def __init__(self) -> None:
        self.leases = 0
        self.lock = asyncio.Lock()
        self.slots = asyncio.Semaphore(PAGES)
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._folder: str | None = None  # of its own, for profile and sockets
        self._lock_fd: int | None = None  # the lock on it
        self._warned = False

    async def browser(self, options: dict[str, Any]) -> Browser:
        """Return the running browser; a new one where there is none, or it crashed."""
        async with self.lock:
            if self._browser is None or not self._browser.is_connected():
                await self._stop()
                self._browser = await self._launch(options)
            return self._browser

    async def discard(self, browser: Browser | None) -> None:
        """End this browser, which has crashed or does not respond, unless another has replaced it already."""
        async with self.lock:
            if browser is None or browser is self._browser:
                await self._stop()

    async def _launch(self, options: dict[str, Any]) -> Browser:
        executable = find_browser(options.get("executable_path"))
        sandbox = os.geteuid() != 0
        if not sandbox and not self._warned:
            self._warned = True
            logger.warning("run as root: the browser's sandbox is off; run as another user to have it on")
        _remove_stale_folders()
        self._folder = tempfile.mkdtemp(prefix=FOLDER, dir=_folder_parent())
        self._lock_fd = lock_folder(self._folder)
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
            raise NoBrowser(f"{executable} did not start: {_start_failure(str(error))}") from error

    async def stop(self) -> None:
        """End the browser and its driver."""
        async with self.lock:
            await self._stop()

    async def _stop(self) -> None:
        browser, self._browser = self._browser, None
        driver, self._driver = self._driver, None
        # The driver ends the rest of the browser; if the driver has crashed too, the browser ends when its pipe breaks.
        for ending in (browser and browser.is_connected() and browser.close, driver and driver.stop):
            if ending:
                try:
                    async with asyncio.timeout(STOP_SECONDS):
                        await ending()
                except (Exception, TimeoutError) as error:  # a dead driver raises a bare Exception
                    logger.debug("the browser did not close by itself: %r", error)
        folder, self._folder = self._folder, None
        for _ in range(50):  # a killed browser leaves its profile, and one without a driver ends late
            if folder is None or not Path(folder).exists():
                break
            shutil.rmtree(folder, ignore_errors=True)
            await asyncio.sleep(0.1)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def lock_folder(folder: str | Path) -> int | None:
    """Lock the folder until the returned descriptor is closed or the process ends; None: another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_stale_folders() -> None:
    """Remove the folders of runs that were killed."""
    for folder in Path(_folder_parent() or tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError):  # another user's, or gone already
            descriptor = lock_folder(folder)
            if descriptor is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


def _folder_parent() -> str | None:
    """Return the parent of the browser's folder: paths of sockets have at most about 100 bytes. None: the default."""
    return "/tmp" if len(tempfile.gettempdir()) > 30 and Path("/tmp").is_dir() else None  # noqa: S108


def _start_failure(message: str) -> str:
    """Return the line of Playwright's message that says why a browser did not start."""
    lines = [line.strip(" -") for line in message.splitlines()]
    return next((line for line in lines if "FATAL" in line or "error while loading" in line), lines[0])


@contextmanager
def _temporary(folder: str) -> Iterator[None]:
    """Make programs started in the block use this folder for temporary files. Playwright has no option for it."""
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
        """Do nothing: a run that renders nothing starts no process."""

    async def launch_browser(self) -> Browser:
        """Return the run's browser, starting it if needed. Raises `NoBrowser`."""
        return await self._leased().browser(self._options)

    async def discard(self, browser: Browser | None) -> None:
        """End a browser that has crashed or does not respond; the next page starts a new one."""
        if self._process is not None:
            await self._process.discard(browser)

    def slot(self) -> asyncio.Semaphore:
        """Return the semaphore that limits how many pages are rendered at the same time."""
        return self._leased().slots

    def _leased(self) -> _Process:
        if self._process is None:
            self._process = self._running.setdefault(asyncio.get_running_loop(), _Process())
            self._process.leases += 1
        return self._process

    async def launch_persistent_context(self, context_kwargs: dict[str, Any]) -> BrowserContext:
        """Raise `NotSupported`: a context has no profile from earlier runs."""
        raise NotSupported("persistent contexts are not supported")

    async def close(self) -> None:
        """Release the browser; the last release ends it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.leases -= 1
        if process.leases == 0:
            self._running.pop(asyncio.get_running_loop(), None)
            await process.stop()
