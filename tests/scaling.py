"""Compare the work of two sizes: what takes the square of its size is found on a machine of any speed."""

from __future__ import annotations

import time
from collections.abc import Callable

FACTOR = 8  # between the two sizes: work in proportion grows 8 times, its square 64 times
LIMIT = 24.0
ATTEMPTS = 6


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Fail where `work(size)` takes more than `LIMIT` times the CPU time of `work(size // FACTOR)`.

    Other processes can make CPU time longer, never shorter: both sizes are measured up to `ATTEMPTS` times, and the
    shortest times are compared.
    """
    small = large = float("inf")
    for _ in range(ATTEMPTS):
        small = min(small, _cpu_seconds(work, size // FACTOR))
        large = min(large, _cpu_seconds(work, size))
        if large <= LIMIT * small:
            return
    raise AssertionError(f"{FACTOR} times the size takes {large / small:.0f} times the CPU time: {small}, {large} s")


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    begun = time.process_time()
    work(size)
    return time.process_time() - begun
