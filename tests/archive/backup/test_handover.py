"""A handover is the whole archive, checked by hash, or it is not there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import signal
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import bagit
import filelock
import pytest

from archive.compare import canonical
from archive.db import DATABASE, open_archive
from archive.lock import LOCK_FILE
from pipelines.run.key import KEY_FILE
from scraper.config.clinics import parse_clinics
from tests.archive.backup.test_backup import archive, cli, files, grown, said
from tests.e2e.product import run, script
from tests.soak import SOAK
from tests.waiting import kill_after

__all__ = ["archive", "grown"]
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(archive: Path) -> Path:
    """A list of clinics beside the archive, which has the notes of a study."""
    (archive / "study").mkdir()
    (archive / "study" / "50% notes.txt").write_text("coded twice")
    path = archive.parent / "clinics.toml"
    path.write_text('[clinics.riverside]\nurl = "https://riverside.example"\n')
    return path


def make(archive: Path, folder: Path, config: Path) -> tuple[int, dict[str, Any], str]:
    return cli("handover", "make", folder, "--archive", archive, "--clinics-file", config)


def part_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.part")


def check(folder: Path) -> tuple[int, list[str]]:
    code, summary, _ = cli("handover", "verify", folder)
    return code, summary["faults"]


def test_a_successor_has_all_of_it(archive: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "handover"
    code, summary, err = make(archive, folder, config)
    assert (code, err, check(folder)) == (0, "", (0, []))
    assert cli("handover", "verify", folder)[1]["digest"] == summary["digest"]
    bagit.Bag(str(folder)).validate()
    data = folder / "data"
    assert {path.name for path in data.iterdir()} == {
        DATABASE, "warc", "imports", "study", KEY_FILE, "clinics.toml", "HANDOVER.md",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in data.rglob("*"))
    assert files(data) == files(archive)  # the sidecar of the killed run, too
    assert (data / "study" / "50% notes.txt").read_text() == "coded twice"
    assert "The key leaves with it" in (data / "HANDOVER.md").read_text()
    with closing(open_archive(data, "read")) as db:
        assert canonical.digests(db) == said(archive)
    assert check(folder) == (0, [])  # to read it changes nothing
    copy = shutil.copytree(data, tmp_path / "copy")
    (copy / DATABASE).unlink()
    for place in (copy, archive):
        assert cli("rebuild", "--archive", place)[0] == 0
    assert said(copy) == said(archive)


def test_a_clinic_without_a_stanza_is_named_with_the_one_to_add(archive: Path, config: Path, tmp_path: Path) -> None:
    assert make(archive, tmp_path / "listed", config)[1]["without_stanza"] == []
    config.write_text("[crawler]\n")
    with closing(open_archive(archive, "write")) as db, db.conn:
        db.execute("UPDATE clinics SET timezone = 'America/New_York', closed_on = '2026-01-31'")
        (row,) = db.execute("SELECT clinic_id, url, privacy, timezone, closed_on FROM clinics").fetchall()
    code, summary, _ = make(archive, tmp_path / "handover", config)
    assert (code, summary["without_stanza"]) == (0, [{"clinic_id": row[0], "url": row[1]}])
    about = (tmp_path / "handover" / "data" / "HANDOVER.md").read_text("utf-8")
    toml = about.partition("```toml\n")[2].partition("```")[0]
    (clinic,) = parse_clinics(toml, config)
    assert (clinic.slug, clinic.url, clinic.privacy, clinic.timezone, str(clinic.closed)) == row
    with closing(open_archive(archive, "write")) as db, db.conn:
        db.execute("UPDATE clinics SET timezone = 'Home \"zone\"'")
    make(archive, tmp_path / "other", config)
    assert "timezone" not in (tmp_path / "other" / "data" / "HANDOVER.md").read_text("utf-8")


def test_it_says_that_the_key_leaves(archive: Path, config: Path, tmp_path: Path) -> None:
    given = ("--archive", archive, "--clinics-file", config)
    done = run("clinic-archive", "handover", "make", tmp_path / "handover", *given, cwd=tmp_path)
    assert done.code == 0
    assert f"{KEY_FILE} is in it" in done.out and "alone" in done.out


def test_each_fault_has_a_line(archive: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "handover"
    make(archive, folder, config)
    data = folder / "data"
    with (data / DATABASE).open("ab") as file:
        file.write(b"more")
    (data / KEY_FILE).unlink()
    (data / "new.txt").write_text("")
    (data / "log").symlink_to(archive / "warc")
    code, faults = check(folder)
    assert code == 6
    assert [name.partition(":")[0] for name in faults] == [
        f"data/{DATABASE}", f"data/{KEY_FILE}", "data/log", "data/new.txt",
    ]  # fmt: skip
    (folder / "tagmanifest-sha256.txt").unlink()
    assert check(folder) == (6, ["no handover (tagmanifest-sha256.txt is missing)"])


def test_what_is_refused_leaves_nothing(archive: Path, config: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    for place, why in (
        (there, "exists"), (archive / "handover", "inside the other"), (tmp_path, "inside the other"),
        (tmp_path / "none" / "handover", "not there"),
    ):  # fmt: skip
        code, _, err = make(archive, place, config)
        assert (code, why in err) == (4, True), (place, err)
    folder = tmp_path / "handover"
    assert make(archive, folder, tmp_path / "other.toml")[0] == 4
    assert make(tmp_path / "nowhere", folder, config)[0] == 4
    with filelock.FileLock(archive / LOCK_FILE):
        assert make(archive, folder, config)[0] == 75
    (archive / "study" / "a\nb.txt").write_text("")
    assert "rename that file" in make(archive, folder, config)[2]
    (archive / "study" / "a\nb.txt").unlink()
    key = (archive / KEY_FILE).read_bytes()
    for content in (b"short", None):
        (archive / KEY_FILE).unlink()
        if content:
            (archive / KEY_FILE).write_bytes(content)
        code, _, err = make(archive, folder, config)
        assert (code, "restore it from your backup" in err) == (4, True)
        (archive / KEY_FILE).write_bytes(content or key)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_growing_folder_of_others_is_refused(
    archive: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mine = tmp_path / "handover", tmp_path / "mine"
    part = part_of(folder)
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")

    def refused() -> str:
        code, _, err = make(archive, folder, config)
        assert (code, len(err.splitlines()), folder.exists()) == (4, 1, False)
        return err

    part.symlink_to(mine)
    assert "no folder" in refused()
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]
    part.unlink()
    mine.rename(part)
    assert "files of something else" in refused()
    assert [path.name for path in part.iterdir()] == ["notes.txt"]
    (part / "notes.txt").unlink()
    part.chmod(0o777)
    assert "another user" in refused()
    part.chmod(0o755)
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert "another user" in refused()
    assert make(archive, folder, config)[0] == 0  # an empty one of this user
    assert folder.stat().st_mode & 0o777 == 0o700


def test_links_in_a_growing_folder_are_removed(archive: Path, config: Path, tmp_path: Path) -> None:
    folder, mine = tmp_path / "handover", tmp_path / "mine"
    mine.mkdir()
    part_of(folder).mkdir()
    (part_of(folder) / "copied.jsonl").write_text("")
    (part_of(folder) / "data").symlink_to(mine)
    assert make(archive, folder, config)[0] == 0
    assert (check(folder), list(mine.iterdir())) == ((0, []), [])


def test_a_file_that_rows_need_is_missed(archive: Path, config: Path, tmp_path: Path) -> None:
    next((archive / "imports").rglob("*.warc.gz")).unlink()
    code, _, err = make(archive, tmp_path / "handover", config)
    assert (code, "rows need" in err, (tmp_path / "handover").exists()) == (6, True, False)


def test_a_disk_that_takes_no_more(archive: Path, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "handover"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        code, _, err = make(archive, folder, config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (code, len(err.splitlines()), folder.exists()) == (1, 1, False)
    assert "no handover was made" in err
    assert make(archive, folder, config)[0] == 0
    assert check(folder) == (0, [])


def test_a_copy_that_the_disk_changed_is_named_and_copied_again(archive: Path, config: Path, tmp_path: Path) -> None:
    """Between two calls, the first of which was killed: the second one reads every copy back."""
    folder = tmp_path / "handover"
    make(archive, folder, config)
    names = [path.relative_to(folder / "data").as_posix() for path in (folder / "data" / "warc").rglob("*.gz")]
    folder.rename(part_of(folder))
    journal(archive, part_of(folder), names)
    copy = part_of(folder) / "data" / names[0]
    copy.write_bytes(bytes(copy.stat().st_size))
    code, _, err = make(archive, folder, config)
    assert (code, names[0] in err, folder.exists()) == (6, True, False)
    assert make(archive, folder, config)[0] == 0
    assert files(folder / "data") == files(archive)


def journal(archive: Path, part: Path, names: list[str]) -> None:
    """Write the journal of a call that had copied these files."""
    lines = []
    for name in names:
        path = archive / name
        sha256, status = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat()
        lines.append(json.dumps([name, {"size": status.st_size, "sha256": sha256, "mtime_ns": status.st_mtime_ns}]))
    (part / "copied.jsonl").write_text("\n".join(lines) + '\n["torn')


MAKING = """
    import os, signal, sys
    from pipelines.commands import main
    from pipelines.commands import handover as _
    left = int(sys.argv[1])
    def step(event, arguments):
        global left
        if event.split(".")[0] in ("open", "os", "sqlite3", "shutil"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(step)
    main(["handover", "make", *sys.argv[2:]])
"""


def test_killed_at_any_instant(archive: Path, config: Path, tmp_path: Path) -> None:
    """There is no handover, or it is whole; the next call goes on."""
    folder = tmp_path / "handover"
    chance = random.Random(7)

    def kill(step: int, instant: float | None) -> int:
        arguments = (step, folder, "--archive", archive, "--clinics-file", config)
        done = script(MAKING, *arguments, begin=partial(kill_after, instant))
        if not folder.exists():
            if part_of(folder).exists() and check(part_of(folder))[0] != 6:  # it lacks nothing but its name
                assert check(part_of(folder)) == (0, [])
                assert files(part_of(folder) / "data") == files(archive)
            assert make(archive, folder, config)[0] == 0
        assert check(folder) == (0, [])
        assert files(folder / "data") == files(archive)
        assert not part_of(folder).exists()
        shutil.rmtree(folder)
        return done.code

    found = [kill(step, None) for step in (range(2, 400, 3) if SOAK else chance.sample(range(60, 260), 3))]
    found += [kill(0, chance.uniform(0, 0.2)) for _ in range(100 if SOAK else 1)]
    assert -signal.SIGKILL in found
