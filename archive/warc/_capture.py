"""Capture from the values of a record. Writer and reader both use these functions, so that their captures are equal."""

import hashlib
from datetime import datetime

from archive.warc._build import header
from archive.warc._types import Capture, Headers, RecordType

NOTHING = hashlib.sha256(b"").hexdigest()
DOM = "dom"  # `Capture.via` of a DOM that a browser shows, in contrast to what it received


def capture_of(
    *,
    capture_id: str,
    at: datetime,
    place: tuple[str, int, int],
    payload: tuple[str, int],
    record_type: RecordType,
    url: str,
    method: str,
    status: int | None,
    headers: Headers,
    refers_to: str | None,
    request_body: bytes,
    ip: str | None,
    via: str | None,
    page: str | None,
) -> Capture:
    """Return the Capture of an exchange. `place` is (file, offset, length), `payload` (sha256 in hex, bytes)."""
    mime = (header(headers, b"content-type") or "").partition(";")[0].strip().lower()
    coding = (header(headers, b"content-encoding") or "").lower()
    return Capture(
        capture_id,
        at,
        *place,
        *payload,
        record_type,
        url,
        method,
        status,
        mime or None,
        coding or None,
        header(headers, b"etag"),
        header(headers, b"last-modified"),
        refers_to,
        hashlib.sha256(request_body).hexdigest() if request_body else None,
        ip,
        via,
        page,
    )


def capture_of_page(
    *,
    capture_id: str,
    at: datetime,
    place: tuple[str, int, int],
    url: str,
    body: bytes,
    mime: str,
    page: str | None,
    record_type: RecordType = "resource",
) -> Capture:
    """Return the Capture of a page that no server answered with; with `page`, of the DOM of a rendered page."""
    return capture_of(
        capture_id=capture_id,
        at=at,
        place=place,
        payload=(hashlib.sha256(body).hexdigest(), len(body)),
        record_type=record_type,
        url=url,
        method="GET",
        status=None,
        headers=((b"Content-Type", mime.encode("latin-1", "replace")),),
        refers_to=None,
        request_body=b"",
        ip=None,
        via=DOM if page is not None else None,
        page=page,
    )


def capture_of_failure(
    *, capture_id: str, at: datetime, place: tuple[str, int, int], url: str, method: str, request_sha256: str | None
) -> Capture:
    """Return the Capture of a fetch without an answer: everything about a response is None or empty."""
    return Capture(
        capture_id,
        at,
        *place,
        NOTHING,
        0,
        "failure",
        url,
        method,
        None,
        None,
        None,
        None,
        None,
        None,
        request_sha256,
        None,
    )
