"""Vega, in a process of its own: a text that brings its engine down costs one drawing, not the server."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

# Seconds that a drawing may take; the first one of a process waits for its engine.
PATIENCE = 20.0

_lock = threading.Lock()
_pools: list[ProcessPoolExecutor] = []


def svg_of(specification: dict[str, Any]) -> str | None:
    """The SVG of a Vega-Lite specification; None where Vega could not draw it."""
    with _lock:
        if not _pools:
            context = multiprocessing.get_context("spawn")
            _pools.append(ProcessPoolExecutor(max_workers=1, mp_context=context))
        pool = _pools[0]
    try:
        return pool.submit(_draw, specification).result(PATIENCE)
    except (BrokenProcessPool, TimeoutError, RuntimeError):
        with _lock:
            if pool in _pools:
                _pools.remove(pool)
        # What still draws is ended: it may never come to an end.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        return None


def _draw(specification: dict[str, Any]) -> str | None:
    import vl_convert  # noqa: PLC0415 # 80 MB, and an engine of threads: only where it draws

    try:
        svg: str = vl_convert.vegalite_to_svg(specification)
    except ValueError:
        return None
    return svg
