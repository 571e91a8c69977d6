"""kill -9 of the product at random instants, and what an archive holds right after: read by SQLite and zlib alone."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from click.testing import CliRunner

from archive.compare import canonical
from archive.db import open_archive
from pipelines.commands import main
from tests.e2e.hostile import Blog
from tests.e2e.product import ROOT, Done, rows, start, start_crawl, warcs
from tests.waiting import HANG, wait_until
from tests.warm import Started

TABLE = Path(os.environ.get("ARTEFACTS") or ROOT / "var" / "kills") / "kills.txt"
# What an archive may never lose once it is committed, by what stands for a row wherever it is kept.
LASTING = {
    "crawls": "crawl_id, started_at",
    "clinic_runs": "crawl_id, clinic_id, started_at",
    "captures": "capture_id, crawl_id, url, fetched_at, http_status, payload_sha256, refers_to, warc_file, warc_offset",
    "posts": "clinic_id, platform_post_id",
    "post_addresses": "clinic_id, address",
    "revisions": "capture_id, source, captured_at, content_sha256, title, body_text",
    "sightings": "capture_id, url, source, lastmod, seen_at",
    "readings": "capture_id, source, read_at, views, likes, comments_count",
    "comments": "clinic_id, platform_comment_id",
    "comment_revisions": "capture_id, captured_at, body_text",
    "absences": "capture_id, seen_at, answered",
    "problems": "capture_id, url, kind, message, happened_at",
}
Said = dict[str, set[Any]]


@dataclass(frozen=True)
class Pace:
    """How long the product takes undisturbed, in seconds: to start, and from its first sign of work to its end."""

    starts: float
    works: float


def pace(*command: str | Path, cwd: Path, sign: Callable[[], bool]) -> Pace:
    """Measured on a run to its end, which must be a good one. `sign`: the work has begun."""
    began = time.monotonic()
    process = start(*command, cwd=cwd)
    while not sign() and process.poll() is None:
        time.sleep(0.002)
    starts = time.monotonic() - began
    assert process.wait(HANG) == 0
    return Pace(starts, time.monotonic() - began - starts)


def kill(*command: str | Path, cwd: Path, sign: Callable[[], bool], pace: Pace, chance: random.Random) -> bool:
    """SIGKILL for the process and all that it started, at a random instant; True where it had ended by then.

    One instant in four is drawn from all of the time that it takes, the others from that of its work, and a bit after.
    """
    anywhere = chance.random() < 1 / 4
    instant = chance.uniform(0, pace.starts + pace.works) if anywhere else chance.uniform(0, pace.works * 1.1)
    process = start(*command, cwd=cwd)
    while not anywhere and not sign() and process.poll() is None:
        time.sleep(0.001)
    with suppress(subprocess.TimeoutExpired):
        process.wait(instant)
    over = process.poll() is not None
    end_group(process)
    assert not over or process.returncode == 0
    return over


@contextmanager
def in_flight(archive: Path, blog: Blog, path: str, *options: str) -> Iterator[Started]:
    """A crawl that waits for the answer for that address; the answer is given at the end of the block."""
    with blog.hold(path):
        process = start_crawl(archive, blog.url, *options)
        try:
            wait_until(lambda: path in blog.paths, process)
            yield process
        except BaseException:
            process.kill()
            process.communicate()
            raise


def end_group(process: Started) -> None:
    """Kill the whole group of a process that leads one; return when none of it runs any more."""
    group = [item for item in psutil.process_iter(["pid"]) if _group_of(item.pid) == process.pid]
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(HANG)
    wait_until(lambda: not any(map(_runs, group)))


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _group_of(pid: int) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


BY_HAND = {"import", "export", "restore"}  # they say what they made, also without a terminal


def cli(*arguments: str | Path) -> Done:
    """The command line in this process, which saves its start: for what is not killed."""
    done = CliRunner().invoke(main, [str(item) for item in arguments], catch_exceptions=False)
    return Done(done.exit_code, done.stdout, done.stderr)


def good(*arguments: str | Path) -> list[str]:
    """It ended well, and printed what it made where a person gives it; its lines on stderr."""
    done = cli(*arguments)
    assert (done.code, done.out != "") == (0, arguments[0] in BY_HAND), done
    return done.lines


def writes(archive: Path) -> Callable[[], bool]:
    """A run has come so far as to write something new."""
    there = len(warcs(archive))
    return lambda: len(warcs(archive)) > there or any((archive / "imports").glob("*.part"))


def ended(archive: Path) -> int:
    """Runs that told their end."""
    there = (archive / "archive.db").exists() and rows(archive, "SELECT 1 FROM sqlite_master WHERE name = 'crawls'")
    return len(rows(archive, "SELECT 1 FROM crawls WHERE exit_code IS NOT NULL")) if there else 0


def acknowledged(archive: Path, scratch: Path) -> Said:
    """Rows that are committed, by table, and ids of answers that lie whole in the WARC ("answers")."""
    found: Said = {table: set() for table in LASTING} | {"answers": set(answers(archive))}
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for path in archive.glob("archive.db*"):  # with its log, but not the index of it, which SQLite makes anew
        if path.name in ("archive.db", "archive.db-wal"):
            shutil.copy(path, scratch)
    if (scratch / "archive.db").exists():
        with closing(sqlite3.connect(scratch / "archive.db")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table, columns in LASTING.items():
                if table in there:
                    found[table] = set(db.execute(f"SELECT {columns} FROM {table}"))
    return found


def answers(archive: Path) -> Iterator[str]:
    """Ids of answers that lie in the WARC with their requests, and of fetches without one, in files of our own."""
    for path in sorted((archive / "warc").rglob("*.warc.gz")):
        waiting = None
        for head in heads(path.read_bytes()):
            kind, record_id = head["WARC-Type"], head["WARC-Record-ID"][10:-1]  # <urn:uuid:...>
            if kind in ("response", "revisit"):
                waiting = record_id
            elif kind == "request" and head["WARC-Concurrent-To"][10:-1] == waiting:
                assert waiting is not None
                yield waiting
            elif head.get("X-Archive-Kind") == "failure":
                yield record_id


def is_answered(archive: Path, url: str) -> bool:
    """Whether an answer of that address lies whole in the WARC."""
    files = (archive / "warc").rglob("*.warc.gz")
    found = (head for path in files for head in heads(path.read_bytes()))
    return any(head["WARC-Type"] == "response" and head["WARC-Target-URI"] == url for head in found)


def heads(data: bytes) -> Iterator[dict[str, str]]:
    """The header of each whole gzip member, up to the first torn one."""
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            record = member.decompress(data)
        except zlib.error:
            return
        if not member.eof:
            return
        lines = record.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        yield {name: value for name, _, value in (line.partition(": ") for line in lines)}
        data = member.unused_data


def lost(before: Said, after: Said) -> list[str]:
    """What was acknowledged and is not there any more."""
    return [f"{table}: {row}" for table, reported in before.items() for row in reported - after[table]]


def unread(at: Said) -> list[str]:
    """Whole answers that have no row."""
    return [f"an answer without a row: {item}" for item in at["answers"] - {row[0] for row in at["captures"]}]


# Of a run, or of the moment: two archives of the same clinic differ in them.
OF_RUNS = {"crawl_id", "retrieved_at"}
OF_MOMENTS = {
    "capture_id", "first_capture_id", "last_capture_id", "captured_at", "seen_at", "first_seen_at", "last_seen_at",
    "first_crawled_at", "matched_by", "views", "views_raw", "read_at",
    "item",
}  # fmt: skip
OF_VISITS = ("captures", "sightings", "problems", "run_fields")
COUNTERS = """
    SELECT address, source, likes, comments_count FROM readings AS r JOIN post_addresses USING (post_id)
    WHERE read_at = (SELECT max(read_at) FROM readings AS o WHERE o.post_id = r.post_id AND o.source = r.source)
