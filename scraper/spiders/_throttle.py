"""Waits between two requests of a visit: they end as soon as the visit is being closed.

Scrapy waits for whatever is under way before it closes a spider, and ends no wait of its own: a server's Retry-After of
minutes, or a Crawl-delay, would keep a process alive that was asked to end.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from scrapy.core.engine import ExecutionEngine

LOOK = 0.25  # seconds between two looks at whether the visit goes on


def closing(engine: ExecutionEngine) -> bool:
    """The visit is being ended, from outside or because nothing more can be written: nothing more will be fetched."""
    slot = engine._slot
    return not engine.running or slot is None or slot.closing is not None


async def pause(engine: ExecutionEngine, name: str, pause: float) -> bool:
    """The pause is over, and so is the delay of the download slot of that name; False: the visit ends before.

    Scrapy keeps the delay itself, but a request that waits for it there cannot be taken back.
    """
    slot = engine.downloader.slots.get(name)
    begun = monotonic()
    until = max(begun + pause, slot.lastseen + slot.delay if slot else begun)
    while (left := until - monotonic()) > 0 and not closing(engine):
        await asyncio.sleep(min(left, LOOK))
    return not closing(engine)
