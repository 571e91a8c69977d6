"""What docs/irb.md says of files is so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.run.key import KEY_FILE
from tests.archive.backup.test_backup import cli
from tests.pipelines.test_importer import Foreign, bring, sleep
from tests.pipelines.test_rebuild import visit
from tests.visiting import post_url

pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
OWNER, MACHINE = 0o600, 0o644


def modes(folder: Path, pattern: str) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.rglob(pattern) if path.is_file()}


def test_who_can_read_what(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        archive = tmp_path / "archive"
        visit(archive, [("post", ("sleep", "Sleep well.", 3)), ("thread", "sleep")], "ended")
        foreign = Foreign(tmp_path / "old.warc.gz")
        foreign.page(post_url("sleep"), sleep("Sleep tight.", 1))
        bring(archive, foreign.done())
        assert cli("publish", "--archive", archive)[0] == 0
        clinics = tmp_path / "clinics.toml"
        clinics.write_text("")
        assert cli("release", "first", "--archive", archive, "--clinics-file", clinics)[0] == 0
        assert cli("backup", tmp_path / "backup", "--archive", archive)[0] == 0
        handed = cli("handover", "make", tmp_path / "handover", "--archive", archive, "--clinics-file", clinics)
        assert handed[0] == 0
        assert cli("verify", "--archive", archive)[0] == cli("rebuild", "--archive", archive)[0] == 0
    finally:
        os.umask(before)
    for pattern in ("*.warc.gz", KEY_FILE, "release.key"):
        assert modes(archive, pattern) == {OWNER}, pattern
    machine = ("archive.db", "archive-before-*.db", "verified.json", ".lock", "first.json", "first.rows", "release.db")
    for pattern in machine:
        assert modes(archive, pattern) == {MACHINE}, pattern
    assert modes(tmp_path / "backup", "*.warc.gz") | modes(tmp_path / "backup", "archive.db") == {OWNER}
    assert modes(tmp_path / "handover" / "data", "*") == {OWNER}
