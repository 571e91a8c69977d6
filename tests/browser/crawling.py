"""A crawl of rendered pages in a process of its own, as Scrapy runs it: `crawled(pages)` gives what came of each.

Warnings are errors in there too, and what the process printed is part of what it gives.
"""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Request, Response
from scrapy.settings import Settings
from twisted.python.failure import Failure

from scraper.browser import Rendering, RenderTargets, rendered_request_meta
from scraper.http import describe_failure
from tests.waiting import HANG

ROOT = Path(__file__).parents[2]
_BEGIN = "import sys; from tests.browser.crawling import main; main(*sys.argv[1:])"
AGENT = "clinic-archive/0.1 (+https://project.example; mailto:crawler@project.example)"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page to visit: rendered unless `wanted` is None."""

    url: str
    wanted: RenderTargets | None = field(default_factory=RenderTargets)
    private: tuple[str, ...] = ()
    forbidden: str = ""  # sub-requests whose address holds this are not allowed
    # "--type=renderer" kills the pages' own processes, "node" the driver, "--remote-debugging-pipe" the whole browser,
    # at the first sub-request, `kills` times.
    kill: str = ""
    kills: int = 0


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of one page."""

    status: int | None
    body: bytes
    rendering: Rendering | None
    problem: tuple[str, str] | None
    processes: tuple[str, ...]  # names of the crawler's children then


@dataclass(frozen=True, kw_only=True)
class Crawl:
    """What came of all, and how the crawl ended."""

    came: list[Came]
    stats: dict[str, Any]
    code: int
    log: str
    left: tuple[str, ...]  # processes and folders that were not there before


class _Visitor(scrapy.Spider):
    name = "visitor"

    def __init__(self, pages: Sequence[Page], came: list[Came], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pages = list(pages)
        self.came = came

    async def start(self) -> AsyncIterator[Any]:
        yield self._next()

    def _next(self) -> Request | None:
        if len(self.came) == len(self.pages):
            return None
        page = self.pages[len(self.came)]

        left = page.kills

        async def allow(url: str) -> str | None:
            nonlocal left
            if left:
                left -= 1
                _kill(page.kill)
            return "robots.txt forbids it" if page.forbidden and page.forbidden in url else None

        meta = (
            {}
            if page.wanted is None
            else rendered_request_meta(page.wanted, context="clinic", private=page.private, allow=allow)
        )
        return Request(
            page.url,
            callback=self.parse,
            errback=self.missed,
            dont_filter=True,
            meta={**meta, "handle_httpstatus_all": True},
        )

    def parse(self, response: Response, **kwargs: Any) -> Any:
        self.came.append(
            Came(
                status=response.status,
                body=response.body,
                rendering=response.meta.get("rendering"),
                problem=None,
                processes=_children(),
            )
        )
        yield self._next()

    def missed(self, failure: Failure) -> Any:
        request: Request = failure.request  # type: ignore[attr-defined]
        assert failure.value is not None
        self.came.append(
            Came(
                status=None,
                body=b"",
                rendering=request.meta.get("rendering"),
                problem=describe_failure(failure.value, request.url),
                processes=_children(),
            )
        )
        yield self._next()


def _children() -> tuple[str, ...]:
    import psutil

    names = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a frame's own process ends with its page
            names.append(child.name())
    return tuple(names)


def _kill(what: str) -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if what in " ".join([child.name(), *child.cmdline()]):
                child.kill()


def crawled(pages: Sequence[Page], folder: Path, **settings: Any) -> Crawl:
    """Visit the pages one after another."""
    folder.mkdir()
    temporary = Path(tempfile.mkdtemp(prefix="t"))  # a short path: sockets go there
    output = folder / "output"
    (folder / "input").write_bytes(pickle.dumps((list(pages), settings)))
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "error"}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from tests.browser.crawling import main; main(*sys.argv[1:])",
            str(folder / "input"),
            str(output),
        ],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    log, _ = process.communicate(timeout=HANG)
    came, stats = pickle.loads(output.read_bytes()) if output.exists() else ([], {})
    left = [path.name for path in temporary.iterdir()] + _still_there(str(temporary))
    shutil.rmtree(temporary)
    return Crawl(came=came, stats=stats, code=process.returncode, log=log, left=tuple(left))


def _still_there(mark: str) -> list[str]:
    """Processes that were started with our folder for temporary files."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(mark):
                found.append(f"{process.name()} ({process.status()})")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _rebind() -> None:
    """Names below `.example` are on this machine, as a name's owner may say of any."""
    system = socket.getaddrinfo

    def rebound(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        return system("127.0.0.1" if str(host).endswith(".example") else host, port, *more, **named)

    socket.getaddrinfo = rebound


def main(input_path: str, output_path: str) -> None:
    """In the process of the crawl."""
    pages, more = pickle.loads(Path(input_path).read_bytes())
    _rebind()
    settings = Settings()
    settings.setdict(
        {
            "DOWNLOAD_HANDLERS": {
                "http": "scraper.browser.RenderingHandler",
                "https": "scraper.browser.RenderingHandler",
            },
            "USER_AGENT": AGENT,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "RETRY_ENABLED": False,
            "LOG_LEVEL": "INFO",
            **more,
        },
        priority="cmdline",
    )
    process = CrawlerProcess(settings)
    came: list[Came] = []
    crawler = process.create_crawler(_Visitor)
    process.crawl(crawler, pages=pages, came=came)
    process.start()
    assert crawler.stats is not None
    Path(output_path).write_bytes(pickle.dumps((came, dict(crawler.stats.get_stats()))))
