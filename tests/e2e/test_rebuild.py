"""The sample clinic's archive rebuilt from its WARC files by the command, and killed on the way."""

from __future__ import annotations

import random
import shutil
import subprocess
from functools import partial
from pathlib import Path

import psutil
import pytest

from archive.db import DATABASE
from tests.e2e.conftest import Crawled
from tests.e2e.product import BIN, environment, faults, run, value_of
from tests.soak import SOAK
from tests.waiting import HANG, kill_after, wait_until

KILLS = 25 if SOAK else 1


@pytest.fixture(scope="module")
def crawled(request: pytest.FixtureRequest) -> Crawled:
    """A few posts of the clinic; all of it with SOAK."""
    found: Crawled = request.getfixturevalue("third" if SOAK else "small")
    return found


@pytest.fixture(scope="module")
def wanted(crawled: Crawled, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What its archive says."""
    archive = shutil.copytree(crawled.archive, tmp_path_factory.mktemp("wanted") / "archive")
    done = run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=archive)
    assert (done.code, done.err) == (0, "")
    assert done.json["differs"] == []
    assert done.json["captures"] == value_of(crawled.archive, "SELECT count(*) FROM captures")
    assert faults(archive) == []
    return str(done.json["sha256"])


def test_an_archive_from_warc_alone(crawled: Crawled, wanted: str, tmp_path: Path) -> None:
    """Neither the database nor the network is there; the key of the pseudonyms is found beside the WARC."""
    done = run(
        "clinic-archive", "rebuild", "--from", crawled.archive, "--archive", tmp_path / "new", "--json", cwd=tmp_path
    )
    assert (done.code, done.err) == (0, "")
    assert done.json["sha256"] == wanted
    assert faults(tmp_path / "new") == []
    sql = "SELECT count(*) FROM comments WHERE author LIKE 'reader-%'"
    assert value_of(tmp_path / "new", sql) == value_of(crawled.archive, sql) > 0


def test_no_key_and_comments(crawled: Crawled, tmp_path: Path) -> None:
    """A rebuild with the key says, without a terminal, in a line what was made."""
    shutil.copytree(crawled.archive / "warc", tmp_path / "warc")
    done = run("clinic-archive", "rebuild", "--archive", tmp_path, cwd=tmp_path)
    assert done.code == 4
    assert "--key" in done.err
    assert not (tmp_path / DATABASE).exists()
    key = crawled.archive / "pseudonym.key"
    done = run("clinic-archive", "rebuild", "--archive", tmp_path, "--key", key, cwd=tmp_path)
    (line,) = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert line.startswith(f"{tmp_path}: ") and line.endswith("; a new archive.db")


def test_nothing_to_rebuild_from(tmp_path: Path) -> None:
    done = run("clinic-archive", "rebuild", "--archive", tmp_path / "new", cwd=tmp_path)
    assert done.code == 4
    assert "--from" in done.err


def test_killed_at_any_instant_and_run_again(crawled: Crawled, wanted: str, tmp_path: Path) -> None:
    archive = shutil.copytree(crawled.archive, tmp_path / "archive")
    command = ["clinic-archive", "rebuild", "--archive", str(archive)]
    chance = random.Random(4)
    for _ in range(KILLS):
        run(*command, cwd=tmp_path, begin=partial(kill_after, chance.uniform(0.1, 2.5)))
        assert value_of(archive, "SELECT count(*) FROM captures") == value_of(
            crawled.archive, "SELECT count(*) FROM captures"
        )
        assert faults(archive) == []
    done = run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=tmp_path)
    assert (done.code, done.json["sha256"], done.json["differs"]) == (0, wanted, [])
    assert not (archive / "rebuilding").exists()


def test_killed_alone_it_leaves_no_process_behind(crawled: Crawled, tmp_path: Path) -> None:
    """Those that read for it end with it, though only it was killed."""
    archive = shutil.copytree(crawled.archive, tmp_path / "archive")
    command = [str(BIN / "clinic-archive"), "rebuild", "--archive", str(archive)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment())

    def readers() -> list[psutil.Process]:
        """All of its processes, once there is one that reads."""
        children = psutil.Process(process.pid).children(recursive=True)
        return children if any("spawn_main" in " ".join(child.cmdline()) for child in children) else []

    children = wait_until(readers, process)
    process.kill()
    process.wait()
    _, left = psutil.wait_procs(children, timeout=HANG)
    assert left == []
