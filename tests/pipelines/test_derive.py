"""Derive as a command, after a run, and in a rebuild."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archive.db import DATABASE, open_archive
from archive.derived.tables import TABLES
from pipelines import derive as module
from pipelines.commands import main
from pipelines.derive import derive_after_run
from pipelines.run.locking import lock_archive
from tests.pipelines.test_rebuild import visit

# What a row of the views says, without the numbers that stand for rows in one file alone.
VIEWS = {
    "edits": "clinic_id, title, kind, removed, added, words_removed, words_added, old_last_seen_at, new_first_seen_at,"
    " source, old_capture_id, capture_id, crawl_id, url",
    "sentence_fates": "clinic_id, title, sentence, fate, first_seen_at, last_seen_at, missing_at, reworded_as,"
    " returned_at, capture_id, last_capture_id, missing_capture_id",
    "site_wide_edits": "clinic_id, removed, added, posts, crawl_id",
}


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rows(archive: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        return db.execute(sql).fetchall()


def derived(archive: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(rows(archive, f"SELECT {columns} FROM {name}"), key=str) for name, columns in VIEWS.items()}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two posts, of which each run edits one."""
    folder = tmp_path / "archive"
    for sleep, rest in (
        ("Sleep well. Rest.", "Rest now."),
        ("Sleep well.", "Rest now."),
        ("Sleep well.", "Rest a lot."),
    ):
        visit(folder, [("post", ("sleep", sleep, 3)), ("post", ("rest", rest, None))], "ended")
    return folder


def test_the_command_derives_and_says_how_much(archive: Path) -> None:
    assert derived(archive)["edits"] == []
    done = cli("derive", "--archive", archive, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert {name: summary[name] for name in ("posts", "revisions", "derived", "of", "derived_up_to")} == {
        "posts": 2, "revisions": 4, "derived": 4, "of": 4, "derived_up_to": None,
    }  # fmt: skip
    assert len(derived(archive)["edits"]) == 2
    assert json.loads(cli("derive", "--archive", archive, "--json").stdout)["revisions"] == 0


def test_a_time_limit_ends_it_with_130_and_verify_says_up_to_where(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    done = cli("derive", "--archive", archive, "--json", "--time-limit", "0.001s")
    summary = json.loads(done.stdout)
    assert (done.exit_code, summary["exit_code"], summary["posts"]) == (130, 130, 1)
    verified = cli("verify", "--archive", archive, "--json")
    assert (verified.exit_code, json.loads(verified.stdout)["derived_up_to"]) == (0, summary["derived_up_to"])


def test_again_makes_damaged_rows_again(archive: Path) -> None:
    cli("derive", "--archive", archive)
    before = derived(archive)
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        db.execute("UPDATE cache_edits SET removed = 'forged' WHERE removed IS NOT NULL")
        db.execute("UPDATE cache_sentences SET start = start + 1")
        db.execute("INSERT INTO cache_sentences VALUES (999, 0, 0, 1, 2)")
        db.commit()
    done = cli("verify", "--archive", archive, "--json")
    faults = json.loads(done.stdout)["faults"]
    assert done.exit_code == 6
    assert any("cache_edits" in line and "removed is 'forged'" in line for line in faults)
    assert any("cache_sentences: revision 999" in line for line in faults)
    assert all("`clinic-archive derive --again`" in line for line in faults)
    assert cli("derive", "--archive", archive, "--again").exit_code == 0
    assert derived(archive) == before
    assert cli("verify", "--archive", archive).exit_code == 0


def test_a_rebuild_derives_the_same(archive: Path) -> None:
    cli("derive", "--archive", archive)
    before = derived(archive)
    assert all(before[name] for name in ("edits", "sentence_fates"))
    done = cli("rebuild", "--archive", archive, "--json")
    assert (done.exit_code, json.loads(done.stdout)["differs"]) == (0, [])
    assert derived(archive) == before
    assert cli("verify", "--archive", archive).exit_code == 0


def test_no_archive_and_a_held_one(archive: Path, tmp_path: Path) -> None:
    done = cli("derive", "--archive", tmp_path / "none")
    assert (done.exit_code, (tmp_path / "none").exists()) == (4, False)
    lock = lock_archive(archive)
    assert cli("derive", "--archive", archive).exit_code == 75
    derive_after_run(archive, datetime.now(UTC))  # another run derives in its turn
    lock.release()
    assert derived(archive)["edits"] == []


def test_after_a_run_what_it_added_is_derived(archive: Path, tmp_path: Path) -> None:
    derive_after_run(archive, datetime.now(UTC))
    assert len(derived(archive)["edits"]) == 2
    derive_after_run(tmp_path / "none", datetime.now(UTC))
    assert not (tmp_path / "none").exists()


def test_a_signal_ends_the_derivation_after_a_run_but_not_the_process(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    write = module.write_derived

    def interrupted(*arguments: Any) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return write(*arguments)

    monkeypatch.setattr(module, "write_derived", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    derive_after_run(archive, datetime.now(UTC))
    assert signal.getsignal(signal.SIGTERM) == before
    assert rows(archive, "SELECT count(DISTINCT post_id) FROM cache_derived JOIN revisions USING (revision_id)") == [
        (1,)
    ]


def test_a_failure_after_a_run_is_only_logged(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(open_archive(archive, "write")) as db:
        db.execute("DROP TABLE cache_derived")
    derive_after_run(archive, datetime.now(UTC))
    assert "not derived: no such table: cache_derived" in caplog.text


def test_export_all_leaves_it_out_unless_asked(archive: Path, tmp_path: Path) -> None:
    cli("derive", "--archive", archive)
    for option, expected in ((), False), (("--derived",), True):
        folder = tmp_path / f"files{len(option)}"
        assert cli("export", "--all", folder, "--archive", archive, *option).exit_code == 0
        names = {path.stem for path in folder.iterdir()}
        assert {"posts", "edited_posts"} <= names
        assert bool(names & {*TABLES, *VIEWS}) == ({*TABLES, *VIEWS} <= names) == expected
    assert cli("export", "edits", "--archive", archive, "-o", tmp_path / "edits.csv").exit_code == 0
