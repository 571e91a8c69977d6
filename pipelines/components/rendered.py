"""Rendered: writes to the WARC what a browser received for a page, and the final DOM of the page.

The answers are recorded in the order of their completion; the DOM comes last, as a `resource` record. Later components
find the records in `request.meta["visited"]`, each with the exchange or problem to be read from it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from archive.warc import TAKEDOWN, Capture, HttpExchange, Original, WarcWriteError, Writer
from archive.warc._write import HTML as DOM_TYPE
from archive.warc.rewrite import headers_without_body
from pipelines.components.capture import redact_tokens
from pipelines.run.visits import Visits
from pipelines.takedown.receiving import Receiving
from scraper.browser import META, RENDERING, VISITED, Received, Rendering
from scraper.comments import service_of
from scraper.http import fetch_of, lower_headers, redirect_target
from scraper.items import Exchange, Problem
from scraper.platforms._platform import Platform

# Why a body is missing, as values of WARC-Truncated (WARC 1.1, 5.13). A redirect has no body that could be missing.
TRUNCATED = {"too-large": "length", "evicted": "unspecified"}
# Pages share scripts and styles: this many are remembered, so that each is recorded once in a run.
MAX_ORIGINALS = 5_000
# Unanswered sub-requests of one page that are recorded; a page may try thousands.
MAX_SUB_PROBLEMS = 50


class Rendered:
    """Downloader middleware that records the answers and the DOM of a rendered page, before anything reads them."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._originals: OrderedDict[tuple[str, str, bytes, str], Original] = OrderedDict()
        self._receiving = Receiving()
        self._reported: set[tuple[str, str]] = set()  # (host, reason) of unanswered sub-requests

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Record the page. Raises `WarcWriteError`, after it has halted the run."""
        self._record(request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Record the answers for a page whose document never came; another component reports the failure itself."""
        if not isinstance(exception, WarcWriteError):
            self._record(request)

    def _record(self, request: Request) -> None:
        rendering: Rendering | None = request.meta.get(RENDERING)
        fetch = fetch_of(request)
        if META not in request.meta or fetch is None or rendering is None:
            return
        run, clinic_id = Visits.of(self._crawler.settings), fetch.clinic.slug
        outcome = run.outcomes[clinic_id]
        platform = outcome.visit.recognised
        visited: list[tuple[Capture, Exchange | Problem]] = []
        request.meta[VISITED] = visited
        try:
            for pair in self._pairs(run, clinic_id, request.url, rendering, platform):
                visited.append(pair)
                outcome.captures += 1
                outcome.recorded += 1
                outcome.warc_bytes += pair[0].warc_length
        except WarcWriteError as error:
            run.halt(str(error))
            raise

    def _pairs(
        self, run: Visits, clinic_id: str, page: str, rendering: Rendering, platform: Platform | None
    ) -> Iterator[tuple[Capture, Exchange | Problem]]:
        writer, document = run.writer(clinic_id), None
        for received in rendering.received:
            capture, exchange = self._exchange(run, clinic_id, page, received, platform)
            if received is rendering.document:
                document = capture
            yield capture, exchange
        if rendering.dom and rendering.dom_at:
            # The DOM was made of this document. An address that a script sets (`history.pushState`) may belong to
            # another post, whose text the DOM does not show.
            url = document.url if document else page
            dom = Exchange(url=url, body=rendering.dom, content_type=DOM_TYPE, via="dom", page=page)
            left = self._receiving.left_of(run, clinic_id, dom, platform)
            body = rendering.dom if left is None else left
            capture = writer.write_dom(
                url=url,
                page=page,
                body=body,
                at=rendering.dom_at,
                document=document.capture_id if document else None,
                redacted=() if left is None else (TAKEDOWN,),
            )
            yield (
                capture,
                Exchange(
                    url=capture.url,
                    body=body,
                    content_type=capture.mime or "",
                    fetched_at=capture.fetched_at,
                    via=capture.via,
                    page=capture.page,
                    is_emptied=left == b"",
                ),
            )
        # Last, since they are no part of the page: the fold holds its answers and its DOM together, and ends it here.
        yield from self._sub_problems(writer, page, rendering)

    def _exchange(
        self, run: Visits, clinic_id: str, page: str, received: Received, platform: Platform | None
    ) -> tuple[Capture, Exchange]:
        body, headers, redacted = received.body, list(received.headers), tuple[str, ...]()
        readers = [*filter(None, (platform, service_of(received.url)))]
        if any(reader.holds_tokens(received.url, body) for reader in readers):
            body, redacted = redact_tokens(body), ("body",)
        left = self._receiving.left_of(run, clinic_id, _exchange_of(received, page, body), platform)
        if left is not None:
            body, redacted, headers = left, (*redacted, TAKEDOWN), headers_without_body(headers, left)
        key = (received.url, received.method, received.request_body, sha256(body).hexdigest())
        original = self._originals.get(key) if body and received.status == 200 else None
        capture = run.writer(clinic_id).write_exchange(
            HttpExchange(
                url=received.url,
                method=received.method,
                request_headers=received.request_headers,
                request_body=received.request_body,
                status=received.status,
                reason=received.reason,
                protocol=received.protocol,
                response_headers=headers,
                body=body,
                ip=received.ip,
                fetched_at=received.completed_at,
                refers_to=original,
                redacted=redacted,
                truncated=TRUNCATED.get(received.truncated or ""),
                via=received.kind,
                page=page,
            )
        )
        if original is None and body and received.status == 200:
            self._originals[key] = Original(capture.capture_id, capture.url, capture.fetched_at, capture.payload_sha256)
            if len(self._originals) > MAX_ORIGINALS:
                self._originals.popitem(last=False)
        exchange = _exchange_of(received, page, body)
        location = next((value for name, value in headers if name.lower() == b"location"), None)
        return capture, replace(
            exchange,
            url=capture.url,
            fetched_at=capture.fetched_at,
            location=redirect_target(capture.url, location),
            headers=lower_headers(headers),
            via=capture.via,
            page=capture.page,
            is_emptied=left == b"",
        )

    def _sub_problems(self, writer: Writer, page: str, rendering: Rendering) -> Iterator[tuple[Capture, Problem]]:
        """Record the sub-requests that were blocked or got no answer: once in a run for each host and reason."""
        unanswered = [(request.url, request.reason, "was not let out") for request in rendering.refused]
        unanswered += [(request.url, request.reason, "failed") for request in rendering.failed]
        number = 0
        for url, reason, what in unanswered:
            # Only the host: the path that a script requests may identify a reader ("/u/jane", "?email=").
            host = _host(url)
            if (host, reason) in self._reported or number >= MAX_SUB_PROBLEMS:
                continue
            self._reported.add((host, reason))
            number += 1
            message = f"{page}: a request to {host} {what}: {reason}"
            capture = writer.write_failure(
                url=page, method="GET", request_body=b"", reason="sub-request", message=message, at=datetime.now(UTC)
            )
            yield capture, Problem(kind="sub-request", message=message, url=capture.url)


def _exchange_of(received: Received, page: str, body: bytes) -> Exchange:
    """Return an answer that the browser received as parsers see it before it is recorded."""
    headers = list(received.headers)
    content_type = next((value for name, value in headers if name.lower() == b"content-type"), b"")
    return Exchange(
        url=received.url,
        body=body,
        content_type=content_type.decode("latin-1"),
        status=received.status,
        method=received.method,
        request_body=received.request_body,
        headers=lower_headers(headers),
        via=received.kind,
        page=page,
    )


def _host(url: str) -> str:
    """Return host and port of a URL, or of "host:port"."""
    try:
        return (
            urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2][:253] or "an address without a host"
        )
    except ValueError:
        return "an address without a host"
