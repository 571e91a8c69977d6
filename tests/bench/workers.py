"""M: a crawl of many clinics by several processes, of blogs that another process serves from memory."""

from __future__ import annotations

import statistics
import sys
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench._figure import ROUNDS, figure, in_a_process
from tests.bench._pages import SMALL
from tests.bench._server import serving_many

CLINICS, POSTS, CORES = 40, 25, 2


@figure("M1", "times as quick on two cores: two workers instead of one process, 40 clinics without a delay", least=1.6)
def two_workers() -> float:
    """Seconds that two cores need for the CPU time of each way: one process uses one of them, so it is that process's
    own; two workers and their parent share both, and none can take less than its own. Starts are left out on both sides
    (what a crawl of one post of two clinics takes), and so is the blogs' server. Its CPU seconds are printed, and the
    clock, which the server's share and other load of the machine slow.
    """
    ratios = []
    with serving_many(POSTS, SMALL, CLINICS) as (urls, served):
        for _ in range(ROUNDS):
            before = served()
            first, two = (_crawl(processes, urls, POSTS) for processes in (1, CORES))
            first_one, first_two = (_crawl(processes, urls[:CORES], 1) for processes in (1, CORES))
            own, workers = two["own"] - first_two["own"], two["workers"] - first_two["workers"]
            ratios.append((first["own"] - first_one["own"]) / max(own, workers / CORES, (own + workers) / CORES))
            sys.stdout.write(
                f"# M1 {ratios[-1]:.2f}: CPU of one process {first['own'] - first_one['own']:.1f}; of two workers"
                f" {workers:.1f} and their parent {own:.1f}; of the server {served() - before:.1f}; clock"
                f" {first['clock']:.1f} and {two['clock']:.1f} s\n"
            )
    return statistics.median(ratios)


def _crawl(processes: int, urls: list[str], limit: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        found = in_a_process("_workers", processes, limit, folder, *urls)
    assert found["got"] == limit * len(urls), f"{found['got']} posts of {limit * len(urls)}"
    return found
