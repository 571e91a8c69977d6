"""The command lexicon, and derive with a lexicon that a person gave."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.db import open_archive
from pipelines.commands import main
from tests.archive.lexicon.test_reading import lexicon
from tests.pipelines.test_rebuild import visit


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lexicon") / "archive"
    visit(folder, [("post", ("sleep", "Whitening lasts for ever. Ketamine is safe.", 3))], "ended")
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Our teeth.toml"
    path.write_text(lexicon(), "utf-8")
    return path


def test_a_lexicon_is_tested_added_derived_and_built_again(archive: Path, file: Path) -> None:
    tested = cli("lexicon", "test", file, "--archive", archive)
    assert (tested.exit_code, tested.stdout) == (0, f"{file}: 1 rule, 4 examples, no fault\n")
    added = cli("lexicon", "add", file, "--archive", archive, "--json")
    assert added.exit_code == 0, added.stderr
    name = json.loads(added.stdout)["file"]
    assert name.startswith("study/lexicons/Our-teeth-")
    assert (archive / name).read_bytes() == file.read_bytes()
    summary = json.loads(cli("derive", "--archive", archive, "--json").stdout)
    assert {key: summary[key] for key in ("matched", "matches", "to_match", "problems")} == {
        "matched": 1, "matches": 2, "to_match": 0, "problems": [],
    }  # fmt: skip
    exported = cli("export", "posts_with_claims", "--archive", archive, "-o", file.with_suffix(".csv"))
    assert exported.exit_code == 0, exported.stderr
    assert "lasting@1" in file.with_suffix(".csv").read_text("utf-8")
    for question in ("posts_with_claims", "claims_by_month"):
        refused = cli("export", question, "--archive", archive, "--param", "category=safty-claim")
        assert refused.exit_code == 2
        assert "no rule has this category; there are " in refused.stderr
        assert "safety-claim" in refused.stderr
    assert cli("rebuild", "--archive", archive).exit_code == 0
    verified = json.loads(cli("verify", "--archive", archive, "--json").stdout)
    assert (verified["exit_code"], verified["faults"]) == (0, [])
    listed = json.loads(cli("lexicon", "list", "--archive", archive, "--json").stdout)
    assert [entry["lexicon"] for entry in listed["lexicons"]] == ["ketamine", "teeth"]
    assert json.loads(cli("derive", "--archive", archive, "--json").stdout)["to_match"] == 0


def test_a_lexicon_with_faults_is_refused_by_name(archive: Path, file: Path) -> None:
    file.write_text(lexicon(pattern="..4"), "utf-8")
    for verb, end in (("test", ""), ("add", "; nothing added")):
        done = cli("lexicon", verb, file, "--archive", archive)
        assert done.exit_code == 1
        assert done.stderr == (
            f"{file}: rule lasting: pattern: '..4' matches everything: it needs at least one word{end}\n"
        )


def test_a_folder_is_no_lexicon(archive: Path, tmp_path: Path) -> None:
    done = cli("lexicon", "test", tmp_path, "--archive", archive)
    assert (done.exit_code, done.stderr) == (1, f"{tmp_path}: a folder; name the file in it\n")


@pytest.mark.parametrize("verb", [["rebuild", "--from"], ["merge"]])
def test_an_archive_made_again_has_its_sentences_and_claims(archive: Path, tmp_path: Path, verb: tuple[str]) -> None:
    done = cli(*verb, archive, "--archive", tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    with closing(open_archive(tmp_path / "new", "read")) as db:
        for table in ("cache_sentences", "claims"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0, table
