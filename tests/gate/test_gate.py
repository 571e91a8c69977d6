"""Archives made by an earlier state of the code read as they did.

A rebuild gives the stored rows, or CHANGED.md says which differ and why.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.db import open_archive
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.run.key import KEY_FILE
from tests.gate import rows
from tests.gate.compare import complaints, differences, read_allowed

GATE = Path(__file__).parent
ARCHIVES = ("visits", "rendered", "imported")
ALLOWED = read_allowed((GATE / "CHANGED.md").read_text("utf-8"))


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_an_earlier_state_reads_the_same(name: str, tmp_path: Path) -> None:
    archive = shutil.copytree(GATE / name, tmp_path / "archive", ignore=shutil.ignore_patterns(rows.FILE))
    (archive / KEY_FILE).chmod(0o600)
    assert rebuild(archive, cores=1).problems == []
    stored = rows.read(GATE / name / rows.FILE)
    rebuilt = rows.tables(archive)
    found = complaints(name, differences(stored, rebuilt), ALLOWED)
    if found:
        pytest.fail("\n\n".join([*found, "A rightful change is a line in tests/gate/CHANGED.md."]), pytrace=False)
    with closing(open_archive(archive, "read")) as db:
        assert db.execute("SELECT count(*) FROM posts_with_counts").fetchone() == (len(rebuilt["posts"].rows),)
    verified = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert (verified.exit_code, verified.output) == (0, "")


def test_changed_md_names_archives_that_are_here() -> None:
    assert {line.archive for line in ALLOWED} <= set(ARCHIVES)
