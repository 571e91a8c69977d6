"""R: pages in a browser, of the sample clinic with its services off, so that its script alone fills the counters."""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench._browser import EVERY
from tests.bench._figure import ROUNDS, figure, in_a_process
from tests.clinic import running

PAGES, MANY = 10, 200


def shown(mode: str, pages: int) -> dict[str, Any]:
    """One run of `_browser` against a clinic of its own."""
    with TemporaryDirectory() as folder, running(Path(folder), api=False) as clinic:
        return in_a_process("_browser", mode, clinic.url, pages)


@cache
def seconds() -> tuple[tuple[float, float], ...]:
    """Median seconds of a page, ours and bare, round after round. Wall time: what a page waits for is most of it."""
    return tuple(
        (statistics.median(shown("ours", PAGES)["seconds"]), statistics.median(shown("bare", PAGES)["seconds"]))
        for _ in range(ROUNDS)
    )


@figure("R1", "rendered pages a minute, counters and comments waited for, every answer and the DOM kept", least=20)
def pages_a_minute() -> float:
    """The product's handler, one page at a time, no delay between pages."""
    return 60 / statistics.median(ours for ours, _ in seconds())


@figure("R2", "seconds a rendered page takes beyond what the page itself needs", most=1)
def beyond() -> float:
    """Against plain Playwright on the same pages in the same browser, which waits until the page itself says that its
    counters and comments are there. We are told nothing by the page: that a thread is empty is seen by its silence.
    """
    return statistics.median(ours - bare for ours, bare in seconds())


@figure("R3", "times the browser's memory after 20 pages, after 200", most=1.25)
def browser_memory() -> float:
    """All processes of the browser together (proportional set size), medians of readings around both."""
    sizes = {int(pages): size for pages, size in shown("many", MANY)["megabytes"].items()}
    early = [sizes[pages] for pages in range(2 * EVERY, 5 * EVERY, EVERY)]
    late = [sizes[pages] for pages in range(MANY - 2 * EVERY, MANY + 1, EVERY)]
    return float(statistics.median(late) / statistics.median(early))
