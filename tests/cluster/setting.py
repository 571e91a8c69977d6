"""A frame of small blogs on loopback, a real Redis, and the two verbs as processes."""

from __future__ import annotations

import importlib.util
import multiprocessing
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.product import Done, Row, rows, run
from tests.waiting import HANG, wait_until

SERVER = shutil.which("redis-server") or shutil.which("redis-server", path="/usr/bin:/usr/sbin:/usr/local/bin")
needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("dramatiq") is None, reason="the extra [cluster] is not installed"
)
needs_redis = pytest.mark.skipif(SERVER is None, reason="no redis-server here (Debian: apt-get install redis-server)")
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.cluster.program"])
OWNER = '[crawler]\ncontact = "a@uni.example"\nproject_url = "https://uni.example"\n'


class Redis:
    """A server of its own on a free port; `kill` is kill -9, after which `start` starts it on the same port."""

    def __init__(self, folder: Path, *, aof: bool = True, maxmemory: str = "0") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            str(SERVER), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
            "--appendonly", "yes" if aof else "no", "--maxmemory", maxmemory, "--maxmemory-policy", "noeviction",
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def client(self) -> Any:
        import redis

        return redis.Redis(port=self.port, socket_timeout=30)

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, self.process)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(HANG)

    def _answers(self) -> bool:
        import redis

        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False


@dataclass(frozen=True)
class Worker:
    """A worker that runs, and the file that it prints to."""

    process: ForkServerProcess
    errors: Path

    @property
    def err(self) -> str:
        return self.errors.read_text() if self.errors.exists() else ""

    def until(self, event: Callable[[], object]) -> None:
        """Wait for what this worker is to bring about."""
        happened = wait_until(lambda: event() or (self.process.exitcode is not None and "ended"), every=0.05)
        assert happened != "ended" or event(), f"it ended with {self.process.exitcode}: {self.err}"

    def ended(self) -> tuple[int | None, str]:
        """Wait for its end: the exit code, and what it printed."""
        self.process.join(HANG)
        return self.process.exitcode, self.err

    def stop(self) -> tuple[int | None, str]:
        """End it as systemd does."""
        self.process.terminate()
        return self.ended()

    def kill(self) -> None:
        """End it by kill -9."""
        self.process.kill()
        self.process.join(HANG)


@dataclass
class Frame:
    """Some clinics, whose list and archive lie in `folder`."""

    folder: Path
    redis: Redis
    blogs: dict[str, Blog]
    workers: list[Worker] = field(default_factory=list)

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def write(self, more: str = "") -> None:
        text = OWNER + "".join(
            f'[clinics.{slug}]\nname = "{slug}"\nurl = "{blog.url}"\nallow_private = true\n'
            for slug, blog in self.blogs.items()
        )
        (self.folder / "clinics.toml").write_text(text + more)

    def enqueue(self, *options: str, archive: Path | None = None) -> Done:
        (archive or self.archive).mkdir(exist_ok=True)
        where = ["--archive", str(archive or self.archive), "--broker", self.redis.url]
        return run("clinic-archive", "enqueue", "--json", *where, *options, cwd=self.folder)

    def worker(self, *options: str, archive: Path | None = None) -> Worker:
        from tests.cluster.program import work

        where = ["--archive", str(archive or self.archive), "--broker", self.redis.url]
        errors = self.folder / f"worker-{len(self.workers)}.txt"
        process = FORKS.Process(target=work, args=(self.folder, errors, [*where, *options]), daemon=True)
        process.start()
        self.workers.append(Worker(process, errors))
        return self.workers[-1]

    def runs(self) -> list[Row]:
        """The visits, oldest first; none before there is an archive."""
        if not (self.archive / "archive.db").exists():
            return []
        with suppress(Exception):  # it is being made now
            return rows(self.archive, "SELECT * FROM clinic_runs ORDER BY started_at")
        return []

    def done(self) -> set[str]:
        return {row["clinic_id"] for row in self.runs() if row["status"] == "done"}

    def visits(self, slug: str) -> int:
        """How often the clinic was visited, by its own access log: each visit begins with robots.txt."""
        return self.blogs[slug].paths.count("/robots.txt")

    def messages(self, queue: str = "shard-1-of-1") -> int:
        """What is queued, delayed, or delivered and not acknowledged."""
        client = self.redis.client
        return int(client.hlen(f"clinic-archive:{queue}.msgs")) + int(client.hlen(f"clinic-archive:{queue}.DQ.msgs"))

    def requests(self) -> int:
        return sum(len(blog.asked) for blog in self.blogs.values())

    def wait_done(self, worker: Worker) -> None:
        """Wait until all clinics were visited, and all messages acknowledged."""
        worker.until(lambda: self.done() == set(self.blogs) and self.messages() == 0)


@contextmanager
def frame_of(folder: Path, *slugs: str, aof: bool = True, wait: float = 0.0, **more: Any) -> Iterator[Frame]:
    """A frame; `wait`: seconds that each blog takes to answer."""
    with ExitStack() as stack:
        blogs = {slug: stack.enter_context(serving(Blog())) for slug in slugs}
        for blog in blogs.values():
            for path, reply in blog.answers.items():
                assert isinstance(reply, Reply)
                blog.answers[path] = Reply(reply.body, reply.status, reply.kind, wait=wait)
        redis = Redis(folder / "redis", aof=aof, **more)
        stack.callback(redis.kill)
        frame = Frame(folder, redis, blogs)
        stack.callback(lambda: [worker.kill() for worker in frame.workers])
        frame.write()
        yield frame
