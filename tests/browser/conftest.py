"""Real Chromium, or none of these tests."""

from __future__ import annotations

import pytest

from scraper.browser import NoBrowser
from scraper.browser._provider import find_browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; a test that asks for it is skipped where there is none."""
    try:
        return find_browser()
    except NoBrowser as missing:
        pytest.skip(str(missing))