"""


def said(archive: Path, *, visited: bool) -> dict[str, Any]:
    """All that an archive says, less what belongs to its runs. `visited`: less what two visits to one site differ in.

    Of a site that was visited: texts, comments, labels, edges, who is gone, the last counters but views (every visit
    is counted as one).
    """
    left_out = OF_RUNS | (OF_MOMENTS if visited else set())
    found: dict[str, Any] = {}
    with closing(open_archive(archive, "read")) as db:
        for table in sorted(canonical.FOLDED):  # what is derived from these is computed later, as far as time allows
            if table in ("crawls", "clinic_runs") or (visited and table in (*OF_VISITS, "readings")):
                continue
            names = [item.name for item in db.table(table).columns if item.name not in canonical._LOCAL]
            stored = [number for number, name in enumerate(names) if name not in left_out]
            reported = [tuple(row[number] for number in stored) for row in canonical.rows(db, table)]
            found[table] = set(reported) if visited else sorted(reported, key=repr)
        if visited:
            found["last counters"] = set(db.execute(COUNTERS).fetchall())
    return found


@dataclass
class Tally:
    """What came of the kills of a verb."""

    fell: Counter[str] = field(default_factory=Counter)  # before, during, after its work
    torn: int = 0  # tails that the next start cut off
    folded: int = 0  # answers that it folded in
    lost: int = 0


def write_table(tallies: dict[str, Tally]) -> None:
    """A line a verb, where artefacts go."""
    columns = ("verb", "kills", "before", "during", "after", "torn tails cut", "answers folded in", "lost")
    reported: list[tuple[Any, ...]] = [
        (verb, item.fell.total(), item.fell["before"], item.fell["during"], item.fell["after"], item.torn, item.folded,
         item.lost) for verb, item in tallies.items()
    ]  # fmt: skip
    reported.append(("all", *(sum(row[number] for row in reported) for number in range(1, len(columns)))))
    lines = ["  ".join(f"{cell!s:>{len(name)}}" for cell, name in zip(row, columns, strict=True)) for row in reported]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(["  ".join(columns), *lines]) + "\n", "utf-8")
