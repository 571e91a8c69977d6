"""`clinic-archive kwic`: lines, files, and what it says to what cannot be looked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.backup.published import FOLDER, publish
from pipelines.commands import main
from pipelines.exit_codes import ExitCode
from tests.making import CLINIC, comment, extraction, made, post


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with made(tmp_path_factory.mktemp("kwic")) as archive:
        archive.crawl("run")
        archive.fold(
            extraction(1, post(text="Ketamine cures.\nCall us.")),
            extraction(2, post(text="Ketamine may help.\nCall \x9b31m us.")),
            extraction(3, comment("c1", "ketamine, then")),
            crawl_id="run",
        )
        yield archive.folder


def kwic(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["kwic", *arguments, "--archive", str(folder)])


def test_lines_and_files_have_every_occurrence(folder: Path, tmp_path: Path) -> None:
    done = kwic(folder, "ketamine", "--past")
    assert done.exit_code == 0
    assert done.stdout.count("[Ketamine]") == 2
    assert "\x9b" not in done.stdout
    assert done.stdout.endswith("2 occurrences of 'ketamine' in the posts\n")
    target = tmp_path / "k.csv"
    assert kwic(folder, "ketam", "--prefix", "--comments", "-o", str(target)).exit_code == 0
    rows = list(csv.DictReader(target.read_text("utf-8").splitlines()))
    assert sorted(row["wording"] for row in rows) == ["comment", "now"]
    summary = json.loads(kwic(folder, "call us", "--json").stdout)
    assert summary["occurrences"] == 0
    assert json.loads(kwic(folder, "nothing", "--json", "--clinic", CLINIC).stdout)["rows"] == []
    for name in ("k.xlsx", "k.jsonl"):
        assert kwic(folder, "ketamine", "-o", str(tmp_path / name)).exit_code == 0


def test_permalinks_have_the_address_of_the_site_where_it_is_known(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "clinics.toml"
    for text, start in (
        ("", f"/{CLINIC}/"),
        ('[site]\nbase_url = "https://a.example/"\n', f"https://a.example/{CLINIC}/"),
    ):
        listed.write_text(text, "utf-8")
        rows = json.loads(kwic(folder, "ketamine", "--json", "--clinics-file", str(listed)).stdout)["rows"]
        assert [row["permalink"].startswith(start) for row in rows] == [True]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["..."], ExitCode.USAGE, "no word in this"),
        (["x" * 300], ExitCode.USAGE, "300 characters"),
        (["a", "--prefix"], ExitCode.USAGE, "begins too many words"),
        (["rest", "-o", "k.pdf"], ExitCode.USAGE, ".jsonl"),
        (["rest", "--clinic", "nowhere"], ExitCode.BAD_CONFIG, "no clinic nowhere"),
    ],
)
def test_what_cannot_be_done_is_answered_in_words(
    folder: Path, arguments: list[str], code: ExitCode, words: str
) -> None:
    done = kwic(folder, *arguments)
    assert done.exit_code == code
    assert words in done.stderr


def test_comments_are_not_searched_in_a_published_copy(folder: Path) -> None:
    (folder / FOLDER).mkdir()
    publish(folder)
    assert kwic(folder / FOLDER, "ketamine").exit_code == 0
    done = kwic(folder / FOLDER, "ketamine", "--comments")
    assert done.exit_code == ExitCode.USAGE
    assert "published copy" in done.stderr
