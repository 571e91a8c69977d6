"""An archive whose stanza said `privacy = "keep"` for a year, and then "omit": nobody who comments is named in it.

Two crawls of a few posts by default; a year of visits with SOAK, one each OMIT_EVERY days (1). The clock is moved then;
all else is real: the command, the sample clinic on loopback, WARC files, database, exports and copies.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from tests.clinic import Clinic, running
from tests.e2e.conftest import Crawled, Truth
from tests.e2e.product import Done, run, value_of
from tests.e2e.test_sample_comments import private_among
from tests.leaks import given, not_in, occurring, pages, recorded
from tests.soak import SOAK
from tests.year.moved import warm

YEAR = 365
DAYS = [*range(0, YEAR, int(os.environ.get("OMIT_EVERY") or 1))]
UNSIGNED = ["Philippa Groenewoudt"]  # a guest who never signs: no answer has her name
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=YEAR)


def stanza(slug: str, url: str, privacy: str) -> str:
    settings = f'allow_private = true\nrender = "never"\nprivacy = "{privacy}"\n'
    return f'[clinics.{slug}]\nname = "Sample"\nurl = "{url}"\n{settings}'


@dataclass(frozen=True)
class Lived:
    """The folder of an archive of a year, and the bodies of all that it recorded."""

    folder: Path
    slug: str
    url: str
    truth: Truth
    visits: int

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def apply(self, privacy: str, *more: str) -> None:
        """Change the stanza, and apply it to the past."""
        (self.folder / "clinics.toml").write_text(stanza(self.slug, self.url, privacy), "utf-8")
        self.verb("privacy", "apply", *more)

    def verb(self, *words: object) -> None:
        """Run a verb on the archive that must end well."""
        done = run("clinic-archive", *map(str, words), "--archive", self.archive, cwd=self.folder)
        assert done.code == 0, done


def change(clinic: Clinic, number: int) -> None:
    """What happens at the clinic between two visits: now and then a comment, an edit, or a comment that goes."""
    posts = [
        post
        for post in clinic.truth()["posts"]
        if post["access"] == "public" and not post["deleted"] and post["counters"] == "shown"
    ]
    post = posts[number % len(posts)]
    if number % 3 == 0:
        clinic.control("add_comment", slug=post["slug"], text=f"Parking was easy to find on visit {number}.")
    elif number % 3 == 1:
        clinic.control("edit", slug=post["slug"], text=f"The opening paragraph was written again, number {number}.")
    elif alone := [each for each in post["comments"] if each["status"] == "PUBLISHED" and not each["parent_id"]]:
        clinic.control("delete_comment", comment_id=alone[0]["id"])


@pytest.fixture(scope="module")
def lived(small: Crawled, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """The archive with names: of the visits of a year, or of two crawls of a few posts."""
    folder = tmp_path_factory.mktemp("omitted")
    if SOAK:
        return year(folder)
    shutil.copytree(small.archive, folder / "archive")
    slug = value_of(small.archive, "SELECT clinic_id FROM clinics")
    found = Lived(folder, slug, small.url, small.truth, 2)
    found.apply("keep", "--loosen", slug, "--reason", "A control of this test")
    return found


def year(folder: Path) -> Lived:
    with running(folder / "clinic") as clinic, warm(folder / "runs") as launch:
        (folder / "clinics.toml").write_text(stanza("sample", clinic.url, "keep"), "utf-8")
        command = ["crawl", "--archive", str(folder / "archive"), "--clinics-file", str(folder / "clinics.toml")]
        for number, day in enumerate(DAYS):
            done = launch(command, BEGAN + timedelta(days=day), lambda _: None)
            assert done.code == 0, done.err
            change(clinic, number)
        return Lived(folder, "sample", clinic.url, clinic.truth(), len(DAYS))


def test_nobody_is_named_after_omit(lived: Lived, commenters: list[str], tmp_path: Path) -> None:
    """Rows, index, log, exports, copies, releases and WACZ, and with SOAK the pages; first, the recorded bytes."""
    crawled = Crawled(lived.archive, Done(0, "", ""), lived.truth, lived.url)
    people, signed = private_among(commenters, crawled), [each for each in commenters if each not in UNSIGNED]
    unnamed = not_in(signed, recorded(lived.archive))
    assert (len(commenters), len(unnamed) <= (0 if SOAK else 35)) == (46, True)  # the control
    before = b"\n".join(path.read_bytes() for path in lived.archive.glob("archive.db*"))
    assert len(occurring(people, before)) > (15 if SOAK else 5)  # the control: `keep` stores names
    lived.apply("omit")
    assert value_of(lived.archive, "SELECT count(*) FROM comments") > (100 if SOAK else 10)
    signed_rows = "SELECT count(*) FROM comments WHERE author IS NOT NULL AND author_kind <> 'staff'"
    assert value_of(lived.archive, signed_rows) == 0
    hits, number = dict[str, list[str]](), 0
    for name, data in chain(given(lived.archive, tmp_path, lived.verb), pages(lived.archive, most=3) if SOAK else []):
        number += 1
        if those := occurring(people, data):
            hits[name] = those
    print(f"{lived.visits} visits, {len(people)} strings, {number} files and pages: {len(hits)} with one of them")
    assert hits == {}
    if SOAK:
        lived.verb("rebuild")
    old = [path for path in lived.archive.glob("archive-before-*.db") if occurring(people, path.read_bytes())]
    data = b"\n".join(path.read_bytes() for path in lived.archive.glob("archive.db*"))
    assert (old, occurring(people, data)) == ([], [])
