"""G: crawls of the sample clinic beside eight readers of its archive, each a process of its own, and what both cost."""

from __future__ import annotations

import resource
import sqlite3
import statistics
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.db import DATABASE
from tests.bench import _rows
from tests.bench._figure import ROUNDS, figure
from tests.clinic import running
from tests.e2e.browsing import served
from tests.e2e.product import crawl
from tests.e2e.reading import Readers, pages

READERS = 8
ALONE = 5.0  # seconds that readers read while nobody writes


@dataclass
class _Told:
    """Of each round what a crawl took (seconds, CPU seconds) and what a page took, alone and beside the other."""

    failed: int = 0
    crawls: dict[str, list[float]] = field(default_factory=lambda: {"alone": [], "beside": []})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {"alone": [], "beside": []})
    pages: dict[str, list[float]] = field(default_factory=lambda: {"alone": [], "beside": []})

    def crawl(self, how: str, archive: Path, url: str) -> None:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = crawl(archive, url)
        self.crawls[how].append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu[how].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        self.failed += done.code != 0 or done.err != ""

    def read(self, how: str, readers: Readers) -> None:
        self.pages[how].append(readers.median)
        self.failed += len(readers.faults)


@cache
def _rounds() -> _Told:
    """Visits of 72 posts that are there already: new readings of all of them, no new text."""
    reported = _Told()
    with TemporaryDirectory() as aside:
        archive = Path(aside) / "archive"
        with running(Path(aside) / "clinic") as clinic:
            assert crawl(archive, clinic.url).code == 0
            with served(archive) as url:
                for _ in range(ROUNDS):
                    reported.crawl("alone", archive, clinic.url)
                    with (readers := Readers(url, pages(archive))).reading():
                        time.sleep(ALONE)
                    reported.read("alone", readers)
                    with (readers := Readers(url, pages(archive))).reading():
                        reported.crawl("beside", archive, clinic.url)
                    reported.read("beside", readers)
    return reported


def _times(found: dict[str, list[float]]) -> float:
    return statistics.median(
        beside / alone for beside, alone in zip(found["beside"], found["alone"], strict=True)
    )  # fmt: skip


@figure("G1", "crawls that failed or said a word, and answers that were none, eight readers beside a crawl", most=0)
def faults() -> float:
    """Ten kinds of pages: home, clinic, post, search, table, CSV of a table and of SQL, a question, JSON, feed."""
    return float(_rounds().failed)


@figure("G1", "times what a page takes eight readers while nobody writes, while a crawl does", most=2)
def readers_wait() -> float:
    """The sample clinic answers at once and asks for no delay, so that all have the machine's cores to share."""
    return _times(_rounds().pages)


@figure("G1", "times what a crawl takes while nobody reads, while eight readers hammer the site", most=4)
def crawl_waits() -> float:
    """The same; of a clinic at two seconds a request nobody would notice."""
    return _times(_rounds().crawls)


@figure("G1", "times the CPU of a crawl while nobody reads, while eight readers hammer the site", most=1.5)
def crawl_works() -> float:
    """CPU seconds of the crawling process."""
    return _times(_rounds().cpu)


# --- the write-ahead log


def _largest_log(hold: float | None) -> float:
    """Megabytes of the log at its largest, over two visits of a thousand posts.

    `hold`: seconds for which each of eight readers reads from one moment of the database, and then from the next.
    """
    visit = [*_rows.posts(), *_rows.comments(), *_rows.readings(), *_rows.posts(views=200, day=90)]
    with _rows.archive(full_text=True) as db:
        path = Path(db.execute("PRAGMA database_list").fetchone()[2])
        assert path.name == DATABASE
        log, over, largest = path.with_name(f"{DATABASE}-wal"), threading.Event(), 0

        def watch() -> None:
            nonlocal largest
            while not over.wait(0.002):
                largest = max(largest, log.stat().st_size)

        threads = [threading.Thread(target=watch)]
        if hold:
            threads += [threading.Thread(target=_read, args=(path, hold, over, number)) for number in range(READERS)]
        for thread in threads:
            thread.start()
        _rows.fold(db, visit)
        over.set()
        for thread in threads:
            thread.join()
    return largest / 1e6


def _read(path: Path, hold: float, over: threading.Event, number: int) -> None:
    over.wait(number * hold / READERS)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader:
        while not over.is_set():
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM clinics").fetchone()
            over.wait(hold)
            reader.execute("ROLLBACK")


@figure("G2", "MB of the write-ahead log at its largest, a thousand posts visited twice, nobody reading", most=24)
def log_alone() -> float:
    """50 MB of pages are written to it."""
    return _largest_log(None)


@figure("G2", "MB of the same, eight readers who each hold a moment for a quarter of a second", most=48)
def log_beside_readers() -> float:
    """Never is there a moment at which nobody reads."""
    return _largest_log(0.25)
