"""The verbs of a cluster without the extra, and what `status` says of a shard whose host is lost."""

from __future__ import annotations

import shutil
import sys
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from archive.db import OlderSchema, open_archive
from archive.reports.shards import SEEN_FILE, ShardSeen, read_shards, write_shards
from archive.rows.due import Due
from pipelines.commands import main
from pipelines.commands.enqueue import _due, _refuse_other_folder
from tests.cluster.setting import needs_extra
from tests.waiting import HANG

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(hours=2)


@pytest.mark.parametrize("verb", ["enqueue", "worker"])
def test_without_the_extra_the_verb_says_what_to_install(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("dramatiq", "redis")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith("pipelines.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dramatiq", None)
    monkeypatch.setitem(sys.modules, "redis", None)
    done = CliRunner().invoke(main, [verb])
    assert done.exit_code == 1
    assert "install them with `pip install 'dramatiq[redis]>=2.2'`" in done.stderr


@needs_extra
@pytest.mark.parametrize("address", [
    "redis://:se[cret@127.0.0.1:1/0", "redis://:se/cret@127.0.0.1:1/0", "redis://:7#cret@127.0.0.1:1/0",
    "redis://:7?cret@127.0.0.1:1/0", "redis://:s@cret/@127.0.0.1:1/0", "redis://:secret", "redis://:cret@a..b:1/0",
    "redis://:cret@127.0.0.1:1/0?cret=1", "redis://:cret\udcff@127.0.0.1:1/0", "cret",
])  # fmt: skip
def test_what_is_no_address_is_refused_without_its_password(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clinics.toml").write_text(
        '[crawler]\ncontact = "a@uni.example"\nproject_url = "https://uni.example"\n'
        '[clinics.hill]\nname = "Hill"\nurl = "https://hill.example"\n'
    )
    done = CliRunner().invoke(main, ["enqueue", "--broker", address])
    assert done.exit_code == 2, done.output
    assert "no address of Redis" in done.stderr
    assert "cret" not in done.output + "".join(traceback.format_exception(done.exception))


@needs_extra
@pytest.mark.parametrize(("folder", "why"), [("vra", "no such folder"), ("home", "other files and no archive in it")])
def test_a_folder_that_is_no_archive_is_refused(
    folder: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clinics.toml").write_text('[clinics.hill]\nname = "Hill"\nurl = "https://hill.example"\n')
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("")
    done = CliRunner().invoke(main, ["enqueue", "--archive", folder])
    assert done.exit_code == 4, done.output
    assert done.stderr.startswith(f"{folder}: {why}, nothing enqueued; correct --archive, or make the archive with ")
    assert not (tmp_path / "vra").exists()


@pytest.mark.parametrize(("logs", "beside", "accepted"), [
    (["syslog", "cron.log"], ["spool"], False), ([], ["spool"], False), ([], [], True), (["syslog"], [], False),
    (["cluster.json"], [], True), (["crawl.log", "mine.txt"], ["notes.txt"], True),
])  # fmt: skip
def test_a_log_is_an_archives_by_what_is_in_it(
    logs: list[str], beside: list[str], accepted: bool, tmp_path: Path
) -> None:
    for name in ("log", *beside):
        (tmp_path / name).mkdir()
    for name in logs:
        (tmp_path / "log" / name).touch()
    with nullcontext() if accepted else pytest.raises(SystemExit):
        _refuse_other_folder(tmp_path)


def test_an_archive_that_a_worker_makes_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "archive.db").touch()
    with pytest.raises(OlderSchema):
        open_archive(tmp_path, "read")
    worker = Thread(target=lambda: open_archive(tmp_path, "write").close())
    worker.start()
    assert _due(tmp_path, ["hill"], timedelta(days=1), NOW) == [Due("hill", "")]
    worker.join(HANG)


def test_status_names_a_shard_without_a_worker_within_the_hour(tmp_path: Path, template: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(template, archive)
    seen = {"1/2": ShardSeen("1/2", "host-a", NOW), "2/2": ShardSeen("2/2", "host-b", LONG_AGO)}
    write_shards(archive, seen, NOW)
    done = CliRunner().invoke(main, ["status", "-q", "--archive", str(archive)])
    assert done.exit_code == 7
    assert done.stderr == (
        f"shard 2/2: no worker was seen since {LONG_AGO:%Y-%m-%d %H:%M}, then on host-b; start it, or take the shard"
        " over from its backup\n"
    )


def test_what_is_known_of_a_shard_stays(tmp_path: Path) -> None:
    """Where the broker was emptied; a moment in the future counts as now."""
    future = NOW + timedelta(days=1)
    write_shards(tmp_path, {"1/2": ShardSeen("1/2", "a", LONG_AGO), "2/2": None}, LONG_AGO)
    write_shards(tmp_path, {"1/2": None, "2/2": ShardSeen("2/2", "b", future)}, NOW)
    assert read_shards(tmp_path) == [ShardSeen("1/2", "a", LONG_AGO), ShardSeen("2/2", "b", NOW)]
    assert [each.is_silent(NOW) for each in read_shards(tmp_path)] == [True, False]
    write_shards(tmp_path, {"1/1": None}, NOW)  # the frame is divided differently now
    assert read_shards(tmp_path) == [ShardSeen("1/1", None, NOW)]


@pytest.mark.parametrize("text", ["", "[", "{}", "7", '[["1/2"]]', '[["1/2", "a", "yesterday"]]', "[" * 10_000])
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / SEEN_FILE).parent.mkdir()
    (tmp_path / SEEN_FILE).write_text(text)
    assert read_shards(tmp_path) == []
