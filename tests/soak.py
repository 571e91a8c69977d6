"""How much of the tests runs: samples by default, everything with the environment variable SOAK (`make soak`)."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")

SOAK = bool(os.environ.get("SOAK"))


def sampled(cases: Iterable[Case], size: int) -> list[Case]:
    """The cases in their order: all with SOAK, else `size` of them, the same in each run."""
    every = list(cases)
    if SOAK or size >= len(every):
        return every
    chosen = sorted(random.Random(size).sample(range(len(every)), size))
    return [every[number] for number in chosen]
