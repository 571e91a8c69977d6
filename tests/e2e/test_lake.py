"""A lake made by the command, asked in DuckDB, against the rows of the archive."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.db import open_archive
from archive.export import find_source, type_of
from archive.export._parquet import VALUES
from archive.questions import Question, questions
from tests.e2e.conftest import Crawled
from tests.e2e.product import ROOT, run

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

ON_BOTH = [question for question in questions().values() if question.duckdb is not None]
BLOCK = re.compile(r"```(sql|python) lake\n((?:.*\n)*?)```")  # a block of docs/analysis.md that runs in the lake


@pytest.fixture(scope="module")
def archive(third: Crawled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample clinic after three crawls, with a removed post."""
    folder = shutil.copytree(third.archive, tmp_path_factory.mktemp("lake") / "archive")
    with closing(open_archive(folder, "write")) as db:
        db.execute("UPDATE posts SET removed_at = last_seen_at WHERE post_id = (SELECT min(post_id) FROM posts)")
    done = run("clinic-archive", "derive", "--archive", folder, cwd=folder.parent)  # a busy crawl may have left it
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def db(archive: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_archive(archive, "read")) as db:
        yield db.conn


@pytest.fixture(scope="module")
def lake(archive: Path) -> Path:
    arguments = ("export", "--lake", "lake", "--derived", "--archive", archive, "--json")
    done = run("clinic-archive", *arguments, cwd=archive.parent)
    assert done.code == 0, done.err
    return archive.parent / "lake"


@pytest.fixture(scope="module")
def duck(lake: Path) -> Iterator[Any]:
    """The lake as a database; the module's tests run in its folder."""
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.chdir(lake)
        connection.execute((lake / "lake.sql").read_text("utf-8"))
        yield connection


def values_of(db: sqlite3.Connection) -> list[dict[str, str]]:
    """Values for the parameters of any question: the defaults, and such as select a part of the archive's rows."""
    ((clinic, first, last, pseudonym, domain, capture),) = db.execute(
        "SELECT (SELECT clinic_id FROM clinics), (SELECT min(date(read_at)) FROM readings), (SELECT max(date(read_at))"
        " FROM readings), (SELECT min(author) FROM comments), (SELECT max(domain) FROM links),"
        " (SELECT min(url) FROM captures)"
    )
    part = {"clinic": clinic, "from": first, "to": last, "day": last, "domain": domain.split(".", 1)[-1]}
    nothing = {"clinic": "nobody", "domain": "nobody.example", "day": "2001-01-01", "to": "2001-01-01"}
    wanted = {"pseudonym": pseudonym, "attribute": "state", "capture": capture}
    return [wanted, wanted | part, wanted | part | {"to": "", "from": last}, wanted | nothing]


def typed(rows: Any, kinds: list[str | None]) -> list[tuple[Any, ...]]:
    """Rows of SQLite with the values that the columns' declared types make of them."""
    return [
        tuple(
            None if value is None or kind is None else VALUES[kind](value)
            for value, kind in zip(row, kinds, strict=True)
        )
        for row in rows
    ]


@pytest.mark.parametrize("question", ON_BOTH, ids=lambda question: question.name)
def test_a_question_has_the_same_rows_in_both(question: Question, db: sqlite3.Connection, duck: Any) -> None:
    found_any = False
    for values in values_of(db):
        chosen = {name: value for name, value in values.items() if name in question.parameters}
        source = find_source(db, question.name, chosen)
        cursor = db.execute(source.sql, source.parameters)
        columns = [column for column, *_ in cursor.description]
        expected = typed(cursor, [type_of(source, column) for column in columns])
        named = ", ".join(f'"{name}" := ?' for name in chosen)
        answer = duck.execute(f"FROM {question.name}({named})", list(chosen.values()))
        assert [column for column, *_ in answer.description] == columns
        assert sorted(answer.fetchall(), key=repr) == sorted(expected, key=repr), chosen
        found_any = found_any or bool(expected)
    assert found_any


def test_a_question_that_needs_the_search_index_says_so(lake: Path) -> None:
    text = (lake / "lake.sql").read_text("utf-8")
    for question in questions().values():
        alone = f"-- {question.name}: needs the search index, and runs on SQLite alone." in text
        assert alone == (question.duckdb is None) == ("_fts" in question.sql), question.name
    assert len(ON_BOTH) >= 13


def test_what_the_docs_say_of_a_lake_runs(lake: Path, duck: Any) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "analysis.md").read_text("utf-8"))
    assert len(blocks) >= 10
    for kind, block in blocks:
        if kind == "sql":
            duck.execute(block)
        elif importlib.util.find_spec("polars") is not None:  # without polars its lines are not run
            exec(compile(block, "docs/analysis.md", "exec"), {})
    (lake / "posts.csv").unlink()
