"""`verify` sees every cell: tables and columns are those of the schema, so that a new one is tried or fails here."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from archive.compare.canonical import FOLDED
from archive.compare.cells import LEFT_OUT, RUNS, CellDifference, compared_tables, differences_in
from archive.db import DATABASE, open_archive
from archive.study.folder import TABLES
from pipelines.commands import main
from pipelines.imports.adopt import adopt
from pipelines.log import clinics_of, log_of
from pipelines.rebuild import rebuild
from pipelines.replay import parsing
from pipelines.replay.as_of import RowsAsOf, log_as_of, run_files_as_of
from pipelines.replay.parsing import ParserPool
from pipelines.run.key import KEY_FILE, key_in
from pipelines.run.recorded_runs import runs_of
from pipelines.run.run import Run
from pipelines.takedown.finding import find_subject
from pipelines.takedown.ledger import Dates, today, withdraw
from pipelines.verify.fold_comparison import FoldComparison
from pipelines.verify.verify import closed_files
from tests.pipelines.test_rebuild import Step, confirm, visit
from tests.visiting import SITE

GATE = Path(__file__).parents[1] / "gate"
# Tables of which a crawl alone makes no row, and why.
NOT_FILLED = {"superseded_readings": "a reparse copies into it what an older version of the parser read"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with rows in every table: the gate's captures of a clinic, and a second clinic by hand."""
    archive = tmp_path_factory.mktemp("cells") / "archive"
    adopt([GATE / name for name in ("visits", "rendered", "imported")], archive, None)
    (archive / KEY_FILE).chmod(0o600)
    assert rebuild(archive, cores=1).problems == []
    posts: list[Step] = [("post", ("sleep", "Sleep well.", 3)), ("post", ("rest", "Rest well.", 2))]
    visit(archive, [("thread", "wake"), *posts, ("gone", "sleep")], "ended")
    confirm(archive)
    run = Run(archive)
    withdraw(run, find_subject(run.db, f"{SITE}/post/rest"), "hide", "A request", Dates(today(), None))
    run.close(0, {})
    return archive


class Compared:
    """An archive whose rows may be changed, and the rows that a fold makes of its captures."""

    def __init__(self, archive: Path, folder: Path) -> None:
        with closing(open_archive(archive, "read")) as db:
            snapshot = RowsAsOf(db, closed_files(archive))
            headers = run_files_as_of(runs_of(archive), snapshot)
            self.made: dict[str, FoldComparison] = {}
            for clinic_id in clinics_of(archive, headers):
                with ParserPool(archive, key_in(archive / KEY_FILE), 1) as pool:
                    new = self.made[clinic_id] = FoldComparison(snapshot, pool, headers, keyless=False)
                    new.fold(log_as_of(log_of(archive, clinic_id, headers), snapshot), lambda _: None)
            with ParserPool(archive, key_in(archive / KEY_FILE)) as pool:
                self.none = FoldComparison(snapshot, pool, headers, keyless=False)
            assert self.none.differences_of_runs() == []
        shutil.copy(archive / DATABASE, folder)
        self.db = Database(sqlite3.connect(folder / DATABASE, isolation_level=None))
        for (name,) in self.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.db.execute(f"DROP TRIGGER [{name}]")

    def differences(self, *tables: str) -> list[CellDifference]:
        """Those of all tables where none is named."""
        clinics = [row[0] for row in self.db.execute("SELECT clinic_id FROM clinics").fetchall()]
        return [
            each
            for table in tables or compared_tables(self.db)
            for clinic_id in ([""] if table == RUNS else sorted({*clinics, *self.made}))
            for each in differences_in(table, self.db, self.made.get(clinic_id, self.none).made, clinic_id)
        ]

    def columns(self, table: str) -> dict[str, str]:
        """The type of each column: TEXT, INTEGER or REAL."""
        return {column.name: column.type for column in self.db.table(table).columns}

    @contextmanager
    def changed(self, sql: str, *values: Any) -> Iterator[None]:
        """The archive after a statement, which is undone."""
        self.db.execute("BEGIN")
        try:
            assert self.db.execute(sql, list(values)).rowcount == 1
            yield
        finally:
            self.db.execute("ROLLBACK")

    def close(self) -> None:
        self.db.close()
        for new in (*self.made.values(), self.none):
            new.close()


