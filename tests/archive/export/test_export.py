"""Taking the archive away: whole, the same when read back, harmless in a spreadsheet, swapped in one step."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from archive.export import (
    FORMATS,
    MAX_ROWS,
    Source,
    Tally,
    TooManyRows,
    Unknown,
    csv_blocks,
    find_source,
    names,
    write,
)
from archive.export._csv import neutral
from archive.export._sheet import MAX_CHARACTERS, write_sheet
from archive.questions import questions
from pipelines.commands import main
from tests.making import HEX, Made, comment, extraction, post, reading

HOSTILE = Path(__file__).parents[4] / "shared" / "hostile"
ORDER = Path(__file__).parent / "exports.json"
LONG = ("word " * 9000).strip()


@pytest.fixture
def full(archive: Made) -> Made:
    """An archive with an edit, comments, a long text, a formula and a quotation mark."""
    archive.crawl("run")
    archive.fold(
        extraction(1, post(text='She said "sleep",\nthen slept.', views=5, published_at="2026-01-02T03:04:05Z")),
        extraction(2, comment("c1", "=1+1"), comment("c2", LONG, parent_id="c1")),
        extraction(3, reading(views=1250)),
        extraction(4, post(text="Sleep heals, mostly. Why not?", views=9, published_at="2026-01-02T03:04:05Z")),
        crawl_id="run",
    )
    return archive


def plain(db: sqlite3.Connection, source: Source, **options: Any) -> str:
    return b"".join(csv_blocks(db, source, **options)).decode()


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.sampled_from(['"', ",", "\r\n", "a\nb", "", "=1", "ü", "٣", "🌿"]),
)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), alone=st.booleans())
def test_plain_csv_reads_back_as_it_was(rows: list[tuple[Any, ...]], alone: bool) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a ANY, b ANY, c ANY) STRICT")
    db.executemany("INSERT INTO t VALUES (?,?,?)", rows)
    text = plain(db, Source("t", f"SELECT {'b' if alone else '*'} FROM t ORDER BY rowid"))
    head, *lines = parsed(text)
    assert text.endswith("\r\n")
    assert head == (["b"] if alone else ["a", "b", "c"])
    rows_kept = [(row[1],) if alone else row for row in db.execute("SELECT * FROM t ORDER BY rowid")]
    assert len(lines) == len(rows_kept)
    for line, row in zip(lines, rows_kept, strict=True):
        assert len(line) == len(row)
        for cell, value in zip(line, row, strict=True):
            if isinstance(value, float):
                assert float(cell) == value
            else:
                assert cell == ("" if value is None else str(value))


def test_null_is_an_empty_cell_and_an_empty_text_is_quoted() -> None:
    db = sqlite3.connect(":memory:")
    assert plain(db, Source("q", "SELECT NULL AS a, '' AS b, x'00ff' AS c, 'n' || char(0) || ',' AS d;")) == (
        'a,b,c,d\r\n,"",00ff,"n\0,"\r\n'
    )


def test_what_cannot_stand_inside_another_statement_is_written_too() -> None:
    db = sqlite3.connect(":memory:")
    assert parsed(plain(db, Source("q", "EXPLAIN QUERY PLAN SELECT 1")))[0] == ["id", "parent", "notused", "detail"]
    for sql in (
        "WITH x AS (SELECT 1 AS n) SELECT n FROM x -- all",
        "-- why\nSELECT 1 AS n; -- done",
        "SELECT '--' AS n",
    ):
        assert parsed(plain(db, Source("q", sql)))[0] == ["n"], sql
        assert len(parsed(plain(db, Source("q", sql)))) == 2, sql
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        plain(db, Source("q", "SELECT * FROM nowhere"))


def formulas() -> Iterator[str]:
    yield from (
        "=1+1",
        "+1",
        "-1",
        "@A1",
        "\t=1",
        "\r=1",
        "＝1",
        "-2+3+cmd|' /C calc'!A0",
        "x\n=1",
        "x;=1",
        "x,@SUM(A1)",
    )
    if HOSTILE.exists():
        yield from (HOSTILE / "csv-injection.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("text", list(formulas()))
def test_no_cell_of_the_excel_flavour_starts_a_formula(text: str) -> None:
    if not HOSTILE.exists():
        pytest.skip("no ../shared: only the formulas listed here are tried")
    db = sqlite3.connect(":memory:")
    tally = Tally()
    exported = plain(db, Source("q", "SELECT :t AS t", {"t": text}), excel=True, tally=tally)
    assert exported.startswith("\ufeff")
    assert (tally.rows, tally.altered) == (1, 1)
    # However the cell is split, by whatever reads it, no part begins as a formula does.
    for separator in (None, ";", ",", "\t", "\n", "\r"):
        for part in parsed(exported)[1][0].split(separator) if separator else [parsed(exported)[1][0]]:
            assert not part.startswith(("=", "+", "-", "@", "＝")), (text, part)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0123", "'0123"), ("12e4", "'12e4"), ("64ddbf6a1737d98af033206f", "64ddbf6a1737d98af033206f"),
        ("123456789012345678901234", "'123456789012345678901234"), (10**15, "'1000000000000000"), (-5, -5), (1.5, 1.5),
        (None, None), ("2026-01-02", "2026-01-02"), ("well-known", "well-known"), ("a, b", "a, b"), ("12", "12"),
    ],
)  # fmt: skip
def test_ids_stay_what_they_are(value: Any, expected: Any) -> None:
    assert neutral(value) == (expected, expected != value)


@pytest.mark.parametrize("form", FORMATS)
def test_every_name_in_every_format(form: str, full: Made, tmp_path: Path) -> None:
    for name in names(full.db.conn):
        source = find_source(full.db.conn, name, {"word": "sleep"} if name == "word_by_month" else None)
        written = write(tmp_path / f"{name}{FORMATS[form].suffix}", full.db.conn, source, FORMATS[form])
        rows = full.db.conn.execute(source.sql, source.parameters).fetchall()
        assert written.rows == len(rows), name
        assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
        if form == "parquet":
            table = pyarrow.parquet.read_table(written.path)
            assert table.num_rows == len(rows)
            if name == "posts":
                texts = [row["body_text"] for row in table.to_pylist()]
                assert texts == [row[0] for row in full.db.conn.execute("SELECT body_text FROM posts")]
                assert table.schema.field("post_id").type == "int64"
                assert b"visible heading" in table.schema.field("title").metadata[b"description"]
        elif form == "jsonl":
            objects = [json.loads(line) for line in written.path.read_text("utf-8").splitlines()]
            assert [tuple(row.values()) for row in objects] == [tuple(row) for row in rows]
    assert not list(tmp_path.glob(".*.part"))


def test_a_sheet_has_dates_as_dates_and_marks_what_it_cut(full: Made, tmp_path: Path) -> None:
    source = find_source(full.db.conn, "comments")
    written = write(tmp_path / "comments.xlsx", full.db.conn, source, FORMATS["xlsx"])
    book = openpyxl.load_workbook(written.path)
    head, *rows = book["rows"].iter_rows(values_only=True)
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert isinstance(cells[0]["first_seen_at"], datetime)
    assert cells[0]["body_text"] == "=1+1"
    assert book["rows"].cell(2, list(head).index("body_text") + 1).data_type == "s"
    assert cells[1]["body_text"].endswith(f"[cut: the whole text has {len(LONG):,} characters]")
    assert written.note is not None
    assert written.note.startswith("1 cells cut")
    (line,) = (tmp_path / "comments.long-texts.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == {"row": 3, "column": "body_text", "text": LONG}
    about = dict(row[:2] for row in book["about"].iter_rows(values_only=True) if row[0])
    assert about["cells cut"].startswith("1 ")
    assert about["posted_at"]
    posts = write(tmp_path / "posts.xlsx", full.db.conn, find_source(full.db.conn, "posts"), FORMATS["xlsx"])
    sheet = openpyxl.load_workbook(posts.path)["rows"]
    assert not any(cell.hyperlink for row in sheet for cell in row)


@pytest.mark.parametrize("text", ["🌿" * 20000, "a\x01b\x0b\ufffe", "x" * 32767, "x" * 32768, "﷽" * 40000])
def test_whatever_the_text_a_sheet_can_be_opened(text: str, tmp_path: Path) -> None:
    db = sqlite3.connect(":memory:")
    rows, cut = write_sheet(tmp_path / "x.xlsx", db, Source("q", "SELECT :t AS t", {"t": text}))
    value = openpyxl.load_workbook(tmp_path / "x.xlsx")["rows"]["A2"].value
    assert len(value.encode("utf-16-le")) <= 2 * MAX_CHARACTERS + 12
    assert (rows, cut) == (1, int(len(text.encode("utf-16-le")) > 2 * MAX_CHARACTERS))


def test_a_sheet_of_too_many_rows_is_refused_by_name(tmp_path: Path) -> None:
    sql = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {MAX_ROWS}) SELECT i FROM n"
    with pytest.raises(TooManyRows, match=r"numbers has more than 1,048,575 rows.*CSV"):
        write(tmp_path / "n.xlsx", sqlite3.connect(":memory:"), Source("numbers", sql), FORMATS["xlsx"])
    assert list(tmp_path.iterdir()) == []


def test_columns_are_only_ever_appended(archive: Made) -> None:
    """Whoever reads an export by position goes on reading it: new columns stand last. exports.json is the promise."""
    now = {}
    for name in names(archive.db.conn):
        source = find_source(archive.db.conn, name)
        now[name] = [column[0] for column in archive.db.conn.execute(source.sql, source.parameters).description]
    promised = json.loads(ORDER.read_text("utf-8")) if ORDER.exists() else {}
    for name, columns in promised.items():
        assert now[name][: len(columns)] == columns, name
    if promised != now:
        ORDER.write_text(json.dumps(now, indent=1) + "\n", "utf-8")
        pytest.fail("exports.json was brought up to date: review it")


def test_an_unknown_name_or_parameter_is_told_with_those_that_exist(archive: Made) -> None:
    with pytest.raises(Unknown, match=r"no table, view or question 'post'; nearest: posts"):
        find_source(archive.db.conn, "post")
    with pytest.raises(Unknown, match=r"views_gained has no parameter 'day'; it has clinic, from, to"):
        find_source(archive.db.conn, "views_gained", {"day": "1"})


def test_views_gained_are_null_without_a_second_reading(archive: Made) -> None:
    archive.fold(extraction(1, post()), extraction(2, reading(HEX, views=5)), extraction(3, reading(HEX, views=5)))
    gained = {}
    for first, last in (("", ""), ("2030-01-01", ""), ("", "2026-02-01")):
        source = find_source(archive.db.conn, "views_gained", {"from": first, "to": last})
        gained[first, last] = [row[0] for row in archive.db.execute(source.sql, source.parameters)]
    assert gained == {("", ""): [0], ("2030-01-01", ""): [None], ("", "2026-02-01"): []}


# --- the command ---


def run(archive: Made, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", "--archive", str(archive.folder), *arguments])


def test_all_of_it_with_a_manifest_and_other_files_left_alone(full: Made, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    assert run(full, "--all", str(target)).exit_code == 0
    first = {path.name: path.read_bytes() for path in target.iterdir()}
    manifest = json.loads(first["manifest.json"])
    assert manifest["schema"] == full.one("SELECT max(name) FROM _sqlite_migrations")
    assert set(manifest["files"]) == set(first) - {"manifest.json", "datapackage.json", "load.sql", "mine.txt"}
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256(first[name]).hexdigest()
        assert entry["rows"] == len(parsed(first[name].decode())) - 1, name
        assert entry["bytes"] == len(first[name])
    assert len([name for name, entry in manifest["files"].items() if entry["rows"]]) > 12
    (columns,) = ([column["name"] for column in manifest["files"]["posts.csv"]["columns"]],)
    assert columns == parsed(first["posts.csv"].decode())[0]
    full.fold(extraction(9, reading(views=2000)))
    done = run(full, "--all", str(target), "--json")
    assert json.loads(done.stdout)["left_out"] == 12
    assert len(json.loads(done.stdout)["files"]) == len(manifest["files"])
    assert {path.name for path in target.iterdir()} == set(first)
    assert (target / "readings.csv").read_bytes() != first["readings.csv"]
    assert (target / "clinics.csv").read_bytes() == first["clinics.csv"]
    assert run(full, "--all", str(target), "--format", "xlsx").exit_code == 0
    assert not [*target.glob("*.csv"), *target.glob("load.sql")]
    assert (target / "comments.long-texts.jsonl").exists()
    assert run(full, "--all", str(target)).exit_code == 0
    assert {path.name for path in target.iterdir()} == set(first)


def test_one_of_them_to_a_file_or_stdout(full: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(full, "posts")
    assert (done.exit_code, done.output) == (0, "posts.csv: 1 row, 0.00 MB\n")
    assert parsed((tmp_path / "posts.csv").read_bytes().decode())[1][1] == "riverside"
    done = run(full, "comments", "--format", "excel-csv", "-o", "c.csv")
    assert "c.csv: 1 cells altered: text that a spreadsheet" in done.stderr
    done = run(full, "word_by_month", "--param", "word=heals", "-o", "-")
    assert done.stdout_bytes.splitlines()[1] == b"2026-01,riverside,1,1,100.0"
    listing = run(full, "--list").output.splitlines()
    assert "  views_gained              Views gained between two dates [clinic=..., from=..., to=...]" in listing
    assert "  word_by_month             A word by month and clinic [word=sleep (required), clinic=...]" in listing
    heads = [line for line in listing if line and not line.startswith("  ")]
    assert heads == ["tables:", "views:", "questions (values: --param NAME=VALUE):"]
    entries = [line for line in listing if line.startswith("  ")]
    assert [line.split()[0] for line in entries] == list(names(full.db.conn))
    assert all(len(line.split()) > 3 for line in entries)  # each says what it is
    found = json.loads(run(full, "--list", "--json").output)
    assert [entry["name"] for entry in found["tables"]][:2] == ["absences", "authors"]
    (word, clinic) = next(entry for entry in found["questions"] if entry["name"] == "word_by_month")["parameters"]
    assert (word["name"], word["required"], word["example"], clinic["required"]) == ("word", True, "sleep", False)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "name what to export"),
        (("posts", "--all", "x"), 2, "name what to export"),
        (("--all", "x", "-o", "y"), 2, "--all takes neither"),
        (("nothing",), 2, "no table, view or question 'nothing'"),
        (("views_gained", "--param", "from"), 2, "write NAME=VALUE"),
        (("posts", "-o", "-", "--format", "xlsx"), 2, "only CSV goes to stdout"),
        (("posts", "-o", "p.ods"), 2, "use .csv, .xlsx, .jsonl, .parquet"),
        (("views_gained", "--param", "clinic=nosuch"), 2, "no such clinic; it has riverside"),
        (("views_gained", "--param", "clinic=rivreside"), 2, "no such clinic; nearest: riverside"),
        (("views_gained", "--param", "clinic=side"), 2, "no such clinic; nearest: riverside"),
        (("views_gained", "--param", "from=2026-13-45"), 2, "write it as 2026-03-01"),
        (
            ("views_gained", "--param", "from=2026-02-01", "--param", "to=2026-01-31"),
            2,
            "it is after to = '2026-01-31'",
        ),
        (("word_by_month", "--param", "word="), 2, "word is required: a word or a phrase, such as sleep"),
        (("word_by_month", "--param", "word=?!"), 2, "needs a letter or digit"),
        (("same_words",), 2, "words is required: a sentence or phrase"),
        (("clinics_by_attribute",), 2, "attribute is required"),
        (("clinics_by_attribute", "--param", "attribute=state"), 2, "no such attribute; it has none"),
        (("posts", "-o", "/proc/none/x.csv"), 1, "not written"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments: tuple[str, ...], code: int, message: str, full: Made) -> None:
    done = run(full, *arguments)
    assert done.exit_code == code
    assert message in done.output


def test_parquet_without_its_library_says_how_to_get_it(
    full: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run(full, "posts", "--format", "parquet", "-o", str(tmp_path / "x"))
    assert done.exit_code == 1
    assert "pip install pyarrow" in done.stderr


@pytest.mark.parametrize("name", questions())
def test_a_question_says_what_it_asks(name: str) -> None:
    question = questions()[name]
    assert 8 < len(question.title) < 60
    assert len(question.description) > 30
    assert {field.kind for field in question.fields} <= {
        "clinic", "date", "number", "text", "attribute", "category", "word"
    }  # fmt: skip
    assert [field.name for field in question.fields if field.required and not field.example] == []
    sql = "\n".join(line for line in question.sql.splitlines() if not line.startswith("--"))
    assert all(f":{field.name}" in sql for field in question.fields)


def test_the_format_is_what_the_suffix_says(full: Made, tmp_path: Path) -> None:
    assert run(full, "posts", "-o", str(tmp_path / "posts.XLSX")).exit_code == 0
    assert (tmp_path / "posts.XLSX").read_bytes().startswith(b"PK")
    assert run(full, "posts", "-o", str(tmp_path / "posts.jsonl")).exit_code == 0
    assert (tmp_path / "posts.jsonl").read_bytes().startswith(b"{")
    done = run(full, "posts", "--format", "csv", "-o", str(tmp_path / "other.xlsx"))
    assert done.exit_code == 2
    assert "--format csv contradicts" in done.stderr
    assert not (tmp_path / "other.xlsx").exists()
    assert run(full, "posts", "--format", "csv", "-o", str(tmp_path / "posts.txt")).exit_code == 0
