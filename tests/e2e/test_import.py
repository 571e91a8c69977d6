"""`clinic-archive import` as a process, killed on the way."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conftest import Crawled
from tests.e2e.product import Done, faults, rows, run, value_of
from tests.soak import SOAK
from tests.waiting import kill_after

KILLS = 25 if SOAK else 1
TEXTS = "SELECT content_sha256, captured_at, kind, source FROM revisions ORDER BY 1, 2, 3, 4"


def test_killed_at_any_instant_and_run_again(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What an archive of ours recorded, brought into another as if a stranger had made it."""
    others: Crawled = request.getfixturevalue("third" if SOAK else "small")
    files = [str(path) for path in sorted((others.archive / "warc").rglob("*.warc.gz")) if path.parent.name != "_runs"]
    calm, archive = tmp_path / "calm", tmp_path / "archive"
    given = ["import", *files, "--url", others.url, "--archive"]
    done = run("clinic-archive", *given, calm, "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    chance = random.Random(5)
    for _ in range(KILLS):
        run("clinic-archive", *given, archive, cwd=tmp_path, begin=partial(kill_after, chance.uniform(0.1, 3.0)))
    assert run("clinic-archive", *given, archive, cwd=tmp_path).code == 0
    assert rows(archive, TEXTS) == rows(calm, TEXTS)
    for table in ("posts", "captures", "readings", "comments", "sightings", "absences"):
        sql = f"SELECT count(*) FROM {table}"
        assert value_of(archive, sql) == value_of(calm, sql), table
    assert [fault for fault in faults(archive) if "imports" not in fault] == []
    assert not list((archive / "imports").glob("*.part"))
    done = run("clinic-archive", "rebuild", "--archive", archive, "--json", cwd=tmp_path)
    assert (done.code, done.json["differs"]) == (0, [])
    assert run("clinic-archive", "verify", "--archive", archive, cwd=tmp_path) == Done(0, "", "")


@pytest.mark.parametrize("existing", [False, True])
def test_a_file_of_no_use_makes_no_archive(tmp_path: Path, existing: bool) -> None:
    (tmp_path / "notes.txt").write_text("not a capture")
    archive = tmp_path / "archive"
    if existing:
        archive.mkdir()
    done = run("clinic-archive", "import", "notes.txt", "--archive", archive, cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "not imported" in done.err
    assert archive.exists() == existing, "a folder of somebody else is left alone"
