"""What `verify` does not compare: by column, or by kind of row; and what it compares all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from archive.compare.cells import LEFT_OUT, compared_tables
from archive.db import open_archive, open_scratch
from pipelines.commands import main
from pipelines.run.key import KEY_FILE
from pipelines.verify import fold_comparison
from scraper.platforms.wix import Wix
from tests.pipelines.commands.test_verify import change, value, verify
from tests.pipelines.test_rebuild import visit
from tests.pipelines.test_reparse import mend, reparsed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An edit of a post, its thread, and a comment that waits for its post."""
    for text in ("Sleep well.", "Sleep better."):
        visit(tmp_path, [("post", ("sleep", text, 3)), ("thread", "sleep"), ("thread", "wake")], "ended")
    return tmp_path


def test_numbers_of_rows_and_the_version_are_not_compared(archive: Path) -> None:
    with closing(open_archive(archive, "read")) as db:
        columns = {column.name for table in compared_tables(db) for column in db.table(table).columns}
    assert LEFT_OUT.keys() <= columns
    visit(archive, [("fail", "sleep"), ("gone", "sleep")], "ended")
    change(archive, "UPDATE problems SET problem_id = problem_id + 100")
    change(archive, "UPDATE absences SET absence_id = absence_id + 100")
    change(archive, "UPDATE clinics SET folded_by = 'clinic-archive/0.0.1'")
    code, summary, _ = verify(archive)
    assert (code, summary["faults"], summary["older"]) == (0, [], [])


@pytest.mark.parametrize(("damage", "why"), [("", "is not there"), ("no key", "is damaged")])
def test_without_the_key_all_but_the_pseudonyms_is_compared(archive: Path, damage: str, why: str) -> None:
    assert "reader-" in value(archive, "SELECT group_concat(author) FROM comments")
    assert "reader-" in value(archive, "SELECT group_concat(item) FROM unplaced")
    (archive / KEY_FILE).unlink()
    if damage:
        (archive / KEY_FILE).write_text(damage)
    code, summary, err = verify(archive)
    assert (code, summary["faults"], err) == (0, [], "")
    assert summary["notes"] == [f"pseudonyms were not compared: {KEY_FILE} {why}"]
    change(archive, "UPDATE comments SET author = NULL WHERE platform_comment_id = 'sleep-0'")
    change(archive, "UPDATE unplaced SET item = replace(item, 'published', 'hidden')")
    _, summary, _ = verify(archive)
    assert [line.split(" differs")[0] for line in summary["faults"]] == [
        "riverside: comments: author of a row", f"riverside: unplaced: item of {waiting(archive)}"
    ]  # fmt: skip


def waiting(archive: Path) -> str:
    number = value(archive, "SELECT count(*) FROM unplaced WHERE item LIKE '%hidden%'")
    return "a row" if number == 1 else f"{number} rows"


def test_with_another_key_the_pseudonyms_are_named(archive: Path) -> None:
    (archive / KEY_FILE).write_text("ab" * 32)
    code, summary, _ = verify(archive)
    assert code == 6
    assert any(line.startswith("riverside: comments: author of ") for line in summary["faults"])


def test_without_people_no_key_is_missed(tmp_path: Path) -> None:
    visit(tmp_path, [("post", ("sleep", "Sleep well.", 3))], "ended")
    (tmp_path / KEY_FILE).unlink()
    code, summary, _ = verify(tmp_path)
    assert (code, summary["faults"], summary["notes"]) == (0, [], [])


def test_what_an_older_parser_read_is_taken_as_it_is(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fold gives it again; what today's parser read is compared."""
    older, version = Wix.extractor_version, Wix.extractor_version + 1
    mend(monkeypatch, version, "Sleep", "Slumber", views=1)
    reparsed(archive)
    assert verify(archive)[0] == 0
    assert value(archive, "SELECT count(*) FROM superseded_readings") == 2
    change(archive, "UPDATE superseded_readings SET views = 99")
    change(archive, f"UPDATE revisions SET word_count = 99 WHERE extractor_version = {older}")
    assert verify(archive)[1]["faults"] == []
    change(archive, f"UPDATE revisions SET word_count = 98 WHERE extractor_version = {version}")
    change(archive, f"UPDATE superseded_readings SET extractor_version = {version}")
    _, summary, _ = verify(archive)
    assert [line.partition(" (")[0] for line in summary["faults"]] == [
        "riverside: revisions: word_count of 2 rows differs: it is 98, the recorded bytes give 2",
        "riverside: superseded_readings: 2 rows are stored that no recorded bytes give",
    ]


def test_tables_of_the_owner_are_left_alone(archive: Path) -> None:
    change(archive, "CREATE TABLE my_notes (post_id INTEGER, note TEXT)")
    change(archive, "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")
    change(archive, "INSERT INTO my_notes VALUES (1, 'mine')")
    assert verify(archive)[0] == 0


SCRATCH = """
import os, sys
from archive.db import open_scratch
db = open_scratch()
db.execute("CREATE TABLE filler (body BLOB)")
db.execute("INSERT INTO filler VALUES (zeroblob(30000000))")
print(len(os.listdir(sys.argv[1])))
"""


def test_the_scratch_archive_leaves_no_file(tmp_path: Path) -> None:
    """It has no name in its folder, so that nothing is left even of a process that is killed."""
    environment = {**os.environ, "SQLITE_TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRATCH, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_no_room_for_the_scratch_archive_is_no_damage(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow() -> Database:
        db = open_scratch()
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        return db

    visit(archive, [("post", ("rest", "Rest more. " * 50_000, None))], "ended")  # more than the empty pages hold
    monkeypatch.setattr(fold_comparison, "open_scratch", narrow)
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert done.exit_code == 1
    assert "no room for the scratch archive" in done.stderr
    assert not (archive / "verified.json").exists()
