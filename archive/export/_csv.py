"""CSV: RFC 4180 (a comma between, CRLF at the end, quotes where needed), UTF-8, a header line.

Plain: NULL is an empty cell, an empty text is `""`, numbers are as short as they can be and read back the same, a blob
is hexadecimal. SQLite does the quoting: one text a row crosses into Python.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from archive.export._source import Source, bare, columns_of, declared, read, wraps

BOM = "\ufeff"
AT_ONCE = 2000
EXCEL_RULE = (
    "text that a spreadsheet would run as a formula, or turn into a number and damage, has an apostrophe before it;"
    " whole numbers of more than 15 digits are text"
)

# What a spreadsheet takes for the start of a formula: "=1+1", "@SUM(A1)", "-2+3", and their full-width forms; also
# where a line or a cell may begin for one that splits at semicolons: "x;=1+1". "DDE (...)" is the old spelling.
_FORMULA = re.compile(r"""(?:^|(?<=[\n\r\t;,|]))(?=[=+\-@＝＋－＠\t\r])|^(?=\s*DDE\s*\()""")
# "0123", "12345678901234567890", "12e4": text that a spreadsheet reads as a number, and shows as another.
_NUMERAL = re.compile(r"0\d+|\d{16,}|\d+(?:\.\d+)?[eE][+-]?\d+")


@dataclass(slots=True)
class Tally:
    """What was written so far: rows, and cells that were altered for a spreadsheet."""

    rows: int = 0
    altered: int = 0


def csv_blocks(
    connection: sqlite3.Connection, source: Source, *, excel: bool = False, tally: Tally | None = None
) -> Generator[bytes]:
    """A source as blocks of a CSV file, counted in `tally`. For Excel with a byte order mark, and cells altered as
    `EXCEL_RULE` says. Raises `sqlite3.Error`.
    """
    columns, tally = columns_of(connection, source), tally or Tally()
    if excel:
        yield BOM.encode() + _lines([[neutral(name)[0] for name in columns]])
        yield from _for_excel(connection, source, tally)
        return
    yield _lines([columns])
    if wraps(connection, source) and columns:
        yield from _quoted(connection, source, len(columns), tally)
    else:
        for rows in read(connection, source):
            tally.rows += len(rows)
            yield _lines([[_plain(value) for value in row] for row in rows])


def _quoted(connection: sqlite3.Connection, source: Source, width: int, tally: Tally) -> Iterator[bytes]:
    names = [f"c{number}" for number in range(width)]
    kinds = declared(connection, source)
    if set(kinds) <= _KNOWN.keys():
        # Twice as quick as putting the cells together one by one; it stops at a NUL, which our tables do not hold.
        cells = [_KNOWN[kind].format(name) for kind, name in zip(kinds, names, strict=True)]
        line = f"printf('{','.join(['%s'] * width)}', {', '.join(cells)})"
    else:
        line = " || ',' || ".join(_CELL.format(name) for name in names)
    if width == 1:  # readers skip an empty line, and with it the row
        line = f"iif(c0 IS NULL, '\"\"', {line}) || ''"
    sql = f"WITH exported ({', '.join(names)}) AS (\n{bare(source.sql)}\n) SELECT {line} FROM exported"
    connection.create_function("shortest", 1, repr, deterministic=True)
    cursor = connection.execute(sql, source.parameters)
    while rows := cursor.fetchmany(AT_ONCE):
        tally.rows += len(rows)
        yield ("\r\n".join([row[0] for row in rows]) + "\r\n").encode()


_TEXT = (
    "WHEN instr({0}, '\"') OR instr({0}, ',') OR instr({0}, char(10)) OR instr({0}, char(13)) OR {0} = '' THEN '\"' ||"
    " replace({0}, '\"', '\"\"') || '\"' ELSE {0} END"
)
# A cell as SQL: of a column of a STRICT table, and of anything. instr, not GLOB, which stops at a NUL; 15 digits of a
# float where these are enough, else Python's.
_KNOWN = {"TEXT": f"CASE WHEN {{0}} IS NULL THEN '' {_TEXT}", "INTEGER": "coalesce({0}, '')"}
_CELL = (
    f"CASE typeof({{0}}) WHEN 'text' THEN CASE {_TEXT} WHEN 'integer' THEN {{0}} WHEN 'null' THEN '' WHEN 'real' THEN"
    " iif(CAST(CAST({0} AS TEXT) AS REAL) = {0}, CAST({0} AS TEXT), shortest({0})) ELSE lower(hex({0})) END"
)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _for_excel(connection: sqlite3.Connection, source: Source, tally: Tally) -> Iterator[bytes]:
    for rows in read(connection, source):
        tally.rows += len(rows)
        told = [[neutral(value) for value in row] for row in rows]
        tally.altered += sum(changed for row in told for _, changed in row)
        yield _lines([[cell for cell, _ in row] for row in told])


def neutral(value: Any) -> tuple[Any, bool]:
    """A cell as it is safe in a spreadsheet, and whether that differs from the value."""
    if isinstance(value, str):
        if _NUMERAL.fullmatch(value):
            return f"'{value}", True
        shown = _FORMULA.sub("'", value)
        return shown, shown != value
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"'{value}", True
    return _plain(value), False


def _lines(rows: list[list[Any]]) -> bytes:
    """Rows by the standard library's writer."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
