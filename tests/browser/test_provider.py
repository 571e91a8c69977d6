"""Which browser is started, and when none is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scraper.browser import NoBrowser, _provider
from scraper.browser._provider import FOLDER, INSTALL, find_browser, lock_folder
from tests.browser.crawling import ROOT, Page, crawled


def test_without_a_browser_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(NoBrowser, match="apt install chromium"):
        find_browser()
    assert "\n" not in INSTALL and "macOS" in INSTALL


def test_the_setting_wins(tmp_path: Path) -> None:
    own = tmp_path / "browser"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_browser(str(own)) == str(own)


def test_a_run_without_a_browser_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    for name, executable in (("none", "/nowhere/chromium"), ("broken", str(broken))):
        crawl = crawled(
            [Page(url="http://127.0.0.1:9/a", private=("127.0.0.1:9",)), Page(url="http://127.0.0.1:9/b")],
            tmp_path / f"crawl-{name}",
            BROWSER_EXECUTABLE=executable,
        )
        kinds = [came.problem[0] for came in crawl.came if came.problem]
        assert (kinds, crawl.code, crawl.left) == (["no-browser"] * 2, 0, ())


def test_a_crawl_that_renders_nothing_does_not_even_import_playwright() -> None:
    code = "import sys, scraper.browser; sys.exit('playwright' in sys.modules or 'scrapy_playwright' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_killed_runs_left_is_taken_away_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_provider, "_folder_parent", lambda: str(tmp_path))
    for name in (f"{FOLDER}killed", f"{FOLDER}running", "others"):
        (tmp_path / name / "profile").mkdir(parents=True)
    (tmp_path / f"{FOLDER}link").symlink_to(tmp_path / "others")
    held = lock_folder(tmp_path / f"{FOLDER}running")
    assert held is not None
    _provider._remove_stale_folders()
    os.close(held)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{FOLDER}link", f"{FOLDER}running", "others"]
    assert (tmp_path / "others" / "profile").exists()
