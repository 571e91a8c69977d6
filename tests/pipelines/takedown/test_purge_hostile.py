"""A purge in an archive that others made, or that lies on several disks: nothing outside of it is touched."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.rewriting.journal import FOLDER, remove_reappeared
from pipelines.run.key import KEY_FILE
from tests.pipelines.takedown.test_purge import REASON, holding, is_sound, purged, rows, run, visit, withdrawn

EMPTY: dict[str, Any] = {"moves": {}, "drafts": {}, "removed": [], "purged": [], "extended": []}
OLD = "warc/riverside/a.warc.gz"


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("visited") / "archive"
    visit(archive)
    return archive


@pytest.fixture
def archive(visited: Path, tmp_path: Path) -> Path:
    shutil.copytree(visited, tmp_path / "archive")
    return tmp_path / "archive"


def interrupted(archive: Path, journal: str) -> None:
    """An archive with the journal of a purge that somebody else wrote."""
    (archive / FOLDER).mkdir()
    (archive / FOLDER / "journal.json").write_text(journal)


JOURNALS = {
    "empty list": "[]",
    "torn": '{"moves": {',
    "no text": "\udcff",
    "deep": "[" * 100_000,
    "no lists": json.dumps({**EMPTY, "removed": "log/crawl.log"}),
    "numbers": json.dumps({**EMPTY, "moves": {OLD: 1}, "drafts": {OLD: 2}}),
    "no event": json.dumps({**EMPTY, "purged": [{"takedowns": []}]}),
    "other names": json.dumps({**EMPTY, "moves": {OLD: OLD}}),
    "removes above": json.dumps({**EMPTY, "removed": ["../victim"]}),
    "removes above, in a folder": json.dumps({**EMPTY, "removed": ["warc/../../victim.torn"]}),
    "removes anywhere": json.dumps({**EMPTY, "removed": ["ABSOLUTE"]}),
    "removes what others log": json.dumps({**EMPTY, "removed": ["log/told.json"]}),
    "replaces the key of releases": json.dumps(
        {**EMPTY, "moves": {"study/release.key": "study/release.key"}, "drafts": {"study/release.key": f"{OLD}.part"}}
    ),
    "removes above an import": json.dumps({**EMPTY, "removed": ["imports/a.part/../../../victim"]}),
    "removes the key": json.dumps({**EMPTY, "removed": ["pseudonym.key"]}),
    "removes through a link": json.dumps({**EMPTY, "removed": ["log/crawl.log"]}),
    "replaces above": json.dumps({**EMPTY, "moves": {OLD: "warc/../../victim"}, "drafts": {OLD: f"{OLD}.part"}}),
    "moves to above": json.dumps({**EMPTY, "moves": {"../victim": OLD}, "drafts": {"../victim": f"{OLD}.part"}}),
    "moves from above": json.dumps({**EMPTY, "moves": {OLD: OLD}, "drafts": {OLD: "warc/../../victim.part"}}),
}


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_that_no_purge_wrote(archive: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victims = [tmp_path / "victim", tmp_path / "victim.torn", outside / "crawl.log", archive / "pseudonym.key"]
    for victim in victims[:3]:
        victim.write_text("mine")
    shutil.rmtree(archive / "log", ignore_errors=True)
    (archive / "log").symlink_to(outside)
    interrupted(archive, "")
    text = JOURNALS[name].replace("ABSOLUTE", str(victims[0])).encode("utf-8", "surrogateescape")
    (archive / FOLDER / "journal.json").write_bytes(text)
    for words in (["takedown", "purge"], ["rebuild"], ["verify"]):
        done = run(archive, *words)
        assert done.exit_code == 6, done.output
        assert done.output.count("\n") == 1
        assert "journal.json" in done.output
    assert all(victim.exists() for victim in victims)
    assert (archive / FOLDER / "journal.json").exists()


def test_a_copy_with_an_open_journal(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    (copy / "log").mkdir(exist_ok=True)
    (copy / "log" / "crawl.log").write_text("x")
    interrupted(copy, json.dumps({**EMPTY, "removed": ["log/crawl.log"]}))
    withdrawn(archive, "sleep-1")
    purged(archive)
    done = run(archive, "takedown", "purge", "--in", str(copy))
    assert (done.exit_code, "interrupted" in done.output) == (4, True)
    assert (copy / "log" / "crawl.log").exists()
    assert run(copy, "takedown", "purge").exit_code == 0
    assert not (copy / "log" / "crawl.log").exists()
    assert run(archive, "takedown", "purge", "--in", str(copy)).exit_code == 0
    is_sound(copy)


def test_a_folder_of_a_purge_that_is_a_link(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_text("mine")
    (archive / FOLDER).symlink_to(tmp_path)
    assert run(archive, "takedown", "purge").exit_code == 6
    assert (tmp_path / "journal.json").exists()


def test_a_note_that_names_a_file_above(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "victim").write_text("mine")
    monkeypatch.setattr("pipelines.rewriting.journal.replaced_files", lambda _: {"../victim": "archive.db"})
    remove_reappeared(archive)
    assert (tmp_path / "victim").exists()


@pytest.mark.parametrize("words", [("riverside",), ("riverside", "--comments")])
@pytest.mark.parametrize("is_shard", [False, True])
def test_another_archive_is_no_copy(archive: Path, tmp_path: Path, words: tuple[str, ...], is_shard: bool) -> None:
    """A clinic is named by its slug, which the other archive has, too; a shard of the same frame has the same key."""
    other, backup = tmp_path / "other", tmp_path / "backup"
    if is_shard:
        other.mkdir()
        shutil.copy(archive / KEY_FILE, other / KEY_FILE)
    visit(other)
    assert run(other, "backup", str(backup)).exit_code == 0
    before = {path: path.read_bytes() for path in sorted((other / "warc").rglob("*")) if path.is_file()}
    snapshots = sorted((backup / "snapshots").iterdir())
    assert run(archive, "takedown", "add", *words, "--grade", "purge", *REASON, "--yes").exit_code == 0
    purged(archive)
    done = run(archive, "takedown", "purge", "--in", str(other))
    assert (done.exit_code, "no copy" in done.output) == (4, True)
    done = run(archive, "takedown", "purge", "--in", str(backup))
    assert (done.exit_code, "another archive" in done.output) == (4, True)
    assert {path: path.read_bytes() for path in sorted((other / "warc").rglob("*")) if path.is_file()} == before
    assert sorted((backup / "snapshots").iterdir()) == snapshots
    assert rows(other, "SELECT count(*) FROM withdrawals") == [(0,)]
    is_sound(other)


def test_a_copy_that_went_on(archive: Path, tmp_path: Path) -> None:
    """A copy with runs of its own is one still: it has the first of the archive's."""
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    visit(copy, views=9)
    withdrawn(archive, "sleep-1")
    purged(archive)
    assert run(archive, "takedown", "purge", "--in", str(copy)).exit_code == 0
    assert holding(copy, "The sleep of my mother") == set()


