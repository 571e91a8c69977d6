"""B and V: rows made anew from stored bytes, and checked against them, on one core and on two."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from archive.warc import HttpExchange, RecordGroup, Writer, records
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.replay.stored import extraction_of
from scraper.platforms import platform_named
from tests.bench._figure import figure, ratio
from tests.bench._pages import SMALL, own_slug, pages, wire

PAGES = 1_500
BASE = "https://clinic.example"
START = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def _kept() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def stored() -> Path:
    """An archive of one run that saw so many post pages of 405 KB, gzipped as servers send them; rebuilt once."""
    folder = Path(_kept().name) / "archive"
    recorded(folder, "clinic", pages(BASE, PAGES, SMALL))
    rebuild(folder, cores=1)
    return folder


def recorded(folder: Path, clinic: str, bodies: Iterable[bytes]) -> None:
    """Write the WARC file of a run that saw these pages of a clinic."""
    stanza = {"name": "Clinic", "url": BASE, "comments": "threads", "privacy": "pseudonymous", "attributes": {}}
    run = hashlib.sha256(clinic.encode()).hexdigest()[:32]
    found = {"crawl": run, "started_at": "2026-01-01T00:00:00.000000Z", "kind": "crawl"}
    with Writer(folder, clinic, run, {"stanza": json.dumps(stanza)}, last=None, clock=lambda: START) as writer:
        fields = {name: json.dumps(value) for name, value in (found | {"stanza": stanza}).items()}
        writer.write_note("run-started", fields, START)
        for number, body in enumerate(bodies):
            packed = wire(body)
            headers = [("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip")]
            writer.write_exchange(HttpExchange(
                url=f"{BASE}/post/{own_slug(number).decode()}", method="GET", request_headers=[], request_body=b"",
                status=200, reason="OK", protocol="HTTP/1.1",
                response_headers=[(name.encode(), value.encode()) for name, value in headers],
                body=packed, ip=None, fetched_at=START + timedelta(seconds=number),
            ))  # fmt: skip


def wall(work: Callable[[], object]) -> float:
    """Seconds that go by: work that is shared among processes is not this one's alone."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rebuilt(cores: int) -> float:
    """Seconds of a rebuild, whose result is looked at."""
    folder = stored()
    for old in folder.glob("archive-before-*.db"):
        old.unlink()

    def work() -> None:
        done = rebuild(folder, cores=cores)
        assert (done.clinics, done.differs, done.problems) == ({"clinic": PAGES}, [], [])

    return wall(work)


def parsed() -> float:
    """Seconds of parsing alone: the same recorded exchanges, in memory already, unpacked and read in one process."""
    folder = stored()
    (path,) = (folder / "warc" / "clinic").glob("*.warc.gz")
    groups = [record for record in records(path, archive=folder) if isinstance(record, RecordGroup)]
    assert len(groups) == PAGES
    wix = platform_named("wix")
    return wall(lambda: [extraction_of(folder, "clinic", group, lambda _: wix, lambda _: None) for group in groups])


@figure("B1", "of the speed of parsing alone that a whole rebuild has, both on one core", least=0.5)
def rebuild_on_one_core() -> float:
    """Read, parse, fold, index, compare with the old database, and take its place."""
    return ratio(parsed, lambda: rebuilt(1))


@figure("B2", "of the speed of parsing alone on one core that a rebuild has on two", least=0.75)
def rebuild_on_two_cores() -> float:
    """The same, with two processes that parse beside the one that folds."""
    return ratio(parsed, lambda: rebuilt(2))


@figure("B3", "pages of 405 KB a second that a rebuild reads on two cores", least=60)
def pages_a_second() -> float:
    """Wall clock, process start included."""
    return PAGES / min(rebuilt(2) for _ in range(3))


@figure("V1", "captures of 405 KB a second that verify checks on two cores", least=60)
def captures_a_second() -> float:
    """The whole command: the database's own checks, every record and digest, a new fold, every cell compared."""
    folder = stored()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:2])
    try:
        return PAGES / min(wall(lambda: verified(folder)) for _ in range(3))
    finally:
        os.sched_setaffinity(0, cores)


def verified(folder: Path) -> None:
    """Verify an archive that is whole, as the command does it."""
    done = CliRunner().invoke(main, ["verify", "--archive", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["captures"] == PAGES
