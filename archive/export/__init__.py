"""Taking the archive away: every row of a table, a view, a ready question or typed SQL, in one of five formats.

Nothing is cut in silence. CSV comes in two flavours: plain, which reads back identical, and for Excel, where cells that
a spreadsheet would take for something else are marked as text.
"""

from archive.export._csv import EXCEL_RULE, Tally, csv_blocks
from archive.export._formats import FORMATS, Written, write
from archive.export._sheet import MOST_ROWS, TooManyRows
from archive.export._source import Source, Unknown, find, names
from archive.export._whole import export_all

__all__ = [
    "EXCEL_RULE",
    "FORMATS",
    "MOST_ROWS",
    "Source",
    "Tally",
    "TooManyRows",
    "Unknown",
    "Written",
    "csv_blocks",
    "export_all",
    "find",
    "names",
    "write",
]
