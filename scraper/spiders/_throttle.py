"""Pauses between two requests of a visit, which end as soon as the visit is being closed.

Scrapy finishes pending requests before it closes a spider, and does not shorten its own delays: a Retry-After of
minutes, or a Crawl-delay, would keep a process alive that was asked to end.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from scrapy.core.engine import ExecutionEngine

CHECK_INTERVAL = 0.25  # seconds between two checks whether the visit is being closed


def closing(engine: ExecutionEngine) -> bool:
    """Return whether the visit is being closed, on request or because the archive cannot be written."""
    slot = engine._slot
    return not engine.running or slot is None or slot.closing is not None


async def pause(engine: ExecutionEngine, name: str, pause: float) -> bool:
    """Wait for the pause (seconds) and for the delay of the download slot of that name. False: the visit is closing.

    Scrapy enforces the delay itself, but a request that waits for it there cannot be cancelled.
    """
    slot = engine.downloader.slots.get(name)
    begun = monotonic()
    until = max(begun + pause, slot.lastseen + slot.delay if slot else begun)
    while (left := until - monotonic()) > 0 and not closing(engine):
        await asyncio.sleep(min(left, CHECK_INTERVAL))
    return not closing(engine)
