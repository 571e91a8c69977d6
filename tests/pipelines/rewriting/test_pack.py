"""A pack joins the WARC files of past visits; every record, every row and every later command is as without it."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.backup.backup import CopiedDatabase, copy_database
from archive.compare import canonical
from archive.db import open_archive
from archive.warc import Info, Note, members, records
from archive.warc.format._frame import RawRecord, frames
from archive.warc.joining import _head, head_of, join
from pipelines.commands._run import open_for_writing
from pipelines.rebuild import rebuild
from pipelines.replay.files import scan_runs
from pipelines.run.locking import lock_archive
from tests.e2e import product
from tests.making import natural
from tests.pipelines.takedown.test_purge import holding, is_sound, purged, rows, run, visit, withdrawn

LATER = "2099-01"  # the visits of these tests are of today
FOLDERS = ("riverside", "_runs")


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("visited") / "archive"
    for views in (3, 5, 8):
        visit(archive, views=views)
    return archive


@pytest.fixture
def archive(visited: Path, tmp_path: Path) -> Path:
    shutil.copytree(visited, tmp_path / "archive")
    return tmp_path / "archive"


def packed(archive: Path, *more: str, before: str = LATER) -> dict[str, Any]:
    done = run(archive, "pack", "--before", before, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def files(archive: Path, folder: str = "riverside") -> list[Path]:
    return sorted((archive / "warc" / folder).iterdir())


def hashes(archive: Path, folder: str) -> list[str]:
    """The hash of each gzip member that runs wrote, in the order of the files."""
    found = []
    for path in files(archive, folder):
        data, head = path.read_bytes(), head_of(path)
        for frame in frames(path, path.name, head.size if head else 0):
            assert isinstance(frame, RawRecord)
            found.append(hashlib.sha256(data[frame.offset : frame.offset + frame.length]).hexdigest())
    return found


def content(archive: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, without the places of records."""
    with closing(open_archive(archive, "write")) as db:
        columns = [column.name for column in db.table("captures").columns]
        found = natural(db)
    left = [at for at, name in enumerate(columns) if name not in ("warc_file", "warc_offset")]
    return found | {"captures": sorted(tuple(row[at] for at in left) for row in found["captures"])}


def digest(archive: Path) -> str:
    with closing(open_archive(archive, "write")) as db:
        return canonical.archive_digest(canonical.digests(db))


def test_records_and_rows_stay(archive: Path) -> None:
    before = {folder: hashes(archive, folder) for folder in FOLDERS}
    stored, of_rows = content(archive), digest(archive)
    assert packed(archive, "--dry-run")["clinics"]["riverside"]["files_before"] == 3
    assert [len(files(archive, folder)) for folder in FOLDERS] == [3, 3]
    done = packed(archive)["clinics"]
    assert {name: (each["files_before"], each["files_after"]) for name, each in done.items()} == {
        "riverside": (3, 1),
        "_runs": (3, 1),
    }
    assert [len(files(archive, folder)) for folder in FOLDERS] == [1, 1]
    assert {folder: hashes(archive, folder) for folder in FOLDERS} == before
    assert (content(archive), digest(archive)) == (stored, of_rows)
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert content(archive) == stored
    assert packed(archive)["clinics"] == {}


def test_visits_go_on(archive: Path) -> None:
    """A later visit refers to packed records; a later pack joins what has come, and at last the packed file, too."""
    packed(archive)
    (first,) = files(archive)
    visit(archive, views=8)
    refers = (
        "SELECT count(*) FROM captures JOIN captures AS o ON o.capture_id = captures.refers_to WHERE o.warc_file = ?"
    )
    assert rows(archive, refers.replace("?", f"'warc/riverside/{first.name}' AND captures.warc_file != o.warc_file"))[
        0
    ] > (0,)
    assert "riverside" not in packed(archive)["clinics"]  # a single small file
    for views in (9, 12, 13):
        visit(archive, views=views)
    assert packed(archive)["clinics"]["riverside"]["files_before"] == 5
    (second,) = files(archive)
    head = head_of(second)
    assert head is not None and first.name in head.files and len(head.files) == 8
    stored = content(archive)
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert content(archive) == stored


