"""The sample clinic, crawled once for all tests that only read, and twice more for those about change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from scraper.browser import NoBrowser
from scraper.browser._provider import find_browser
from tests.clinic import Clinic, running
from tests.e2e.browsing import served
from tests.e2e.hostile import Blog, serving
from tests.e2e.product import ROOT, Done, Row, crawl

Truth = dict[str, Any]


@dataclass(frozen=True)
class Crawled:
    """An archive as one crawl left it, what the crawl said, and what was true then."""

    archive: Path
    done: Done = field(repr=False)
    truth: Truth = field(repr=False)
    url: str
    clinic: Clinic = field(repr=False)

    def posts(self, **wanted: object) -> list[Row]:
        """Posts of the truth that a visitor can read, with those values."""
        readable = [post for post in self.truth["posts"] if post["access"] == "public" and not post["deleted"]]
        return [post for post in readable if all(post[name] == value for name, value in wanted.items())]


def _crawled(clinic: Clinic, archive: Path, kept: Path) -> Crawled:
    """Crawl, and keep the archive as it is now beside the one that goes on."""
    done = crawl(archive, clinic.url, "--json")
    assert archive.exists(), done.err
    shutil.copytree(archive, kept)
    return Crawled(kept, done, clinic.truth(), clinic.url, clinic)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="session")
def clinic(folder: Path) -> Iterator[Clinic]:
    with running(folder / "clinic") as sample:
        yield sample


@pytest.fixture(scope="session")
def first(clinic: Clinic, folder: Path) -> Crawled:
    """The clinic's blog as the first crawl found it."""
    return _crawled(clinic, folder / "archive", folder / "first")


@pytest.fixture(scope="session")
def second(first: Crawled, folder: Path) -> Crawled:
    """The same blog again, nothing changed but its counters."""
    return _crawled(first.clinic, folder / "archive", folder / "second")


@dataclass(frozen=True)
class Changes:
    """What was done to the blog between the second crawl and the third: slugs and comment ids."""

    edited: str
    new_text: str
    deleted: str
    renamed: str
    renamed_to: str
    commented: str
    added_comment: str
    lost_comment: str


@pytest.fixture(scope="session")
def changes(second: Crawled) -> Changes:
    """An edit, a deletion, a rename, a new comment, a deleted comment: each at a post of its own."""
    shown = second.posts(counters="shown", render_id=False, never_ready=False, language="en")
    talked = [post for post in shown if any(not one["parent_id"] for one in post["comments"])]
    lonely = next(
        comment
        for post in talked
        for comment in post["comments"]
        if comment["status"] == "PUBLISHED" and all(other["parent_id"] != comment["id"] for other in post["comments"])
    )
    quiet = [post["slug"] for post in shown if not post["comments"]]
    text = "The opening paragraph was rewritten after a reader asked about parking."
    control = second.clinic.control
    control("edit", slug=quiet[0], text=text)
    control("delete", slug=quiet[1])
    moved = control("rename", slug=quiet[2])["slug"]
    added = control("add_comment", slug=quiet[3], text="Parking behind the house was easy to find.")["comment_id"]
    control("delete_comment", comment_id=lonely["id"])
    return Changes(quiet[0], text, quiet[1], quiet[2], moved, quiet[3], added, lonely["id"])


@pytest.fixture(scope="session")
def third(second: Crawled, changes: Changes, folder: Path) -> Crawled:
    """The blog after the changes."""
    assert changes
    return _crawled(second.clinic, folder / "archive", folder / "third")


@pytest.fixture(scope="session")
def commenters() -> list[str]:
    """Names, e-mail addresses and phone numbers of people who comment."""
    command = [sys.executable, "-m", "tests.clinic", "--print-commenters"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode().split("\n")[:-1]


@pytest.fixture(scope="session")
def notes() -> Iterator[Blog]:
    """A blog of three posts that can be made to misbehave; its address is the same in all tests."""
    with serving(Blog()) as server:
        yield server


@pytest.fixture(scope="session")
def notes_archive(notes: Blog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the blog as it was while it behaved."""
    archive = tmp_path_factory.mktemp("notes") / "archive"
    done = crawl(archive, notes.url)
    assert (done.code, done.err) == (0, "")
    return archive


@pytest.fixture
def blog(notes: Blog) -> Blog:
    """The blog, well again."""
    notes.reset()
    return notes


@pytest.fixture
def archive(notes_archive: Path, tmp_path: Path) -> Path:
    """An archive that already holds the blog's three posts."""
    shutil.copytree(notes_archive, tmp_path / "archive")
    return tmp_path / "archive"


PEERS = ("pywb==2.10.0", "wacz==0.6.0", "setuptools<81")


@pytest.fixture(scope="session")
def peers() -> Path:
    """Where the programs of others are that judge our files: an environment of their own, made once."""
    folder = ROOT / ".venv-peers"
    done = folder / "ready"
    if not done.exists() or done.read_text() != " ".join(PEERS):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
        installed = subprocess.run(pip, capture_output=True, text=True, check=False)
        if installed.returncode:
            pytest.skip(f"pywb and wacz could not be installed: {installed.stderr[-300:]}")
        done.write_text(" ".join(PEERS))
    return folder / "bin"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for all that a module looks at. No longer: while its driver is there, nobody else may run a loop."""
    try:
        executable = find_browser()
    except NoBrowser as missing:
        pytest.skip(str(missing))
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(third: Crawled) -> Iterator[str]:
    """The archive of the sample clinic after three crawls, served."""
    with served(third.archive) as url:
        yield url
