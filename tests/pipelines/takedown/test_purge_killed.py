"""kill -9 at any instant of a purge: the next start finds the old state or makes the new one, never one in between."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from scrapy.crawler import Crawler
from scrapy.settings import Settings

from archive.study.tables import take_codebook
from pipelines.commands import main
from pipelines.commands._run import open_for_writing
from pipelines.commands._visits import wait_for_run
from pipelines.rewriting.journal import FOLDER
from pipelines.run.report import VisitReport
from pipelines.run.run import Run
from pipelines.run.visits import Visits
from scraper import settings as house
from scraper.spiders.blog import BlogSpider
from tests.e2e.product import script
from tests.pipelines.takedown.test_purge import holding, is_sound, purged, rows, visit, withdrawn
from tests.soak import SOAK

INSTANTS = 100 if SOAK else 4
WORDS = ("Quillwort", "Marisol", "of my mother")
# Runs a purge, and kills itself at the step of the given number: before it opens, renames or removes a file, forces
# one to the disk, or executes SQL. Prints how many steps there are.
PURGE = """
import os, signal, sys
from click.testing import CliRunner
from sqlite_utils import Database
from pipelines.commands import main
seen, last = 0, int(sys.argv[2])
def step():
    global seen
    seen += 1
    if seen == last:
        os.kill(os.getpid(), signal.SIGKILL)
def counted(function):
    def call(*given, **named):
        step()
        return function(*given, **named)
    return call
os.fsync, Database.execute = counted(os.fsync), counted(Database.execute)
sys.addaudithook(lambda event, _: event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and step())
done = CliRunner().invoke(main, ["takedown", "purge", "--archive", sys.argv[1]])
print(seen)
sys.exit(done.exit_code)
"""


def killed(archive: Path, step: int) -> tuple[int, int]:
    """The exit code of a purge that is killed at a step, and the number of steps of one that is not."""
    done = script(PURGE, archive, step)
    return done.code, int(done.out or 0)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a person whose comments are to be purged, an earlier database, and a code book that names her."""
    archive = tmp_path_factory.mktemp("before") / "archive"
    visit(archive)
    ((author,),) = rows(archive, "SELECT DISTINCT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    shutil.copy(archive / "archive.db", archive / "archive-before-rebuild-20260301.db")
    (archive / "codes.csv").write_text("code,value,description\nhelp,yes,As Marisol Vega says.\nhelp,no,\n", "utf-8")
    take_codebook(archive, archive / "codes.csv")
    (archive / "codes.csv").unlink()
    withdrawn(archive, author)
    return archive


@pytest.fixture(scope="module")
def steps(before: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    archive = tmp_path_factory.mktemp("whole") / "archive"
    shutil.copytree(before, archive)
    code, number = killed(archive, -1)
    assert code == 0
    assert holding(archive, *WORDS) == set()
    return number


@pytest.mark.parametrize("turn", range(INSTANTS))
def test_a_kill_at_any_instant(before: Path, steps: int, tmp_path: Path, turn: int) -> None:
    chosen = random.Random(turn)
    step = chosen.randint(turn * steps // INSTANTS, (turn + 1) * steps // INSTANTS)
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    code, _ = killed(archive, step)
    assert code in (-signal.SIGKILL, 0), step
    open_for_writing(archive).release()
    assert not (archive / FOLDER).exists()
    assert not list(archive.rglob("*.part"))
    files = {path.name for path in (archive / "warc" / "riverside").glob("*.warc.gz")}
    ((day,),) = rows(archive, "SELECT purged FROM withdrawals")
    if day is None:  # the old state
        assert {needle for _, needle in holding(archive, *WORDS)} == set(WORDS)
        assert files == {path.name for path in (before / "warc" / "riverside").glob("*.warc.gz")}
    else:
        assert holding(archive, *WORDS) == set()
        assert len(files) == 1
    purged(archive)
    assert holding(archive, *WORDS) == set()
    is_sound(archive)


def end(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def interrupted(before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive whose purge was ended when its files were in place, and no row was made again."""
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.takedown.purge.purge.refold_past", end)
        CliRunner().invoke(main, ["takedown", "purge", "--archive", str(archive)])
    Visits._open.clear()
    return archive


def test_between_a_kill_and_the_next_start(interrupted: Path, tmp_path: Path) -> None:
    """`verify`, `backup` and `handover` wait for the end of an unfinished purge; a rebuild finishes it."""
    archive = interrupted
    assert CliRunner().invoke(main, ["verify", "--archive", str(archive)]).exit_code == 75
    assert CliRunner().invoke(main, ["backup", str(tmp_path / "backup"), "--archive", str(archive)]).exit_code == 4
    (tmp_path / "clinics.toml").write_text("")
    given = ["handover", "make", str(tmp_path / "handover"), "--clinics-file", str(tmp_path / "clinics.toml")]
    refused = CliRunner().invoke(main, [*given, "--archive", str(archive)])
    assert (refused.exit_code, "`clinic-archive takedown purge` finishes it" in refused.output) == (4, True)
    assert not list(tmp_path.glob("*handover*"))
    assert CliRunner().invoke(main, ["sample", "--n", "1", "--seed", "1", "--archive", str(archive)]).exit_code == 4
    assert CliRunner().invoke(main, ["rebuild", "--archive", str(archive)]).exit_code == 0
    assert holding(archive, *WORDS) == set()
    ((day,),) = rows(archive, "SELECT purged FROM withdrawals")
    assert day is not None
    is_sound(archive)


@pytest.mark.parametrize("verb", [["rebuild"], ["takedown", "purge"]])
def test_a_rebuild_that_is_killed_too(interrupted: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
    """Until the new database has entered, the old one names files that are gone: the purge is not finished before."""
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.rebuild._enter", end)
        assert CliRunner().invoke(main, ["rebuild", "--archive", str(interrupted)]).exit_code != 0
    assert (interrupted / FOLDER / "journal.json").exists()
    assert CliRunner().invoke(main, [*verb, "--archive", str(interrupted)]).exit_code == 0
    assert not (interrupted / FOLDER).exists()
    assert holding(interrupted, *WORDS) == set()
    is_sound(interrupted)


def test_a_plain_scrapy_crawl_finishes_it(interrupted: Path) -> None:
    settings = Settings()
    settings.setmodule(house, priority="project")
    settings.set("ARCHIVE", str(interrupted))
    VisitReport(Crawler(BlogSpider, settings))
    run = Visits.of(settings)
    assert isinstance(run, Run)
    run.release()
    assert not (interrupted / FOLDER).exists()
    assert holding(interrupted, *WORDS) == set()
    is_sound(interrupted)


def test_a_worker_finishes_it(interrupted: Path) -> None:
    """The worker of a cluster opens the archive in its own way: it waits for the lock."""
    wait_for_run(interrupted).release()
    assert not (interrupted / FOLDER).exists()
    assert holding(interrupted, *WORDS) == set()
    is_sound(interrupted)
    wait_for_run(interrupted).release()
