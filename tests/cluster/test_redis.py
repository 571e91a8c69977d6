"""Redis is gone, full or emptied: each is named, and no clinic is lost or visited twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.setting import frame_of, needs_extra, needs_redis
from tests.e2e.product import run

pytestmark = [needs_extra, needs_redis]


@pytest.mark.parametrize("verb", ["enqueue", "worker"])
def test_no_redis_at_the_start_is_named_without_its_password(tmp_path: Path, verb: str) -> None:
    with frame_of(tmp_path, "hill") as frame:
        frame.redis.kill()
        (frame.folder / "var").mkdir()
        where = f"127.0.0.1:{frame.redis.port}/0"
        done = run("clinic-archive", verb, "--broker", f"redis://me:secret@{where}", cwd=frame.folder)
        assert done.code == 1
        assert done.err == f"redis://{where}: Redis does not answer; start it, or correct --broker\n"
        done = run("clinic-archive", verb, "--broker", "http://here", cwd=frame.folder)
        assert done.code == 2


def test_a_redis_with_a_password_is_named(tmp_path: Path) -> None:
    with frame_of(tmp_path, "hill") as frame:
        frame.redis.client.config_set("requirepass", "geheim")
        where = f"127.0.0.1:{frame.redis.port}/0"
        done = frame.enqueue()
        assert done.code == 4
        assert done.err == f"redis://{where}: Redis wants a password; put it into CLINIC_ARCHIVE_BROKER\n"
        done = frame.enqueue("--broker", f"redis://:wrong@{where}")
        assert done.code == 4
        assert done.err.startswith(f"redis://{where}: Redis refused the password: ")
        assert "wrong" not in done.err
        assert frame.enqueue("--broker", f"redis://:geheim@{where}").code == 0


def test_a_full_and_an_emptied_redis(tmp_path: Path) -> None:
    with frame_of(tmp_path, "hill", "lake", aof=False) as frame:
        client = frame.redis.client
        with frame.blogs["hill"].hold("/blog"):
            frame.enqueue()
            worker = frame.worker()
            worker.until(lambda: "lake" in frame.done() and frame.messages() == 1)
            client.config_set("maxmemory", "1")
            worker.until(lambda: "maxmemory" in worker.err)
        worker.until(lambda: "hill" in frame.done())  # its visit ends, though it cannot be acknowledged
        (frame.folder / "clinics.toml").write_text((frame.folder / "clinics.toml").read_text().replace("lake", "pond"))
        full = frame.enqueue()
        assert (full.code, "Redis is full; raise its maxmemory" in full.err) == (1, True)
        client.config_set("maxmemory", "0")
        client.flushall()
        worker.until(lambda: "Redis answers again" in worker.err)
        assert frame.enqueue().json["added"] == 1  # what was acknowledged or not is not due: the archive has its visit
        worker.until(lambda: "pond" in frame.done() and frame.messages() == 0)
        assert worker.stop()[0] == 0
        assert [frame.visits("hill"), frame.visits("lake")] == [1, 2]
