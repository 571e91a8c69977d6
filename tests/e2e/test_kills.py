"""kill -9 at any instant of crawl, import, export and backup: what was acknowledged stays, and the next start comes to
the end of an undisturbed one. A hundred kills with SOAK, told in a table that `make soak` shows."""

from __future__ import annotations

import json
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from archive.backup.snapshots import PART, SNAPSHOTS, stamps
from pipelines.run.key import KEY_FILE
from tests.clinic import Clinic, running
from tests.e2e.killing import (
    Pace,
    Tally,
    acknowledged,
    cli,
    end_group,
    ended,
    good,
    kill,
    lost,
    pace,
    said,
    unread,
    write_table,
    writes,
)
from tests.e2e.product import Done, crawl, crawl_command, rows, start_crawl, warcs
from tests.soak import SOAK
from tests.warm import Started

pytestmark = pytest.mark.usefixtures("one_process")

CRAWLS, IMPORTS, EXPORTS, BACKUPS = (40, 25, 15, 20) if SOAK else (1, 1, 1, 2)
EVERY = 9 if SOAK else 15  # of so many of the clinic's posts one is kept: a visit takes seconds


@pytest.fixture(scope="module")
def tallies() -> Iterator[dict[str, Tally]]:
    found = {verb: Tally() for verb in ("crawl", "import", "export", "backup")}
    yield found
    write_table(found)


@dataclass
class Sample:
    """Some posts of the sample clinic, changed since a first visit; its archive, and those of undisturbed visits."""

    clinic: Clinic
    folder: Path
    base: Path
    _calm: dict[bool, tuple[Path, Pace]] = field(default_factory=dict)

    def calm(self, *, again: bool) -> tuple[Path, Pace]:
        """The archive of an undisturbed visit to the changed blog, the first or one after that of `base`; its pace."""
        if again not in self._calm:
            archive = begun(self.folder / f"calm-{again}" / "archive", self.base if again else None, self)
            command = crawl_command(archive, self.clinic.url)
            self._calm[again] = archive, pace(*command, cwd=self.folder, sign=writes(archive))
        return self._calm[again]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("kills")
    base = folder / "base" / "archive"
    with running(folder / "clinic") as clinic:
        posts = clinic.truth()["posts"]
        for number, post in enumerate(posts):
            if number % EVERY:
                clinic.control("delete", slug=post["slug"])
        assert crawl(base, clinic.url) == Done(0, "", "")
        stored = [post for post in posts[::EVERY] if post["access"] == "public"]
        talked = next(post for post in stored if post["comments"])
        clinic.control("edit", slug=stored[0]["slug"], text="The opening paragraph was rewritten.")
        clinic.control("rename", slug=stored[1]["slug"])
        clinic.control("delete", slug=stored[2]["slug"])
        clinic.control("publish", slug="a-new-post", text="A short note.")
        clinic.control("add_comment", slug=talked["slug"], text="Parking behind the house was easy to find.")
        yield Sample(clinic, folder, base)


def begun(archive: Path, past: Path | None, sample: Sample) -> Path:
    """An archive with that past; without one it holds a key, the same for all: readers have the same pseudonyms."""
    if past is not None:
        return shutil.copytree(past, archive)
    archive.mkdir(parents=True)
    shutil.copy(sample.base / KEY_FILE, archive)
    return archive


def read_by_others(archive: Path) -> None:
    """Who only reads need not wait for the next crawl to mend what a kill left."""
    done = cli("verify", "--archive", archive)
    if done.code:  # killed before the very first tables were laid, and so before there was anything to read
        assert (done.code, done.out, len(done.lines)) == (4, "", 1), done.err
        assert re.search("no archive here; `clinic-archive crawl|any crawl or reparse of it brings it up", done.err)
        assert not warcs(archive)
    else:
        assert done == Done(0, "", "")


def count(tally: Tally, lines: list[str]) -> None:
    """What the next start told of mending; it tells nothing else."""
    for line in lines:
        folded = re.search(r"an earlier run was killed; (\d+) recorded answers folded in$", line)
        tally.folded += int(folded[1]) if folded else 0
        torn = re.search(r": \d+ bytes of a torn record set aside in ", line)
        tally.torn += bool(torn)
        assert folded or torn, line


