"""The cells of a sheet that a person returns, as XLSX or CSV. Both may be hostile, or damaged by another program."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from lxml.etree import XMLSyntaxError

from archive.study.folder import BadStudyFile, StudyFile

SHEET = "coding"  # of the sheets of a file the one that coders fill in; without one of that name the first
MAX_ROWS, MAX_COLUMNS = 20_000, 500
LARGEST_UNPACKED = 200_000_000  # bytes of all members of an XLSX file
LARGEST_RATIO = 200  # unpacked to packed; sheets pack to a tenth, zeros to a thousandth
MAX_MEMBERS = 200
_DELIMITERS = ",;\t"
# What a spreadsheet never has in its XML, and what makes a small file a large document.
_DOCTYPE = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))
_HEAD = 65_536  # bytes in which a document type would stand

Row = tuple[int, Sequence[str]]  # number in the sheet, cells


def cells(file: StudyFile) -> list[Row]:
    """Return the rows that have a cell with text, each with its number; the first is the head.

    Raises `BadStudyFile`.
    """
    rows = list(_of_xlsx(file) if file.suffix == ".xlsx" else _of_csv(file))
    filled = [(number, row) for number, row in rows if any(row)]
    if not filled:
        raise BadStudyFile(f"{file.name}: it is empty")
    return filled


def _of_xlsx(file: StudyFile) -> Iterator[Row]:
    import openpyxl  # noqa: PLC0415 # slow to import, and every verb that rebuilds a clinic knows this module
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    check_package(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl does not know, such as drop-downs
            workbook = openpyxl.load_workbook(io.BytesIO(file.data), read_only=True, data_only=True)
            try:
                named = [sheet for sheet in workbook.worksheets if sheet.title == SHEET]
                sheet = (named or workbook.worksheets)[0]
                limits = {"max_row": MAX_ROWS + 2, "max_col": MAX_COLUMNS}
                for number, row in enumerate(sheet.iter_rows(values_only=True, **limits), 1):
                    if number > MAX_ROWS + 1:
                        raise BadStudyFile(f"{file.name}: more than {MAX_ROWS:,} rows")
                    yield number, _trimmed([_text(value) for value in row])
            finally:
                workbook.close()
    except (
        zipfile.BadZipFile,
        zlib.error,
        InvalidFileException,
        XMLSyntaxError,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
    ) as error:
        why = f"{type(error).__name__}: {error}"
        raise BadStudyFile(f"{file.name}: a damaged XLSX file, or none ({why}); save it again as XLSX") from error


def check_package(file: StudyFile) -> None:
    """Refuse what unpacks to too much, before anything is unpacked. A member gives no more bytes than it declares.

    Raises `BadStudyFile`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as package:
            members = package.infolist()
            size = sum(member.file_size for member in members)
            if size > min(LARGEST_UNPACKED, LARGEST_RATIO * len(file.data) + 1_000_000) or len(members) > MAX_MEMBERS:
                raise BadStudyFile(
                    f"{file.name}: {len(members)} parts of {size / 1e6:.0f} MB unpacked from {len(file.data) / 1e6:.1f}"
                    " MB: no sheet of this program; not read"
                )
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels")):
                    head = package.open(member).read(_HEAD)
                    if any(mark in head for mark in _DOCTYPE):
                        raise BadStudyFile(f"{file.name}: a document type in {member.filename!r}; not read")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise BadStudyFile(f"{file.name}: a damaged XLSX file, or none ({error}); save it again as XLSX") from error


def _trimmed(row: list[str]) -> list[str]:
    """The row without the empty cells at its end, of which openpyxl adds hundreds."""
    while row and not row[-1]:
        row.pop()
    return row


def _text(value: Any) -> str:
    """A cell as the text that people see: 1.0 is "1", which a drop-down of numbers gives."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).replace("\r\n", "\n")


def _of_csv(file: StudyFile) -> Iterator[Row]:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadStudyFile(f"{file.name}: not UTF-8 text; save it as XLSX, or as CSV in UTF-8") from error
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    limit = csv.field_size_limit(len(text) + 1)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            if number > MAX_ROWS + 1 or len(row) > MAX_COLUMNS:
                raise BadStudyFile(f"{file.name}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS} columns")
            yield number, [cell.replace("\r\n", "\n") for cell in row]
    except csv.Error as error:
        raise BadStudyFile(f"{file.name}: cannot be read as CSV: {error}; save it again, or as XLSX") from error
    finally:
        csv.field_size_limit(limit)
