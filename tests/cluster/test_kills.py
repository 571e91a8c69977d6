"""kill -9 of a worker, of Redis, or of both: no clinic is lost, and none is visited twice at once.

Two instants each; a hundred in all with SOAK.
"""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster.setting import Frame, frame_of, needs_extra, needs_redis
from tests.e2e.product import run
from tests.soak import SOAK
from tests.waiting import wait_until

pytestmark = [needs_extra, needs_redis]
SLUGS = ("riverside", "hill", "lake")
REQUESTS = 30  # that the visits of all clinics take
INSTANTS = 34 if SOAK else 2


@pytest.mark.parametrize("number", range(INSTANTS))
@pytest.mark.parametrize("victim", ["worker", "redis", "all"])
def test_kill_nine(tmp_path: Path, victim: str, number: int) -> None:
    draw = random.Random(f"{victim} {number}")
    aof = bool(number % 2)
    with frame_of(tmp_path, *SLUGS, aof=aof, wait=0.02) as frame:
        assert frame.enqueue().json["added"] == len(SLUGS)
        worker = frame.worker()
        instant = draw.randrange(REQUESTS)
        worker.until(lambda: frame.requests() >= instant)
        for killed in (worker, frame.redis):
            if victim == "all" or (victim == "redis") == (killed is frame.redis):
                killed.kill()
        if victim != "worker":
            frame.redis.start()
        if victim != "redis":
            worker = frame.worker()
        # As its timer does; while the first worker makes the archive, it fails, and its next run succeeds.
        enqueued = wait_until(lambda: (done := frame.enqueue()).code == 0 and done)
        assert enqueued
        assert aof is False or victim == "redis" or enqueued.json["added"] == 0
        frame.wait_done(worker)
        assert worker.stop()[0] == 0
        frame.redis.kill()
        check(frame)


def check(frame: Frame) -> None:
    for slug in SLUGS:
        runs = [row for row in frame.runs() if row["clinic_id"] == slug]
        assert [row["status"] for row in runs] in (["done"], ["cut-short", "done"]), runs
        assert all(before["ended_at"] <= after["started_at"] for before, after in pairwise(runs)), runs
        assert 1 <= frame.visits(slug) <= len(runs)
        assert not any(each.beside for each in frame.blogs[slug].asked)
    assert run("clinic-archive", "verify", "--archive", frame.archive, cwd=frame.folder).code == 0
