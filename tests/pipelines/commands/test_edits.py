"""`clinic-archive edits`: its files are those of the site's page, its lines have the words, its refusals say why."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from datasette.app import Datasette

from pipelines.commands import main
from pipelines.derive import derive
from pipelines.exit_codes import ExitCode
from tests.archive.site.test_site import get, site_of
from tests.making import CLINIC, extraction, made, post, url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with made(tmp_path_factory.mktemp("edits")) as archive:
        archive.crawl("run")
        rest = {"slug": "rest", "addresses": (url("rest"),)}
        archive.fold(
            extraction(1, post(text="Ketamine cures.\nCall us.")),
            extraction(2, post(text="Ketamine may help.\nCall us.")),
            extraction(3, post(text="Sleep well.", title="=Rest", **rest)),
            extraction(4, post(text="Sleep \x9b31m well!", title="=Rest", **rest)),
            crawl_id="run",
        )
        archive.db.execute("INSERT INTO clinic_attributes VALUES (?, 'state', 'NY')", [CLINIC])
        derive(archive.db, cores=1)
        yield archive.folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Datasette:
    return site_of(folder)


def edits(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["edits", *arguments, "--archive", str(folder)])


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ([], ""),
        (["cures"], "q=cures"),
        (["ketamine", "--in", "text", "--kind", "wording"], "q=ketamine&in=text&kind=wording"),
        (["--attribute", "state=NY", "--since", "2026-01-01", "--until", "2026-12-31"],
         "attribute=state%3DNY&from=2026-01-01&to=2026-12-31"),
        (["--clinic", CLINIC, "--attribute", "state=CA"], f"clinic={CLINIC}&attribute=state%3DCA"),
    ],
)  # fmt: skip
def test_a_file_is_that_of_the_sites_page(
    folder: Path, site: Datasette, tmp_path: Path, arguments: list[str], query: str
) -> None:
    listed = tmp_path / "clinics.toml"
    listed.write_text('[site]\nbase_url = "http://localhost/"\n', "utf-8")
    for ending in ("csv", "json"):
        target = tmp_path / f"edits.{ending}"
        done = edits(folder, *arguments, "-o", str(target), "--clinics-file", str(listed))
        assert done.exit_code == 0, done.output
        assert target.read_bytes() == get(site, f"/-/edits.{ending}?{query}").content
    rows = list(csv.DictReader((tmp_path / "edits.csv").read_text("utf-8").splitlines()))
    sheet = tmp_path / "edits.xlsx"
    summary = json.loads(edits(folder, *arguments, "-o", str(sheet), "--json").stdout)
    assert summary["file"]["rows"] == len(rows) == openpyxl.load_workbook(sheet)["rows"].max_row - 1
    assert [row["old_permalink"].startswith(f"http://localhost/{CLINIC}/") for row in rows] == [True] * len(rows)


def test_lines_have_the_words_and_where_to_compare(folder: Path) -> None:
    done = edits(folder, "cures")
    assert done.exit_code == 0
    first, removed, added, last = done.stdout.splitlines()
    assert first.startswith(f"2026-03-01 {CLINIC}: ") and "/compare?from=" in first
    assert (removed, added, last) == ("  - Ketamine cures.", "  + Ketamine may help.", "1 edit about 'cures'")
    assert "\x9b" not in edits(folder).stdout
    assert json.loads(edits(folder, "--json").stdout)["edits"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["..."], "a letter or a digit"),
        (["--clinic", "rivreside"], "nearest: riverside"),
        (["--since", "soon"], "write it as 2026-03-01"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "it is after to"),
        (["--kind", "x"], "punctuation"),
        (["--in", "x"], "removed"),
        (["--attribute", "state"], "NAME=VALUE"),
        (["--attribute", "stat=NY"], "nearest: state"),
        (["-o", "edits.pdf"], ".xlsx"),
    ],
)
def test_what_cannot_be_is_answered_in_words(folder: Path, arguments: list[str], words: str) -> None:
    done = edits(folder, *arguments)
    assert (done.exit_code, words in done.stderr) == (ExitCode.USAGE, True), done.stderr


def test_texts_that_are_not_derived_are_counted(tmp_path: Path) -> None:
    with made(tmp_path / "new") as archive:
        archive.crawl("run")
        archive.fold(extraction(1, post(text="One.")), extraction(2, post(text="Two.")), crawl_id="run")
    assert "0 edits; 2 later texts not derived yet" in edits(tmp_path / "new").stdout
