"""An access list for pywb: it blocks the records that hold something withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlite_utils import Database

from archive.warc import BadRecord, Failure, RecordGroup, read_record


def access_list(archive: Path, db: Database) -> Iterator[str]:
    """Yield the lines of an .aclj file, sorted in reverse as pywb wants them; "###" ends a whole address.

    The addresses come from the records, since the rows have only their hosts. Source: pywb, "Embargo and access
    control". Raises OSError, `sqlite3.Error`.
    """
    urls = set()
    find = "SELECT warc_file, warc_offset FROM captures WHERE withdrawn = 1"
    for file, offset in db.execute(find).fetchall():
        try:
            record = read_record(archive, file, offset)
        except BadRecord:
            continue
        if isinstance(record, RecordGroup | Failure):
            urls.add(record.capture.url)
    for key, url in sorted(((_surt(url), url) for url in urls), reverse=True):
        yield f"{key}### - {json.dumps({'access': 'block', 'url': url})}"


def _surt(url: str) -> str:
    """Return the sort-friendly form of an address: "https://www.a.example/b" gives "example,a)/b"."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{','.join(reversed(host.split('.')))}{port}){parts.path or '/'}{query}".lower()
