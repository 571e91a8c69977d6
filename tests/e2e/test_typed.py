"""Typed files of a whole archive, read by the programs that analysts use, against the rows of the archive."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import polars
import pytest

from archive.db import open_archive
from archive.export import FORMATS, declared, export_all, find_source, names, type_of
from archive.export._parquet import VALUES
from tests.e2e.conftest import Crawled
from tests.e2e.product import ROOT
from tests.waiting import HANG

COUNTED = ("posts", "comments", "readings", "captures", "counts_over_time", "posts_with_counts", "coverage")


@pytest.fixture(scope="module")
def db(third: Crawled) -> Iterator[sqlite3.Connection]:
    with closing(open_archive(third.archive, "read")) as db:
        yield db.conn


@pytest.fixture(scope="module")
def exports(db: sqlite3.Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table and view as CSV."""
    folder = tmp_path_factory.mktemp("exports")
    export_all(folder, db, FORMATS["csv"], "test")
    return folder


def test_every_value_of_an_archive_agrees_with_the_type_of_its_column(db: sqlite3.Connection) -> None:
    filled = set()
    for name in names(db):
        source = find_source(db, name, {"word": "sleep"} if name == "word_by_month" else None)
        rows = db.execute(source.sql, source.parameters)
        columns = [column for column, *_ in rows.description]
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                kind = type_of(source, column)
                assert kind is not None
                if value is not None:
                    found = VALUES[kind](value)
                    assert found is not None, f"{name}.{column} is {kind}: {value!r}"
                    assert kind != "text" or isinstance(value, str), f"{name}.{column}: {value!r}"
                    assert kind != "integer" or isinstance(value, int), f"{name}.{column}: {value!r}"
                    filled.add((name, column))
    assert len(filled) > 0.8 * sum(len(columns) for columns in declared().values())


def test_the_data_package_is_valid_and_its_keys_hold(exports: Path) -> None:
    report = frictionless.validate(str(exports / "datapackage.json"))
    assert report.flatten(["name", "fieldName", "rowNumber", "type", "note"]) == []
    described = json.loads((exports / "datapackage.json").read_text("utf-8"))
    posts = next(resource for resource in described["resources"] if resource["name"] == "posts")
    assert posts["schema"]["primaryKey"] == ["post_id"]
    assert {"fields": ["clinic_id"], "reference": {"resource": "clinics", "fields": ["clinic_id"]}} in (
        posts["schema"]["foreignKeys"]
    )
    assert posts["schema"]["missingValues"] == [""]
    assert all(field["description"] for resource in described["resources"] for field in resource["schema"]["fields"])


def test_duckdb_loads_typed_tables(exports: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(exports)
    with duckdb.connect() as duck:
        duck.execute((exports / "load.sql").read_text("utf-8"))
        for name in COUNTED:
            number = f"SELECT count(*) FROM {name}"
            assert duck.sql(number).fetchall() == db.execute(number).fetchall(), name
        columns = dict(duck.sql("SELECT column_name, column_type FROM (DESCRIBE posts_with_counts)").fetchall())
        assert columns["views"] == "BIGINT"
        assert columns["published_on"] == "DATE"
        assert columns["views_read_at"] == "TIMESTAMP WITH TIME ZONE"
        texts = "SELECT body_text, body_html FROM posts ORDER BY post_id"
        assert duck.sql(texts).fetchall() == db.execute(texts).fetchall()
        ((comment,),) = duck.sql(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'posts' AND column_name = 'published_on'"
        ).fetchall()
        assert comment.startswith("Date of publication")


def test_parquet_files_of_two_archives_unite(db: sqlite3.Connection, tmp_path: Path) -> None:
    """Those of an archive without a row have the same columns and types."""
    export_all(tmp_path / "full", db, FORMATS["parquet"], "test")
    with closing(open_archive(tmp_path / "archive", "write")) as empty:
        export_all(tmp_path / "empty", empty.conn, FORMATS["parquet"], "test")
    for file in sorted((tmp_path / "full").glob("*.parquet")):
        both: Any = polars.read_parquet([file, tmp_path / "empty" / file.name])
        assert len(both) == polars.read_parquet(file).height
    with duckdb.connect() as duck:
        united = f"read_parquet(['{tmp_path}/full/posts.parquet', '{tmp_path}/empty/posts.parquet'])"
        numbers = "SELECT count(*), count(published_at) FROM"
        assert duck.sql(f"{numbers} {united}").fetchall() == db.execute(f"{numbers} posts").fetchall()


@pytest.fixture(scope="module")
def both_forms(db: sqlite3.Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as docs/typed-files.md has it: `exports/` with CSV, `parquet/` with Parquet."""
    folder = tmp_path_factory.mktemp("typed")
    export_all(folder / "exports", db, FORMATS["csv"], "test")
    export_all(folder / "parquet", db, FORMATS["parquet"], "test")
    return folder


# "## pandas", and the block of code under it: "```python exports"
BLOCK = re.compile(
    r"^## (DuckDB|pandas|polars|R)\n(?:(?!^## ).*\n)*?```(?:python exports|r)\n((?:.*\n)*?)```", re.MULTILINE
)


@pytest.mark.parametrize("tool", ["DuckDB", "pandas", "polars", "R"])
def test_what_the_docs_say_of_a_tool_runs(tool: str, both_forms: Path, db: sqlite3.Connection) -> None:
    code = dict(BLOCK.findall((ROOT / "docs" / "typed-files.md").read_text("utf-8")))[tool]
    if tool == "R":
        if (program := shutil.which("Rscript")) is None:
            pytest.skip("no Rscript on this machine: the lines for R are not run")
        command = [program, "-e", code]
    else:
        if importlib.util.find_spec(tool.lower()) is None:
            pytest.skip(f"{tool} is not installed: its lines are not run")
        command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=both_forms, capture_output=True, text=True, check=False, timeout=HANG)
    assert (done.returncode, done.stderr) == (0, "")
    (clinic_id,) = [clinic_id for (clinic_id,) in db.execute("SELECT clinic_id FROM clinics")]
    assert clinic_id in done.stdout
