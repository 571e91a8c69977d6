"""What the unit tests of the storing half share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from scraper.browser import NoBrowser
from scraper.browser._provider import find_browser
from tests.making import Made, made
from tests.soak import SOAK

STARTED = time.time()
# Pages of the sample clinic without most of their megabyte of styles and settings, which costs most of a crawl's time.
os.environ.setdefault("CLINIC_BULK", "1" if SOAK else "0.1")

# How long an example takes is the machine's affair.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; a test that asks for it is skipped where there is none."""
    try:
        return find_browser()
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty archive, to copy: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("template")
    with made(folder) as archive:
        archive.db.execute("PRAGMA journal_mode = DELETE")  # one file holds it all
    return folder


@pytest.fixture
def archive(tmp_path: Path, template: Path) -> Iterator[Made]:
    with made(tmp_path, template) as found:
        yield found


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes go by their number: packed ones hold the second in which they were packed, and processes that share the
    tests must call them the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What soak tests found: of faults (`tests/e2e/test_faults.py`), of a year (`tests/e2e/test_year.py`)."""
    folder = Path(os.environ.get("ARTEFACTS") or Path(__file__).parents[1] / "var")
    for table in (folder / "faults.md", *sorted(folder.glob("year-*.md"))):
        if SOAK and table.exists() and table.stat().st_mtime > STARTED:
            terminalreporter.section(table.stem)
            terminalreporter.write(table.read_text("utf-8"))
