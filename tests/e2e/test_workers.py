"""Clinics visited in several processes: the same rows, and kill -9 of any loses nothing. A hundred kills with SOAK."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipelines.run.locking import WORKERS_FILE, are_alive
from tests.e2e.hostile import Blog, serving
from tests.e2e.killing import acknowledged, cli, end_group, good, lost, said, unread
from tests.e2e.product import Done, column, run, start
from tests.soak import SOAK
from tests.waiting import HANG, wait_until
from tests.warm import Started

pytestmark = pytest.mark.usefixtures("one_process")

KILLS = 100 if SOAK else 1
SLUGS = ("elm", "fern", "hazel", "ivy")
OWNER = '[crawler]\ncontact = "a@uni.example"\nproject_url = "https://uni.example"\n'


@dataclass
class Frame:
    """Blogs with stanzas in `clinics.toml`, and the archive of an undisturbed crawl of them by one process."""

    folder: Path
    blogs: dict[str, Blog]
    calm: Path

    def command(self, archive: Path, *more: str) -> list[str]:
        listed = str(self.folder / "clinics.toml")
        return ["crawl", "--archive", str(archive), "--clinics-file", listed, "--workers", "2", "--all", *more]

    def crawl(self, archive: Path, *more: str) -> Done:
        return run("clinic-archive", *self.command(archive, *more), cwd=self.folder)

    def start(self, archive: Path, *more: str) -> Started:
        return start(*self.command(archive, *more), cwd=self.folder)


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frame]:
    folder = tmp_path_factory.mktemp("workers")
    with ExitStack() as stack:
        blogs = {slug: stack.enter_context(serving(Blog())) for slug in SLUGS}
        stanzas = (f'[clinics.{slug}]\nname = "{slug}"\nurl = "{blog.url}"\nallow_private = true\n'
                   for slug, blog in blogs.items())  # fmt: skip
        (folder / "clinics.toml").write_text(OWNER + "".join(stanzas))
        found = Frame(folder, blogs, folder / "calm")
        assert found.crawl(found.calm, "--workers", "1") == Done(0, "", "")
        yield found


def workers_of(process: Started) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    return []


def kill_within_work(frame: Frame, archive: Path, chance: random.Random, *, parent: bool) -> Done:
    """kill -9 of the parent, or of a worker, at a random instant after the first request; what the run printed."""
    before = sum(len(blog.asked) for blog in frame.blogs.values())
    process = frame.start(archive, "--delay", "0.05")
    try:
        wait_until(lambda: sum(len(blog.asked) for blog in frame.blogs.values()) > before, process, every=0.005)
        workers = workers_of(process)
        time.sleep(chance.uniform(0, 1.2))
        victim = process if parent or not workers else chance.choice(workers)
        with suppress(psutil.NoSuchProcess):
            victim.kill()
        out, err = process.communicate(timeout=HANG)
        wait_until(lambda: not any(worker.is_running() for worker in workers))
        return Done(process.returncode, out, err)
    finally:
        if process.poll() is None:
            end_group(process)


def test_two_processes_make_the_rows_of_one_and_end_at_a_time_limit(frame: Frame, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    done = frame.crawl(archive, "--json")
    assert (done.code, done.err) == (0, "")
    assert list(done.json["clinics"]) == list(SLUGS)
    assert said(archive, visited=True) == said(frame.calm, visited=True)
    statuses = "SELECT clinic_id || status || fetched || platform FROM clinic_runs ORDER BY clinic_id"
    assert column(archive, statuses) == column(frame.calm, statuses)
    good("verify", "--archive", archive)
    assert not (archive / WORKERS_FILE).exists()
    assert cli("rebuild", "--archive", archive, "--json").json["differs"] == []
    assert frame.crawl(archive) == Done(0, "", "")  # what is known was read from the archive
    assert "revisit" in column(archive, "SELECT DISTINCT record_type FROM captures")
    limited = frame.crawl(archive, "--time-limit", "4s", "--delay", "2")
    assert (limited.code, "time limit" in limited.err) == (130, True)
    good("verify", "--archive", archive)


@pytest.mark.parametrize("victim", ["worker", "parent"])
def test_killed(frame: Frame, tmp_path: Path, victim: str) -> None:
    chance = random.Random(19)
    for number in range(KILLS):
        archive = tmp_path / str(number)
        archive.mkdir()
        (archive / "pseudonym.key").write_bytes((frame.calm / "pseudonym.key").read_bytes())
        for blog in frame.blogs.values():
            blog.asked.clear()
        done = kill_within_work(frame, archive, chance, parent=victim == "parent")
        assert not are_alive(archive)
        reported = acknowledged(archive, tmp_path / "copy")
        statuses = column(archive, "SELECT status FROM clinic_runs")
        if victim == "worker":
            assert done.code in (0, 130), done.err
            assert set(statuses) <= {"done", "cut-short"}
            assert unread(reported) == []
            assert ("cut-short" in statuses) <= ("its worker process ended unexpectedly (exit code -9" in done.err)
        # Each clinic is visited once in a run, by one process, one request at a time.
        assert all(blog.paths.count("/robots.txt") <= 1 for blog in frame.blogs.values())
        assert all(requests.beside == 0 for blog in frame.blogs.values() for requests in blog.asked)
        resumed = frame.crawl(archive, "--workers", str(number % 2 + 1))
        assert resumed.code == 0, resumed.err
        after = acknowledged(archive, tmp_path / "copy")
        assert lost(reported, after) == [] == unread(after)
        assert said(archive, visited=True) == said(frame.calm, visited=True)
        good("verify", "--archive", archive)


def test_a_signal_ends_the_visits_of_all_workers(frame: Frame, tmp_path: Path) -> None:
    archive, (elm, fern, *_) = tmp_path / "archive", frame.blogs.values()
    elm.asked.clear()
    with elm.hold("/blog"), fern.hold("/blog"):
        process = frame.start(archive)
        wait_until(lambda: "/blog" in elm.paths, process)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does, it reaches the workers, too
        wait_until(lambda: "Spider closed" in (archive / "log" / "crawl.log").read_text("utf-8"), process)
    out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out) == (130, "")
    assert "elm: ended early by a signal; what was read is stored, the next run continues" in err.splitlines()
    assert column(archive, "SELECT status FROM clinic_runs WHERE clinic_id = 'elm'") == ["cut-short"]
    good("verify", "--archive", archive)


def test_a_second_signal_leaves_the_rest_to_the_next_run(frame: Frame, tmp_path: Path) -> None:
    archive, elm = tmp_path / "archive", frame.blogs["elm"]
    elm.asked.clear()
    with elm.hold("/blog"):
        process = frame.start(archive)
        wait_until(lambda: "/blog" in elm.paths, process)
        process.terminate()
        wait_until(lambda: "Closing spider (shutdown)" in (archive / "log" / "crawl.log").read_text("utf-8"), process)
        process.terminate()
        _, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert "elm: ended early by a second signal; what was read is stored, the next run continues" in err.splitlines()
    again = frame.crawl(archive, "--workers", "1")
    assert again.code == 0, again.err
    assert again.lines
    assert all("an earlier run was killed" in line for line in again.lines)
    assert "revisit" in column(archive, "SELECT DISTINCT record_type FROM captures")  # known from the archive
    good("verify", "--archive", archive)
