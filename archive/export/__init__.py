"""Exports: every row of a table, a view, a ready question or a SELECT, in one of five formats.

Nothing is cut without a note. CSV comes in two forms: plain, which reads back to the same values, and for Excel, where
cells that a spreadsheet would misread are marked as text.
"""

from archive.export._csv import EXCEL_RULE, Tally, csv_blocks
from archive.export._formats import FORMATS, Written, write
from archive.export._sheet import MOST_ROWS, TooManyRows
from archive.export._source import Listing, Source, Unknown, clinic_ids, columns_of, find, names, purpose, read
from archive.export._whole import export_all

__all__ = [
    "EXCEL_RULE",
    "FORMATS",
    "MOST_ROWS",
    "Listing",
    "Source",
    "Tally",
    "TooManyRows",
    "Unknown",
    "Written",
    "clinic_ids",
    "columns_of",
    "csv_blocks",
    "export_all",
    "find",
    "names",
    "purpose",
    "read",
    "write",
]