@pytest.fixture(scope="module")
def compared(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    with closing(Compared(filled, tmp_path_factory.mktemp("changed"))) as found:
        yield found


def other(value: Any, kind: str) -> Any:
    """Another value for a column of that type."""
    if kind in ("INTEGER", "REAL"):
        return 7 if value is None else value + 1000
    return "x" if value is None else f"{value}x"


def test_every_table_has_rows(filled: Path) -> None:
    with closing(open_archive(filled, "read")) as db:
        empty = [table for table in compared_tables(db) if not db.table(table).count]
    assert empty == sorted(NOT_FILLED)


def test_every_table_is_folded_or_an_exception(filled: Path) -> None:
    """Derived tables, rules, studies, full-text indexes and SQLite's own are no part of the fold; all others are."""
    with closing(open_archive(filled, "read")) as db:
        others = [name for name in db.table_names() if not name.startswith(("_", "sqlite_", "cache_", "lexicon_"))]
    assert sorted(name for name in others if "_fts" not in name and name not in TABLES) == list(FOLDED)


def test_the_whole_archive_differs_in_nothing(compared: Compared) -> None:
    assert compared.differences() == []


def test_every_changed_cell_is_named(compared: Compared) -> None:
    """Cells of each column in the first, the middle and the last row by its value.

    A number that stands for a row is not compared: what refers to the row is.
    """
    tried, unseen = 0, list[str]()
    for table in compared_tables(compared.db):
        if table in NOT_FILLED:
            continue
        numbers = [key for key in compared.db.table(table).pks if compared.columns(table)[key] == "INTEGER"]
        for column in compared.columns(table).keys() - LEFT_OUT.keys():
            for number, value in chosen(compared, table, column):
                sql = f"UPDATE [{table}] SET [{column}] = ? WHERE rowid = ?"
                with compared.changed(sql, other(value, compared.columns(table)[column]), number):
                    found = compared.differences(*([] if [column] == numbers else [table]))
                tried += 1
                # The row is named, and the column where it does not identify the row.
                if not any(each.column == column or each.kind == "missing" or [column] == numbers for each in found):
                    unseen.append(f"{table}.{column}: {found}")
    assert unseen == []
    assert tried > 600


def chosen(compared: Compared, table: str, column: str) -> list[tuple[int, Any]]:
    """(rowid, value) of three rows; of fewer where there are fewer."""
    rows = compared.db.execute(f"SELECT rowid, [{column}] FROM [{table}] ORDER BY [{column}], rowid").fetchall()
    return [rows[place] for place in sorted({0, len(rows) // 2, len(rows) - 1})]


def test_every_deleted_row_is_named(compared: Compared) -> None:
    for table in compared_tables(compared.db):
        if table in NOT_FILLED:
            continue
        for number, _ in chosen(compared, table, compared.db.table(table).pks[0]):
            with compared.changed(f"DELETE FROM [{table}] WHERE rowid = ?", number):
                assert any(each.kind == "missing" for each in compared.differences(table)), table


def test_every_added_row_is_named(compared: Compared) -> None:
    """A copy of a row under another key, which belongs to the clinic as the row does."""
    for table in compared_tables(compared.db):
        if table in NOT_FILLED:
            continue
        columns = compared.columns(table)
        row = dict(zip(columns, compared.db.execute(f"SELECT * FROM [{table}]").fetchone(), strict=True))
        keys = compared.db.table(table).pks
        indexes = (index for index in compared.db.table(table).indexes if index.unique)
        own = {*keys}.union(*(index.columns for index in indexes))
        own -= {"clinic", "clinic_id", "post_id", "revision_id", "comment_id"} - {keys[0] if len(keys) == 1 else ""}
        row |= {column: other(row[column], columns[column]) for column in own}
        with compared.changed(f"INSERT INTO [{table}] VALUES ({','.join('?' * len(row))})", *row.values()):
            assert any(each.kind == "surplus" for each in compared.differences(table)), table


def test_the_command_names_each_kind(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "FEWEST", 1000)  # more processes take longer than so few captures
    archive = shutil.copytree(filled, tmp_path / "archive")
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        db.execute("UPDATE posts SET excerpt = 'Forged.' WHERE slug = 'why-socks'")
        db.execute("DELETE FROM comment_revisions")
        db.execute("INSERT INTO tags (clinic_id, label) VALUES ('riverside', 'x')")
        db.commit()
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert done.exit_code == 6
    lines = done.stderr.splitlines()
    assert [line.partition(" (")[0].partition(" differs")[0] for line in lines] == [
        "juniper-lane: comment_revisions: 3 rows are missing that the recorded bytes give",
        "juniper-lane: posts: excerpt of a row",
        "riverside: tags: a row is stored that no recorded bytes give",
    ]
    assert "/post/why-socks" in lines[1]
    assert "(tag_id x)" in lines[2]
