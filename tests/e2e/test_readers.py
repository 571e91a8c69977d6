"""Eight readers load the served archive while crawls write to it: nobody waits for a lock, heavy pages are limited."""

from __future__ import annotations

import time
from pathlib import Path

from archive.db import DATABASE
from tests.clinic import running
from tests.e2e.browsing import served
from tests.e2e.product import column, crawl, value_of
from tests.e2e.reading import Readers, pages
from tests.soak import SOAK

# How long there are crawls, one after another, and of how many posts.
SECONDS, POSTS = (600, 1000) if SOAK else (1, 10)


def have_read(readers: Readers, paths: tuple[str, ...], heavy: set[str]) -> bool:
    """Whether each page was read a few times, a heavy one once."""
    return all(len(readers.taken[path]) >= (1 if path in heavy else 8) for path in paths)


def test_crawls_and_readers_do_not_hinder_each_other(tmp_path: Path) -> None:
    archive, answer = tmp_path / "archive", tmp_path / "said"
    with running(tmp_path / "clinic") as clinic:
        assert crawl(archive, clinic.url, "--limit", "3").code == 0
        with served(archive, log=answer) as url:
            paths = pages(archive)
            heavy = {path for path in paths if "csv" in path or "json" in path}
            readers = Readers(url, paths)
            runs, end = 0, time.monotonic() + SECONDS
            with readers.reading():
                while runs < 2 or time.monotonic() < end or not have_read(readers, paths, heavy):
                    done = crawl(archive, clinic.url, "--limit", str(POSTS))
                    assert (done.code, done.out, done.err) == (0, "", "")
                    slug = value_of(archive, "SELECT slug FROM posts WHERE published_at IS NOT NULL LIMIT 1 OFFSET 2")
                    clinic.control("edit", slug=slug, text=f"Words of round {runs}.")
                    runs += 1
    assert readers.faults == []
    assert readers.busy <= heavy
    found = (archive / "log" / "crawl.log").read_text()
    for log in (answer.read_text(), found):
        assert "locked" not in log
        assert "Traceback" not in log
    # The end of the last run emptied the log, or tells who was in the way; who serves is gone by now.
    wal = archive / f"{DATABASE}-wal"
    assert not wal.exists() or wal.stat().st_size == 0 or "a reader was in the way" in found
    assert value_of(archive, "SELECT count(*) FROM revisions WHERE kind = 'content'") == runs - 1
    assert column(archive, "PRAGMA integrity_check") == ["ok"]
