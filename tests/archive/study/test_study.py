"""A study from its sample to the agreement of two coders, through the commands; the tables follow from its files."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from pyrefiqda import RefiCodebook
from sqlite_utils import Database

from archive.db import DATABASE, open_archive
from archive.study.draw import frame
from archive.study.faults import row_faults, study_faults
from archive.study.folder import TABLES
from archive.study.tables import study_of, table_rows
from pipelines.commands import main
from pipelines.run import report
from tests.visiting import HEXES, UUIDS, Visiting, post_answer, post_url

LONG = "Ketamine \U0001f9e0 is =not approved for this. Ask your doctor first. " + "Rest and water help. " * 2000
TEXTS = {
    "sleep": "Sleep well. Our infusions are safe and approved.", "rest": LONG, "walk": "=1+1 is no formula. Walk.",
    "tea": "Tea can make you sick.", "air": "+Air, -air and @air.", "sun": "Sun. Risks: burns.",
    "rain": "Rain is safe.", "wind": "Wind is safe.", "snow": "Snow is cold.", "ice": "Ice is cold.",
}  # fmt: skip
CLAIMS = """\
name = "Claims"
[[codes]]
code = "risk"
label = "States a risk"
description = "Yes if a risk is named."
values = ["yes", "no", "unclear"]
words = true
[[codes]]
code = "strength"
values = [1, 2, 3]
level = "ordinal"
"""


def run(*words: str, code: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == code, done.output
    result: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    return result | {"err": done.stderr.splitlines()}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive of ten posts, a sample of eight and a code book."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch, Visiting(folder / "var") as visiting:
        for number, slug in enumerate(TEXTS):
            patch.setitem(UUIDS, slug, f"0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d5{number:03}")
            patch.setitem(HEXES, slug, f"64ddbf6a1737d98af0335{number:03}")
            visiting.answer(post_url(slug), post_answer(slug, TEXTS[slug]))
        visiting.visit.fetched = visiting.visit.attempted = 1
        visiting.end(finished=True)
        visiting.run.close(0, report.summary(visiting.run))
    (folder / "claims.toml").write_text(CLAIMS, "utf-8")
    run("sample", "--n", "8", "--seed", "7", "--archive", str(folder / "var"))
    return folder


def handed_out(drawn: Path, folder: Path, *more: str, coders: tuple[str, ...] = ("anna", "ben")) -> Path:
    """A copy of the archive, and the sheets of two coders in the folder."""
    shutil.copytree(drawn / "var", folder / "var")
    names = [word for coder in coders for word in ("--coder", coder)]
    codebook = ["--codebook", str(drawn / "claims.toml"), "-o", str(folder)]
    run("coding", "sheet", *codebook, *names, *more, "--archive", str(folder / "var"))
    return folder


def filled(path: Path, values: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A coder's work: every code gets a value by the text, then cells (row, column) are changed."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["coding"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        text = str(sheet.cell(row, columns["text"]).value)
        given = values if values is not None else {"risk": "yes" if "isk" in text or "sick" in text else "No",
                                                   "strength": ord(text[0]) % 3 + 1}  # fmt: skip
        for name, value in given.items():
            sheet.cell(row, columns[name]).value = value
    for place, value in changes.get("cells", {}).items():
        row, name = place
        sheet.cell(row, columns.get(name, name)).value = value
    workbook.save(path)
    return path


def rows(archive: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        return db.execute(sql, values).fetchall()


def imported(folder: Path, *paths: Path, code: int = 0, more: tuple[str, ...] = ()) -> dict[str, Any]:
    return run("coding", "import", *map(str, paths), *more, "--archive", str(folder / "var"), code=code)


def test_two_coders_from_the_sheets_to_alpha(drawn: Path, tmp_path: Path) -> None:
    folder = handed_out(drawn, tmp_path, "--overlap", "50%")
    archive = folder / "var"
    anna, ben = folder / "n8-seed7-anna.xlsx", folder / "n8-seed7-ben.xlsx"
    codebook = RefiCodebook.load(folder / "Claims.qdc")
    assert [code.name for code in codebook.codes.code] == ["risk", "strength"]
    assert [code.name for code in codebook.codes.code[0].code] == ["yes", "no", "unclear"]
    sheet = openpyxl.load_workbook(anna)["coding"]
    assert len(sheet.data_validations.dataValidation) == 2
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}, "no formula"
    filled(anna)
    filled(ben, cells={(2, "risk"): "unclear", (3, "strength"): 3})
    result = imported(folder, anna, ben)
    assert [file["posts"] for file in result["files"].values()] == [6, 6]
    assert rows(archive, "SELECT count(*), count(DISTINCT coder), min(anchor), max(anchor) FROM codings") == [
        (24, 2, "exact", "exact")
    ]
    found = run("coding", "agreement", "--draws", "200", "--archive", str(archive))
    risk, strength = found["codes"]
    assert (risk["code"], risk["n"], risk["coders"]) == ("risk", 4, ["anna", "ben"])
    assert "alpha_ordinal" not in risk
    assert strength["alpha_ordinal"]["value"] is not None
    assert risk["percent"]["low"] <= risk["percent"]["value"] <= risk["percent"]["high"]
    # a second return is refused, and replaces the first on request
    again = shutil.copy(ben, folder / "again.xlsx")
    filled(Path(again), {"risk": "no", "strength": 1})
    assert "give --replace" in imported(folder, Path(again), code=1)["err"][0]
    assert rows(archive, "SELECT count(*) FROM codings") == [(24,)]
    imported(folder, Path(again), more=("--replace",))
    replaced = rows(archive, "SELECT DISTINCT coder, replaced_by FROM codings WHERE replaced_by IS NOT NULL")
    assert [(coder, Path(by).name[:4]) for coder, by in replaced] == [("ben", "0003")]
    assert imported(folder, Path(again))["files"][str(again)]["known"] is True
    # what they disagree on is reconciled, and rows of the consensus are no third coder
    run("coding", "disagreements", "-o", str(folder / "both.xlsx"), "--archive", str(archive))
    both = openpyxl.load_workbook(folder / "both.xlsx")["coding"]
    assert {"risk: anna", "strength: anna"} & {cell.value for cell in both[1]}
    filled(folder / "both.xlsx", {"risk": "no", "strength": 2})
    assert imported(folder, folder / "both.xlsx")["err"] == []
    assert rows(archive, "SELECT count(*) > 0 FROM codings WHERE coder = 'consensus'") == [(1,)]
    assert run("coding", "agreement", "--archive", str(archive))["codes"][0]["coders"] == ["anna", "ben"]
    before = {table: rows(archive, f"SELECT * FROM {table}") for table in TABLES}
    # rebuild, verify, backup and restore give the same; a published copy has none of it
    rebuilt = run("rebuild", "--archive", str(archive))
    assert rebuilt["differs"] == []
    assert {table: rows(archive, f"SELECT * FROM {table}") for table in TABLES} == before
    assert run("verify", "--archive", str(archive))["faults"] == []
    run("backup", str(folder / "backup"), "--archive", str(archive))
    run("restore", str(folder / "backup"), "--archive", str(folder / "restored"))
    run("rebuild", "--archive", str(folder / "other"), "--from", str(archive))
    for other in ("restored", "other"):
        assert {table: rows(folder / other, f"SELECT * FROM {table}") for table in TABLES} == before
    run("publish", "--archive", str(archive))
    published = archive / "published" / DATABASE
    assert [rows(published.parent, f"SELECT count(*) FROM {table}") for table in TABLES] == [[(0,)]] * 3
    assert b"consensus" not in published.read_bytes()


def test_a_sample_is_drawn_again_from_a_rebuilt_archive(drawn: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(drawn / "var", tmp_path / "var")
    words = ["sample", "--n", "4", "--seed", "11", "--where", "length(body_text) < 1000", "--archive"]
    first = run(*words, str(archive))
    data = (archive / first["file"]).read_bytes()
    assert (first["frame"], first["drawn"]) == (9, 4)
    frozen = json.loads(data)
    assert frozen["where"] == "length(body_text) < 1000"
    assert [unit["probability"] for unit in frozen["units"]] == [4 / 9] * 4
    shutil.rmtree(archive / "study")
    run("rebuild", "--archive", str(archive))
    with closing(sqlite3.connect(archive / DATABASE)) as db, db:  # numbers of rows in another order
        for table in ("posts", "post_addresses", "revisions", "sightings"):
            db.execute(f"UPDATE {table} SET post_id = 1000 - post_id")
    assert (archive / run(*words, str(archive))["file"]).read_bytes() == data
    other = run("sample", "--n", "4", "--seed", "12", "--archive", str(archive))
    assert other["sample"] != first["sample"]


def test_a_sample_is_reported_without_a_terminal(drawn: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(drawn / "var", tmp_path / "var")
    words = ["sample", "--n", "600", "--seed", "3", "--archive", str(archive)]
    done = CliRunner().invoke(main, [*words, "--name", "all"])
    assert re.search(r"all-\w+\.json: 10 of 600 posts: the frame has only 10, as of ", done.stdout), done.output
    (_, line) = CliRunner().invoke(main, [*words, "--name", "again"]).stdout.splitlines()
    assert line == "the same sample is stored already, and stays all: nothing is called again"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("no_column = 1", "no such column"),
        ("", "is empty"),
        ("random() > 0", "something else every time"),
        ("published_on < date('now')", "something else every time"),
        ("published_on < date()", "something else every time"),
        ("published_on LIKE strftime('%Y') || '%'", "something else every time"),
        ("1); DROP TABLE posts; --", "only execute one statement"),
        ("1 = 0", "no post with a text meets the condition"),
        ("1) UNION SELECT ('x'", "more than a condition"),
        ("pragma_table_list", "pragma"),
    ],
)
def test_a_condition_that_cannot_be_used_is_named(drawn: Path, where: str, why: str) -> None:
    words = ["sample", "--n", "4", "--seed", "1", "--where", where, "--archive", str(drawn / "var")]
    assert why in run(*words, code=2)["err"][0]


def test_a_condition_may_look_for_words_such_as_random(drawn: Path) -> None:
    where = "title LIKE '%random%' OR body_text LIKE '%now open%' OR date(first_seen_at) > '2000-01-01'"
    with closing(open_archive(drawn / "var", "read")) as db:
        assert len(frame(drawn / "var", db, where, None)) == len(frame(drawn / "var", db, None, None)) > 0


FAULTY: dict[str, tuple[dict[Any, Any], str]] = {
    "header": ({(1, "risk"): "risk?"}, "no column 'risk' in it"),
    "two codes": ({(3, "risk"): "yes; no"}, "row 3: risk: 2 codes in one cell"),
    "unknown code": ({(4, "risk"): "maybe"}, "row 4: risk: 'maybe' is not in the code book"),
    "other sample": ({(5, "sample"): "0123456789abcdef"}, "row 5: it belongs to sample '0123456789abcdef'"),
    "other code book": ({(2, "codebook"): "0123456789abcdef"}, "belongs to code book"),
    "unit": ({(2, "unit"): "x"}, "row 2: no unit 'x' in sample n8-seed7"),
    "text": ({(2, "text"): "Something else."}, "row 2: its text is not the one that was handed out"),
    "no coder": ({(2, "coder"): None}, "row 2: the coder's name is missing"),
    "words": ({(2, "risk words"): "never said"}, "are not in the text"),
    "column twice": ({(1, "note"): "risk"}, "two columns have the name 'risk'"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_sheet_with_a_fault_is_not_imported_at_all(drawn: Path, tmp_path: Path, name: str) -> None:
    folder = handed_out(drawn, tmp_path, coders=("anna",))
    cells, why = FAULTY[name]
    sheet = filled(folder / "n8-seed7-anna.xlsx", cells=cells)
    err = imported(folder, sheet, code=1)["err"]
    assert why in err[0]
    assert err[-1] == f"{sheet}: nothing of it was imported"
    assert rows(folder / "var", "SELECT count(*) FROM codings") == [(0,)]
    assert not (folder / "var" / "study" / "codings").exists()


def test_a_unit_twice_an_empty_sheet_and_files_of_other_kinds(drawn: Path, tmp_path: Path) -> None:
    folder = handed_out(drawn, tmp_path, coders=("anna",))
    sheet = folder / "n8-seed7-anna.xlsx"
    empty = shutil.copy(sheet, folder / "empty.xlsx")
    assert "no coding in it" in imported(folder, Path(empty), code=1)["err"][0]
    filled(sheet)
    workbook = openpyxl.load_workbook(sheet)
    workbook["coding"].append([cell.value for cell in workbook["coding"][2]])
    workbook.save(sheet)
    assert "coded unit" in imported(folder, sheet, code=1)["err"][0]
    for name, data in {
        "a.xlsx": b"PK\x03\x04 no sheet", "b.xlsx": b"", "c.csv": b"\xff\xfe\x00", "d.json": b"[1]", "e.json": b"{",
        "f.ods": b"x", "g.csv": b'"torn', "h.csv": b"\n\n",
    }.items():  # fmt: skip
        (folder / name).write_bytes(data)
        err = imported(folder, folder / name, code=1)["err"]
        assert err[0].startswith(name), err


def test_csv_of_another_spreadsheet_and_words_that_show_a_code(drawn: Path, tmp_path: Path) -> None:
    """With semicolons, CRLF within texts, other columns; a quote whose white space differs."""
    folder = handed_out(drawn, tmp_path, "--hide-clinic", coders=("anna",))
    sheet = openpyxl.load_workbook(folder / "n8-seed7-anna.xlsx")["coding"]
    head = [str(cell.value) for cell in sheet[1]]
    assert not {"clinic", "permalink"} & {*head}
    lines = [[*head, "my own"]]
    for row in sheet.iter_rows(min_row=2, values_only=True):
        values = dict(zip(head, row, strict=True))
        text = str(values["text"])
        values["strength"] = 1
        if text.startswith("Ketamine"):
            values |= {"risk": "YES", "risk words": "Ask  your doctor first.", "note": "-see"}
        lines.append(["" if values[name] is None else str(values[name]) for name in head] + [""])
    text = "\r\n".join(";".join(f'"{cell}"' for cell in line) for line in lines).replace("this. Ask", "this.\r\nAsk")
    (folder / "anna.csv").write_bytes(text.encode("utf-8-sig"))
    result = imported(folder, folder / "anna.csv")
    assert result["err"] == ["anna.csv: column 'my own' is not of the code book; not imported"]
    if not any(line[head.index("text")].startswith("Ketamine") for line in lines):
        pytest.fail("the seed draws the long post")
    found = rows(
        folder / "var",
        "SELECT value, quote, text_start, text_end, text_before, text_after, note FROM codings WHERE code = 'risk'",
    )
    start = LONG.index("Ask your")
    assert found == [
        (
            "yes",
            "Ask your doctor first.",
            start,
            start + 22,
            LONG[start - 32 : start],
            LONG[start + 22 : start + 54],
            "-see",
        )
    ]


def test_label_studio_counts_in_utf_16(drawn: Path, tmp_path: Path) -> None:
    folder = handed_out(drawn, tmp_path, "--format", "label-studio", coders=("anna",))
    assert b'<Choices name="risk" toName="text"' in (folder / "Claims.xml").read_bytes()
    tasks = json.loads((folder / "n8-seed7-anna.json").read_text("utf-8"))
    for number, task in enumerate(tasks):
        text = task["data"]["text"]
        task |= {"id": number, "annotations": []}
        if text.startswith("Ketamine"):
            start = text.index("not approved")
            words = {"start": start + 1, "end": start + 13, "text": "not approved", "labels": ["risk: yes"]}
            task["annotations"] = [
                {"id": 1, "was_cancelled": True, "result": []},
                {"id": 2, "completed_by": 1, "result": [
                    {"from_name": "risk_words", "to_name": "text", "type": "labels", "value": words},
                    {"from_name": "strength", "to_name": "text", "type": "choices", "value": {"choices": ["2"]}},
                ]},
            ]  # fmt: skip
    export = folder / "export.json"
    export.write_text(json.dumps(tasks), "utf-8")
    imported(folder, export)
    assert rows(folder / "var", "SELECT code, value, quote, text_start FROM codings ORDER BY 1") == [
        ("risk", "yes", "not approved", LONG.index("not approved")), ("strength", "2", None, 0)
    ]  # fmt: skip
    broken = json.loads(export.read_text("utf-8"))
    for task in broken:
        for made in task["annotations"][1:]:
            made["result"][0]["value"]["start"] += 1
            made["result"][1]["value"]["choices"] = ["1", "2"]
            made["result"].append({"from_name": "x", "type": "choices", "value": {"choices": ["2"]}})
    (folder / "broken.json").write_text(json.dumps(broken), "utf-8")
    err = imported(folder, folder / "broken.json", code=1)["err"]
    assert [why in line for why, line in zip(["no code 'x'", "are not the words", "2 codes"], err, strict=False)] == [
        True
    ] * 3


def test_a_package_that_unpacks_to_too_much_is_refused(drawn: Path, tmp_path: Path) -> None:
    import zipfile

    folder = handed_out(drawn, tmp_path, coders=("anna",))
    for name, member, data in (
        ("zeros.xlsx", "xl/worksheets/sheet1.xml", bytes(60_000_000)),
        ("entities.xlsx", "xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
    ):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr(member, data)
        assert "not read" in imported(folder, folder / name, code=1)["err"][0]


@pytest.fixture(scope="module")
def coded(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = handed_out(drawn, tmp_path_factory.mktemp("coded"))
    imported(folder, *(filled(folder / f"n8-seed7-{coder}.xlsx") for coder in ("anna", "ben")))
    return folder / "var"


def test_verify_names_every_changed_cell(coded: Path) -> None:
    """Cells of each column of the schema in the first and last row by its value; deleted and added rows."""
    with closing(sqlite3.connect(coded / DATABASE, isolation_level=None)) as connection:
        db = Database(connection)
        assert study_faults(coded, db) == ([], [])
        made = {table: list(each()) for table, each in table_rows(study_of(coded, db), db).items()}
        for table in TABLES:
            columns = {column.name: column.type for column in db.table(table).columns}
            assert made[table]
            assert made[table][0].keys() == columns.keys()
            for column, kind in columns.items():
                found = db.execute(f"SELECT rowid, [{column}] FROM [{table}] ORDER BY 2, 1").fetchall()
                for number, value in (found[0], found[-1]):
                    other = f"{value or ''}x" if kind == "TEXT" else (value or 0) + 1000
                    db.execute("BEGIN")
                    db.execute(f"UPDATE [{table}] SET [{column}] = ? WHERE rowid = ?", [other, number])
                    faults, _ = row_faults(db, made)
                    db.execute("ROLLBACK")
                    assert any(line.startswith(f"{table}: ") for line in faults), (table, column)
            db.execute("BEGIN")
            db.execute(f"DELETE FROM [{table}] WHERE rowid = (SELECT max(rowid) FROM [{table}])")
            assert "1 rows are not there" in row_faults(db, made)[0][0]
            db.execute("ROLLBACK")


def test_verify_names_a_changed_file(coded: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(coded, tmp_path / "var")
    sheet = next((archive / "study" / "codings").iterdir())
    sheet.write_bytes(sheet.read_bytes() + b"x")
    faults = run("verify", "--archive", str(archive), code=6)["faults"]
    assert "its SHA-256 is not the one in its name" in faults[0]
    assert run("rebuild", "--archive", str(archive), code=6)["problems"] == faults[:1]


def test_a_coding_is_anchored_again_or_kept_as_it_was(coded: Path, tmp_path: Path) -> None:
    """A clinic edits a post; a newer parser reads other white space; another text is gone from the database."""
    archive = shutil.copytree(coded, tmp_path / "var")
    with Visiting(archive) as visiting, pytest.MonkeyPatch.context() as patch:
        for slug in ("tea", "sun", "rain"):
            number = [*TEXTS].index(slug)
            patch.setitem(UUIDS, slug, f"0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d5{number:03}")
            patch.setitem(HEXES, slug, f"64ddbf6a1737d98af0335{number:03}")
            visiting.answer(post_url(slug), post_answer(slug, "Edited."))
        visiting.end(finished=True)
        visiting.run.close(0, {})
    assert rows(archive, "SELECT count(*) FROM revisions WHERE kind = 'content'") == [(3,)]
    assert run("coding", "anchors", "--archive", str(archive))["exact"] == 32
    with closing(open_archive(archive, "write")) as db:
        (first, second) = db.execute("SELECT DISTINCT clinic_id, permalink FROM codings ORDER BY 2 LIMIT 2").fetchall()
        slug = first[1].split("/")[2]
        db.execute(
            "UPDATE revisions SET body_text = replace(body_text, ' ', '  ') WHERE post_id ="
            " (SELECT post_id FROM posts WHERE slug = ?)", [slug],
        )  # fmt: skip
        db.execute("UPDATE revisions SET body_text = 'x', content_sha256 = 'y' WHERE post_id ="
                   " (SELECT post_id FROM posts WHERE slug = ?)", [second[1].split("/")[2]])  # fmt: skip
    run("coding", "import", *map(str, (archive / "study" / "codings").iterdir()), "--archive", str(archive))
    listed = run("coding", "anchors", "--archive", str(archive))
    assert (listed["re-anchored"], listed["unanchored"]) == (4, 4)
    assert {each["anchor"] for each in listed["listed"]} == {"re-anchored", "unanchored"}
    run("reparse", "riverside", "--archive", str(archive))  # makes the clinic's rows again from the recorded bytes
    assert run("coding", "anchors", "--archive", str(archive))["exact"] == 32
    assert run("verify", "--archive", str(archive))["faults"] == []
