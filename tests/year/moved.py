"""`clinic-archive` at another time: a warm process (`tests.warm`) whose clock is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tests import warm as processes
from tests.e2e.product import environment
from tests.warm import Ended

Begin = Callable[[int], None]
A_DAY = 86_400.0  # seconds: a run of the soak may take long, and only a hang takes as long


class Launch(Protocol):
    """Makes a run at a moment. `begin` gets its process id; `platforms` of `tests.dummies` are registered in it."""

    def __call__(self, argv: list[str], at: datetime, begin: Begin, platforms: Sequence[str] = ()) -> Ended: ...


@contextmanager
def warm(folder: Path) -> Iterator[Launch]:
    """Give what makes a run in that folder at a moment; it is told the process id before the run has ended."""
    folder.mkdir(exist_ok=True)

    def launch(argv: list[str], at: datetime, begin: Begin, platforms: Sequence[str] = ()) -> Ended:
        return processes.run(
            *argv, cwd=folder, environment=environment(), timeout=A_DAY, settings={"RETRY_PAUSE": 0.01},
            moved=(at - datetime.now(UTC)).total_seconds(), begin=begin, platforms=platforms,
        )  # fmt: skip

    yield launch
