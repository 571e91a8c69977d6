"""What a crash leaves behind, and what is left after recovery."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from archive.warc import BadRecord, Failure, RecordGroup, records
from archive.warc.repair import Repaired, repair
from tests.archive.warc.test_warc import NOON, check, exchange, original, warcs, writer
from tests.soak import SOAK
from tests.waiting import wait_until

ROUNDS = int(os.environ.get("ARCHIVE_KILL_ROUNDS", "4" if SOAK else "2"))  # more of them for a soak
LARGE = 9_000_000 if SOAK else 2_000_000  # bytes of an answer, four of which a file holds
SEED = int(os.environ.get("ARCHIVE_KILL_SEED", "1"))


def captures(path: Path, folder: Path) -> list[Any]:
    found = list(records(path, archive=folder))
    assert not any(isinstance(record, BadRecord) for record in found)
    return [record.capture for record in found if isinstance(record, RecordGroup | Failure)]


def unclosed(folder: Path) -> tuple[bytes, list[int], str]:
    """A file with a group of every kind, with its sidecar: its bytes, where each whole group ends, its name."""
    with writer(folder) as w:
        page = w.write_exchange(exchange())
        (path,) = warcs(folder)
        ends = [page.warc_offset, path.stat().st_size]
        for write in (
            lambda: w.write_exchange(exchange(refers_to=original(page))),
            lambda: w.write_exchange(
                exchange(response_headers=[(b"Content-Encoding", b"gzip")], body=gzip.compress(b"x" * 999))
            ),
            lambda: w.write_failure(
                url="https://a.example/", method="GET", request_body=b"", reason="dns", message="", at=NOON
            ),
            lambda: w.write_note("run-ended", {}, NOON),
        ):
            write()
            ends.append(path.stat().st_size)
    sidecar(path).touch()
    return path.read_bytes(), ends, path.relative_to(folder).as_posix()


def sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".open")


def test_cut_at_any_byte_it_is_whole_again(tmp_path: Path) -> None:
    data, ends, name = unclosed(tmp_path)
    path, torn = tmp_path / name, tmp_path / (name + ".torn")
    for size in sorted({*ends, *range(0, len(data) + 1, 1 if SOAK else 29)}):
        path.write_bytes(data[:size])
        sidecar(path).touch()
        stored = max((end for end in ends if end <= size), default=0)
        assert repair(tmp_path) == [Repaired(name, stored, size - stored, torn if size > stored else None)]
        assert (path.read_bytes() if path.exists() else b"") == data[:stored] and path.exists() == (stored > 0)
        assert (torn.read_bytes() if torn.exists() else b"") == data[stored:size]
        assert repair(tmp_path) == [] and not sidecar(path).exists()
        torn.unlink(missing_ok=True)
        if size in ends:
            check(path)


@pytest.mark.parametrize("tail", [bytes(5000), b"\xff" * 77, gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n\r\n")])
def test_garbage_behind_whole_groups_is_cut(tmp_path: Path, tail: bytes) -> None:
    """After a power cut a file may be longer than what was written to it."""
    data, _, name = unclosed(tmp_path)
    (tmp_path / name).write_bytes(data + tail)
    (found,) = repair(tmp_path)
    assert (found.whole, found.cut) == (len(data), len(tail))
    check(tmp_path / name)


def test_a_sidecar_without_its_file_goes(tmp_path: Path) -> None:
    assert repair(tmp_path) == []
    _, _, name = unclosed(tmp_path)
    (tmp_path / name).unlink()
    assert repair(tmp_path) == [Repaired(name, 0, 0, None)] and not list(tmp_path.rglob("*.open"))


class Killed(BaseException):
    """Stands for SIGKILL between two system calls."""


@pytest.mark.parametrize("cut_at", [10, -7])
def test_killed_at_any_step_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_at: int) -> None:
    for step in range(40):
        folder = tmp_path / str(step)
        data, _, name = unclosed(folder)
        (folder / name).write_bytes(data[:cut_at])
        left = step

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for owner, method in ((os, "fsync"), (os, "truncate"), (Path, "unlink"), (Path, "replace")):
                patch.setattr(owner, method, counted(getattr(owner, method)))
            try:
                repair(folder)
            except Killed:
                pass
            else:
                assert step > 5, "the steps were not counted"
                return
        answer = repair(folder)
        whole = (folder / name).stat().st_size if (folder / name).exists() else 0
        if answer:  # an empty one: killed after the last step that matters
            assert answer == [Repaired(name, whole, len(data[:cut_at]) - whole, folder / (name + ".torn"))]
        assert (folder / (name + ".torn")).read_bytes() == data[:cut_at][whole:]
        assert repair(folder) == [] and not list(folder.rglob("*.part"))
    pytest.fail("recovery takes more steps than this test allows")


WRITING = textwrap.dedent("""
    import itertools, json, os, random, sys
    from dataclasses import asdict
    from datetime import UTC, datetime
    from pathlib import Path
    from archive.warc import Writer
    from tests.archive.warc.test_warc import exchange
    rng, large = random.Random(int(sys.argv[2])), int(sys.argv[3])
    w = Writer(Path(sys.argv[1]), "praxis", "crawl-kill", {}, last=None, max_bytes=4 * large)
    packed = [(b"Content-Encoding", b"gzip")]
    for n in itertools.count():
        done = []
        for _ in range(rng.randrange(1, 4)):
            body = rng.randbytes(rng.choice([0, 300, 60_000, large]))
            done.append(w.write_exchange(exchange(body=body, response_headers=packed, fetched_at=datetime.now(UTC))))
        w.sync()
        for capture in done:
            print(json.dumps(asdict(capture), default=str), flush=True)
""")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, number: int) -> None:
    rng = random.Random(SEED * 1000 + number)
    reported = tmp_path / "reported"
    with reported.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-c", WRITING, tmp_path, str(rng.random())[2:], str(LARGE)],
            stdout=out,
            cwd=Path(__file__).parents[3],
        )
        try:
            wait_until(lambda: reported.stat().st_size, child)
            time.sleep(rng.uniform(0, 0.6))
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    acknowledged = [json.loads(line) for line in reported.read_text().splitlines(keepends=True) if line.endswith("\n")]
    assert acknowledged
    assert len(repair(tmp_path)) == 1
    there = {}
    for path in warcs(tmp_path):
        check(path)
        there |= {c.capture_id: json.loads(json.dumps(asdict(c), default=str)) for c in captures(path, tmp_path)}
    assert all(there[capture["capture_id"]] == capture for capture in acknowledged)
