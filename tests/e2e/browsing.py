"""The served site in a real Chromium: what runs, loads or is refused there, and what a visitor sees."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx
import psutil
from playwright.sync_api import Browser, Locator, Page, Request

from tests import warm
from tests.e2e.product import ROOT, environment
from tests.waiting import HANG, wait_until

PHONE, DESKTOP = (390, 844), (1280, 900)
# Pictures of what was seen, for whoever looks at a failed run.
PICTURES = Path(os.environ.get("ARTEFACTS") or ROOT / "var" / "screenshots")

# Runs before anything of a page does, outside of its policy: what the browser refused is counted.
WATCH = """
window.__refused = [];
document.addEventListener('securitypolicyviolation', event => {
  window.__refused.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile);
});
"""


@contextmanager
def served(archive: Path, *options: str, log: Path | None = None) -> Iterator[str]:
    """The archive served by the command, at the address that it says; what else it says is kept in `log`."""
    with serving(archive, *options, log=log) as (url, _):
        yield url


@contextmanager
def serving(archive: Path, *options: str, log: Path | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """The same, with the server's process. The command starts from a warm process (`tests.warm`)."""
    given = ("serve", "--archive", str(archive), "--port", "0", *options)
    # It says where it stands, then a line a request, which would stop it once a pipe that nobody reads is full.
    with log.open("w+b") if log else TemporaryFile() as said:
        process = warm.start(*given, cwd=Path.cwd(), environment=environment(), output=said)
        try:
            yield wait_until(lambda: _address(said, process), every=0.05), process
        finally:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
            process.wait(HANG)


@contextmanager
def served_by(program: Path, archive: Path) -> Iterator[str]:
    """The archive served by this `clinic-archive`, which is another than the checkout's."""
    command = [str(program), "serve", "--archive", str(archive), "--port", "0"]
    with TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment())
        try:
            yield wait_until(lambda: _address(said, psutil.Process(process.pid)), process, every=0.05)
        finally:
            process.terminate()
            process.wait(HANG)


def _address(said: IO[bytes], process: psutil.Process) -> str | None:
    """The address of a server by its first line, once it answers there."""
    size = os.fstat(said.fileno()).st_size
    text = os.pread(said.fileno(), size, 0).decode()  # its place in the file is the server's, too
    assert process.is_running(), f"the server ended: {text[-2000:]}"
    first = text.partition("\n")[0].strip()
    if first.startswith("http"):
        with suppress(httpx.TransportError):
            httpx.get(first, timeout=HANG)
            return first.rstrip("/")
    return None


@dataclass
class Visit:
    """A page of the browser, and what happened in it that should not."""

    page: Page
    url: str
    dialogs: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def go(self, path: str, status: int = 200) -> Page:
        """Look at a path of the site; the answer must have that status."""
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def follow(self, link: Locator) -> None:
        """Click on what leads to another page, and wait until that is there: the old one may still be looked at."""
        with self.page.expect_navigation():
            link.click()

    def faults(self) -> list[str]:
        """What ran, was asked of another host, was refused by the policy, or could not be loaded."""
        refused: list[str] = self.page.evaluate("window.__refused")
        return [*self.dialogs, *self.outside, *self.errors, *refused]

    def keep(self) -> None:
        """A picture of the page as it is now, of its first 3,000 pixels, named by its path and width."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = re.sub(r"\W+", "-", self.page.url.removeprefix(self.url)).strip("-")[:100]
        size = self.page.evaluate("[innerWidth, Math.min(document.documentElement.scrollHeight, 3000)]")
        visible = {"x": 0, "y": 0, "width": size[0], "height": size[1]}
        self.page.screenshot(
            path=PICTURES / f"{path or 'home'}-{size[0]}.png", full_page=True, clip=visible, timeout=120_000
        )


@contextmanager
def visiting(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, **options: Any) -> Iterator[Visit]:
    """A visitor with a window of that size. `bypass_csp`: whatever the policy would refuse may run."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.add_init_script(WATCH)
    visit = Visit(context.new_page(), url)

    def requests(request: Request) -> None:
        if not re.match(rf"{re.escape(url)}(/|$)|data:|about:", request.url):
            visit.outside.append(request.url)

    def said(message: Any) -> None:
        # The console tells of an answer 404 as of an error; the status is looked at where a page is asked for.
        if message.type == "error" and "status of 4" not in message.text:
            visit.errors.append(message.text)

    visit.page.on("dialog", lambda dialog: (visit.dialogs.append(dialog.message), dialog.dismiss()))
    visit.page.on("request", requests)
    visit.page.on("console", said)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    try:
        yield visit
    except AssertionError:
        visit.keep()
        raise
    finally:
        context.close()
