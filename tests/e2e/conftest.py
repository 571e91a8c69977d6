"""The sample clinic, crawled three times for all tests that only read, and the clinic itself for those that crawl."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from pipelines.replay import parsing
from tests.clinic import Clinic, running
from tests.e2e.browsing import served
from tests.e2e.fault_cases import keep_few
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

    def posts(self, **wanted: object) -> list[Row]:
        """Posts of the truth that a visitor can read, with those values."""
        readable = [post for post in self.truth["posts"] if post["access"] == "public" and not post["deleted"]]
        return [post for post in readable if all(post[name] == value for name, value in wanted.items())]


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


@dataclass(frozen=True)
class Sample:
    """Three crawls of one clinic. The archives are for all tests of the run: to read, or to copy."""

    first: Crawled
    second: Crawled
    changes: Changes
    third: Crawled


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Three crawls of all of it."""

    def make(folder: Path) -> Sample:
        with running(folder / "clinic") as clinic:
            first, second = (_crawled(clinic, folder, name) for name in ("first", "second"))
            changes = _change(clinic, second)
            return Sample(first, second, changes, _crawled(clinic, folder, "third"))

    return _made_once(tmp_path_factory, "sample-archives", make)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """The clinic with a few posts of each kind, crawled before and after it edits one and deletes another.

    For tests that read or fold an archive again and again.
    """

    def make(folder: Path) -> Crawled:
        with running(folder / "clinic") as clinic:
            keep_few(clinic)
            _crawled(clinic, folder, "before")
            clinic.control("edit", slug="why-socks", text="Socks keep feet warm, and warm feet fall asleep.")
            clinic.control("delete", slug="snow-day-policy")
            return _crawled(clinic, folder, "small")

    return _made_once(tmp_path_factory, "small-archive", make)


def _made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Any:
    """Made by the first process of the test run that needs it; the others wait, and read what it made."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    made = folder / "made.pickle"
    with FileLock(folder / "lock"):
        if not made.exists():
            made.write_bytes(pickle.dumps(make(folder)))
        return pickle.loads(made.read_bytes())


def _crawled(clinic: Clinic, folder: Path, name: str) -> Crawled:
    """Crawl, and keep a copy of the archive under that name: the next crawl changes the archive."""
    done = crawl(folder / "archive", clinic.url, "--json")
    assert (folder / "archive").exists(), done.err
    return Crawled(shutil.copytree(folder / "archive", folder / name), done, clinic.truth(), clinic.url)


def _change(clinic: Clinic, second: Crawled) -> Changes:
    """An edit, a deletion, a rename, a new comment, a deleted comment: each at a post of its own."""
    visible = second.posts(counters="shown", render_id=False, never_ready=False, language="en")
    talked = [post for post in visible if any(not item["parent_id"] for item in post["comments"])]
    lonely = next(
        comment
        for post in talked
        for comment in post["comments"]
        if comment["status"] == "PUBLISHED" and all(other["parent_id"] != comment["id"] for other in post["comments"])
    )
    quiet = [post["slug"] for post in visible if not post["comments"]]
    text = "The opening paragraph was rewritten after a reader asked about parking."
    clinic.control("edit", slug=quiet[0], text=text)
    clinic.control("delete", slug=quiet[1])
    moved = clinic.control("rename", slug=quiet[2])["slug"]
    comment = clinic.control("add_comment", slug=quiet[3], text="Parking behind the house was easy to find.")
    clinic.control("delete_comment", comment_id=lonely["id"])
    return Changes(quiet[0], text, quiet[1], quiet[2], moved, quiet[3], comment["comment_id"], lonely["id"])


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The sample clinic, to crawl; nobody changes it."""
    with running(tmp_path_factory.mktemp("clinic")) as server:
        yield server


@pytest.fixture(scope="session")
def first(sample: Sample) -> Crawled:
    """The clinic's blog as the first crawl found it."""
    return sample.first


@pytest.fixture(scope="session")
def second(sample: Sample) -> Crawled:
    """The same blog again, nothing changed but its counters."""
    return sample.second


@pytest.fixture(scope="session")
def changes(sample: Sample) -> Changes:
    """What was changed after that."""
    return sample.changes


@pytest.fixture(scope="session")
def third(sample: Sample) -> Crawled:
    """The blog after the changes."""
    return sample.third


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


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process reads of an archive is small, and needs no other processes."""
    monkeypatch.setattr(parsing, "FEWEST", 10**6)


PEERS = ("pywb==2.10.0", "wacz==0.6.0", "cffconvert==2.0.0", "setuptools<81")


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
            pytest.skip(f"{', '.join(PEERS)} could not be installed: {installed.stderr[-300:]}")
        done.write_text(" ".join(PEERS))
    return folder / "bin"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium for all that a module looks at. No longer: while its driver is there, nobody else may run a loop."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(third: Crawled) -> Iterator[str]:
    """The archive of the sample clinic after three crawls, served."""
    with served(third.archive) as url:
        yield url
