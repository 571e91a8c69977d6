"""Every command and query of the docs runs, against the sample clinic on loopback.

How the blocks are marked:

- ```sh: the document's blocks run in order in one shell. `https://clinic.example` is the sample clinic. README,
  quickstart and CONTRIBUTING start in a checkout; all other pages start in the study that the quickstart leaves.
- ```sh checkout: the block runs in a checkout.
- ```sh norun: needs the internet, root, or over a minute.
- ```sql: each statement runs in the study's archive.
- ```python: the document's blocks are one program, which runs.
- ```python exports, ```r: tests/e2e/test_typed.py runs it beside exports of an archive.
- ```sql lake, ```python lake: tests/e2e/test_lake.py runs it in DuckDB, in the folder of a lake.
- ```toml: clinics.toml, or a part of it, which must be valid.
- ```text: not run.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scraper.config.clinics import parse_clinics
from tests.docs.markdown import ROOT, blocks, documents, name
from tests.docs.workshop import Workshop, opened

QUICKSTART = ROOT / "docs" / "quickstart.md"
IN_A_CHECKOUT = {ROOT / "README.md", QUICKSTART, ROOT / "CONTRIBUTING.md"}
MAX_NOT_RUN = 9  # commands in all documents
LANGUAGES = {"sh", "sql", "toml", "text", "python", "r", "html", "ini"}


def with_blocks(language: str) -> list[Path]:
    elsewhere = {"norun", "exports", "lake"}
    return [path for path in documents() if any(elsewhere.isdisjoint(block.marks) for block in blocks(path, language))]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with opened(tmp_path_factory.mktemp("workshop")) as workshop:
        yield workshop


@pytest.fixture(scope="module")
def study(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder after the quickstart, which began with an empty one."""
    home = tmp_path_factory.mktemp("quickstart") / "home"
    home.mkdir()
    run(workshop, QUICKSTART, home)
    return home


def run(workshop: Workshop, path: Path, home: Path) -> None:
    runnable = [block for block in blocks(path, "sh") if "norun" not in block.marks]
    done = workshop.run(runnable, home, ROOT if path in IN_A_CHECKOUT else home / "clinics")
    assert done.code == 0, f"{name(path)}: exit {done.code} after\n{done.err[-2000:]}\n{done.out[-500:]}"


@pytest.mark.parametrize("path", with_blocks("sh"), ids=name)
def test_commands_run(path: Path, workshop: Workshop, study: Path, tmp_path: Path) -> None:
    if path == QUICKSTART:
        return  # the study is what it left
    home = tmp_path / "home"
    shutil.copytree(study, home)
    if path == ROOT / "README.md":  # its crawl is then a second visit
        shutil.move(home / "clinics" / "var", home / "first-archive")
        shutil.copy(home / "clinics" / "clinics.toml", workshop.checkout(home))
    run(workshop, path, home)


@pytest.mark.parametrize("path", with_blocks("sql"), ids=name)
def test_queries_run(path: Path, study: Path) -> None:
    with closing(sqlite3.connect(f"file:{study}/clinics/var/archive.db?mode=ro", uri=True)) as connection:
        for block in blocks(path, "sql"):
            for statement in filter(None, map(str.strip, block.text.split(";"))):
                try:
                    connection.execute(statement).fetchall()
                except sqlite3.Error as error:
                    pytest.fail(f"{name(path)}:{block.line}: {error}: {statement}")


@pytest.mark.parametrize("path", with_blocks("toml"), ids=name)
def test_settings_are_valid(path: Path) -> None:
    for block in blocks(path, "toml"):
        data = tomllib.loads(block.text)
        partial = {slug for slug, stanza in data.get("clinics", {}).items() if "url" not in stanza}
        text = "".join(f'[clinics.{slug}]\nname = "A"\nurl = "https://a.example"\n' for slug in partial)
        parse_clinics(text + block.text, path)


@pytest.mark.parametrize("path", with_blocks("python"), ids=name)
def test_python_runs(path: Path) -> None:
    """The blocks of a document are one program."""
    program = "\n".join(block.text for block in blocks(path, "python"))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_few_commands_are_not_run() -> None:
    skipped = [
        f"{name(path)}: {line}"
        for path in documents()
        for block in blocks(path, "sh")
        if "norun" in block.marks
        for line in block.text.splitlines()
    ]
    assert len(skipped) <= MAX_NOT_RUN, skipped


def test_every_block_names_its_language() -> None:
    for path in documents():
        fences = [line for line in path.read_text("utf-8").splitlines() if line.startswith("```")]
        opening = fences[::2]
        assert [line for line in opening if line[3:].split(" ")[0] not in LANGUAGES] == [], name(path)
