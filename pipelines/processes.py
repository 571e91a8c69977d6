"""Work that is shared by several processes of this machine, with the results in order.

The processes are spawned, not forked: a crawl's threads may hold locks that a copy of this process would wait for. This
process takes part in the work instead of waiting for it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Generic, Self, TypeVar

AHEAD = 3  # chunks for each process that are worked on ahead of the first that is wanted

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Chunk(Generic[Job, Result]):
    """Jobs that are done together, by another process or by this one."""

    jobs: list[Job]
    future: Future[list[Result]]
    results: list[Result] | None = None

    def is_done(self) -> bool:
        """Return whether the results are there. Raises the error of the other process."""
        if self.results is None and self.future.done():
            self.results = self.future.result()
        return self.results is not None


class Processes:
    """Processes of which `cores` may be busy at a time, this one included; without a number one for each core."""

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[list[Job]], list[Result]], chunks: Iterable[list[Job]]) -> Iterator[Result]:
        """Yield the results of all jobs, in order. `function` is a function of a module, or a `partial` of one.

        Raises what `function` raises.
        """
        waiting: deque[_Chunk[Job, Result]] = deque()
        source = iter(chunks)
        while True:
            while len(waiting) < AHEAD * self.cores and (jobs := next(source, None)) is not None:
                waiting.append(_Chunk(jobs, self._submit(function, jobs)))
            if not waiting:
                return
            while not waiting[0].is_done():
                _help(function, waiting)
            yield from waiting.popleft().results or ()

    def _submit(self, function: Callable[[list[Job]], list[Result]], jobs: list[Job]) -> Future[list[Result]]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.cores - 1, get_context("spawn"), _end_with_parent)
        return self._pool.submit(function, jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _help(function: Callable[[list[Job]], list[Result]], waiting: deque[_Chunk[Job, Result]]) -> None:
    """Do the last chunk that no process has begun, instead of waiting for the first."""
    mine = next((chunk for chunk in reversed(waiting) if chunk.results is None and chunk.future.cancel()), None)
    if mine is None:
        waiting[0].future.exception()  # returns when it is done
    else:
        mine.results = function(mine.jobs)


def _end_with_parent() -> None:
    """End this process with its parent: it would wait for work for ever after the parent was killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()
