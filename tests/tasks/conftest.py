"""The archive of the tasks, in the current folder of each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tasks.known import make


@pytest.fixture(scope="session")
def _known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    make(folder / "var")
    return folder


@pytest.fixture
def owner(_known: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the archive's owner, with `var/`; tests read the archive, and write files beside it."""
    monkeypatch.chdir(_known)
    return _known


@pytest.fixture
def copy(_known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, for tests that write into the archive."""
    shutil.copytree(_known / "var", tmp_path / "var")
    monkeypatch.chdir(tmp_path)
    return tmp_path
