"""`verify` sees every cell: the tables and columns are those of the schema, so that a new one is tried or fails here."""

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

from archive.compare.cells import LEFT_OUT, RUNS, Difference, compared_tables, differences_in
from archive.db import DATABASE, open_archive
from pipelines.commands import main
from pipelines.fold_comparison import FoldComparison
from pipelines.imports.adopt import adopt
from pipelines.log import clinics_of, log_of, runs_of
from pipelines.rebuild import rebuild
from pipelines.replay.as_of import Snapshot, headers_as_of, log_as_of
from pipelines.replay.parsing import ParserPool
from pipelines.run.key import KEY_FILE, key_in
from pipelines.verify import closed_files
from tests.pipelines.test_rebuild import confirm, visit

GATE = Path(__file__).parents[1] / "gate"
# Tables of which a crawl alone makes no row, and why.
NOT_FILLED = {"superseded_readings": "a reparse copies into it what an older version of the parser read"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with rows in every table: the gate's captures of a clinic, and a second clinic by hand."""
    archive = tmp_path_factory.mktemp("cells") / "archive"
    adopt([GATE / name for name in ("visits", "rendered", "imported")], archive, None)
    (archive / KEY_FILE).chmod(0o600)
    assert rebuild(archive, cores=2).problems == []
    visit(archive, [("thread", "wake"), ("post", ("sleep", "Sleep well.", 3)), ("gone", "sleep")], "ended")
    confirm(archive)
    return archive


class Compared:
    """An archive whose rows may be changed, and the rows that a fold makes of its captures."""

    def __init__(self, archive: Path, folder: Path) -> None:
        with closing(open_archive(archive, "read")) as db:
            snapshot = Snapshot(db, closed_files(archive))
            headers = headers_as_of(runs_of(archive), snapshot)
            self.made: dict[str, FoldComparison] = {}
            for clinic_id in clinics_of(archive, headers):
                with ParserPool(archive, key_in(archive / KEY_FILE)) as pool:
                    new = self.made[clinic_id] = FoldComparison(snapshot, pool, headers, keyless=False)
                    new.fold(log_as_of(log_of(archive, clinic_id, headers), snapshot), lambda _: None)
            self.runs = next(iter(self.made.values()))
            self.runs.differences_of_runs()  # writes how the runs ended
        shutil.copy(archive / DATABASE, folder)
        self.db = Database(sqlite3.connect(folder / DATABASE, isolation_level=None))
        for (name,) in self.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.db.execute(f"DROP TRIGGER [{name}]")

    def differences(self, table: str) -> list[Difference]:
        clinics = ["", *self.made][: 1 if table == RUNS else None]
        return [
            each
            for clinic_id in clinics
            for each in differences_in(table, self.db, (self.made.get(clinic_id) or self.runs).made, clinic_id)
        ]

    def columns(self, table: str) -> dict[str, str]:
        """The type of each column: TEXT or INTEGER."""
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
        for new in self.made.values():
            new.close()


@pytest.fixture(scope="module")
def compared(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    with closing(Compared(filled, tmp_path_factory.mktemp("changed"))) as found:
        yield found


def other(value: Any, kind: str) -> Any:
    """Another value for a column of that type."""
    if kind == "INTEGER":
        return 7 if value is None else value + 1000
    return "x" if value is None else f"{value}x"


def test_every_table_has_rows(filled: Path) -> None:
    with closing(open_archive(filled, "read")) as db:
        empty = [table for table in compared_tables(db) if not db.table(table).count]
    assert empty == sorted(NOT_FILLED)


def test_the_whole_archive_differs_in_nothing(compared: Compared) -> None:
    assert [each for table in compared_tables(compared.db) for each in compared.differences(table)] == []


def test_every_changed_cell_is_named(compared: Compared) -> None:
    """One cell of each column: the row with the greatest value, or any row where the column is NULL throughout."""
    tried, unseen = 0, list[str]()
    for table in compared_tables(compared.db):
        if table in NOT_FILLED:
            continue
        for column, kind in compared.columns(table).items():
            if column in LEFT_OUT:
                continue
            find = f"SELECT rowid, [{column}] FROM [{table}] ORDER BY [{column}] DESC, rowid LIMIT 1"
            (number, value) = compared.db.execute(find).fetchone()
            sql = f"UPDATE [{table}] SET [{column}] = ? WHERE rowid = ?"
            with compared.changed(sql, other(value, kind), number):
                found = compared.differences(table)
            tried += 1
            if not any(each.column == column or (each.kind == "missing" and each.key) for each in found):
                unseen.append(f"{table}.{column}: {found}")
    assert unseen == []
    assert tried > 200


def test_every_deleted_row_is_named(compared: Compared) -> None:
    for table in compared_tables(compared.db):
        if table not in NOT_FILLED:
            with compared.changed(f"DELETE FROM [{table}] WHERE rowid = (SELECT max(rowid) FROM [{table}])"):
                assert any(each.kind == "missing" for each in compared.differences(table)), table


def test_every_added_row_is_named(compared: Compared) -> None:
    """A copy of a row under another key, which belongs to the clinic as the row does."""
    for table in compared_tables(compared.db):
        if table in NOT_FILLED:
            continue
        columns = compared.columns(table)
        row = dict(zip(columns, compared.db.execute(f"SELECT * FROM [{table}]").fetchone(), strict=True))
        indexes = (index for index in compared.db.table(table).indexes if index.unique)
        own = {*compared.db.table(table).pks}.union(*(index.columns for index in indexes))
        own -= {"clinic_id"} if own != {"clinic_id"} else set()
        row |= {column: other(row[column], columns[column]) for column in own}
        with compared.changed(f"INSERT INTO [{table}] VALUES ({','.join('?' * len(row))})", *row.values()):
            assert any(each.kind == "surplus" for each in compared.differences(table)), table
