"""`clinic-archive verify` on archives of the sample clinic."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Crawled
from tests.e2e.product import Done, rows, run, value_of
from tests.soak import SOAK


def test_a_whole_archive_is_called_so_in_silence(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A few posts of the clinic; all of it with SOAK."""
    crawled: Crawled = request.getfixturevalue("third" if SOAK else "small")
    archive = shutil.copytree(crawled.archive, tmp_path / "archive")
    assert run("clinic-archive", "verify", "--archive", archive, cwd=tmp_path) == Done(0, "", "")
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
