"""XLSX files: cells of the declared types of their columns; a text too long for a cell is cut, marked, counted."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from archive.export._columns import describe_column, type_of
from archive.export._source import Source, columns_of, count_up_to, read

MAX_ROWS = 1_048_575  # with the header 2**20, the limit of a sheet
MAX_CHARACTERS = 32_767  # in one cell, counted in UTF-16 units
CUT = "… [cut: the whole text has {} characters]"

# 2026-03-01T09:30:00.123456Z, 2026-03-01T09:30:00Z and 2026-03-01: the formats of times in the archive. A cell has
# four digits of the year, and Excel no year after 9999.
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
_FIRST = "1900-03-01"  # before this date Excel counts a day that did not exist, 29 February 1900
# Characters that XML 1.0 does not allow and xlsxwriter does not replace: U+FFFE and U+FFFF.
_NO_XML = re.compile("[\ufffe\uffff]")


class TooManyRows(Exception):
    """The source has more rows than a sheet can hold."""


def write_sheet(
    path: Path, connection: sqlite3.Connection, source: Source, on_cut: Callable[[int, str, str], None] | None = None
) -> tuple[int, int]:
    """Write a source to an XLSX file with two sheets, the rows and a description; return the numbers of rows and cuts.

    `on_cut(row, column, text)` is called with the whole text of each cell that was cut; `row` is its number in the
    sheet. Raises `TooManyRows`, of a SELECT before anything is written, `sqlite3.Error`, OSError.
    """
    columns = columns_of(connection, source)
    too_many = TooManyRows(
        f"{source.name} has more than {MAX_ROWS:,} rows, the limit of an XLSX sheet; export CSV, Parquet or JSON"
        " lines instead, or select fewer rows"
    )
    if count_up_to(connection, source, MAX_ROWS + 1) > MAX_ROWS:
        raise too_many
    workbook = xlsxwriter.Workbook(
        path,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    try:
        sheet = workbook.add_worksheet("rows")
        bold = workbook.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(columns):
            sheet.set_column(column, column, _width(name))
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, bold)
        cells = _Cells(
            sheet,
            kinds=[type_of(source, name) for name in columns],
            date=workbook.add_format({"num_format": "yyyy-mm-dd"}),
            time=workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        )
        row = cut = 0
        for block in read(connection, source):
            for values in block:
                row += 1
                if row > MAX_ROWS:  # of a listing, whose rows are not counted before
                    raise too_many
                for column, value in enumerate(values):
                    whole = cells.write(row, column, value)
                    if whole is not None:
                        cut += 1
                        if on_cut is not None:
                            on_cut(row + 1, columns[column], whole)
        sheet.autofilter(0, 0, max(row, 1), max(len(columns) - 1, 0))
        _write_about(workbook, source, columns, row, cut, bold)
    except BaseException:
        workbook.close()
        path.unlink(missing_ok=True)
        raise
    workbook.close()
    return row, cut


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one sheet; `write` returns the whole text of a cell if it had to be cut.

    A value that is not of its column's type is written as what it is: as text, or as a number.
    """

    sheet: Any
    kinds: list[str | None]  # the type of each column, None if none is declared
    date: Any  # cell formats
    time: Any

    def write(self, row: int, column: int, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            time = _parse_time(value) if self.kinds[column] in ("date", "timestamp") else None
            if time is None:
                return self._write_text(row, column, value)
            self.sheet.write_datetime(row, column, time, self.date if len(value) == 10 else self.time)
            return None
        if isinstance(value, bytes):
            return self._write_text(row, column, value.hex())
        if self.kinds[column] == "boolean" and value in (0, 1):
            self.sheet.write_boolean(row, column, bool(value))
            return None
        if self.kinds[column] == "text" or not _fits(value):
            return self._write_text(row, column, str(value))
        self.sheet.write_number(row, column, value)
        return None

    def _write_text(self, row: int, column: int, value: str) -> str | None:
        text = _NO_XML.sub("\ufffd", value)
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) <= 2 * MAX_CHARACTERS:
            self.sheet.write_string(row, column, text)
            return None
        mark = CUT.format(f"{len(value):,}")
        beginning = units[: 2 * (MAX_CHARACTERS - len(mark))].decode("utf-16-le", "ignore")
        self.sheet.write_string(row, column, beginning + mark)
        return value


def _fits(value: float) -> bool:
    """Whether a cell can hold a number: it has 15 digits, and no infinity."""
    return abs(value) < 10**15 if isinstance(value, int) else math.isfinite(value)


def _parse_time(value: str) -> datetime | None:
    """Return a text as a datetime without zone (a cell has none); None if it is no time, or Excel has no such day."""
    if _TIME.fullmatch(value) and value >= _FIRST:
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError:  # 2026-02-30, as a page printed it
            pass
    return None


def _write_about(workbook: Any, source: Source, columns: list[str], rows: int, cut: int, bold: Any) -> None:
    """Write the sheet that describes the source and its columns."""
    sheet = workbook.add_worksheet("about")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    lines = [
        ("what", source.name),
        *((f"where {name}", str(value)) for name, value in source.parameters.items() if value not in (None, "")),
        ("rows", f"{rows:,}"),
        ("made at", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("times", "UTC; an empty cell means that no page gave the value, 0 that a page gave zero"),
        ("cells cut", f"{cut:,} (a cell holds {MAX_CHARACTERS:,} characters; CSV, JSON and Parquet hold all)"),
    ]
    for row, (name, value) in enumerate(lines):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, value[:MAX_CHARACTERS])
    start = len(lines) + 1
    for column, head in enumerate(("column", "description", "type")):
        sheet.write_string(start, column, head, bold)
    for row, name in enumerate(columns, start + 1):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, describe_column(source, name) or "")
        sheet.write_string(row, 2, type_of(source, name) or "")


def _width(name: str) -> int:
    if name.endswith("_at"):
        return 20
    if "text" in name or "html" in name or name in ("title", "excerpt", "message"):
        return 48
    return max(12, min(len(name) + 2, 30))
