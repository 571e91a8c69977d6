"""The export of one or several archives to a lake."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.export import names, read
from archive.export._parquet import Typed
from archive.export._target import replacing
from archive.lake._duckdb import SCRIPT, script
from archive.lake._partitions import FILE, Partition, Partitions, emptied, remove_others
from archive.lake._routes import Route, Row, route
from archive.lock import LOCK_FILE
from archive.times import utc_seconds

MANIFEST = "manifest.json"
_STAGE = ".part"
_TABLE = re.compile(r"\w+")  # posts_with_counts
_MAX_ARCHIVES = 1 << 20  # further numbers would move rows beyond 64 bits


class LakeError(Exception):
    """The archives cannot share a lake; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of the lake, its partitions, and a note on its values (None: no note)."""

    name: str
    partitions: tuple[Partition, ...]
    note: str | None

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(partition.size for partition in self.partitions)

    @property
    def written(self) -> int:
        """The number of partitions that were written; the others had not changed."""
        return sum(partition.written for partition in self.partitions)


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive of the lake: its name for people, and its number in the lake, which its local numbers are moved by."""

    name: str
    connection: sqlite3.Connection
    number: int


def export_lake(
    folder: Path, archives: Sequence[tuple[str, sqlite3.Connection]], software: str, *, derived: bool = False
) -> list[LakeTable]:
    """Write all tables and views of archives (pairs of a name and a connection) to the lake in `folder`.

    `derived`: also the tables that are made from other rows, and the views of them. Each archive is read in one
    transaction. Numbers such as post_id are those of the first archive that the lake ever had; those of each further
    archive are moved, so that all are distinct. Raises `LakeError`, ImportError without pyarrow, `sqlite3.Error`,
    OSError; the lake then has whole partitions, some of them new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _manifest(folder)
    stage = emptied(folder / _STAGE)
    try:
        with _transactions([connection for _, connection in archives]):
            known, numbers = _numbered(archives, before)
            ready = [_Archive(*pair, number) for pair, number in zip(archives, numbers, strict=True)]
            ready.sort(key=lambda archive: archive.number)  # the order of a partition's rows
            owners = _owners(ready)
            chosen = names(archives[0][1], with_parameters=False, derived=derived)
            _refuse_links(folder, chosen)
            routes = _routes(chosen, ready)
            (schema,) = archives[0][1].execute("SELECT max(name) FROM _sqlite_migrations").fetchone()
            tables = [_table(folder, stage / name, ready, routes[name], owners) for name in chosen]
        for name in before.get("tables", {}).keys() - set(chosen):
            remove_others(folder / name, set())
        _write(folder / SCRIPT, script([found[0] for found in routes.values()]))
        made_at = utc_seconds(datetime.now(UTC))
        manifest: dict[str, Any] = {"schema": schema, "software": software, "made_at": made_at, "archives": known}
        manifest["tables"] = {table.name: _entry(table) for table in tables}
        _write(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return tables


def _table(
    folder: Path, stage: Path, archives: Sequence[_Archive], routes: Sequence[Route], owners: Mapping[str, int] | None
) -> LakeTable:
    """Write one table of all archives."""
    first = routes[0]
    typed = Typed(first.source, first.columns, first.meanings)
    partitions = Partitions(folder, stage, first.source.name, typed)
    seen: set[Row] = set()
    try:
        for archive, own in zip(archives, routes, strict=True):
            for rows in read(archive.connection, own.source):
                partitions.add(list(_placed(rows, archive, own, owners, seen)))
        made = tuple(partitions.finish(first.empty()))
    finally:
        partitions.close()
        shutil.rmtree(stage, ignore_errors=True)
    return LakeTable(first.source.name, made, typed.note())


def _placed(
    rows: Sequence[Row], archive: _Archive, way: Route, owners: Mapping[str, int] | None, seen: set[Row]
) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a block that come from this archive, each with the folder of its partition.

    `seen`: rows of no clinic that the lake has already, such as a code book that all shards have.
    """
    for row in rows:
        values, clinic, key = way.split(row)
        values = way.moved(values, archive.number)
        if owners is not None:
            owner = owners.get(clinic or "")
            if owner is None:
                if values in seen:
                    continue
                seen.add(values)
            elif owner != archive.number:
                continue
        yield key, values


