"""XLSX: dates as dates, numbers as numbers, addresses as text; what a cell cannot hold is cut, marked and counted."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from archive.export._source import Source, columns_of, count_up_to, describe, read

MOST_ROWS = 1_048_575  # with the header, 2**20: all that a sheet has
MOST_CHARACTERS = 32_767  # of a cell, counted as UTF-16 does
CUT = "… [cut: the whole text has {} characters]"

# 2026-03-01T09:30:00.123456Z, 2026-03-01T09:30:00Z and 2026-03-01: the forms in which the archive keeps times.
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
_FIRST = "1900-03-01"  # before it, Excel counts a day that never was
# What XML 1.0 cannot say, and xlsxwriter lets pass: a lone U+FFFE or U+FFFF.
_NO_XML = re.compile("[\ufffe\uffff]")


class TooManyRows(Exception):
    """A sheet does not hold so many rows."""


def write_sheet(
    path: Path, connection: sqlite3.Connection, source: Source, keep: Callable[[int, str, str], None] | None = None
) -> tuple[int, int]:
    """Write a source to an XLSX file of two sheets: the rows, and what the columns are. Number of rows, of cut cells.

    `keep(row, column, text)` is given each text that was cut, whole; `row` as the sheet numbers it. Raises
    `TooManyRows` before anything is written, `sqlite3.Error`, OSError.
    """
    columns = columns_of(connection, source)
    if count_up_to(connection, source, MOST_ROWS + 1) > MOST_ROWS:
        raise TooManyRows(
            f"{source.name} has more than {MOST_ROWS:,} rows, which is all that an XLSX sheet holds; take CSV, Parquet"
            " or JSON lines instead, or narrow it down"
        )
    book = xlsxwriter.Workbook(
        path,
        {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "nan_inf_to_errors": True,
        },
    )  # fmt: skip
    try:
        sheet = book.add_worksheet("rows")
        bold = book.add_format({"bold": True})
        formats = {
            10: book.add_format({"num_format": "yyyy-mm-dd"}),
            20: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(columns):
            sheet.set_column(column, column, _width(name))
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, bold)
        row = cut = 0
        for block in read(connection, source):
            for values in block:
                row += 1
                for column, value in enumerate(values):
                    whole = _cell(sheet, row, column, columns[column], value, formats)
                    if whole is not None:
                        cut += 1
                        if keep is not None:
                            keep(row + 1, columns[column], whole)
        sheet.autofilter(0, 0, max(row, 1), max(len(columns) - 1, 0))
        _about(book, source, columns, row, cut, bold)
    except BaseException:
        book.close()
        path.unlink(missing_ok=True)
        raise
    book.close()
    return row, cut


def _cell(sheet: Any, row: int, column: int, name: str, value: Any, formats: dict[int, Any]) -> str | None:
    """Write one cell; the whole text where it had to be cut."""
    if value is None:
        return None
    if isinstance(value, str):
        if name.endswith(("_at", "_on", "day", "month", "date")) and _TIME.fullmatch(value) and value >= _FIRST:
            try:
                # A cell knows no time zone: the archive's times are UTC throughout.
                at = datetime.fromisoformat(value).replace(tzinfo=None)
            except ValueError:  # 2026-02-30, as some page printed it
                pass
            else:
                sheet.write_datetime(row, column, at, formats[10 if len(value) == 10 else 20])
                return None
        return _text(sheet, row, column, value)
    if isinstance(value, bytes):
        return _text(sheet, row, column, value.hex())
    if isinstance(value, int) and abs(value) >= 10**15:  # a cell keeps 15 digits
        return _text(sheet, row, column, str(value))
    if isinstance(value, float) and not math.isfinite(value):
        return _text(sheet, row, column, str(value))
    sheet.write_number(row, column, value)
    return None


def _text(sheet: Any, row: int, column: int, value: str) -> str | None:
    told = _NO_XML.sub("\ufffd", value)
    units = told.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * MOST_CHARACTERS:
        sheet.write_string(row, column, told)
        return None
    mark = CUT.format(f"{len(value):,}")
    kept = units[: 2 * (MOST_CHARACTERS - len(mark))].decode("utf-16-le", "ignore")
    sheet.write_string(row, column, kept + mark)
    return value


def _about(book: Any, source: Source, columns: list[str], rows: int, cut: int, bold: Any) -> None:
    sheet = book.add_worksheet("about")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    told = [
        ("what", source.name),
        *((f"where {name}", str(value)) for name, value in source.parameters.items() if value not in (None, "")),
        ("rows", f"{rows:,}"),
        ("made at", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("times", "UTC; an empty cell means that no page said it, 0 that a page said zero"),
        ("cells cut", f"{cut:,} (a cell holds {MOST_CHARACTERS:,} characters; CSV, JSON and Parquet hold all)"),
    ]
    for row, (name, value) in enumerate(told):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, value[:MOST_CHARACTERS])
    start = len(told) + 1
    sheet.write_string(start, 0, "column", bold)
    sheet.write_string(start, 1, "what it holds", bold)
    for row, name in enumerate(columns, start + 1):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, describe(source, name) or "")


def _width(name: str) -> int:
    if name.endswith("_at"):
        return 20
    if "text" in name or "html" in name or name in ("title", "excerpt", "message"):
        return 48
    return max(12, min(len(name) + 2, 30))
