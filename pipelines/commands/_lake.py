"""The lake of `clinic-archive export --lake`: what is written, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NoReturn

from archive.lake import LakeTable, export_lake
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import distinct_archives
from pipelines.commands._output import counted, finish
from pipelines.commands._table import table
from pipelines.printing import echo, is_terminal
from scraper.config.clinics import PRODUCT, VERSION


def export_to_lake(folder: Path, archives: Sequence[Path], *, derived: bool, as_json: bool) -> NoReturn:
    """Write all tables of the archives to a lake, report what was written, and end the process."""
    with ExitStack() as stack:
        opened = [
            (str(path), stack.enter_context(closing(read_only(path))).conn) for path in distinct_archives(archives)
        ]
        busy = f"{folder}: another export writes to this lake; nothing done"
        lock = lock_or_exit(folder, busy=busy, advice="choose another folder")
        stack.callback(lock.release)
        with exit_on_error(folder, "some partitions may be new, each is whole"):
            tables = export_lake(folder, opened, f"{PRODUCT}/{VERSION}", derived=derived)
    for exported in tables:
        if exported.note:
            echo(f"{folder / exported.name}: {exported.note}", err=True)
    summary = {
        "lake": str(folder),
        "archives": [name for name, _ in opened],
        "tables": {
            exported.name: {
                "rows": exported.rows,
                "bytes": exported.size,
                "partitions": len(exported.partitions),
                "written": exported.written,
            }
            for exported in tables
        },
    }
    lines = _lines(tables) if is_terminal() else [f"{folder}: {_total(tables)}"]
    finish(summary, lines, as_json=as_json, always=True)


def _lines(tables: Sequence[LakeTable]) -> Iterator[str]:
    header = ("table", "rows", "MB", "partitions", "written")
    rows = [
        (
            exported.name,
            f"{exported.rows:,}",
            f"{exported.size / 1e6:.2f}",
            f"{len(exported.partitions):,}",
            f"{exported.written:,}",
        )
        for exported in tables
    ]
    yield table(header, rows, numbers=header[1:])
    yield _total(tables)


def _total(tables: Sequence[LakeTable]) -> str:
    written = counted(sum(exported.written for exported in tables), "partition")
    return f"{written} written, {sum(len(exported.partitions) - exported.written for exported in tables):,} unchanged"
