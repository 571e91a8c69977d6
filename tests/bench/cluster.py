"""Q: a cluster: how much more clinics two and four workers visit, and what it costs to put clinics into a queue."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from archive.db import open_archive
from archive.rows.due import Due, due_clinics
from archive.rows.runs import save_crawl, save_run_end, save_run_start
from archive.times import utc
from scraper.config.clinics import read_clinics
from scraper.config.shard import Shard
from tests.bench._figure import ROOT, cpu, figure, ratio
from tests.cluster.setting import OWNER, SERVER, Redis, frame_of
from tests.waiting import HANG, wait_until

SIDE_BY_SIDE, CLINICS = 8, 64
FRAME = 10_000


@contextmanager
def _redis() -> Iterator[Redis]:
    assert SERVER is not None, "no redis-server here"
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(Path(folder), aof=False)
        try:
            yield redis
        finally:
            redis.kill()


def _rate(workers: int) -> float:
    """Clinics a second, from the first request to the last; each worker has a shard, and visits eight at a time."""
    from pipelines.cluster.queue import connect_broker, enqueue, queue_of

    assert SERVER is not None, "no redis-server here"
    names = [f"clinic-{number}" for number in range(20 * CLINICS)]
    quarters = [[name for name in names if Shard(number, 4).has(name)][: CLINICS // 4] for number in range(1, 5)]
    slugs = [slug for quarter in quarters for slug in quarter]  # as many for each worker
    shards = [Shard(number, workers) for number in range(1, workers + 1)]
    with (
        tempfile.TemporaryDirectory() as folder,
        frame_of(Path(folder), *slugs, aof=False) as frame,
        ExitStack() as ends,
    ):
        for shard in shards:
            archive = frame.folder / f"shard-{shard.number}"
            options = ["--archive", archive, "--broker", frame.redis.url, "--shard", shard, "--delay", "0.5"]
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench._worker", str(SIDE_BY_SIDE), *map(str, options)],
                cwd=frame.folder, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            ends.callback(process.wait, HANG)
            ends.callback(process.terminate)
        wait_until(lambda: frame.redis.client.zcard("clinic-archive:__heartbeats__") == workers, every=0.2)
        for shard in shards:
            due = [Due(slug, "") for slug in slugs if shard.has(slug)]
            enqueue(connect_broker(frame.redis.url), queue_of(shard), due)
        wait_until(lambda: not any(frame.messages(queue_of(shard)) for shard in shards), every=0.2)
        moments = [requests.at for blog in frame.blogs.values() for requests in blog.asked]
        assert all(frame.visits(slug) == 1 for slug in slugs), "a clinic was not visited once"
    return CLINICS / (max(moments) - min(moments))


@figure("Q1", "clinics a second of two workers, each of eight clinics at 0.5 s a request, against one", least=1.8)
def two_workers() -> float:
    """Of two shards, each with its own worker."""
    return ratio(partial(_rate, 2), partial(_rate, 1), rounds=1)


@figure("Q1", "the same of four workers against one", least=3.4)
def four_workers() -> float:
    """Of four shards; with two cores all of them share these."""
    return ratio(partial(_rate, 4), partial(_rate, 1), rounds=1)


def _frame(folder: Path, clinics: int) -> None:
    """An archive in which each clinic was visited on two days, the last time more than a day ago."""
    listed = (f'[clinics.c{n}]\nname = "c{n}"\nurl = "https://c{n}.example.edu"\n' for n in range(clinics))
    (folder / "clinics.toml").write_text(OWNER + "".join(listed))
    with closing(open_archive(folder, "write")) as db, db.atomic():
        for day in (2, 3):
            at = utc(datetime.now(UTC) - timedelta(days=day))
            save_crawl(db, f"d{day}", at, "bench", "crawl")
            for n in range(clinics):
                db.execute(
                    "INSERT OR IGNORE INTO clinics (clinic_id, name, url, blog_status) VALUES (?, ?, ?, 'blog')",
                    [f"c{n}", f"c{n}", f"https://c{n}.example.edu"],
                )
                save_run_start(db, f"d{day}", f"c{n}", at)
                save_run_end(db, f"d{day}", f"c{n}", {"ended_at": at, "status": "done"})


def _enqueue(folder: Path, redis: Redis, clinics: int) -> float:
    """CPU seconds of what the verb does for a frame of that size."""
    from pipelines.cluster.queue import connect_broker, enqueue

    redis.client.flushall()

    def work() -> int | None:
        slugs = [clinic.slug for clinic in read_clinics(folder / "clinics.toml")]
        with closing(open_archive(folder, "read")) as db:
            due = due_clinics(db.conn, slugs, timedelta(days=1), datetime.now(UTC))
        return enqueue(connect_broker(redis.url), "shard-1-of-1", due)

    taken = cpu(work)
    assert redis.client.hlen("clinic-archive:shard-1-of-1.msgs") == clinics
    return taken


@contextmanager
def _frames(*sizes: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / str(size) for size in sizes]
        for path, size in zip(folders, sizes, strict=True):
            path.mkdir()
            _frame(path, size)
        yield folders


@figure("Q2", f"CPU seconds of the enqueue of {FRAME:,} clinics that are due", most=5)
def enqueue_all() -> float:
    """The process's own, without that of Redis."""
    with _redis() as redis, _frames(FRAME) as (folder,):
        return _enqueue(folder, redis, FRAME)


@figure("Q2", f"its cost a clinic, {FRAME:,} against 100", most=1.2)
def enqueue_flat() -> float:
    """The small frame is put into the queue a hundred times."""
    with _redis() as redis, _frames(FRAME, 100) as (large, small):
        times = FRAME // 100
        return ratio(
            lambda: _enqueue(large, redis, FRAME), lambda: sum(_enqueue(small, redis, 100) for _ in range(times))
        )
