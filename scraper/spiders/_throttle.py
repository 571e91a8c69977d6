"""Pauses between two requests of a visit, which end as soon as the visit is being closed.

Scrapy finishes pending requests before it closes a spider, and does not shorten its own delays: a Retry-After of
minutes, or a Crawl-delay, would keep a process alive that was asked to end.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from urllib.parse import urlsplit

from scrapy.core.engine import ExecutionEngine

CHECK_INTERVAL = 0.25  # seconds between two checks whether the visit is being closed


def closing(engine: ExecutionEngine) -> bool:
    """Return whether the visit is being closed, on request or because the archive cannot be written."""
    slot = engine._slot
    return not engine.running or slot is None or slot.closing is not None


# When the next request to a host may be made (monotonic seconds), for all visits of this process: several clinics may
# have their blogs on one host, or their comments at one service.
_free_at: dict[str, float] = {}


def next_turn(url: str, delay: float, earliest: float) -> float:
    """Return when a request to the host of `url` may be made, and keep the host free of others for `delay` seconds."""
    host = urlsplit(url).hostname or ""
    at = max(earliest, _free_at.get(host, earliest))
    _free_at[host] = at + delay
    return at


async def first_turn(url: str, delay: float) -> None:
    """Wait until a visit's first request may be made."""
    await asyncio.sleep(next_turn(url, delay, now := monotonic()) - now)


async def pause(engine: ExecutionEngine, name: str, pause: float, url: str) -> bool:
    """Wait for the pause (seconds), for the delay of the download slot of that name, and for the turn of `url`'s host.

    Scrapy enforces the slot's delay itself, but a request that waits for it there cannot be cancelled. Returns False if
    the visit is closing.
    """
    slot = engine.downloader.slots.get(name)
    begun = monotonic()
    earliest = max(begun + pause, slot.lastseen + slot.delay if slot else begun)
    until = next_turn(url, slot.delay if slot else 0.0, earliest)
    while (left := until - monotonic()) > 0 and not closing(engine):
        await asyncio.sleep(min(left, CHECK_INTERVAL))
    return not closing(engine)
