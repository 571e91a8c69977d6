"""`clinic-archive verify` on archives of the sample clinic."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.conftest import Crawled
from tests.e2e.product import Done, rows, run, value_of


def test_a_whole_archive_is_called_so_in_silence(small: Crawled, third: Crawled, tmp_path: Path) -> None:
    few = shutil.copytree(small.archive, tmp_path / "few")
    assert run("clinic-archive", "verify", "--archive", few, cwd=tmp_path) == Done(0, "", "")
    archive = shutil.copytree(third.archive, tmp_path / "archive")
    done = run("clinic-archive", "verify", "--archive", archive, "--json", cwd=tmp_path)
    assert done.json["captures"] == value_of(archive, "SELECT count(*) FROM captures")


def test_one_flipped_byte(small: Crawled, tmp_path: Path) -> None:
    archive = shutil.copytree(small.archive, tmp_path / "archive")
    sql = "SELECT * FROM revisions JOIN captures USING (capture_id) WHERE kind = 'content'"
    (revision,) = rows(archive, sql)
    path = archive / revision["warc_file"]
    data = bytearray(path.read_bytes())
    data[revision["warc_offset"] + revision["warc_length"] // 3] ^= 1
    path.write_bytes(data)
    done = run("clinic-archive", "verify", "--archive", archive, cwd=tmp_path)
    assert done.code == 6
    assert any(
        revision["capture_id"] in line and f"revision {revision['revision_id']}" in line
        for line in done.err.splitlines()
    )
