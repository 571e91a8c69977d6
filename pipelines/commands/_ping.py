"""The watcher outside: an address that is told when a crawl begins and how it ended (healthchecks.io and its like).

Only who waits elsewhere notices that a machine is off, or an installation broken: there is nobody left to complain.
The address is a secret, since whoever has it can say that all is well: it is never logged, printed or stored whole.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

from pipelines.exit_codes import ExitCode
from pipelines.run.notices import WATCHER, Notice, emit
from scraper.addresses import is_web_address
from scraper.config.clinics import PRODUCT, VERSION

logger = logging.getLogger(__name__)

VARIABLE = "CLINIC_ARCHIVE_PING_URL"
# A run that was stopped (Ctrl-C, SIGTERM, its time limit) ended as somebody wanted, and the next one goes on. If that
# never comes, the watcher notices.
WELL = {ExitCode.DONE, ExitCode.STOPPED}
TRIES, PAUSE = 2, 1.0  # seconds between two tries
CONNECT, PATIENCE = 5.0, 10.0  # seconds for a connection, and for all of a try
LARGEST = 10_000  # bytes of a body that healthchecks keeps


class PingUrl(click.ParamType[str]):
    """An http or https address; an error does not repeat it."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as given."""
        url = str(value).strip()
        try:
            sound = is_web_address(url) and urlsplit(url).port != 0 and re.fullmatch(r"[!-~]+", url) is not None
        except ValueError:  # "http://x:99999"
            sound = False
        if not sound:
            self.fail("not an http or https address", param, ctx)
        return url


class Watcher:
    """Tells the address how one run goes. Whatever happens to it, the run goes on: no method raises.

    `lines`: what the run says, for the watcher to read beside the exit code.
    """

    def __init__(self, url: str | None, archive: Path) -> None:
        self.lines: list[str] = []
        self._url = url
        self._archive = archive
        self._silent: str | None = None  # why it was not told of the beginning

    def begin(self) -> None:
        """The run holds the archive and begins."""
        if self._url is not None:
            self._silent = _told(_below(self._url, "/start"), b"")

    def end(self, code: int) -> None:
        """The run ended with this exit code; where the watcher cannot be told, stderr is (once a week: `told`).

        Another run that holds the archive (75) is not told of: it tells of itself.
        """
        if self._url is None or code == ExitCode.LOCKED:
            return
        where = f"{urlsplit(self._url).scheme}://{urlsplit(self._url).netloc.rpartition('@')[2]}/…"
        why = _told(_below(self._url, "" if code in WELL else "/fail"), _body(self.lines, code))
        # Before a crawl there is no log yet, and what is logged then goes to stderr.
        if self._silent and logger.hasHandlers():
            logger.warning("%s: the watcher was not told that the run began: %s", where, self._silent)
        line = f"{where}: the watcher was not told how the run ended: {why}"
        if why and logger.hasHandlers():
            logger.warning("%s", line)
        emit(self._archive, [Notice(WATCHER, line)] if why else [], over={WATCHER: ()})


def watched(body: Callable[..., None]) -> Callable[..., None]:
    """A command that takes `watcher` in place of its option `ping_url`, and whose end the watcher is told of.

    Also where it ends before it began, as with a broken clinics.toml; but not after Ctrl-C, when somebody is there.
    """

    @functools.wraps(body)
    def command(*, ping_url: str | None, archive: Path, **arguments: Any) -> None:
        os.environ.pop(VARIABLE, None)  # a browser that the crawl starts need not know it
        watcher = Watcher(ping_url, archive)
        try:
            body(archive=archive, watcher=watcher, **arguments)
        except SystemExit as ending:
            watcher.lines += getattr(ending, "__notes__", [])
            watcher.end(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
            raise
        except click.ClickException as error:
            watcher.lines.append(error.format_message())
            watcher.end(error.exit_code)
            raise
        except Exception as error:
            watcher.lines.append(f"unexpected: {type(error).__name__}")
            watcher.end(ExitCode.UNEXPECTED)
            raise
        else:
            watcher.end(ExitCode.DONE)

    return command


def _below(url: str, suffix: str) -> str:
    """The suffix goes to the end of the path, before a query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix)) if suffix else url


def _body(lines: list[str], code: int) -> bytes:
    # What an exception says may be a piece of a page.
    said = [re.sub(r"broke off \((\w+): .*\)", r"broke off (\1)", line, flags=re.DOTALL) for line in lines]
    text = "\n".join([f"exit code {code}", *said])
    return text.encode("utf-8", "replace")[:LARGEST].decode("utf-8", "ignore").encode()


def _told(url: str, body: bytes) -> str | None:
    """Why the address could not be told; None: it was."""
    why = None
    for number in range(TRIES):
        time.sleep(PAUSE if number else 0)
        # A thread can be left alone: names that do not resolve, and answers that drip, know no timeout of a client's.
        answers: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=lambda queue: queue.put(_post(url, body)), args=(answers,), daemon=True).start()
        try:
            why = answers.get(timeout=PATIENCE)
        except Empty:
            why = f"no answer in {PATIENCE:.0f} s"
        if why is None:
            break
    return why


def _post(url: str, body: bytes) -> str | None:
    import httpx  # noqa: PLC0415  # a tenth of a second that only a watched run needs

    for name in ("httpx", "httpcore"):  # they log each address
        logging.getLogger(name).setLevel(logging.WARNING)
    timeout = httpx.Timeout(PATIENCE, connect=CONNECT)
    headers = {"User-Agent": f"{PRODUCT}/{VERSION}", "Content-Type": "text/plain; charset=utf-8"}
    try:
        with (
            httpx.Client(timeout=timeout, headers=headers, follow_redirects=False) as client,
            client.stream("POST", url, content=body) as answer,
        ):
            said = next(answer.iter_bytes(), b"")[:100].decode("utf-8", "replace").strip()
            if not answer.is_success:
                redirect = ", a redirect, which is not followed" if answer.is_redirect else ""
                return f"answered {answer.status_code}{redirect}"
            # healthchecks.io answers 200 and "OK (not found)" where it knows no such check.
            refused = re.fullmatch(r"OK \([a-z ]+\)", said)
            return f"answered {refused[0]!r}" if refused else None
    except httpx.ConnectError as error:
        why = re.sub(r"^\[[^]]*\] ", "", str(error))  # without "[Errno 111] "
        return f"no connection ({why})"
    except httpx.ConnectTimeout:
        return f"no connection in {CONNECT:.0f} s"
    except httpx.TimeoutException:
        return f"no answer in {PATIENCE:.0f} s"
    except Exception as error:
        # Whatever it is, it is not the crawl's; and what it says may hold the address.
        return type(error).__name__