def _numbered(
    archives: Sequence[tuple[str, sqlite3.Connection]], before: Mapping[str, Any]
) -> tuple[dict[str, int], list[int]]:
    """Return the numbers of all archives that the lake ever had, and those of these archives. A number never changes.

    Wherever its folder is, an archive is the one of whose runs the lake knows any; a new one is known by its first run.
    Runs that began earlier may enter later, as by `merge`. Of two archives that became one, the lower number stays.
    """
    known: dict[str, int] = dict(before.get("archives", {}))
    numbers: list[int] = []
    for _, connection in archives:
        runs = [str(run) for (run,) in connection.execute("SELECT crawl_id FROM crawls ORDER BY started_at, crawl_id")]
        of_runs = sorted(known[run] for run in runs if run in known)
        number = next((each for each in of_runs if each not in numbers), None)
        if number is None and runs:  # a copy of an archive before has its number
            number = known.setdefault(runs[0], max(known.values(), default=-1) + 1)
        numbers.append(number or 0)
    return known, numbers


def _owners(archives: Sequence[_Archive]) -> dict[str, int] | None:
    """Return the number of the archive that each clinic's rows come from; None for a single archive.

    Raises `LakeError` for a clinic that was visited in two: only `merge` makes one history of both.
    """
    if len(archives) == 1:
        return None
    owners: dict[str, int] = {}
    by_number: dict[int, _Archive] = {}
    for archive in archives:
        by_number.setdefault(archive.number, archive)
        visited = "SELECT clinic_id FROM captures UNION SELECT clinic_id FROM clinic_runs"
        for (clinic,) in archive.connection.execute(visited):
            other = by_number[owners.setdefault(clinic, archive.number)]
            if other is not archive:
                raise LakeError(
                    f"{clinic}: is in {other.name} and in {archive.name}; make one archive of both with"
                    " `clinic-archive merge`, and export that"
                )
    for archive in archives:
        for (clinic,) in archive.connection.execute("SELECT clinic_id FROM clinics"):
            owners.setdefault(clinic, archive.number)
    return owners


def _routes(chosen: Iterable[str], archives: Sequence[_Archive]) -> dict[str, list[Route]]:
    """Return how each table is read in each archive. Raises `LakeError` where its columns are not the same in all."""
    found: dict[str, list[Route]] = {name: [] for name in chosen}
    for archive in archives:
        known = names(archive.connection, with_parameters=False)
        for name, routes in found.items():
            own = route(archive.connection, name) if name in known else None
            if own is None or (routes and own.columns != routes[0].columns):
                raise LakeError(
                    f"{archive.name}: its {name} has other columns than that of {archives[0].name}; any crawl or"
                    " reparse of the older archive brings it up to date"
                )
            routes.append(own)
    return found


@contextmanager
def _transactions(connections: Sequence[sqlite3.Connection]) -> Iterator[None]:
    """Read each archive as of one moment."""
    with ExitStack() as stack:
        for connection in connections:
            connection.execute("BEGIN")
            stack.callback(connection.execute, "ROLLBACK")
        yield


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of the last export; {} without one. Raises `LakeError` for a folder of something else."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        others = sorted(path.name for path in folder.iterdir() if path.name not in (_STAGE, LOCK_FILE))
        if others and not any(folder.glob(f"*/**/{FILE}")):
            raise LakeError(f"{folder}: is no lake, but has {others[0]}; name a new or empty folder") from None
        return {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and "archives" not in found:
        raise LakeError(f"{folder}: its {MANIFEST} is of another export; name a new or empty folder")
    if not isinstance(found, dict) or not (_are_numbers(found["archives"]) and _are_tables(found.get("tables", {}))):
        raise LakeError(f"{path}: is no manifest of a lake; restore it from a copy, or name a new or empty folder")
    return found


def _are_numbers(archives: object) -> bool:
    """Whether these are numbers of archives, each with a number of its own."""
    if not isinstance(archives, dict):
        return False
    numbers = list(archives.values())
    valid = all(type(number) is int and 0 <= number < _MAX_ARCHIVES for number in numbers)
    return valid and len(set(numbers)) == len(numbers)


def _are_tables(tables: object) -> bool:
    """Whether all names are those of tables: the files below their folders are removed."""
    return isinstance(tables, dict) and all(_TABLE.fullmatch(name) for name in tables)


def _refuse_links(folder: Path, tables: Iterable[str]) -> None:
    """Raise `LakeError` for a symbolic link where a table is written: it leads out of the lake."""
    for name in tables:
        table = folder / name
        for path in (table, *table.rglob("*")):
            if path.is_symlink():
                raise LakeError(f"{path}: a symbolic link, which no export makes; remove it, and run this again")


def _entry(table: LakeTable) -> dict[str, Any]:
    parts = {each.key: {"rows": each.rows, "bytes": each.size, "content": each.content} for each in table.partitions}
    return {"rows": table.rows, "bytes": table.size, "partitions": parts} | ({"note": table.note} if table.note else {})


def _write(path: Path, text: str) -> None:
    with replacing(path) as draft:
        draft.write_text(text, "utf-8")
