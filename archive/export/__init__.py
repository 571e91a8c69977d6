"""Taking the archive away: every row of a table, a view, a ready question or typed SQL, in one of five formats.

Nothing is cut in silence. CSV comes in two flavours: plain, which reads back identical, and for Excel, where cells that
a spreadsheet would take for something else are marked as text.
"""

from archive.export._csv import EXCEL_RULE, csv_blocks
from archive.export._formats import FORMATS, Format, Written, write
from archive.export._sheet import MOST_ROWS, TooManyRows
from archive.export._source import Source, Unknown, columns_of, find, names, read
from archive.export._whole import MANIFEST, export_all

__all__ = [
    "EXCEL_RULE",
    "FORMATS",
    "MANIFEST",
    "MOST_ROWS",
    "Format",
    "Source",
    "TooManyRows",
    "Unknown",
    "Written",
    "columns_of",
    "csv_blocks",
    "export_all",
    "find",
    "names",
    "read",
    "write",
]
