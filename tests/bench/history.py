"""H: what a long history costs the next run, and what each visit adds to it (see `_visits`)."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench._figure import figure, in_a_process
from tests.e2e.hostile import Blog, serving
from tests.year.moved import warm

VISITS = 100
STANZA = '[clinics.elder]\nname = "Elder"\nurl = "{url}"\nallow_private = true\nrender = "never"\n'


@cache
def _visits() -> tuple[list[float], list[int], list[int]]:
    """Of each visit its CPU seconds, and the bytes of archive.db and of the WARC files after it."""
    with TemporaryDirectory() as folder:
        found = in_a_process("_visits", VISITS, folder)["visits"]
    seconds, database, warc = zip(*found, strict=True)
    return list(seconds), list(database), list(warc)


@figure("H1", "times the CPU of the tenth daily `crawl`, of the hundredth: 30 posts of a quiet blog", most=1.1)
def hundredth_run() -> float:
    """Medians of nine runs of the real command, 6 to 14 and 96 to 104, each on its own day; a fork for each, so that
    starting Python is left out."""
    with TemporaryDirectory() as folder, serving(Blog(posts=30)) as blog, warm(Path(folder)) as launch:
        (Path(folder) / "clinics.toml").write_text(STANZA.format(url=blog.url), "utf-8")
        began = datetime(2026, 1, 1, 6, tzinfo=UTC)
        runs = [launch(["crawl", "--archive", "a"], began + timedelta(days=day), lambda _: None) for day in range(104)]
    assert {item.code for item in runs} == {0}
    seconds = [item.cpu for item in runs]
    return statistics.median(seconds[95:]) / statistics.median(seconds[5:14])


@figure("H3", "the same without fetching, where growth shows: 60 posts, of which only counters change", most=1.6)
def hundredth_visit() -> float:
    """Medians of five visits, 8 to 12 and 96 to 100. What grows is pages written: keys of captures are random, so that
    each of a visit's rows comes to lie in a page of its own, once an index has so many.
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
