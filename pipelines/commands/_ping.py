"""The watcher: an address outside that is notified when a crawl begins and how it ended (healthchecks.io and the like).

Only something outside notices that a machine is off or an installation broken. The address is a secret, since whoever
has it can report that all is well: it is never logged, printed or stored in full.
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
# A run that was stopped (Ctrl-C, SIGTERM, its time limit) ended as somebody wanted, and the next one continues. If that
# never comes, the watcher notices.
SUCCESS = {ExitCode.DONE, ExitCode.STOPPED}
TRIES, PAUSE = 2, 1.0  # seconds between two tries
CONNECT, TIMEOUT = 5.0, 10.0  # seconds for a connection, and for a whole try
LARGEST = 10_000  # bytes of a body that healthchecks.io stores


class PingUrl(click.ParamType[str]):
    """An http or https address; an error message does not repeat it."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address unchanged. Raises a usage error for anything else."""
        url = str(value).strip()
        try:
            valid = is_web_address(url) and urlsplit(url).port != 0 and re.fullmatch(r"[!-~]+", url) is not None
        except ValueError:  # "http://x:99999"
            valid = False
        if not valid:
            self.fail("not an http or https address", param, ctx)
        return url


class PingNotifier:
    """Notifies the address of one run. No method raises: whatever happens to the address, the run continues.

    `lines`: the problems of the run, sent together with the exit code.
    """

    def __init__(self, url: str | None, archive: Path) -> None:
        self.lines: list[str] = []
        self._url = url
        self._archive = archive
        self._begin_failure: str | None = None  # why the notification of the beginning failed

    def begin(self) -> None:
        """Notify the address that the run holds the archive and begins."""
        if self._url is not None:
            self._begin_failure = _notify(_with_suffix(self._url, "/start"), b"")

    def end(self, code: int) -> None:
        """Notify the address of the exit code; print to stderr where that fails, once a week (`pipelines.run.notices`).

        Nothing is sent where another run holds the archive (75): that run sends its own notifications.
        """
        if self._url is None or code == ExitCode.LOCKED:
            return
        host = f"{urlsplit(self._url).scheme}://{urlsplit(self._url).netloc.rpartition('@')[2]}/…"
        why = _notify(_with_suffix(self._url, "" if code in SUCCESS else "/fail"), _body(self.lines, code))
        # Before a crawl no log is open, and the logger would print to stderr.
        if self._begin_failure and logger.hasHandlers():
            logger.warning("%s: the watcher was not notified of the start: %s", host, self._begin_failure)
        line = f"{host}: the watcher was not notified of the result: {why}"
        if why and logger.hasHandlers():
            logger.warning("%s", line)
        emit(self._archive, [Notice(WATCHER, line)] if why else [], unrequested={WATCHER: ()})


def watched(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command a `watcher` in place of its option `ping_url`, and notify the watcher when the command ends.

    Also where the command ends before the run begins, as with a broken clinics.toml; but not after Ctrl-C, when
    somebody is present.
    """

    @functools.wraps(body)
    def command(*, ping_url: str | None, archive: Path, **arguments: Any) -> None:
        os.environ.pop(VARIABLE, None)  # a browser that the crawl starts need not know it
        watcher = PingNotifier(ping_url, archive)
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


def _with_suffix(url: str, suffix: str) -> str:
    """The address with a suffix at the end of its path, before the query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix)) if suffix else url


def _body(lines: list[str], code: int) -> bytes:
    """The exit code and the lines, in UTF-8, no longer than is stored.

    The message of an exception is left out, since it may quote a page: "broke off (ValueError: no number: 'Anna')".
    """
    without_quotes = [re.sub(r"broke off \((\w+): .*\)", r"broke off (\1)", line, flags=re.DOTALL) for line in lines]
    text = "\n".join([f"exit code {code}", *without_quotes])
    return text.encode("utf-8", "replace")[:LARGEST].decode("utf-8", "ignore").encode()


def _notify(url: str, body: bytes) -> str | None:
    """POST the body, twice if need be; return why it failed, None where it did not."""
    why = None
    for number in range(TRIES):
        time.sleep(PAUSE if number else 0)
        # A thread can be abandoned: name look-ups, and answers that come byte by byte, obey no timeout of the client.
        answers: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=lambda queue: queue.put(_post(url, body)), args=(answers,), daemon=True).start()
        try:
            why = answers.get(timeout=TIMEOUT)
        except Empty:
            why = f"no answer in {TIMEOUT:.0f} s"
        if why is None:
            break
    return why


def _post(url: str, body: bytes) -> str | None:
    """POST the body once; return why it failed, None where it did not."""
    import httpx  # noqa: PLC0415  # a tenth of a second that only a watched run needs

    for name in ("httpx", "httpcore"):  # they log each address
        logging.getLogger(name).setLevel(logging.WARNING)
    timeout = httpx.Timeout(TIMEOUT, connect=CONNECT)
    headers = {"User-Agent": f"{PRODUCT}/{VERSION}", "Content-Type": "text/plain; charset=utf-8"}
    try:
        with (
            httpx.Client(timeout=timeout, headers=headers, follow_redirects=False) as client,
            client.stream("POST", url, content=body) as answer,
        ):
            text = next(answer.iter_bytes(), b"")[:100].decode("utf-8", "replace").strip()
            if not answer.is_success:
                redirect = ", a redirect, which is not followed" if answer.is_redirect else ""
                return f"answered {answer.status_code}{redirect}"
            # healthchecks.io answers 200 and "OK (not found)" where it knows no such check.
            refused = re.fullmatch(r"OK \([a-z ]+\)", text)
            return f"answered {refused[0]!r}" if refused else None
    except httpx.ConnectError as error:
        # the message is "[Errno 111] Connection refused"
        why = re.sub(r"^\[[^]]*\] ", "", str(error))
        return f"no connection ({why})"
    except httpx.ConnectTimeout:
        return f"no connection in {CONNECT:.0f} s"
    except httpx.TimeoutException:
        return f"no answer in {TIMEOUT:.0f} s"
    except Exception as error:
        # Nothing that happens here may end the crawl, and the message may hold the address.
        return type(error).__name__
