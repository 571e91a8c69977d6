"""WARC files: the bytes that prove every row.

`Writer` writes them; `records` and `read_record` read them, our own exactly, and those of others as far as they can be
read; `payload` and `decode` undo content codings. Everything follows WARC 1.1 (ISO 28500:2017),
https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/.
"""

from archive.warc._exchange import HttpExchange
from archive.warc._read import payload, read_record, records
from archive.warc._types import (
    TAKEDOWN,
    BadRecord,
    Capture,
    CutShort,
    Failure,
    Headers,
    Info,
    Note,
    Original,
    Other,
    Record,
    RecordGroup,
    TooLarge,
    Undecodable,
    WarcWriteError,
)
from archive.warc._write import Writer
from archive.warc.format._coding import decode
from archive.warc.format._fields import derived_id
from archive.warc.format._members import members

__all__ = [
    "TAKEDOWN",
    "BadRecord",
    "Capture",
    "CutShort",
    "Failure",
    "Headers",
    "HttpExchange",
    "Info",
    "Note",
    "Original",
    "Other",
    "Record",
    "RecordGroup",
    "TooLarge",
    "Undecodable",
    "WarcWriteError",
    "Writer",
    "decode",
    "derived_id",
    "members",
    "payload",
    "read_record",
    "records",
]
