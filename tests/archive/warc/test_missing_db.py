"""archive.db that is gone beside WARC files: no new history begins in its place, and a killed first run is not that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.db import DATABASE, LostDatabase
from archive.warc.missing_db import why_missing
from pipelines.commands import main
from pipelines.recover import recover
from pipelines.run.run import Run
from tests.visiting import Visiting, post_answer, post_url

CLINICS = '[crawler]\ncontact = "a@uni.edu"\n[clinics.other]\nname = "O"\nurl = "https://other.example"\n'


def visit(archive: Path, *, killed: bool = False) -> None:
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), post_answer("sleep", "Sleep well."))
        if killed:
            visiting.kill()
        else:
            visiting.end()
            visiting.run.close(0, {})


def lose(archive: Path, how: str) -> None:
    for path in archive.glob(f"{DATABASE}*"):
        path.unlink()
    if how == "zero bytes":
        (archive / DATABASE).touch()
    elif how == "tables":
        Run(archive / "new").release()
        (archive / "new" / DATABASE).rename(archive / DATABASE)
        shutil.rmtree(archive / "new")


def told(archive: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--archive", str(archive)], catch_exceptions=False)


@pytest.mark.parametrize("killed", [False, True], ids=["whole", "and a killed run"])
@pytest.mark.parametrize("how", ["gone", "zero bytes", "tables"])
def test_no_new_history_begins_and_a_rebuild_mends_it(tmp_path: Path, how: str, killed: bool) -> None:
    archive, clinics, page = tmp_path / "archive", tmp_path / "clinics.toml", tmp_path / "page.html"
    clinics.write_text(CLINICS)
    page.write_text("<p>Saved.</p>")
    visit(archive)
    if killed:
        visit(archive, killed=True)
    lose(archive, how)
    files = sorted(path.name for path in (archive / "warc").rglob("*"))
    listed = ("--clinics-file", clinics)
    for command in (
        ("crawl", *listed), ("crawl", *listed), ("clinics", "check", *listed), ("confirm", "riverside"), ("reparse",),
        ("backfill", "other", "--from", "2019", *listed), ("import", page, "--url", "https://other.example", *listed),
    ):  # fmt: skip
        done = told(archive, *command)
        assert (done.exit_code, done.stdout) == (4, ""), command
        assert len(done.stderr.splitlines()) == 1
        if how == "gone" or command[0] not in ("confirm", "reparse"):
            assert f"`clinic-archive rebuild --archive {archive}` recreates it" in done.stderr
            assert "`clinic-archive restore`" in done.stderr
    assert (archive / DATABASE).exists() == (how != "gone")
    assert sorted(path.name for path in (archive / "warc").rglob("*")) == files
    for command in (("status",), ("verify",), ("backup", tmp_path / "copy")):
        if how == "gone":
            done = told(archive, *command)
            assert (done.exit_code, "rebuild" in done.stderr) == (4, True), command
    assert told(archive, "rebuild").exit_code == 0
    run = Run(archive)
    assert run.db.execute("SELECT count(*) FROM captures").fetchone() == (1 + killed,)
    run.release()


@pytest.mark.parametrize("how", ["gone", "zero bytes", "tables"])
@pytest.mark.parametrize("files", [1, 3])
def test_a_first_run_killed_before_its_rows_mends_itself(tmp_path: Path, how: str, files: int) -> None:
    """Also where it had filled, and closed, some of its files."""
    with Visiting(tmp_path) as visiting:
        if files > 1:
            visiting.run.writer("riverside")._max_bytes = 1
        for slug in ("sleep", "rest", "wake")[:files]:
            visiting.answer(post_url(slug), post_answer(slug, "Well."))
        visiting.kill()
    lose(tmp_path, how)
    run = Run(tmp_path)
    assert "folded in" in recover(run)[0]
    assert run.db.execute("SELECT count(*) FROM captures").fetchone() == (files,)
    run.release()
    assert why_missing(tmp_path) is not None
    Run(tmp_path).release()  # it has rows, and is no lost one


def test_a_first_run_killed_before_it_came_to_a_clinic(tmp_path: Path) -> None:
    """Its own file, mended by a second run that was killed as early, is no sign of a history."""
    run = Run(tmp_path)
    run.open_run_file("crawl")
    run.broken = "killed"
    run.release()
    for sidecar in tmp_path.rglob("*.open"):
        sidecar.unlink()
    lose(tmp_path, "tables")
    Run(tmp_path).release()


def test_files_of_others_are_no_history_of_ours(tmp_path: Path) -> None:
    (tmp_path / "warc" / "theirs").mkdir(parents=True)
    (tmp_path / "warc" / "theirs" / "crawl.warc.gz").write_bytes(b"")
    Run(tmp_path).release()


def test_scrapys_own_command_is_refused_too(tmp_path: Path) -> None:
    visit(tmp_path)
    lose(tmp_path, "gone")
    with pytest.raises(LostDatabase):
        Run(tmp_path)
    assert not (tmp_path / DATABASE).exists()
