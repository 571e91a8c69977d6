"""What a backup holds is the archive, whatever went on while it was made and however it ended."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import filelock
import pytest
from click.testing import CliRunner

from archive.backup.snapshots import SNAPSHOTS, stamps
from archive.compare import canonical
from archive.db import DATABASE, open_archive
from archive.lock import LOCK_FILE
from pipelines.commands import main
from pipelines.imports.adopt import IMPORTS
from pipelines.replay import parsing
from pipelines.run.key import KEY_FILE
from tests.e2e.product import script
from tests.pipelines.test_importer import Foreign, bring, sleep
from tests.pipelines.test_rebuild import settle, visit
from tests.soak import SOAK
from tests.visiting import Visiting, post_answer, post_url
from tests.waiting import kill_after, wait_until

pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
ROOT = Path(__file__).parents[3]


def cli(verb: str, *arguments: object) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(main, [verb, *map(str, arguments), "--json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout or "{}"), done.stderr


def backed_up(archive: Path, folder: Path, *more: object) -> dict[str, Any]:
    code, summary, err = cli("backup", folder, "--archive", archive, *more)
    assert (code, err, summary["problems"], summary["exit_code"]) == (0, "", [], 0)
    return summary


def restored(folder: Path, archive: Path, *more: object) -> Path:
    """The archive, whose every row stands on its bytes, before a crawl and after."""
    code, summary, err = cli("restore", folder, "--archive", archive, *more)
    assert (code, err) == (0, "")
    assert summary["snapshot"] in stamps(folder)
    assert not archive.with_name(archive.name + ".part").exists()
    code, summary, err = cli("verify", "--archive", archive)
    assert (code, err) == (0, "")
    return archive


def said(archive: Path) -> dict[str, str]:
    """All that an archive says, left as it is."""
    with closing(open_archive(archive, "read")) as db:
        return canonical.digests(db)


def settled(archive: Path) -> dict[str, str]:
    """What it says after the next start."""
    settle(archive)
    assert cli("verify", "--archive", archive)[0] == 0
    return said(archive)


def files(archive: Path) -> dict[str, bytes]:
    """What an archive is made of, but its database."""
    parts = [archive / KEY_FILE, *(archive / "warc").rglob("*"), *(archive / IMPORTS).rglob("*")]
    return {path.relative_to(archive).as_posix(): path.read_bytes() for path in parts if path.is_file()}


def closed(archive: Path) -> Path:
    """A WARC file that rows stand on."""
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        (name,) = db.execute("SELECT warc_file FROM captures ORDER BY fetched_at DESC LIMIT 1").fetchone()
    assert not (archive / f"{name}.open").exists()
    return archive / name


def written(archive: Path) -> Path:
    """The one that was not closed."""
    (sidecar,) = (archive / "warc" / "riverside").glob("*.open")
    return sidecar.with_suffix("")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two visits with an edit and threads, captures of others, and a visit that was killed in the middle."""
    folder = tmp_path_factory.mktemp("grown")
    for text in ("Sleep well.", "Sleep better."):
        visit(folder / "archive", [("post", ("sleep", text, 3)), ("thread", "sleep"), ("gone", "rest")], "ended")
    foreign = Foreign(folder / "old.warc.gz")
    foreign.page(post_url("sleep"), sleep("Sleep tight.", 1))
    bring(folder / "archive", foreign.done())
    with Visiting(folder / "archive") as visiting:
        visiting.answer(post_url("rest"), post_answer("rest", "Rest well."))
        visiting.kill()
    return folder / "archive"


@pytest.fixture
def archive(grown: Path, tmp_path: Path) -> Path:  # type: ignore[override]
    shutil.copytree(grown, tmp_path / "archive")
    return tmp_path / "archive"


