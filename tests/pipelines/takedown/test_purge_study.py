"""A purge looks into `study/`, too: of a file that holds what is purged, only what may stay is left."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from archive.db import open_archive
from archive.study.faults import study_faults
from archive.study.folder import StudyFile
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.takedown.purge.studies import legible
from tests.pipelines.takedown.test_purge import ROE, VEGA, is_sound, purged, rows, run, thread, withdrawn
from tests.visiting import MEMBERS_URL, SITE, Visiting, comments_url, members_answer, post_answer, post_url

COMMENT = "My mother took it for that long winter, and Quillwort alone helped her."
TEXTS = {"sleep": "Sleep on Horsetail and rise with the lark each day of the year.", "rest": "Rest, says the doctor."}
CODES = f"""
name = "Claims"
[[codes]]
code = "risk"
label = "States a risk"
description = "As in {COMMENT}"
values = ["yes", "no"]
words = true
"""
LEXICON = f"""
[lexicon]
id = "mine"
title = "Mine"
[[rule]]
id = "quillwort"
version = 1
category = "other"
meaning = "A plant."
source = "{SITE}/post/sleep"
about = "any"
pattern = ["quillwort"]
[rule.examples]
match = ["{COMMENT}", "Our quillwort heals."]
none = ["No plant."]
"""


def given(folder: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*words, "--archive", str(folder / "archive"), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return found


@pytest.fixture
def studied(tmp_path: Path) -> Path:
    """A folder with an archive of two posts and a comment, a sample of both, and the sheets of two coders."""
    archive = tmp_path / "archive"
    with Visiting(archive) as visiting:
        for slug, text in TEXTS.items():
            visiting.answer(post_url(slug), post_answer(slug, text))
        visiting.answer(comments_url("rest"), thread(("rest-1", VEGA, COMMENT), ("rest-2", ROE, "I see.")))
        names = members_answer(**{VEGA: "Marisol Vega", ROE: "Ada Roe"})
        visiting.answer(MEMBERS_URL, names, method="POST")
        visiting.visit.fetched = visiting.visit.attempted = 1
        visiting.end(finished=True)
        visiting.run.close(0, {"problems": []})
    (tmp_path / "claims.toml").write_text(CODES, "utf-8")
    (tmp_path / "mine.toml").write_text(LEXICON, "utf-8")
    given(tmp_path, "sample", "--n", "2", "--seed", "7", "--name", "both", "--where", f"url <> '{SITE}/post/other'")
    handed = ["--coder", "anna", "--coder", "ben", "--codebook", str(tmp_path / "claims.toml"), "--overlap", "100%"]
    given(tmp_path, "coding", "sheet", *handed, "-o", str(tmp_path))
    given(tmp_path, "lexicon", "add", str(tmp_path / "mine.toml"))
    for coder in ("anna", "ben"):
        path = tmp_path / f"both-{coder}.xlsx"
        workbook = openpyxl.load_workbook(path)
        sheet = workbook["coding"]
        place = {cell.value: cell.column for cell in sheet[1]}
        for row in range(2, sheet.max_row + 1):
            text = str(sheet.cell(row, place["text"]).value)
            sheet.cell(row, place["risk"]).value = "yes"
            sheet.cell(row, place["risk words"]).value = text.split()[-1]
            sheet.cell(row, place["note"]).value = f"A reader says: {COMMENT}" if coder == "ben" else "Fine."
        workbook.save(path)
        given(tmp_path, "coding", "import", str(path))
    (archive / "exports").mkdir()
    (archive / "exports" / "a.csv").write_text("Horsetail")
    (archive / "study" / "notes.txt").write_text(f"Seen at {SITE}/post/sleep. {COMMENT}")
    return tmp_path


def naming(archive: Path, *words: str) -> set[str]:
    """The files of `study/` that have one of the words, by their folders and endings."""
    files = [path for path in (archive / "study").rglob("*") if path.is_file()]
    found = [path for path in files if any(word in legible(StudyFile(path.name, path.read_bytes())) for word in words)]
    return {f"{path.parent.name}{path.suffix}" for path in found}


def is_whole(archive: Path) -> None:
    is_sound(archive)
    with closing(open_archive(archive, "read")) as db:
        assert study_faults(archive, db) == ([], [])
    before = rows(archive, "SELECT * FROM codings ORDER BY file, position")
    assert rebuild(archive, cores=1).differs == []
    assert rows(archive, "SELECT * FROM codings ORDER BY file, position") == before


CODED = "SELECT coder, value, quote, note FROM codings ORDER BY coder, unit"


def test_a_post(studied: Path) -> None:
    """Of the sheets the codings of the other post stay, and the sample has its place still."""
    archive = studied / "archive"
    assert naming(archive, "Horsetail", "post/sleep") == {
        "samples.json", "codings.xlsx", "lexicons.toml", "study.txt"}  # fmt: skip
    ((digest, position),) = rows(archive, "SELECT sample, position FROM samples WHERE permalink LIKE '%/rest/%'")
    subject = f"{SITE}/post/sleep"
    done = run(archive, "takedown", "add", subject, "--grade", "hide", "--reason", "On request", "--yes")
    assert done.exit_code == 0
    is_whole(archive)  # the rows of a hidden post are left out, and no fault
    withdrawn(archive, subject)
    would = run(archive, "takedown", "purge", "--dry-run").output
    assert would.count("would be replaced by study/") == 4
    assert ("study/notes.txt: stays; holds" in would, "exports/: stays; not" in would) == (True, True)
    done = run(archive, "takedown", "purge")
    assert done.output.count("replaced by study/") == 4
    assert naming(archive, "Horsetail", "post/sleep") == {"study.txt"}
    assert [row[1:] for row in rows(archive, CODED)][:1] == [("yes", "doctor.", "Fine.")]
    assert [row[0] for row in rows(archive, CODED)] == ["anna", "ben"]
    assert rows(archive, "SELECT sample, position FROM samples") == [(digest, position)]
    is_whole(archive)
    for name in ("both-anna.xlsx", "mine.toml"):
        verb = ("coding", "import") if name.endswith("xlsx") else ("lexicon", "add")
        refused = run(archive, *verb, str(studied / name))
        assert (refused.exit_code, "a purge removed it" in refused.output) == (1, True)
    assert naming(archive, "Horsetail", "post/sleep") == {"study.txt"}


def test_a_comment_then_the_clinic(studied: Path) -> None:
    """Quoted words go from the code book and from notes; a second purge replaces what the first one left."""
    archive = studied / "archive"
    assert naming(archive, "Quillwort") == {"codebooks.toml", "codings.xlsx", "lexicons.toml", "study.txt"}
    withdrawn(archive, "rest-1")
    assert len(purged(archive)["studies"]) == 4  # each sheet has the descriptions of the code book
    assert naming(archive, "Quillwort") == {"study.txt"}
    assert {row[0]: row[3] for row in rows(archive, CODED)} == {"anna": "Fine.", "ben": "[withdrawn]"}
    assert len(rows(archive, CODED)) == 4
    assert rows(archive, "SELECT description, label FROM codebooks") == [("[withdrawn]", "States a risk")] * 2
    is_whole(archive)
    assert run(archive, "coding", "agreement").exit_code == 0
    backup = studied / "backup"
    assert run(archive, "backup", str(backup)).exit_code == 0
    withdrawn(archive, "riverside")
    assert len(purged(archive)["studies"]) == 3  # the sample, and both sheets
    assert rows(archive, CODED) == []
    assert naming(archive, "Horsetail", "doctor") == set()
    is_whole(archive)
    assert run(archive, "backup", str(backup)).exit_code == 0
    assert naming(backup, "Horsetail", "doctor") == set()
