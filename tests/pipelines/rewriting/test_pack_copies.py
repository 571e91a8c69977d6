"""Files that a pack had joined and that are there again, and backups beside a pack: nothing is lost, nothing stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.backup.files import SnapshotFiles
from archive.db import open_archive
from archive.export import wacz
from archive.warc import members
from archive.warc.joining import head_of
from pipelines.rewriting.dropping import drop_copies
from tests.pipelines.rewriting.test_pack import LATER, archive, files, packed, visited  # noqa: F401  (fixtures)
from tests.pipelines.takedown.test_purge import holding, is_sound, purged, rows, run, visit, withdrawn

TEXT = "The sleep of my mother"


@pytest.fixture
def both(archive: Path, tmp_path: Path) -> Path:  # noqa: F811
    """An archive with the packed files and those that were joined in them."""
    shutil.copytree(archive / "warc", tmp_path / "warc")
    packed(archive)
    shutil.copytree(tmp_path / "warc", archive / "warc", dirs_exist_ok=True)
    return archive


def test_a_purge_removes_what_was_joined(both: Path, tmp_path: Path) -> None:
    """Also in a copy of the archive; a backup of it can be restored, and holds nothing of it."""
    shutil.copytree(both, tmp_path / "copy")
    old = {path.name: path.read_bytes() for path in files(both)}
    withdrawn(both, "sleep-1")
    purged(both)
    assert holding(both, TEXT) == set()
    assert run(both, "takedown", "purge", "--in", str(tmp_path / "copy")).exit_code == 0
    assert holding(tmp_path / "copy", TEXT) == set()
    (path,) = files(both)
    for name, data in old.items():
        path.with_name(name).write_bytes(data)
    for _ in range(2):
        assert run(both, "backup", str(tmp_path / "backup")).exit_code == 0
        assert holding(tmp_path / "backup", TEXT) == set()
    assert run(tmp_path / "restored", "restore", str(tmp_path / "backup")).exit_code == 0
    is_sound(tmp_path / "restored")


def test_a_pack_while_runs_are_copied(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The clinic's files are copied, those of runs as wholes are gone: no snapshot, since takedowns would be lost."""
    packed(archive)
    visit(archive, views=9)
    withdrawn(archive, "sleep-1")
    take, backup = SnapshotFiles.take, tmp_path / "backup"

    def taking(copies: SnapshotFiles, name: str) -> None:
        if name.startswith("warc/_runs"):
            packed(archive)
        take(copies, name)

    with monkeypatch.context() as patch:
        patch.setattr(SnapshotFiles, "take", taking)
        done = run(archive, "backup", str(backup), "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["snapshot"], found["snapshots"], len(found["problems"])) == (6, None, 0, 1)
    assert "as by a pack; run this again" in done.stderr
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert run(tmp_path / "restored", "restore", str(backup)).exit_code == 0
    (count,) = rows(archive, "SELECT count(*) FROM withdrawals")
    assert count == (1,) and rows(tmp_path / "restored", "SELECT count(*) FROM withdrawals") == [count]
    is_sound(tmp_path / "restored")


def test_a_packed_file_that_is_damaged_before_its_backup(archive: Path, tmp_path: Path) -> None:  # noqa: F811
    """The backup's copies of what was joined are the last whole ones: they stay, and belong to each snapshot."""
    backup, given = tmp_path / "backup", ("--keep", "1")
    assert run(archive, "backup", str(backup)).exit_code == 0
    old = {path.name: path.read_bytes() for path in files(archive)}
    packed(archive)
    (path,) = files(archive)
    data = path.read_bytes()
    path.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    for _ in range(2):
        done = run(archive, "backup", str(backup), *given)
        assert (done.exit_code, f"{path.name}: damaged since it was packed" in done.stderr) == (6, True)
        assert {each.name for each in files(backup)} == {path.name, *old}
    path.unlink()
    for name in old:
        shutil.copy(backup / "warc" / "riverside" / name, path.parent)
    assert run(archive, "rebuild").exit_code == 0
    is_sound(archive)
    assert {each.name: each.read_bytes() for each in files(archive)} == old


def test_a_copy_that_is_damaged_later_keeps_what_was_joined(archive: Path, tmp_path: Path) -> None:  # noqa: F811
    backup = tmp_path / "backup"
    assert run(archive, "backup", str(backup)).exit_code == 0
    old = {path.name for path in files(archive)}
    packed(archive)
    assert run(archive, "backup", str(backup)).exit_code == 0  # its copy is whole now
    (path,) = files(archive)
    copy = backup / "warc" / "riverside" / path.name
    data = copy.read_bytes()
    copy.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    run(archive, "backup", str(backup), "--keep", "1")
    assert {each.name for each in files(backup)} == {path.name, *old}
    copy.write_bytes(data)
    run(archive, "backup", str(backup), "--keep", "1")
    assert {each.name for each in files(backup)} == {path.name}


def test_a_pack_removes_whole_copies_alone(both: Path) -> None:
    """Not one that differs from what was packed, is not closed, or has rows that name it."""
    (head,) = [path for path in files(both) if head_of(path) is not None]
    torn, unclosed, named, *_ = [path for path in files(both) if path != head]
    torn.write_bytes(torn.read_bytes()[:-1])
    unclosed.with_name(f"{unclosed.name}.open").touch()
    (same,) = rows(both, "SELECT count(*) FROM captures")
    with closing(open_archive(both, "write")) as db, db.conn:
        db.execute("UPDATE captures SET warc_file = ? WHERE rowid = 1", [f"warc/riverside/{named.name}"])
    assert {Path(name).parent.name for name in drop(both)} == {"_runs"}
    assert {head, torn, unclosed, named} <= set(files(both))
    assert rows(both, "SELECT count(*) FROM captures") == [same]


def drop(archive: Path) -> list[str]:  # noqa: F811
    with closing(open_archive(archive, "write")) as db:
        return drop_copies(archive, db)


def test_a_merge_of_what_is_packed_has_it_once(archive: Path, tmp_path: Path) -> None:  # noqa: F811
    whole = tmp_path / "whole"
    assert run(whole, "merge", str(archive)).exit_code == 0
    packed(archive)
    done = run(whole, "merge", str(archive))
    assert (done.exit_code, "6 WARC files removed, whose records are in packed files" in done.stderr) == (0, True)
    for folder in ("riverside", "_runs"):
        assert [path.name for path in files(whole, folder)] == [path.name for path in files(archive, folder)]
    is_sound(whole)
    for views in (9, 10, 11):
        visit(archive, views=views)
    packed(archive)  # the packed file, too
    assert run(whole, "merge", str(archive)).exit_code == 0
    assert [path.name for path in files(whole)] == [path.name for path in files(archive)]
    is_sound(whole)


def test_what_a_pack_prints_without_a_terminal(both: Path, tmp_path: Path) -> None:
    done = run(both, "pack", "--before", LATER)
    assert done.stdout == "6 WARC files removed, whose records are in packed files\n"
    shutil.move(both / "warc" / "riverside", tmp_path / "disk")
    (both / "warc" / "riverside").symlink_to(tmp_path / "disk")
    done = run(both, "pack", "--before", LATER)
    assert (done.exit_code, done.stdout) == (0, f"{both}: no files to join\n")
    assert done.stderr.startswith("warc/riverside: a symbolic link")


def test_a_pack_while_a_wacz_is_written(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def reading(folder: Path, name: str, offset: int) -> Iterator[bytes]:
        packed(archive)
        return members(folder, name, offset)

    monkeypatch.setattr(wacz, "members", reading)
    done = run(archive, "wacz", "riverside", "-o", str(tmp_path / "x.wacz"))
    assert (done.exit_code, done.stderr.count("\n"), (tmp_path / "x.wacz").exists()) == (1, 1, False)
    assert done.stderr.startswith(f"{archive}/warc/riverside/riverside-")
    assert "gone, as by a pack that runs; run this again" in done.stderr


def test_archives_that_were_packed_apart(archive: Path, tmp_path: Path) -> None:  # noqa: F811
    """What a merge of them holds twice is once there where one file has all of another; else a purge finds both."""
    whole = tmp_path / "whole"
    assert run(whole, "merge", str(archive)).exit_code == 0
    packed(whole)
    visit(archive, views=9)
    shutil.copytree(archive, tmp_path / "apart")
    packed(archive)
    assert run(whole, "merge", str(archive)).exit_code == 0
    for folder in ("riverside", "_runs"):
        assert [path.name for path in files(whole, folder)] == [path.name for path in files(archive, folder)]
    (tmp_path / "apart" / "warc" / "riverside" / files(tmp_path / "apart")[0].name).rename(tmp_path / "aside")
    visit(tmp_path / "apart", views=10)
    packed(tmp_path / "apart")
    assert run(whole, "merge", str(tmp_path / "apart")).exit_code == 0
    assert len(files(whole)) == 2  # each has a run that the other one has not
    assert "riverside" not in packed(whole)["clinics"]
    withdrawn(whole, "sleep-1")
    purged(whole)
    assert holding(whole, TEXT) == set()
    is_sound(whole)
    assert run(whole, "rebuild").exit_code == 0
    is_sound(whole)