def test_crawl(sample: Sample, tallies: dict[str, Tally], tmp_path: Path) -> None:
    chance, tally = random.Random(11), tallies["crawl"]
    url, scratch = sample.clinic.url, tmp_path / "copy"
    again, archive = True, tmp_path
    for number in range(CRAWLS):
        if number % 5 != 4:  # else it is the one before, killed again at its next start
            again = number % 3 != 2
            archive = begun(tmp_path / str(number) / "archive", sample.base if again else None, sample)
        before, runs, files = acknowledged(archive, scratch), ended(archive), warcs(archive)
        calm, works = sample.calm(again=again)
        over = kill(*crawl_command(archive, url), cwd=tmp_path, sign=writes(archive), pace=works, chance=chance)
        reported = acknowledged(archive, scratch)
        done = over or ended(archive) > runs
        tally.fell["after" if done else "during" if reported != before or warcs(archive) != files else "before"] += 1
        read_by_others(archive)
        gone = lost(before, reported)
        if number % 5 == 3:
            tally.lost += len(gone)
            assert gone == []
            continue
        resumed = crawl(archive, url)
        assert (resumed.code, resumed.out) == (0, ""), resumed.err
        count(tally, resumed.lines)
        good("verify", "--archive", archive)
        end = acknowledged(archive, scratch)
        gone += lost(reported, end) + unread(end)
        tally.lost += len(gone)
        assert gone == []
        assert said(archive, visited=True) == said(calm, visited=True), number
        assert_served(sample.clinic, archive)
        if number % 8 == 1:
            rebuilt = cli("rebuild", "--archive", archive, "--json")
            assert (rebuilt.code, rebuilt.json["differs"]) == (0, [])
        shutil.rmtree(archive.parent)


def assert_served(clinic: Clinic, archive: Path) -> None:
    """Every view that is told was served."""
    served = {(f"wix:{post['post_id']}", item["views"]) for post in clinic.truth()["posts"] for item in post["served"]}
    sql = "SELECT address, views FROM readings JOIN post_addresses USING (post_id) WHERE kind = 'wix uuid' AND views"
    reported = {tuple(row.values()) for row in rows(archive, sql)}
    assert reported
    assert reported <= served


def test_import(sample: Sample, tallies: dict[str, Tally], tmp_path: Path) -> None:
    """Of what another archive recorded, brought in as if a stranger had made it; alone, or after its older half."""
    chance, tally = random.Random(12), tallies["import"]
    recorded, works = sample.calm(again=True)
    files = [path for path in warcs(recorded) if path.parent.name != "_runs"]
    older = [path for path in warcs(sample.base) if path.parent.name != "_runs"]
    scratch, half = tmp_path / "copy", tmp_path / "half"
    given: tuple[str | Path, ...] = ("import", "--url", sample.clinic.url, *files, "--archive")
    begun(half, None, sample)
    good("import", "--url", sample.clinic.url, *older, "--archive", half)
    calm: dict[bool, dict[str, Any]] = {}
    for number in range(IMPORTS):
        more = bool(number % 2)
        if more not in calm:
            undisturbed = begun(tmp_path / f"calm-{more}", half if more else None, sample)
            began = time.monotonic()
            good(*given, undisturbed)
            works = replace(works, works=time.monotonic() - began)
            calm[more] = said(undisturbed, visited=False)
        archive = begun(tmp_path / str(number), half if more else None, sample)
        before, runs, there = acknowledged(archive, scratch), ended(archive), warcs(archive)
        over = kill(*given, archive, cwd=tmp_path, sign=writes(archive), pace=works, chance=chance)
        reported = acknowledged(archive, scratch)
        done = over or ended(archive) > runs
        started = reported != before or warcs(archive) != there or any((archive / "imports").glob("*.part"))
        tally.fell["after" if done else "during" if started else "before"] += 1
        read_by_others(archive)
        count(tally, good(*given, archive))
        good("verify", "--archive", archive)
        end = acknowledged(archive, scratch)
        gone = lost(before, reported) + lost(reported, end) + unread(end)
        tally.lost += len(gone)
        assert gone == []
        assert said(archive, visited=False) == calm[more], number
        assert sorted(stored.read_bytes() for stored in (archive / "imports").rglob("*.gz")) == sorted(
            path.read_bytes() for path in files
        )
        assert not list((archive / "imports").glob("*.part"))
        shutil.rmtree(archive)


