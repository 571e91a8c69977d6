"""Workers on a real Redis: what is due is visited once, whatever becomes of messages, workers and shards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.db import open_archive
from archive.rows.due import MAX_KILLS
from scraper.config.shard import Shard
from tests.cluster.program import HEARTBEAT
from tests.cluster.setting import Frame, frame_of, needs_extra, needs_redis
from tests.e2e.product import run, value_of
from tests.waiting import logged

pytestmark = [needs_extra, needs_redis]
QUEUE = "shard-1-of-1"


@pytest.fixture
def frame(tmp_path: Path) -> Iterator[Frame]:
    with frame_of(tmp_path, "riverside", "hill", "lake") as frame:
        yield frame


def put(frame: Frame, **fields: object) -> None:
    """A message into the queue, as another program, or another version, would write it."""
    from dramatiq import Message

    from pipelines.cluster.queue import connect_broker

    connect_broker(frame.redis.url).enqueue(Message(QUEUE, "visit", (), fields, {}))


def test_what_is_due_is_visited_once_and_a_standby_takes_over(frame: Frame) -> None:
    assert frame.enqueue().json["added"] == 3
    assert frame.enqueue().json["added"] == 0
    beats = frame.redis.client

    def beat() -> float:
        return max(score for _, score in beats.zrange("clinic-archive:__heartbeats__", 0, -1, withscores=True))

    with frame.blogs["hill"].hold("/robots.txt"):  # the visit of hill takes ten heartbeats
        first = frame.worker()
        first.until(lambda: frame.visits("hill"))
        standby = frame.worker()
        standby.until(lambda: "this worker is a standby" in standby.err)
        began = beat()
        first.until(lambda: beat() > began + 10 * HEARTBEAT)
    frame.wait_done(first)
    # Messages that were sent twice, of no clinic, or by another program: each is acknowledged, and nothing is visited.
    put(frame, slug="riverside", due="", version=1)
    put(frame, slug="unknown", due="", version=1)
    put(frame, nonsense=1)
    put(frame, slug=7, due=None)
    first.until(lambda: frame.messages() == 0)
    assert frame.enqueue().json["due"] == 0
    # A message of a later version is put back with all that it says.
    put(frame, slug="hill", due="", version=2, hurry=True)
    first.until(lambda: beats.hlen(f"clinic-archive:{QUEUE}.DQ.msgs") == 1)
    assert b'"hurry":true' in beats.hvals(f"clinic-archive:{QUEUE}.DQ.msgs")[0]
    assert [frame.visits(slug) for slug in frame.blogs] == [1, 1, 1]
    assert first.stop()[0] == 0
    assert "message of version 2: this worker is older" in first.err
    listed = frame.folder / "clinics.toml"
    listed.write_text(listed.read_text().replace("[clinics.lake]", "[clinics.pond]"))
    assert frame.enqueue().json["added"] == 1  # the clinic of a new stanza
    standby.until(lambda: "pond" in frame.done())
    assert standby.stop()[0] == 0
    runs = frame.runs()
    assert len({row["crawl_id"] for row in runs}) == len(runs) == 4
    assert value_of(frame.archive, "SELECT count(*) FROM crawls WHERE ended_at IS NULL") == 0
    assert run("clinic-archive", "verify", "--archive", frame.archive, cwd=frame.folder).code == 0


def test_another_interval_of_enqueue_is_named_once(frame: Frame) -> None:
    frame.enqueue()
    worker = frame.worker()
    frame.wait_done(worker)
    assert worker.stop() == (0, "")
    with closing(open_archive(frame.archive, "write")) as db:
        db.execute("UPDATE clinic_runs SET started_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-2 hours')")
    assert frame.enqueue("--every", "1h").json["added"] == 3
    put(frame, slug="hill", due="", version=1)  # it was visited since
    worker = frame.worker()
    worker.until(lambda: frame.messages() == 0)
    code, err = worker.stop()
    assert (code, len(err.splitlines())) == (0, 1)
    assert "by this worker's --every (86400 seconds)" in err
    assert [frame.visits(slug) for slug in frame.blogs] == [1, 1, 1]


def test_visits_that_a_signal_or_the_time_limit_ends(frame: Frame) -> None:
    """A signal puts the message back; after the time limit it is acknowledged."""
    frame.enqueue()
    with frame.blogs["hill"].hold("/blog-feed.xml"):
        worker = frame.worker()
        worker.until(lambda: frame.done() == {"riverside", "lake"} and frame.messages() == 1)
        worker.process.terminate()
        worker.until(lambda: logged(frame.archive, "Received SIGTERM"))
    code, err = worker.ended()
    assert code == 0
    assert "hill: ended early by a signal" in err
    assert frame.messages() == 1
    with frame.blogs["hill"].hold("/post/note-3"):
        worker = frame.worker("--time-limit", "2s")
        worker.until(lambda: logged(frame.archive, "hill: the visit has reached its time limit"))
    worker.until(lambda: frame.messages() == 0)
    assert worker.stop()[0] == 0
    notes = [row["note"] for row in frame.runs() if row["clinic_id"] == "hill"]
    assert ["signal" in notes[0], "time limit" in notes[1]] == [True, True]
    assert frame.enqueue().json["due"] == 0  # after two visits that were cut short the clinic waits for its next day


def test_a_clinic_that_kills_its_worker_each_time_is_named(frame: Frame) -> None:
    """After four deaths in a row it waits for the next day; the others are visited."""
    frame.enqueue()
    with frame.blogs["hill"].hold("/blog"):
        for _ in range(MAX_KILLS):
            worker = frame.worker()
            before = frame.visits("hill")
            worker.until(lambda before=before: frame.visits("hill") > before)
            worker.until(lambda: frame.done() >= {"riverside", "lake"})
            worker.kill()
        worker = frame.worker()
        worker.until(lambda: frame.messages() == 0)
    assert frame.visits("hill") == MAX_KILLS
    code, err = worker.stop()
    assert code == 0
    assert "hill: failed: its last 4 visits ended with the death of the worker" in err
    assert value_of(frame.archive, "SELECT count(*) FROM problems WHERE kind = 'given-up' AND clinic_id = 'hill'") == 1
    assert frame.enqueue().json["due"] == 0
    assert run("clinic-archive", "verify", "--archive", frame.archive, cwd=frame.folder).code == 0


def test_a_slug_that_moved_shards_is_visited_by_its_shard_alone(frame: Frame) -> None:
    """The count of shards changes from one to two while a worker of the old division lives."""
    mine = next(slug for slug in frame.blogs if Shard(1, 2).has(slug))
    other = frame.folder / "other"
    with frame.blogs[mine].hold("/blog"):
        frame.enqueue()
        old = frame.worker()
        old.until(lambda: frame.visits(mine) == 1)
        found = frame.enqueue("--shard", "1/2", archive=other)
        assert "shard-1-of-1: its worker on" in found.err
        assert "the frame has 2 shards" in found.err
        new = frame.worker("--shard", "1/2", archive=other)
        # The clinic is leased: its message is acknowledged, and not visited twice at once.
        new.until(lambda: frame.messages("shard-1-of-2") == 0)
        assert frame.visits(mine) == 1
    frame.wait_done(old)
    old.stop()
    assert frame.enqueue("--shard", "1/2", archive=other).json["added"] >= 1
    new.until(lambda: frame.visits(mine) == 2 and frame.messages("shard-1-of-2") == 0)
    new.stop()


def test_a_copy_of_a_shard_waits_or_is_refused(frame: Frame) -> None:
    frame.enqueue()  # before the worker makes the archive, which cannot be read until it is there
    first = frame.worker()
    frame.wait_done(first)
    shutil.copytree(frame.archive, frame.folder / "copy", ignore=shutil.ignore_patterns(".lock"))
    link = frame.folder / "link"  # the same folder under another name
    link.symlink_to(frame.archive)
    again = frame.worker(archive=link)
    copy = frame.worker(archive=frame.folder / "copy")
    code, err = copy.ended()
    assert code == 4
    assert "has its archive at" in err
    assert "--take-over" in err
    taking = frame.worker("--take-over", archive=frame.folder / "copy")
    taking.until(lambda: "another archive of it is at work" in taking.err)
    first.kill()
    again.kill()
    records = frame.redis.client
    taking.until(lambda: json.loads(records.hget("clinic-archive:shards", QUEUE))[1] == str(frame.folder / "copy"))
    put(frame, slug="unknown", due="", version=1)
    taking.until(lambda: frame.messages() == 0)  # it is at work: a signal before that ends it at once
    assert taking.stop()[0] == 0
    back = frame.worker()  # the host that was believed lost
    code, err = back.ended()
    assert code == 4