def test_there_and_back(archive: Path, tmp_path: Path) -> None:
    summary = backed_up(archive, tmp_path / "backup")
    assert summary["files_copied"] == len([name for name in files(archive) if not name.endswith(".open")]) > 6
    new = restored(tmp_path / "backup", tmp_path / "new")
    assert said(new) == said(archive)
    assert files(new) == files(archive)  # sidecars too
    assert backed_up(new, tmp_path / "backup")["files_copied"] == 0
    assert (new / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert settled(new) == settled(archive)
    assert files(new) == files(archive)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_restored_database_is_open_to_those_whom_a_crawl_would_let_read(
    archive: Path, tmp_path: Path, mask: int, mode: int
) -> None:
    backed_up(archive, tmp_path / "backup")
    before = os.umask(mask)
    try:
        new = restored(tmp_path / "backup", tmp_path / "new")
    finally:
        os.umask(before)
    assert (new / DATABASE).stat().st_mode & 0o777 == mode


def test_nobody_else_can_read_it(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    backed_up(archive, folder)
    paths = [folder, *folder.rglob("*")]
    assert [path for path in paths if path.stat().st_mode & 0o077 and path.name != LOCK_FILE] == []
    assert {path.name for path in folder.iterdir()} == {
        "backup.json", SNAPSHOTS, "warc", IMPORTS, KEY_FILE, LOCK_FILE,
    }  # fmt: skip


def test_a_disk_that_is_not_there_is_not_made(archive: Path, tmp_path: Path) -> None:
    code, _, err = cli("backup", tmp_path / "disk" / "backup", "--archive", archive)
    assert (code, err) == (4, f"{tmp_path}/disk: not there; mount it or make it, and run this again\n")
    assert not (tmp_path / "disk").exists()


def test_only_what_is_new_is_copied(archive: Path, tmp_path: Path) -> None:
    first = backed_up(archive, tmp_path / "backup")
    before = said(archive)
    again = backed_up(archive, tmp_path / "backup")
    assert (again["files_copied"], again["bytes_copied"], again["files_kept"]) == (0, 0, first["files_copied"])
    visit(archive, [("post", ("rest", "Rest.", 2))], "ended")
    third = backed_up(archive, tmp_path / "backup")
    # Of the new run its own file and the clinic's; the killed run's two have grown by nothing, and are closed now.
    assert (third["files_copied"], third["files_kept"], third["snapshots"]) == (2, first["files_copied"], 3)
    assert said(restored(tmp_path / "backup", tmp_path / "new")) == said(archive)
    old = restored(tmp_path / "backup", tmp_path / "old", "--snapshot", again["snapshot"])
    assert said(old) == before
    assert cli("restore", tmp_path / "backup", "--list")[1]["snapshots"] == stamps(tmp_path / "backup")


def test_an_older_snapshot_of_a_file_that_grew(tmp_path: Path) -> None:
    archive, folder = tmp_path / "archive", tmp_path / "backup"
    with Visiting(archive) as visiting:
        for number in range(3):
            visiting.answer(post_url("sleep"), post_answer("sleep", f"Text {number}."))
            visiting.run._folds["riverside"].commit()
            backed_up(archive, folder)
        visiting.end()
        visiting.run.close(0, {})
    backed_up(archive, folder)
    for number, name in enumerate(stamps(folder)):
        new = restored(folder, tmp_path / name, "--snapshot", name)
        settle(new)
        with closing(open_archive(new, "read")) as db:
            assert db.execute("SELECT count(*) FROM captures").fetchone() == (min(number + 1, 3),)


def test_restored_after_a_backup_that_was_killed_when_it_had_copied_more(tmp_path: Path) -> None:
    """The archive goes on with less than the folder has of a file; that is no damage."""
    archive, folder = tmp_path / "archive", tmp_path / "backup"
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), post_answer("sleep", "Text."))
        backed_up(archive, folder)
        visiting.answer(post_url("rest"), post_answer("rest", "Text."))
        shutil.copytree(folder, tmp_path / "known")
        backed_up(archive, folder)
        visiting.kill()
    shutil.rmtree(folder / SNAPSHOTS)
    (tmp_path / "known" / SNAPSHOTS).rename(folder / SNAPSHOTS)
    longer = files(folder)
    new = restored(folder, tmp_path / "new")
    settle(new)
    assert backed_up(new, folder)["files_copied"] == 0
    assert said(restored(folder, tmp_path / "newer")) == said(new)
    assert files(folder) == longer


