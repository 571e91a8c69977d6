"""The days of clinics in several archives, as one archive of all of them would count them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from heapq import merge
from itertools import groupby
from typing import Any

Row = tuple[Any, ...]  # clinic, day, state, runs, complete runs, doubtful answers
# The best result of a day's visits first, as the view `coverage` has it.
_BEST_FIRST = ("observed", "partial", "no-blog", "refused", "failed", "not-attempted", "closed")


def united(archives: Sequence[list[Row]]) -> list[Row]:
    """Return the days of all archives, each given by clinic and day: a row for every day from a clinic's first.

    The archive's last day is the last of all: where a machine stopped earlier, its clinics were not visited since. A
    clinic that moved has the better of two states of a day, and the visits of both.
    """
    if len(archives) == 1:
        return archives[0]
    last = max((row[1] for rows in archives for row in rows), default="")
    found: list[Row] = []
    for _, rows in groupby(merge(*archives, key=lambda row: row[:2]), lambda row: row[0]):
        found += _without_holes(rows, last)
    return found


def _without_holes(rows: Iterator[Row], last: str) -> Iterator[Row]:
    """Yield each day of a clinic once, up to the last day of all."""
    row: Row | None = None
    for _, same in groupby(rows, lambda row: row[1]):
        found = list(same)
        clinic, day, *_ = found[0]
        if row is not None:
            yield from _unseen(row, day)
        state = min((each[2] for each in found), key=_BEST_FIRST.index)
        row = (clinic, day, state, *(sum(each[place] for each in found) for place in (3, 4, 5)))
        yield row
    if row is not None:
        yield from _unseen(row, _after(last))


def _unseen(before: Row, until: str) -> Iterator[Row]:
    """Yield the days between a row and a day: no archive has a row for them."""
    day = _after(before[1])
    while day < until:
        yield (before[0], day, "closed" if before[2] == "closed" else "not-attempted", 0, 0, 0)
        day = _after(day)


def _after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
