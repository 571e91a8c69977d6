"""kill -9 at any instant of a pack: the next start finds the old state or makes the new one, never one in between."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.commands._run import open_for_writing
from pipelines.commands._visits import wait_for_run
from pipelines.run.visits import Visits
from tests.e2e.product import script
from tests.pipelines.rewriting.test_pack import FOLDERS, LATER, content, digest, files, hashes, packed
from tests.pipelines.takedown.test_purge import is_sound, visit
from tests.pipelines.takedown.test_purge_killed import end
from tests.soak import SOAK

INSTANTS = 100 if SOAK else 5
# Packs, and kills itself at the step of the given number: before it opens, renames or removes a file, forces one to the
# disk, writes rows or executes SQL. Prints how many steps there are.
PACK = f"""
import os, signal, sys
from click.testing import CliRunner
from sqlite_utils import Database
from pipelines.commands import main
from pipelines.commands.pack import choose
from pipelines.rewriting import packing
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
packing._move_rows = counted(packing._move_rows)
begun = []
def heard(event, _):
    if begun and event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        step()
sys.addaudithook(heard)
def begin(*given):
    begun.append(True)
    return choose(*given)
import pipelines.commands.pack
pipelines.commands.pack.choose = begin
done = CliRunner().invoke(main, ["pack", "--before", "{LATER}", "--archive", sys.argv[1]])
print(seen)
sys.exit(done.exit_code)
"""


def killed(archive: Path, step: int) -> tuple[int, int]:
    """The exit code of a pack that is killed at a step, and the number of steps of one that is not."""
    done = script(PACK, archive, step)
    return done.code, int(done.out or 0)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("before") / "archive"
    for views in (3, 5, 8):
        visit(archive, views=views)
    return archive


@pytest.fixture(scope="module")
def steps(before: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    archive = tmp_path_factory.mktemp("whole") / "archive"
    shutil.copytree(before, archive)
    code, number = killed(archive, -1)
    assert code == 0
    assert [len(files(archive, folder)) for folder in FOLDERS] == [1, 1]
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
    assert not (archive / "packing").exists()
    assert not list(archive.rglob("*.part"))
    assert {len(files(archive, folder)) for folder in FOLDERS} <= {1, 3}
    assert {folder: hashes(archive, folder) for folder in FOLDERS} == {
        folder: hashes(before, folder) for folder in FOLDERS
    }
    is_sound(archive)
    packed(archive)
    assert [len(files(archive, folder)) for folder in FOLDERS] == [1, 1]
    assert content(archive) == content(before)


@pytest.fixture(params=["pipelines.rewriting.packing._move_rows", "pipelines.rewriting.journal.remove"])
def interrupted(request: pytest.FixtureRequest, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive whose pack was ended before it wrote rows, or after."""
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    with monkeypatch.context() as patch:
        patch.setattr(request.param, end)
        CliRunner().invoke(main, ["pack", "--before", LATER, "--archive", str(archive)])
    Visits._open.clear()
    assert len(files(archive)) == 4
    return archive


def test_between_a_kill_and_the_next_start(interrupted: Path, before: Path, tmp_path: Path) -> None:
    """Commands that read wait for the end of an unfinished pack; a rebuild finishes it."""
    archive = interrupted
    verified = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert (verified.exit_code, "`clinic-archive pack` finishes it" in verified.output) == (75, True)
    assert CliRunner().invoke(main, ["backup", str(tmp_path / "backup"), "--archive", str(archive)]).exit_code == 4
    (tmp_path / "clinics.toml").write_text("")
    given = ["handover", "make", str(tmp_path / "handover"), "--clinics-file", str(tmp_path / "clinics.toml")]
    assert CliRunner().invoke(main, [*given, "--archive", str(archive)]).exit_code == 4
    assert CliRunner().invoke(main, ["rebuild", "--archive", str(archive)]).exit_code == 0
    assert (len(files(archive)), digest(archive)) == (1, digest(before))
    is_sound(archive)


def test_a_worker_finishes_it(interrupted: Path, before: Path) -> None:
    """The worker of a cluster opens the archive in its own way: it waits for the lock."""
    wait_for_run(interrupted).release()
    assert (len(files(interrupted)), content(interrupted)) == (1, content(before))
    is_sound(interrupted)


HOSTILE = {
    "joins nothing": {"joined": {}},
    "removes what is elsewhere": {"joined": {"warc/riverside/new.warc.gz": {"warc/../../x.warc.gz": 0}}},
    "removes the key": {"joined": {"warc/riverside/new.warc.gz": {"pseudonym.key": 0}}},
    "moves by a text": {"joined": {"warc/riverside/new.warc.gz": {"warc/riverside/a.warc.gz": "1"}}},
    "has a purge, too": {"joined": {"warc/riverside/new.warc.gz": {}}, "removed": ["log/crawl.log"]},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_journal_that_no_pack_wrote(before: Path, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    (archive / "packing").mkdir()
    drafts = {new: f"{new}.part" for new in HOSTILE[name]["joined"]}
    journal = {"moves": {}, "drafts": drafts, "removed": [], "purged": [], "extended": [], **HOSTILE[name]}
    (archive / "packing" / "journal.json").write_text(json.dumps(journal))
    stored = {path: path.read_bytes() for path in archive.rglob("*.warc.gz")}
    for words in (["pack", "--before", LATER], ["rebuild"], ["verify"]):
        done = CliRunner().invoke(main, [*words, "--archive", str(archive)])
        assert (done.exit_code, done.output.count("\n")) == (6, 1), done.output
    assert {path: path.read_bytes() for path in archive.rglob("*.warc.gz")} == stored


def test_a_journal_without_its_new_file(before: Path, tmp_path: Path) -> None:
    """Nothing is removed unless the new file says that it has it."""
    archive = tmp_path / "archive"
    shutil.copytree(before, archive)
    (archive / "packing").mkdir()
    new, old = "warc/riverside/new.warc.gz", f"warc/riverside/{files(archive)[0].name}"
    journal = {"moves": {}, "removed": [], "purged": [], "extended": []}
    journal |= {"drafts": {new: f"{new}.part"}, "joined": {new: {old: 7}}}
    (archive / "packing" / "journal.json").write_text(json.dumps(journal))
    assert CliRunner().invoke(main, ["rebuild", "--archive", str(archive)]).exit_code == 6
    assert (archive / old).exists()