def test_the_newest_are_kept(archive: Path, tmp_path: Path) -> None:
    names = [backed_up(archive, tmp_path / "backup", "--keep", 2)["snapshot"] for _ in range(4)]
    assert stamps(tmp_path / "backup") == names[-2:] == sorted(names)[-2:]
    restored(tmp_path / "backup", tmp_path / "new", "--snapshot", names[2])
    assert cli("restore", tmp_path / "backup", "--archive", tmp_path / "x", "--snapshot", names[0])[0] == 4


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def unreadable(path: Path) -> None:
    """Where it lay reading fails, for root too."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def cut(path: Path) -> None:
    os.truncate(path, 100)


# Each harm to one of the files; with SOAK to both.
HARMS = list(product((flip, cut, Path.unlink, unreadable), (closed, written)))


@pytest.mark.parametrize(("harm", "which"), HARMS if SOAK else HARMS[::2][:2] + HARMS[1::2][2:])
def test_a_damaged_file_of_the_archive_never_replaces_its_copy(
    archive: Path, tmp_path: Path, which: Any, harm: Any
) -> None:
    folder, path = tmp_path / "backup", which(archive)
    backed_up(archive, folder)
    name, whole = path.relative_to(archive).as_posix(), path.read_bytes()
    harm(path)
    for _ in range(2):  # it is told until it is mended
        code, summary, err = cli("backup", folder, "--archive", archive)
        assert (code, summary["exit_code"], len(summary["problems"])) == (6, 6, 1)
        assert err.startswith(f"{name}: ")
        assert str(folder / name) in err
        assert (folder / name).read_bytes() == whole
    new = restored(folder, tmp_path / "new")
    assert (new / name).read_bytes() == whole
    path.unlink(missing_ok=True)
    shutil.copy(folder / name, path)
    assert backed_up(archive, folder)["files_copied"] == 0


def test_a_damaged_backup_is_not_restored_and_mends_itself_where_it_can(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    first = backed_up(archive, folder)["snapshot"]
    copy = folder / closed(archive).relative_to(archive)
    for path in (copy, folder / SNAPSHOTS / first / DATABASE, folder / KEY_FILE):
        before = path.read_bytes()
        for harm in (flip, lambda path: os.truncate(path, 10), Path.unlink):
            harm(path)
            code, _, err = cli("restore", folder, "--archive", tmp_path / "new")
            assert code == 6
            assert str(path) in err
            assert {item.name for item in tmp_path.iterdir()} == {"archive", "backup"}
            path.write_bytes(before)
    os.truncate(copy, 100)
    code, summary, err = cli("backup", folder, "--archive", archive)
    assert (code, bool(summary["snapshot"]), summary["files_copied"]) == (6, True, 1)
    assert str(copy) in err
    backed_up(archive, folder)
    (folder / SNAPSHOTS / stamps(folder)[-1] / "manifest.json").write_text("{")
    assert cli("restore", folder, "--archive", tmp_path / "new")[0] == 6
    restored(folder, tmp_path / "new", "--snapshot", first)


def test_without_bytes_to_stand_on_a_snapshot_does_not_count(archive: Path, tmp_path: Path) -> None:
    """Nor does it push out one that does; the files are copied all the same."""
    path = closed(archive)
    os.truncate(path, 100)
    code, summary, err = cli("backup", tmp_path / "backup", "--archive", archive)
    assert (code, summary["snapshot"], summary["snapshots"]) == (6, None, 0)
    assert "no snapshot was made" in err
    assert files(tmp_path / "backup").keys() == {name for name in files(archive) if not name.endswith(".open")}
    assert list((tmp_path / "backup" / SNAPSHOTS).iterdir()) == []
    code, _, err = cli("restore", tmp_path / "backup", "--archive", tmp_path / "new")
    assert code == 4
    assert "rebuild --from" in err


def test_a_damaged_database(archive: Path, tmp_path: Path) -> None:
    backed_up(archive, tmp_path / "backup", "--keep", 1)
    settle(archive)
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'readings'").fetchone()
    data = bytearray((archive / DATABASE).read_bytes())
    data[size * (page - 1) : size * page] = bytes(size)
    (archive / DATABASE).write_bytes(data)
    code, summary, err = cli("backup", tmp_path / "backup", "--archive", archive, "--keep", 1)
    assert (code, summary["snapshot"], summary["snapshots"]) == (6, None, 1)
    assert "rebuild" in err
    restored(tmp_path / "backup", tmp_path / "new")


@pytest.mark.parametrize("most", [100, 2000, 40_000])
def test_a_disk_that_takes_no_more(archive: Path, tmp_path: Path, most: int) -> None:
    """One line, exit 1; what was there stays, and the next backup needs no help."""
    folder = tmp_path / "backup"
    backed_up(archive, folder)
    visit(archive, [("post", ("rest", "Rest.", 2)), ("thread", "rest")], "ended")
    before = files(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        made = cli("backup", folder, "--archive", archive)
        restoring = cli("restore", folder, "--archive", tmp_path / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for code, _, err in (made, restoring):
        assert (code, len(err.splitlines())) == (1, 1)
    assert files(folder) == before
    assert {item.name for item in tmp_path.iterdir()} == {"archive", "backup"}
    backed_up(archive, folder)
    assert said(restored(folder, tmp_path / "new")) == said(archive)


def test_what_is_refused(archive: Path, tmp_path: Path) -> None:
    folder, full = tmp_path / "backup", tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    for place in (full, archive, archive / "backup", tmp_path, full / "thesis.txt"):
        assert cli("backup", place, "--archive", archive)[0] == 4, place
    assert [path.name for path in full.iterdir()] == ["thesis.txt"]
    assert not (archive / "backup").exists()
    assert cli("backup", folder, "--archive", tmp_path / "none")[0] == 4
    assert not folder.exists()
    backed_up(archive, folder)
    visit(tmp_path / "other", [("post", ("sleep", "Sleep.", 1))], "ended")
    code, _, err = cli("backup", folder, "--archive", tmp_path / "other")
    assert code == 4
    assert "another archive" in err
    for target in (full, archive, folder / "new"):
        assert cli("restore", folder, "--archive", target)[0] == 4, target
    assert cli("restore", full, "--archive", tmp_path / "new")[0] == 4
    assert cli("restore", folder, "--archive", tmp_path / "new", "--snapshot", "yesterday")[0] == 4
    (archive / KEY_FILE).unlink()
    assert cli("backup", folder, "--archive", archive)[0] == 4
    with filelock.FileLock(folder / LOCK_FILE):
        shutil.copy(folder / KEY_FILE, archive / KEY_FILE)
        assert cli("backup", folder, "--archive", archive)[0] == 75
    backed_up(archive, folder)
    (tmp_path / "new").mkdir()  # an empty one is as good as none
    restored(folder, tmp_path / "new")


def test_a_lost_database_is_made_again_from_the_folder(archive: Path, tmp_path: Path) -> None:
    """Where no snapshot can be used: the folder is laid out as an archive is."""
    backed_up(archive, tmp_path / "backup")
    shutil.rmtree(tmp_path / "backup" / SNAPSHOTS)
    code, _, err = cli("rebuild", "--from", tmp_path / "backup", "--archive", tmp_path / "new")
    assert (code, err) == (0, "")
    assert settled(tmp_path / "new")["captures"] == settled(archive)["captures"]


CRAWLING = """
    import os, sys
    from pathlib import Path
    from pipelines import fold
    from pipelines.run import report
    from tests.visiting import Visiting, post_answer, post_url
    fold.BATCH = 3
    stop, number = Path(sys.argv[2]), 0
    while not stop.exists():
        with Visiting(Path(sys.argv[1])) as visiting:
            for _ in range(25):
                number += 1
                text = f"{number}: {os.urandom(2000).hex()}"
                visiting.answer(post_url("sleep"), post_answer("sleep", text, views=number))
            visiting.end()
            visiting.run.close(0, report.summary(visiting.run))
