"""A disk without a free byte: each command ends with a line that says so, and leaves nothing that looks whole."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from archive.db import DATABASE
from tests.e2e.conftest import Crawled
from tests.e2e.product import Done, crawl, faults, run
from tests.soak import sampled

TEMPORARY = (".part", ".lock", "-wal", "-shm")  # how the names end of files that say that they are not whole


@pytest.fixture(scope="module")
def full(small: Crawled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder `archive`, a copy of the sample archive that somebody reads, on a file system that it fills."""
    disk = tmp_path_factory.mktemp("disk")
    size = sum(path.stat().st_size for path in small.archive.rglob("*") if path.is_file()) + 1_000_000
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        shutil.copytree(small.archive, disk / "archive")
        (disk / "clinics.toml").write_text("")
        with closing(sqlite3.connect(disk / "archive" / DATABASE)) as reader:
            reader.execute("SELECT count(*) FROM posts").fetchone()
            _fill(disk)
            yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filling").open("wb", buffering=0) as filling:
        while True:
            filling.write(bytes(4096))


def command(full: Path, *words: str) -> Done:
    return run("clinic-archive", *words, "--archive", full / "archive", cwd=full)


@pytest.mark.parametrize(
    "words",
    sampled([
        "rebuild", "derive", "export posts -o posts.csv", "export --all exports", "kwic sleep -o kwic.csv", "publish",
        "release first", "backup copy", "sample --n 2 --seed 7", "handover another --clinics-file clinics.toml",
    ], 4),
)  # fmt: skip
def test_a_command_says_so_in_a_line(words: str, full: Path) -> None:
    before = set(full.rglob("*"))
    first, second = (command(full, *words.split()) for _ in range(2))
    new = [path.relative_to(full) for path in set(full.rglob("*")) - before if path.is_file()]
    left = [path for path in new if not any(part.endswith(TEMPORARY) for part in path.parts)]
    for done in (first, second):
        assert (done.code, done.out, len(done.lines)) == (1, "", 1), done
        assert "No space left on device" in done.err
        assert done.err.endswith("; free some space\n")
    assert left == []


def test_a_crawl_says_so_and_asks_for_nothing(full: Path, small: Crawled) -> None:
    for done in (crawl(full / "archive", small.url), crawl(full / "archive", small.url)):
        assert (done.code, done.out) == (1, "")
        assert all("No space left on device" in line for line in done.lines), done.err
        assert 1 <= len(done.lines) <= 2, done.err


def test_status_names_it_and_the_archive_is_whole(full: Path) -> None:
    quiet = command(full, "status", "-q")
    assert (quiet.code, quiet.out) == (7, "")
    assert quiet.err == f"{full / 'archive'}: its disk is nearly full: 0 kB of {quiet.err.split(' of ')[1]}"
    assert command(full, "verify") == Done(0, "", "")
    assert faults(full / "archive") == []
