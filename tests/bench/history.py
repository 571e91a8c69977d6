"""H: what a long history costs the next visit, and what each visit adds to it (see `_visits`)."""

from __future__ import annotations

import statistics
from functools import cache
from tempfile import TemporaryDirectory

from tests.bench._figure import figure, in_a_process

VISITS = 100


@cache
def _visits() -> tuple[list[float], list[int], list[int]]:
    """Of each visit its CPU seconds, and the bytes of archive.db and of the WARC files after it."""
    with TemporaryDirectory() as folder:
        told = in_a_process("_visits", VISITS, folder)["visits"]
    seconds, database, warc = zip(*told, strict=True)
    return list(seconds), list(database), list(warc)


@figure("H1", "times the CPU of the tenth visit, of the hundredth: 60 posts, of which only counters change", most=1.3)
def hundredth_visit() -> float:
    """Medians of five visits, 8 to 12 and 96 to 100. What fetching and starting a process cost, always the same and
    fifty times as much, is left out, so that growth shows. What remains of it is pages written: keys of captures are
    random, so that each of a visit's rows comes to lie in a page of its own, once an index has so many.
    """
    seconds, _, _ = _visits()
    return statistics.median(seconds[95:100]) / statistics.median(seconds[7:12])


@figure("H2", "bytes that each reading of a post without changes adds to archive.db", most=2000)
def database_grows() -> float:
    """A visit of 60 posts: 61 captures, 60 sightings, 60 readings, and their indexes."""
    _, database, _ = _visits()
    return (database[99] - database[9]) / 90 / 60


@figure("H2", "bytes that each post without changes adds to the WARC, its share of the counters' answer too", most=2000)
def warc_grows() -> float:
    """A 304 with its request, as a revisit record."""
    _, _, warc = _visits()
    return (warc[99] - warc[9]) / 90 / 60
