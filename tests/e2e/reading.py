"""Readers who ask a served archive for one page after another, several at once, as long as they are let."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.e2e.product import rows


def pages(archive: Path) -> tuple[str, ...]:
    """One page of each kind that an archive with a post in it has."""
    (item,) = rows(archive, "SELECT clinic_id, slug FROM posts WHERE slug NOT GLOB '*[^a-z0-9-]*' ORDER BY 2 LIMIT 1")
    clinic, slug = item["clinic_id"], item["slug"]
    return (
        "/", f"/{clinic}", f"/{clinic}/{slug}", "/-/search?q=the", "/archive/posts_with_counts",
        "/archive/readings.csv", f"/archive/views_gained?clinic={clinic}", "/archive/posts.json?_shape=array",
        "/-/posts.atom", f"/archive.csv?sql={quote('select * from provenance')}",
    )  # fmt: skip


class Readers:
    """Some visitors of a site; each takes the pages in turn, beginning at another one."""

    def __init__(self, url: str, paths: tuple[str, ...], number: int = 8) -> None:
        self._url, self._paths = url, paths
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(item,)) for item in range(number)]
        self.taken: dict[str, list[float]] = defaultdict(list)  # seconds, by path
        self.busy: set[str] = set()  # heavy pages that were put off at least once: few of them are made at a time
        self.faults: list[str] = []  # answers that were none, in words

    def _read(self, first: int) -> None:
        with httpx.Client(base_url=self._url, timeout=120) as visitor:
            for path in itertools.islice(itertools.cycle(self._paths), first, None):
                if self._over.is_set():
                    return
                start = time.perf_counter()
                try:
                    answer = visitor.get(path)  # raises where a file ends too early
                    if answer.status_code == 503 and "Retry-After" in answer.headers:
                        self.busy.add(path)
                        continue
                    if answer.status_code != 200 or "database is locked" in answer.text:
                        self.faults.append(f"{path}: {answer.status_code}: {answer.text[-300:]}")
                except httpx.HTTPError as error:
                    self.faults.append(f"{path}: {error!r}")
                self.taken[path].append(time.perf_counter() - start)

    @property
    def median(self) -> float:
        """Seconds that a page takes: the mean over pages of their medians, for slow ones come less often."""
        return statistics.mean(statistics.median(item) for item in self.taken.values())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """They read while the block runs, and finish what they are at."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()