def contents(folder: Path) -> dict[str, Any]:
    """Files of a folder as they are, but those that no user looks at; descriptions less the moment of the export."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.glob("[!.]*")}
    for name, moment in (("manifest.json", "made_at"), ("datapackage.json", "created")):
        if name in found:
            found[name] = json.loads(found[name]) | {moment: None}
    return found


def test_export(sample: Sample, tallies: dict[str, Tally], tmp_path: Path) -> None:
    chance, tally = random.Random(13), tallies["export"]
    (archive, works), old, calm = sample.calm(again=True), tmp_path / "old", tmp_path / "calm"
    good("export", "--all", old, "--archive", sample.base)
    (old / "thesis.txt").write_text("mine")
    began = time.monotonic()
    good("export", "--all", calm, "--archive", archive)
    works = replace(works, works=time.monotonic() - began)
    for number in range(EXPORTS):
        folder = tmp_path / str(number)
        if number % 3 != 2:
            shutil.copytree(old, folder)
        before, new = (contents(folder) if folder.exists() else {}), contents(calm)
        command, stage = ("export", "--all", folder, "--archive", archive), folder / ".part"
        over = kill(*command, cwd=tmp_path, sign=stage.exists, pace=works, chance=chance)
        now = contents(folder) if folder.exists() else {}
        swapped = now.get("manifest.json") == new["manifest.json"]
        tally.fell["after" if swapped or over else "during" if stage.exists() else "before"] += 1
        # Each file is whole; the old ones stand until the new ones are, and the manifest tells which are of its export.
        mixed = [name for name in now if now[name] not in (before.get(name), new.get(name))]
        mixed += [name for name in before if name not in now and name in new]
        mixed += [name for name in new if swapped and now[name] != new[name]]
        tally.lost += len(mixed)
        assert mixed == []
        good(*command)
        assert {name: now for name, now in contents(folder).items() if name != "thesis.txt"} == new
        assert not list(folder.glob(".*"))
        shutil.rmtree(folder)


def test_backup(sample: Sample, tallies: dict[str, Tally], tmp_path: Path) -> None:
    """Of an archive at rest, and of one whose crawl is killed in the same instant."""
    chance, tally = random.Random(14), tallies["backup"]
    scratch, first, (calm, crawls) = tmp_path / "copy", tmp_path / "first", sample.calm(again=True)
    good("backup", first, "--archive", sample.base)
    began = time.monotonic()
    good("backup", shutil.copytree(first, tmp_path / "calm"), "--archive", calm)
    works = replace(crawls, works=time.monotonic() - began)
    for number in range(BACKUPS):
        home = tmp_path / str(number)
        folder, archive = shutil.copytree(first, home / "backup"), calm
        crawling: Started | None = None
        if number % 3 == 2:
            archive = shutil.copytree(sample.base, home / "archive")
            crawling = start_crawl(archive, sample.clinic.url)
            time.sleep(chance.uniform(0, crawls.works))
        over = kill(
            "backup", folder, "--archive", archive, cwd=home, pace=works, chance=chance,
            sign=lambda folder=folder: any((folder / SNAPSHOTS).glob(f"*{PART}")),  # type: ignore[misc]
        )  # fmt: skip
        if crawling is not None:
            end_group(crawling)
        started = any(path.name.endswith(PART) for path in folder.rglob("*"))
        made = len(stamps(folder)) > 1
        tally.fell["after" if made or over else "during" if started else "before"] += 1
        copied = restored(folder, home / "restored")
        gone = lost(acknowledged(sample.base, scratch), acknowledged(copied, scratch))
        if crawling is not None:
            gone += lost(acknowledged(copied, scratch), acknowledged(archive, scratch))
            resumed = crawl(archive, sample.clinic.url)
            assert resumed.code == 0, resumed.err
            count(tally, resumed.lines)
        good("backup", folder, "--archive", archive)
        newest = restored(folder, home / "newest")
        gone += lost(acknowledged(archive, scratch), acknowledged(newest, scratch))
        tally.lost += len(gone)
        assert gone == []
        assert said(newest, visited=False) == said(archive, visited=False), number
        assert not list(folder.rglob(f"*{PART}"))
        shutil.rmtree(home)


def restored(folder: Path, archive: Path) -> Path:
    """The newest snapshot as an archive that stands on its bytes."""
    good("restore", folder, "--archive", archive)
    good("verify", "--archive", archive)
    return archive
