"""A pack joins the WARC files of past visits; every record, every row and every later command is as without it."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.compare import canonical
from archive.db import open_archive
from archive.warc.format._frame import Frame, frames
from archive.warc.joining import head_of
from pipelines.rebuild import rebuild
from tests.making import natural
from tests.pipelines.takedown.test_purge import holding, is_sound, purged, rows, run, visit, withdrawn
from tests.visiting import SITE, Visiting

NEXT_YEAR = "2099-01"  # the visits of these tests are of today
RECORDS = ("riverside", "_runs")


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("visited") / "archive"
    for views in (3, 5, 8):
        visit(archive, views=views)
    return archive


@pytest.fixture
def archive(visited: Path, tmp_path: Path) -> Path:
    shutil.copytree(visited, tmp_path / "archive")
    return tmp_path / "archive"


def packed(archive: Path, before: str = NEXT_YEAR, *more: str) -> dict[str, Any]:
    done = run(archive, "pack", "--before", before, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def files(archive: Path, folder: str) -> list[Path]:
    return sorted((archive / "warc" / folder).iterdir())


def members(archive: Path, folder: str) -> list[str]:
    """The hash of each gzip member that runs wrote, in the order of the files."""
    found = []
    for path in files(archive, folder):
        data, head = path.read_bytes(), head_of(path)
        for frame in frames(path, path.name, head.size if head else 0):
            assert isinstance(frame, Frame)
            found.append(hashlib.sha256(data[frame.offset : frame.offset + frame.length]).hexdigest())
    return found


def content(archive: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, without the places of records."""
    with closing(open_archive(archive, "write")) as db:
        columns = [column.name for column in db.table("captures").columns]
        found = natural(db)
    left = [at for at, name in enumerate(columns) if name not in ("warc_file", "warc_offset")]
    return found | {"captures": sorted(tuple(row[at] for at in left) for row in found["captures"])}


def digest(archive: Path) -> str:
    with closing(open_archive(archive, "write")) as db:
        return canonical.digest(canonical.digests(db))


def test_records_and_rows_stay(archive: Path) -> None:
    before = {folder: members(archive, folder) for folder in RECORDS}
    stored, of_rows = content(archive), digest(archive)
    assert packed(archive, NEXT_YEAR, "--dry-run")["clinics"]["riverside"]["files_before"] == 3
    assert [len(files(archive, folder)) for folder in RECORDS] == [3, 3]
    done = packed(archive)["clinics"]
    assert {name: (each["files_before"], each["files_after"]) for name, each in done.items()} == {
        "riverside": (3, 1),
        "_runs": (3, 1),
    }
    assert [len(files(archive, folder)) for folder in RECORDS] == [1, 1]
    assert {folder: members(archive, folder) for folder in RECORDS} == before
    assert (content(archive), digest(archive)) == (stored, of_rows)
    is_sound(archive)
    assert rebuild(archive, cores=1).differs == []
    assert content(archive) == stored
    assert packed(archive)["clinics"] == {}
