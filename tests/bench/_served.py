"""Datasette as a process, stock or as `serve` sets it up, and visitors who ask it, one or many at a time."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from archive.db import DATABASE
from pipelines.commands.serve import arguments, free_port


class Served:
    """A server that answers."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self._process = url, psutil.Process(pid)

    def cpu(self) -> float:
        """CPU seconds of the server so far, and of its processes, which make files and answer queries."""
        processes = [self._process, *self._process.children(recursive=True)]
        return sum(map(_cpu_seconds, processes))

    def median(self, *paths: str, times: int = 40) -> list[float]:
        """Milliseconds that each path takes one visitor, the median; asked in turns, after a first look at each."""
        with httpx.Client(base_url=self.url, timeout=120) as client:
            taken: dict[str, list[float]] = {path: [] for path in paths}
            for turn in range(times + 2):
                for path in paths:
                    start = time.perf_counter()
                    answer = client.get(path)
                    assert answer.status_code == 200, f"{path}: {answer.status_code}"
                    if turn > 1:
                        taken[path].append(1000 * (time.perf_counter() - start))
        return [statistics.median(item) for item in taken.values()]

    def crowd(self, path: str, visitors: int, each: int = 6) -> tuple[float, int]:
        """Milliseconds within which 95 of 100 answers came to so many visitors at once, and how many were 5xx."""
        taken: list[float] = []
        failed = 0

        async def visit(client: httpx.AsyncClient) -> None:
            nonlocal failed
            for _ in range(each):
                start = time.perf_counter()
                answer = await client.get(path)
                taken.append(1000 * (time.perf_counter() - start))
                failed += answer.status_code >= 500

        async def all_of_them() -> None:
            limits = httpx.Limits(max_connections=visitors)
            async with httpx.AsyncClient(base_url=self.url, timeout=300, limits=limits) as client:
                await asyncio.gather(*(visit(client) for _ in range(visitors)))

        asyncio.run(all_of_them())
        return statistics.quantiles(taken, n=20)[-1], failed


def _cpu_seconds(process: psutil.Process) -> float:
    """CPU seconds of a process and of those of its children that have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it has just ended: its parent's times include it now, or soon
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


@contextmanager
def serving(folder: Path, *, stock: bool = False) -> Iterator[Served]:
    """The archive served on this machine. Stock: Datasette alone, with nothing of ours and its own limits raised."""
    port = free_port()
    ours: Sequence[str] = arguments(folder, port)
    if stock:
        ours = [str(folder / DATABASE), "--host", "127.0.0.1", "--port", str(port), "--setting", "max_csv_mb", "0",
                "--setting", "sql_time_limit_ms", "60000"]  # fmt: skip
    command = [sys.executable, "-m", "datasette", "serve", *ours]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{url}/-/versions.json", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield Served(url, process.pid)
    finally:
        process.terminate()
        process.wait(30)
