"""Capture: writes every exchange to the WARC as it was received, before any other component reads it.

As the downloader middleware nearest to the downloader it sees the encoded body and all headers. Later components find
the record in the request's `Fetch`; no row is made of an answer without a record.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from sqlite_utils import Database

from archive.warc import (
    TAKEDOWN,
    Capture,
    CutShort,
    HttpExchange,
    Original,
    TooLarge,
    Undecodable,
    WarcWriteError,
    decode,
)
from pipelines.run.visits import Visits
from pipelines.takedown.receiving import Receiving
from scraper.browser import META
from scraper.http import Fetch, describe_failure, fetch_of

LARGEST_TOKENS = 1_000_000  # bytes of a token answer, decoded; typical ones have a few thousand


class CaptureMiddleware:
    """Downloader middleware that writes exchanges to the clinic's WARC, and sets the request's `Fetch.capture`."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._receiving = Receiving()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Record the exchange; a 304 or an equal payload as a revisit of the capture that has the bytes.

        Raises `WarcWriteError`, after it has halted the run.
        """
        fetch = fetch_of(request)
        if fetch is None or META in request.meta:
            return response  # `scrapy shell` and the like archive nothing; rendered pages: see `rendered`
        run = Visits.of(self._crawler.settings)
        clinic_id = fetch.clinic.slug
        redacted: tuple[str, ...] = ()
        if not fetch.secret and (left := self._receiving.response(run, clinic_id, request, response)) is not None:
            response, redacted = left, (TAKEDOWN,)
        body, headers = response.body, _pairs(response)
        if fetch.secret and body:
            body, headers = _blanked(response)
            redacted = ("body",)
            fetch.blanked_body = body
        original = find_original(run.db, clinic_id, request, response.status, body)
        try:
            captured = run.writer(clinic_id).write_exchange(
                HttpExchange(
                    url=request.url,
                    method=request.method,
                    request_headers=[(b"Host", urlsplit(request.url).netloc.encode("idna")), *_pairs(request)],
                    request_body=request.body,
                    status=response.status,
                    reason=_phrase(response.status),
                    protocol=response.protocol or "HTTP/1.1",
                    response_headers=headers,
                    body=body,
                    ip=str(response.ip_address) if response.ip_address else None,
                    fetched_at=datetime.now(UTC),
                    refers_to=original,
                    redacted=redacted,
                )
            )
        except WarcWriteError as error:
            run.halt(str(error))  # nothing may be fetched that cannot be recorded
            raise
        self._stamp(run, fetch, captured)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Record that a fetch ended without an answer."""
        fetch = fetch_of(request)
        if fetch is None or isinstance(exception, WarcWriteError):
            return
        run = Visits.of(self._crawler.settings)
        reason, message = describe_failure(exception, request.url)
        try:
            captured = run.writer(fetch.clinic.slug).write_failure(
                url=request.url,
                method=request.method,
                request_body=request.body,
                reason=reason,
                message=message,
                at=datetime.now(UTC),
            )
        except WarcWriteError as error:
            run.halt(str(error))
            return
        self._stamp(run, fetch, captured)

    def _stamp(self, run: Visits, fetch: Fetch, captured: Capture) -> None:
        fetch.capture = captured
        outcome = run.outcomes[fetch.clinic.slug]
        outcome.captures += 1
        outcome.recorded += 1
        outcome.warc_bytes += captured.warc_length


def find_original(db: Database, clinic_id: str, request: Request, status: int, body: bytes) -> Original | None:
    """Return the original of a revisit: the clinic's newest whole answer to the same URL, method and body.

    A 304 always refers to it; a 200 only if its payload is equal. None where there is no original.
    """
    if status not in (200, 304):
        return None
    fetch = fetch_of(request)
    is_looked_up = fetch is not None and fetch.is_looked_up  # `Freshness` did, before the request was sent
    row = fetch.last_answer if fetch is not None and is_looked_up else last_whole_answer(db, clinic_id, request)
    if row is None or (status == 200 and (not body or row["payload_sha256"] != hashlib.sha256(body).hexdigest())):
        return None
    return Original(row["capture_id"], request.url, datetime.fromisoformat(row["fetched_at"]), row["payload_sha256"])


def last_whole_answer(db: Database, clinic_id: str, request: Request) -> dict[str, Any] | None:
    """Return the row of the newest capture of the request that has a body of its own; None if there is none.

    Captures from a browser do not count: they were decoded, and requested with other headers.
    """
    request_sha256 = hashlib.sha256(request.body).hexdigest() if request.body else None
    same = "url = ? AND clinic_id = ? AND method = ? AND request_sha256 IS ? AND via IS NULL AND origin = 'crawl'"
    whole = "http_status = 200 AND record_type = 'response'"
    newest = f"SELECT {{}} FROM captures WHERE {same} AND {{}} ORDER BY fetched_at DESC LIMIT 1"
    # A page that never changes has one whole answer, years ago, and a revisit for each visit since: the newest revisit
    # names the original. All captures are searched only if that original is missing.
    named = newest.format("coalesce(refers_to, capture_id)", f"(record_type = 'revisit' OR {whole})")
    columns = ("capture_id", "fetched_at", "payload_sha256", "etag", "last_modified")
    for capture_id in (named, newest.format("capture_id", whole)):
        found, *row = db.conn.execute(
            f"SELECT found, {', '.join(columns)} FROM (SELECT ({capture_id}) AS found) LEFT JOIN captures ON"
            f" capture_id = found AND {whole}",
            (request.url, clinic_id, request.method, request_sha256),
        ).fetchone()
        if found is None:  # never captured: there is nothing to search
            return None
        if row[0] is not None:
            return dict(zip(columns, row, strict=True))
    return None


def _pairs(message: Request | Response) -> list[tuple[bytes, bytes]]:
    """Return the headers in order; a repeated one (Set-Cookie) several times."""
    return [(name, value) for name, values in message.headers.items() for value in values]


def _blanked(response: Response) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return body and headers of a token answer without its texts: the structure stays, the secrets are not stored."""
    encoding = str(b", ".join(response.headers.getlist("Content-Encoding")), "latin-1")
    try:
        body = redact_tokens(decode(response.body, encoding, LARGEST_TOKENS))
    except (ValueError, CutShort, TooLarge, Undecodable):
        body = b""  # an unreadable body is not stored
    headers = [
        (b"X-Archive-Orig-Content-Encoding" if name.lower() == b"content-encoding" else name, value)
        for name, value in _pairs(response)
        if name.lower() != b"content-length"
    ]
    return body, [*headers, (b"Content-Length", str(len(body)).encode())]


def redact_tokens(body: bytes) -> bytes:
    """Return JSON with every string emptied; empty bytes if the body is not JSON."""
    try:
        return json.dumps(_emptied(json.loads(body))).encode()
    except (ValueError, RecursionError):
        return b""


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _emptied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner) for inner in value]
    return "" if isinstance(value, str) else value


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