def test_only_runs_before_the_month_that_are_whole(archive: Path) -> None:
    assert packed(archive, before="2026-01")["clinics"] == {}
    path = files(archive)[1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = run(archive, "pack", "--before", LATER)
    assert (done.exit_code, done.stderr.count("\n")) == (6, 1)
    assert f"{path.name}: damaged" in done.stderr
    assert "riverside: 2 WARC files (" in done.stdout
    assert len(files(archive)) == 2
    assert path.read_bytes() == data


def test_a_purge_of_what_is_packed(archive: Path, tmp_path: Path) -> None:
    """No file that a pack had joined brings back what is purged, neither in the archive nor in a backup."""
    backup = tmp_path / "backup"
    assert run(archive, "backup", str(backup)).exit_code == 0
    old = {path.name: path.read_bytes() for path in files(archive)}
    packed(archive)
    assert run(archive, "backup", str(backup)).exit_code == 0
    withdrawn(archive, "sleep-1")
    purged(archive)
    assert holding(archive, "The sleep of my mother") == set()
    is_sound(archive)
    (path,) = files(archive)
    names = [record.filename for record in records(path) if isinstance(record, Info)]
    assert names == [path.name, *old]  # that of the head alone is another one
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert holding(backup, "The sleep of my mother") == set()
    for name, data in old.items():
        path.with_name(name).write_bytes(data)
    open_for_writing(archive).release()
    assert holding(archive, "The sleep of my mother") == set()
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []


def test_a_pack_of_what_is_purged(archive: Path) -> None:
    old = {path.name: path.read_bytes() for path in files(archive)}
    withdrawn(archive, "sleep-1")
    purged(archive)
    packed(archive)
    is_sound(archive)
    (path,) = files(archive)
    for name, data in old.items():
        path.with_name(name).write_bytes(data)
    assert run(archive, "verify").exit_code == 0
    open_for_writing(archive).release()
    assert holding(archive, "The sleep of my mother") == set()
    assert rebuild(archive, cores=1).differs == []


def test_copies_of_packed_files_are_not_read(archive: Path, tmp_path: Path) -> None:
    """As after a restore, or in an archive that was merged before and after the pack."""
    shutil.copytree(archive / "warc", tmp_path / "warc")
    packed(archive)
    stored = content(archive)
    shutil.copytree(tmp_path / "warc", archive / "warc", dirs_exist_ok=True)
    is_sound(archive)
    done = rebuild(archive, cores=1)
    assert (done.differs, done.notes) == ([], ["6 WARC files removed, whose records are in packed files"])
    assert content(archive) == stored
    assert packed(archive)["clinics"] == {}


def test_a_backup_has_copies_while_a_snapshot_needs_them(archive: Path, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    assert run(archive, "backup", str(backup)).exit_code == 0
    ((earlier),) = json.loads(run(restored, "restore", str(backup), "--list", "--json").stdout)["snapshots"]
    before = content(archive)
    packed(archive)
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert len(files(backup)) == 4
    assert run(restored, "restore", str(backup), "--snapshot", earlier).exit_code == 0
    assert content(restored) == before
    is_sound(restored)
    done = json.loads(run(archive, "backup", str(backup), "--keep", "1", "--json").stdout)
    assert (done["packed"], done["problems"]) == (6, [])
    assert [path.name for path in files(backup)] == [path.name for path in files(archive)]
    assert not (backup / "leaving.json").exists()
    shutil.rmtree(restored)
    assert run(restored, "restore", str(backup)).exit_code == 0
    is_sound(restored)


def test_a_wacz_of_a_packed_archive(archive: Path, tmp_path: Path) -> None:
    given = ("wacz", "riverside", "--with-comment-captures", "-o")
    assert run(archive, *given, str(tmp_path / "before.wacz")).exit_code == 0
    packed(archive)
    assert run(archive, *given, str(tmp_path / "after.wacz")).exit_code == 0
    inside = []
    for name in ("before", "after"):
        with zipfile.ZipFile(tmp_path / f"{name}.wacz") as package:
            inside.append({each: package.read(each) for each in package.namelist()})
    assert inside[0] == inside[1]


def test_a_handover_of_a_packed_archive(archive: Path, tmp_path: Path) -> None:
    packed(archive)
    (tmp_path / "clinics.toml").write_text("")
    given = ("--clinics-file", str(tmp_path / "clinics.toml"))
    assert run(archive, "handover", "make", str(tmp_path / "handover"), *given).exit_code == 0
    is_sound(tmp_path / "handover" / "data")


def test_a_member_is_found_at_its_new_place(archive: Path) -> None:
    find = "SELECT capture_id, warc_file, warc_offset FROM captures ORDER BY capture_id"
    before = {row[0]: list(members(archive, *row[1:])) for row in rows(archive, find)}
    packed(archive)
    assert {row[0]: list(members(archive, *row[1:])) for row in rows(archive, find)} == before


def test_messages_name_the_new_place(archive: Path) -> None:
    """A revisit whose original is gone says so with the place of a record, which moves with it."""
    ((name, offset),) = rows(archive, "SELECT warc_file, warc_offset FROM captures WHERE refers_to NOTNULL LIMIT 1")
    with closing(open_archive(archive, "write")) as db:
        row = {"clinic_id": "riverside", "kind": "missing-original", "happened_at": "2026-03-01T00:00:00.000000Z"}
        db.table("problems").insert(row | {"message": f"cannot be read ({name}: byte {offset}: a revisit)"})
    packed(archive)
    ((message,),) = rows(archive, "SELECT message FROM problems WHERE kind = 'missing-original'")
    (path,) = files(archive)
    place = int(message.partition(" byte ")[2].partition(":")[0])
    assert message == f"cannot be read (warc/riverside/{path.name}: byte {place}: a revisit)"
    assert rows(archive, f"SELECT refers_to NOTNULL FROM captures WHERE warc_offset = {place}") == [(1,)]


def test_another_run_holds_the_archive(archive: Path) -> None:
    lock = lock_archive(archive)
    assert run(archive, "pack", "--before", LATER).exit_code == 75
    lock.release()
    assert run(archive, "pack", "--before", "March").exit_code == 2


def damaged(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for place in places:
        data[place + 20] ^= 1
    path.write_bytes(data)


def test_a_damaged_packed_file_is_read_run_by_run(archive: Path) -> None:
    """Where the record that a run begins with is lost, its first note still tells it from the run before."""
    packed(archive)
    (path,) = files(archive)
    infos = [record.warc_offset for record in records(path) if isinstance(record, Info)]
    whole = scan_runs(archive, f"warc/riverside/{path.name}")
    damaged(path, infos[2])
    found = scan_runs(archive, f"warc/riverside/{path.name}")
    assert [each.info["isPartOf"] for each in found] == [each.info["isPartOf"] for each in whole]
    assert [len(each.captures) for each in found] == [len(each.captures) for each in whole]
    done = run(archive, "verify")
    assert (done.exit_code, f"{path.name}: byte {infos[2]}" in done.output) == (6, True)


def test_a_packed_file_without_its_head(archive: Path) -> None:
    packed(archive)
    (path,) = files(archive)
    whole = scan_runs(archive, f"warc/riverside/{path.name}")
    note = next(record for record in records(path) if isinstance(record, Note))
    damaged(path, 0, note.warc_offset)
    found = scan_runs(archive, f"warc/riverside/{path.name}")
    assert [each.info["isPartOf"] for each in found] == [each.info["isPartOf"] for each in whole[1:]]
    assert [each.name for each in found] == [each.name for each in whole[1:]]


def test_other_tools_read_a_packed_file(archive: Path) -> None:
    packed(archive)
    assert product.faults(archive) == []


def test_a_packed_file_has_a_largest_size(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [path.stat().st_size for path in files(archive)]
    monkeypatch.setattr("pipelines.rewriting.choosing.LARGEST", sum(sizes) - 1)
    stored = content(archive)
    assert packed(archive)["clinics"]["riverside"]["files_before"] == 2
    assert len(files(archive)) == 2
    is_sound(archive)
    assert content(archive) == stored


def test_a_file_that_is_not_closed_stays(archive: Path) -> None:
    path = files(archive)[1]
    path.with_name(f"{path.name}.open").touch()
    assert packed(archive)["clinics"]["riverside"]["files_before"] == 2
    assert path.exists()


def test_a_head_that_names_a_file_whose_runs_are_not_in_it(archive: Path) -> None:
    """Such a file comes from somewhere else: no run of this archive is left out because of it."""
    stored = content(archive)
    first, second, third = files(archive)
    given = {"pack_id": "0" * 32, "clinic_id": "riverside", "software": "x"}
    join([second], first.with_name("riverside-20260101000000-00000000-00000.warc.gz"), name="x", **given)
    path = first.with_name("riverside-20260101000000-00000000-00000.warc.gz")
    data = path.read_bytes()
    head = head_of(path)
    assert head is not None
    forged = _head([first.name, third.name], path.name, **given)
    path.write_bytes(forged + data[head.size :])
    assert rebuild(archive, cores=1).differs == []
    assert content(archive) == stored


def test_a_pack_in_the_middle_of_a_backup(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copied database names files that are gone by then: no snapshot is made, and the line says why."""
    given = ("backup", str(tmp_path / "backup"))

    def copied(source: Path, target: Path) -> CopiedDatabase:
        made = copy_database(source, target)
        packed(archive)
        return made

    with monkeypatch.context() as patch:
        patch.setattr("archive.backup.backup.copy_database", copied)
        done = run(archive, *given)
    assert (done.exit_code, done.output.count("\n"), "as by a pack; run this again" in done.output) == (6, 1, True)
    assert run(archive, *given).exit_code == 0
