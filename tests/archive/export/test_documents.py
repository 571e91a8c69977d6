"""Texts as files of their own, with a sheet about them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.commands import main
from tests.making import CLINIC, OTHER_HEX, Made, extraction, made, post, url


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Made]:
    """Two posts, one of them edited, and one without a text."""
    walk = post("walk", None, addresses=(url("walk"), OTHER_HEX))
    with made(tmp_path / "archive") as archive:
        archive.crawl("1")
        archive.fold(extraction(0, post(text="Ä text,\nof two lines.")), extraction(1, walk), crawl_id="1")
        archive.crawl("2")
        archive.fold(extraction(2, post(text="Another text.")), crawl_id="2")
        yield archive


def export(archive: Made, *arguments: object) -> Result:
    command = ["export", *map(str, arguments), "--archive", str(archive.folder)]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def sheet(folder: Path) -> list[dict[str, str]]:
    with (folder / "documents.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_text_is_a_file_that_the_sheet_names(archive: Made, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    assert export(archive, "--documents", folder).exit_code == 0
    rows = sheet(folder)
    assert len(rows) == 2
    texts = {row["document"]: row for row in rows if row["document"]}
    assert sorted(path.name for path in folder.iterdir()) == sorted([*texts, "documents.csv"])
    for name, row in texts.items():
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert name.startswith(CLINIC)
    assert [(folder / name).read_text("utf-8") for name in texts] == ["Another text."]


def test_every_revision(archive: Made, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    assert export(archive, "revisions", "--documents", folder, "--where", "kind = 'first'").exit_code == 0
    texts = [(folder / row["document"]).read_text("utf-8") for row in sheet(folder) if row["document"]]
    assert texts == ["Ä text,\nof two lines."]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--documents", "new", "--where", "nonsense = 1"), 2, "no such column: nonsense"),
        (("comments", "--documents", "new"), 2, "writes posts or revisions, not comments"),
        (("posts", "--where", "1"), 2, "--where belongs to --documents"),
        (("--documents", "full"), 1, "has files already; name a new folder"),
    ],
)
def test_what_cannot_be_done(
    archive: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    done = export(archive, *arguments)
    assert (done.exit_code, words in done.stderr) == (code, True)
    assert not (tmp_path / "new").exists()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
