"""The file of an export: whole or not at all, and never in the place of a pipe, a device or a symbolic link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archive.export._target import replacing


def test_a_new_file_and_an_old_one_are_replaced(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with replacing(tmp_path / "a.csv") as draft:
            draft.write_text(text)
        assert (tmp_path / "a.csv").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_after_an_error_the_old_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(UnicodeEncodeError), replacing(tmp_path / "a.csv") as draft:
        draft.write_text("half\udc80", "utf-8")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "old")]


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_stays_and_names_the_new_file(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "elsewhere" / "real.csv"
    target.parent.mkdir()
    if exists:
        target.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    with replacing(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_a_device_and_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/null"), tmp_path / "link"):
        with pytest.raises(OSError, match="not a regular file"), replacing(path):
            pytest.fail("nothing may be written")
    assert (tmp_path / "pipe").is_fifo()
    assert Path("/dev/null").is_char_device()