@pytest.mark.parametrize("drafts", ["{", "[1]", '["archive.db"]', '["warc/../../victim.part"]'])
def test_drafts_that_no_purge_wrote(archive: Path, tmp_path: Path, drafts: str) -> None:
    (tmp_path / "victim.part").write_text("mine")
    (archive / FOLDER).mkdir()
    (archive / FOLDER / "drafts.json").write_text(drafts)
    done = run(archive, "takedown", "purge")
    assert (done.exit_code, done.output.count("\n"), "drafts.json" in done.output) == (6, 1, True)
    assert (tmp_path / "victim.part").exists()
    assert (archive / "archive.db").exists()


def test_files_on_another_disk(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of `warc/` may be the mount of another disk: no file is renamed from one folder to another."""
    replace = Path.replace

    def within_a_folder(source: Path, target: Path) -> Path:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", within_a_folder)
    withdrawn(archive, "sleep-1")
    purged(archive)
    assert holding(archive, "The sleep of my mother") == set()
    assert not list(archive.rglob("*.part"))
    is_sound(archive)


def test_a_link_out_of_the_archive(archive: Path, tmp_path: Path) -> None:
    withdrawn(archive, "sleep-1")
    (archive / "warc" / "riverside").rename(tmp_path / "elsewhere")
    (archive / "warc" / "riverside").symlink_to(tmp_path / "elsewhere")
    before = {path.name for path in (tmp_path / "elsewhere").iterdir()}
    done = run(archive, "takedown", "purge")
    assert (done.exit_code, "out of the archive" in done.output) == (6, True)
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == before
    assert not (archive / FOLDER).exists()


@pytest.mark.parametrize("is_linked", [False, True])
def test_logs_of_others_stay(archive: Path, tmp_path: Path, is_linked: bool) -> None:
    shutil.rmtree(archive / "log", ignore_errors=True)
    log = tmp_path / "elsewhere" if is_linked else archive / "log"
    log.mkdir()
    if is_linked:
        (archive / "log").symlink_to(log)
        (archive / "archive-before-rebuild-1.db").symlink_to(log / "crawl.log")
    for name in ("crawl.log", "crawl.log.1", "cron.log", "told.json"):
        (log / name).write_text("mine")
    withdrawn(archive, "sleep-1")
    removed = set(purged(archive)["removed"])
    assert removed == (set() if is_linked else {"log/crawl.log", "log/crawl.log.1"})
    assert {path.name for path in log.iterdir()} >= {"cron.log"} | ({"crawl.log"} if is_linked else set())
