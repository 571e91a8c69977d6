"""Exports: every row of a table, a view, a ready question or a SELECT, in one of five formats.

Nothing is cut without a note. CSV comes in two forms: plain, which reads back to the same values, and for Excel, where
cells that a spreadsheet would misread are marked as text. A SELECT of one's own is typed by a mapping:

    types = {"removed": "text", "words_removed": "integer", "changed_after": "timestamp"}
    write(path, connection, Source("edits", sql, {"clinic": "riverside"}, types), FORMATS["xlsx"])
"""

from archive.export._columns import (
    DATE_ALONE,
    PUBLIC,
    TYPES,
    declared,
    describe_column,
    may_be_date,
    publicity,
    purpose,
    type_of,
)
from archive.export._csv import EXCEL_RULE, Tally, csv_blocks
from archive.export._documents import KINDS as DOCUMENT_KINDS
from archive.export._documents import export_documents
from archive.export._formats import FORMATS, LISTING_FORMATS, Format, Written, write
from archive.export._json import json_blocks
from archive.export._sheet import MAX_ROWS, TooManyRows
from archive.export._source import Listing, Source, Unknown, columns_of, find_source, known_values, names, read
from archive.export._whole import export_all

__all__ = [
    "DATE_ALONE",
    "DOCUMENT_KINDS",
    "EXCEL_RULE",
    "FORMATS",
    "LISTING_FORMATS",
    "MAX_ROWS",
    "PUBLIC",
    "TYPES",
    "Format",
    "Listing",
    "Source",
    "Tally",
    "TooManyRows",
    "Unknown",
    "Written",
    "columns_of",
    "csv_blocks",
    "declared",
    "describe_column",
    "export_all",
    "export_documents",
    "find_source",
    "json_blocks",
    "known_values",
    "may_be_date",
    "names",
    "publicity",
    "purpose",
    "read",
    "type_of",
    "write",
]
