"""A page that somebody saved, as a WARC file: its bytes unchanged, with its address and date."""

import hashlib
import uuid
from datetime import datetime

from archive.times import utc
from archive.warc import _build as build

FIELDS = "application/warc-fields"


def saved_page(*, url: str, at: datetime, dated_by: str, body: bytes, content_type: str, name: str) -> bytes:
    """Return the file: a warcinfo and a `resource` record (WARC 1.1, 6.4). The same page always gives the same file.

    `at`: when the page was saved; `dated_by`: how that is known ("given", or "file": its modification time). `name`:
    the name of the file that held it.
    """
    target, date = build.warc_url(url), utc(at)
    seed = f"{target} {date} {hashlib.sha256(body).hexdigest()}"
    info_id, record_id = (uuid.uuid5(uuid.NAMESPACE_URL, f"{record} {seed}") for record in ("warcinfo", "page"))
    block = {"software": "a saved page", "format": "WARC File Format 1.1", "description": f"made of the file {name}"}
    info = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", f"<urn:uuid:{info_id}>"),
        ("WARC-Date", date),
        ("Content-Type", FIELDS),
    ]
    page = [
        ("WARC-Type", "resource"),
        ("WARC-Record-ID", f"<urn:uuid:{record_id}>"),
        ("WARC-Date", date),
        ("WARC-Target-URI", target),
        ("WARC-Warcinfo-ID", f"<urn:uuid:{info_id}>"),
        ("X-Archive-Dated-By", dated_by),
        ("Content-Type", content_type),
    ]
    return b"".join(
        (
            build.record(info, b"", build.warc_fields(block), stored=False),
            build.record(page, b"", body, stored=False),
        )
    )
