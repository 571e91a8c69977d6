"""Wait in a test for an event itself, however long the machine takes for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

HANG = 300.0  # seconds: nothing that a test waits for takes as long, beside any number of busy processes

T = TypeVar("T")


class Process(Protocol):
    """What this module uses of a process: of `subprocess.Popen` or `tests.warm.Started`."""

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...


def wait_until(event: Callable[[], T], process: Process | None = None, *, every: float = 0.02) -> T:
    """Call `event` every so many seconds; return its first true value.

    Fails after `HANG` seconds, and as soon as `process`, which is to bring the event about, has ended without it.
    """
    end = time.monotonic() + HANG
    while True:
        ended = process is not None and process.poll() is not None
        if value := event():
            return value
        assert not ended, f"the process ended with {process and process.returncode} before the event"
        assert time.monotonic() < end, f"no event in {HANG:.0f} seconds"
        time.sleep(every)


def kill_after(seconds: float | None, pid: int) -> None:
    """Kill the process, if it is still there, after that time; None: never."""
    if seconds is not None:
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def logged(archive: Path, words: str) -> bool:
    """Whether those words are in the log of the archive's crawls."""
    log = archive / "log" / "crawl.log"
    return log.exists() and words in log.read_text("utf-8")
