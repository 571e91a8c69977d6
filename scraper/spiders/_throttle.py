"""Pauses between two requests of a visit, which end as soon as the visit is being closed.

Scrapy finishes pending requests before it closes a spider, and does not shorten its own delays: a Retry-After of
minutes, or a Crawl-delay, would keep a process alive that was asked to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from scrapy.core.engine import ExecutionEngine

from scraper.addresses import is_loopback_host

CHECK_INTERVAL = 0.25  # seconds between two checks whether the visit is being closed


def closing(engine: ExecutionEngine) -> bool:
    """Return whether the visit is being closed, on request or because the archive cannot be written."""
    slot = engine._slot
    return not engine.running or slot is None or slot.closing is not None


PROVIDER_INTERVAL = 0.2  # seconds between two requests to all clinics whose blogs one provider serves
LONGEST_HOLD = 60.0  # seconds for which a provider that is busy for one clinic is left alone by all


class Moments(Protocol):
    """When the next request to each host or provider may be made (monotonic seconds); a dict is one."""

    def get(self, server: str, default: float, /) -> float:
        """Return the moment of the server; `default` where none is known."""

    def __setitem__(self, server: str, at: float, /) -> None: ...


# For all visits of this process, or of several: several clinics may have their blogs on one host, or their comments at
# one service.
_free_at: Moments = {}
_alone: Callable[[], AbstractContextManager[object]] = nullcontext


def share(moments: Moments, alone: Callable[[], AbstractContextManager[object]]) -> None:
    """Take turns with the visits of other processes. `alone`: while it is entered, no other process enters it."""
    global _free_at, _alone  # set once, before the first visit
    _free_at, _alone = moments, alone


def next_turn(url: str, delay: float, earliest: float, provider: str | None = None) -> float:
    """Return when a request to `url` may be made, and reserve that time.

    No other request to its host follows within `delay` seconds, and none to its provider (`Platform.hosted`) within
    `PROVIDER_INTERVAL`.
    """
    host = urlsplit(url).hostname or ""
    if is_loopback_host(host):
        intervals = {urlsplit(url).netloc: delay}  # each port of this machine is a server of its own
    else:
        intervals = {host: delay} | ({_server_of(provider): PROVIDER_INTERVAL} if provider else {})
    with _alone():
        at = max(earliest, *(_free_at.get(server, earliest) for server in intervals))
        for server, seconds in intervals.items():
            _free_at[server] = at + seconds
    return at


def hold(provider: str, seconds: float) -> None:
    """Keep a provider free of requests for some seconds, at most `LONGEST_HOLD`: it answered that it is busy."""
    server = _server_of(provider)
    with _alone():
        _free_at[server] = max(_free_at.get(server, 0.0), monotonic() + min(seconds, LONGEST_HOLD))


def _server_of(provider: str) -> str:
    return f"{provider} "  # no host has a space in its name


async def first_turn(url: str, delay: float, provider: str | None) -> None:
    """Wait until a visit's first request may be made."""
    await asyncio.sleep(next_turn(url, delay, now := monotonic(), provider) - now)


async def pause(engine: ExecutionEngine, name: str, pause: float, url: str, provider: str | None) -> bool:
    """Wait for the pause (seconds), for the delay of the download slot of that name, and for the turn of `url`.

    Scrapy enforces the slot's delay itself, but a request that waits for it there cannot be cancelled. Returns False if
    the visit is closing.
    """
    slot = engine.downloader.slots.get(name)
    begun = monotonic()
    earliest = max(begun + pause, slot.lastseen + slot.delay if slot else begun)
    until = next_turn(url, slot.delay if slot else 0.0, earliest, provider)
    while (left := until - monotonic()) > 0 and not closing(engine):
        await asyncio.sleep(min(left, CHECK_INTERVAL))
    return not closing(engine)