"""


def test_while_a_crawl_writes(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process commits and appends all the while, in run after run; what was committed is in the backup."""
    monkeypatch.setattr(parsing, "FEWEST", 10**6)  # to start more processes takes longer than to read
    settle(archive)
    captures = "SELECT capture_id, warc_file, warc_offset, warc_length, payload_sha256 FROM captures"

    def rows(of: Path) -> set[tuple[Any, ...]]:
        with closing(sqlite3.connect(of / DATABASE, timeout=30)) as db:
            return set(db.execute(captures).fetchall())

    made: list[tuple[str, set[tuple[Any, ...]]]] = []
    end = time.monotonic() + 60

    def back_up_meanwhile(_: int) -> None:
        try:
            while len(made) < 4 or (SOAK and time.monotonic() < end):
                before = rows(archive)
                made.append((backed_up(archive, tmp_path / "backup", "--keep", 9999)["snapshot"], before))
                wait_until(lambda before=before: rows(archive) != before)
        finally:
            (tmp_path / "stop").touch()

    assert script(CRAWLING, archive, tmp_path / "stop", begin=back_up_meanwhile).code == 0
    everything = rows(archive)
    chosen = random.Random(3).sample(made, min(len(made), 40) if SOAK else 1)
    for name, before in chosen:
        new = restored(tmp_path / "backup", tmp_path / name, "--snapshot", name)
        assert before <= rows(new) <= everything
        settled(new)
        assert rows(new) <= everything
        shutil.rmtree(new)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from archive.backup.backup import back_up
    left, seen = int(sys.argv[3]), 0
    def step(event, _):
        global seen
        if event.split(".")[0] in ("open", "os", "sqlite3", "shutil"):
            seen += 1
            if seen == left:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(step)
    done = back_up(Path(sys.argv[1]), Path(sys.argv[2]), parts=("imports", "pseudonym.key"), keep=1, software="test")
    assert not done.problems
    print(seen, flush=True)
