"""What a figure is, and how times are taken: CPU seconds of our process, interleaved rounds, the median."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. The goal is a least or a most."""

    name: str
    what: str
    measure: Callable[[], float]
    least: float | None
    most: float | None
    large: bool = False
    """Measured by `make bench-large` alone."""

    @property
    def goal(self) -> str:
        """ ">=3" or "<=1.5"."""
        return f">={self.least:g}" if self.least is not None else f"<={self.most:g}"

    def reached(self, value: float) -> bool:
        """The value, as it is printed, is on the right side of the goal."""
        value = round(value, 2)
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


FIGURES: list[Figure] = []


def figure(
    name: str, what: str, *, least: float | None = None, most: float | None = None, large: bool = False
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Make a function without arguments a figure: `name` as in the list of goals, `what` for the reader of the line."""

    def register(measure: Callable[[], float]) -> Callable[[], float]:
        FIGURES.append(Figure(name, what, measure, least, most, large))
        return measure

    return register


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds (user and system) of this process that `work` takes.

    Garbage of earlier work is swept before, and what a figure holds ready is kept out of the sweeps: a crawl has no
    thousands of pages lying about in memory.
    """
    gc.collect()
    gc.freeze()
    start = time.process_time()
    work()
    taken = time.process_time() - start
    gc.unfreeze()
    return taken


def ratio(above: Callable[[], float], below: Callable[[], float], rounds: int = ROUNDS) -> float:
    """The median over interleaved rounds of what `above` measures by what `below` does."""
    return statistics.median(above() / below() for _ in range(rounds))


def in_a_process(module: str, *arguments: object) -> dict[str, Any]:
    """Run a module of this package in a process of its own; what it printed last, as JSON."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(map(str, arguments))} failed:\n{done.stderr[-4000:]}")
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value