"""


def test_killed_at_any_step(archive: Path, tmp_path: Path) -> None:
    """Before any step, or at any instant: the snapshot before it is whole, and the next one is made."""
    backed_up(archive, tmp_path / "first")
    before = said(archive)
    visit(archive, [("post", ("rest", "Rest.", 2)), ("thread", "rest")], "ended")
    after = said(archive)

    def kill(step: int, instant: float | None = None) -> int:
        folder = shutil.copytree(tmp_path / "first", tmp_path / "backup")
        done = script(KILLED, archive, folder, step, begin=partial(kill_after, instant))
        assert done.code in (0, -signal.SIGKILL)
        assert said(restored(folder, tmp_path / "new")) in (before, after)
        shutil.rmtree(tmp_path / "new")
        backed_up(archive, folder, "--keep", 1)
        assert len(stamps(folder)) == 1 and not list(folder.rglob("*.part"))
        assert said(restored(folder, tmp_path / "new")) == after
        shutil.rmtree(tmp_path / "new")
        shutil.rmtree(folder)
        return int(done.out or 0)

    steps = kill(0)
    assert steps > 50
    chance = random.Random(5)
    for step in range(1, steps + 1) if SOAK else chance.sample(range(1, steps), 3):
        kill(step)
    for _ in range(100 if SOAK else 1):
        kill(0, chance.uniform(0, 0.1))


RESTORING = """
    import os, signal, sys
    from pipelines.commands import main
    left = int(sys.argv[1])
    def step(event, arguments):
        global left
        if event.split(".")[0] in ("open", "os", "sqlite3", "shutil"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(step)
    main(["restore", *sys.argv[2:]])
"""


def test_a_restore_that_is_killed_leaves_no_archive(archive: Path, tmp_path: Path) -> None:
    backed_up(archive, tmp_path / "backup")
    new, kills = tmp_path / "new", 0
    for step in range(2, 300, 4) if SOAK else [60]:
        kills += script(RESTORING, step, tmp_path / "backup", "--archive", new).code == -signal.SIGKILL
        if new.exists():
            assert said(new) == said(archive) and files(new) == files(archive)
        else:
            assert said(restored(tmp_path / "backup", new)) == said(archive)
        assert sorted(item.name for item in tmp_path.iterdir()) == ["archive", "backup", "new"]
        shutil.rmtree(new)
    assert kills
