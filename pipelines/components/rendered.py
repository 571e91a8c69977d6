"""Rendered: what a browser received for a page, and the page as it stood in the end, go to the WARC.

The browser's own events are recorded, answer by answer in the order of their completion; the DOM comes last, as a
`resource` record. Later components
find the records in `request.meta["visited"]`, each with what is to be read from it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.http import Request, Response

from archive.warc import Capture, HttpExchange, Original, WarcWriteError, Writer
from pipelines.components.capture import redact_tokens
from pipelines.run.run import Run
from scraper.browser import META, RENDERING, VISITED, Received, Rendering
from scraper.comments import service_of
from scraper.http import fetch_of, lower_headers, redirect_target
from scraper.items import Exchange, Problem
from scraper.platforms._platform import Platform

# Why a body is not there, in the words of WARC-Truncated (WARC 1.1, 5.13); a redirect has none to miss.
TRUNCATED = {"too-large": "length", "evicted": "unspecified"}
# Scripts and styles are the same under every page: so many are remembered, to be recorded once in a run.
MOST_ORIGINALS = 5_000
# Sub-requests of one page without an answer that get a record each; a page may try thousands.
MOST_SUB_PROBLEMS = 50


class Rendered:
    """Records what a rendered request brought, before anything reads it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._originals: OrderedDict[tuple[str, str, bytes, str], Original] = OrderedDict()
        self._told: set[tuple[str, str]] = set()  # host and reason of sub-requests that came to nothing

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Record the page. Raises `WarcWriteError` after telling the run that nothing more can be written."""
        self._record(request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Record what was received for a page whose own document never came; the failure itself is told elsewhere."""
        if not isinstance(exception, WarcWriteError):
            self._record(request)

    def _record(self, request: Request) -> None:
        rendering: Rendering | None = request.meta.get(RENDERING)
        fetch = fetch_of(request)
        if META not in request.meta or fetch is None or rendering is None:
            return
        run, clinic_id = Run.of(self._crawler.settings), fetch.clinic.slug
        outcome = run.outcomes[clinic_id]
        platform = outcome.visit.recognised
        visited: list[tuple[Capture, Exchange | Problem]] = []
        request.meta[VISITED] = visited
        try:
            for pair in self._pairs(run.writer(clinic_id), request.url, rendering, platform):
                visited.append(pair)
                outcome.captures += 1
                outcome.recorded += 1
                outcome.warc_bytes += pair[0].warc_length
        except WarcWriteError as error:
            run.halt(str(error))
            raise

    def _pairs(
        self, writer: Writer, page: str, rendering: Rendering, platform: Platform | None
    ) -> Iterator[tuple[Capture, Exchange | Problem]]:
        document: Capture | None = None
        for received in rendering.received:
            capture, exchange = self._exchange(writer, page, received, platform)
            if received is rendering.document:
                document = capture
            yield capture, exchange
        if rendering.dom and rendering.dom_at:
            # It is what became of this document. The address that its script puts up (`history.pushState`) may be
            # another post's, whose text it is not.
            capture = writer.write_dom(
                url=document.url if document else page, page=page, body=rendering.dom, at=rendering.dom_at,
                document=document.capture_id if document else None,
            )  # fmt: skip
            yield capture, Exchange(
                url=capture.url, body=rendering.dom, content_type=capture.mime or "", fetched_at=capture.fetched_at,
                via=capture.via, page=capture.page,
            )  # fmt: skip
        # Last, since they are no part of the page: what a fold holds together, its answers and its DOM, ends with them.
        yield from self._sub_problems(writer, page, rendering)

    def _exchange(
        self, writer: Writer, page: str, received: Received, platform: Platform | None
    ) -> tuple[Capture, Exchange]:
        body, headers, redacted = received.body, list(received.headers), tuple[str, ...]()
        readers = [*filter(None, (platform, service_of(received.url)))]
        if any(reader.holds_tokens(received.url, body) for reader in readers):
            body, redacted = redact_tokens(body), ("body",)
        key = (received.url, received.method, received.request_body, sha256(body).hexdigest())
        original = self._originals.get(key) if body and received.status == 200 else None
        capture = writer.write_exchange(HttpExchange(
            url=received.url, method=received.method, request_headers=received.request_headers,
            request_body=received.request_body, status=received.status, reason=received.reason,
            protocol=received.protocol, response_headers=headers, body=body, ip=received.ip,
            fetched_at=received.completed_at, refers_to=original, redacted=redacted,
            truncated=TRUNCATED.get(received.truncated or ""), via=received.kind, page=page,
        ))  # fmt: skip
        if original is None and body and received.status == 200:
            self._originals[key] = Original(capture.capture_id, capture.url, capture.fetched_at, capture.payload_sha256)
            if len(self._originals) > MOST_ORIGINALS:
                self._originals.popitem(last=False)
        location = next((value for name, value in headers if name.lower() == b"location"), None)
        content_type = next((value for name, value in headers if name.lower() == b"content-type"), b"")
        return capture, Exchange(
            url=capture.url, body=body, content_type=content_type.decode("latin-1"), status=received.status,
            fetched_at=capture.fetched_at, method=received.method, request_body=received.request_body,
            location=redirect_target(capture.url, location), headers=lower_headers(headers), via=capture.via,
            page=capture.page,
        )  # fmt: skip

    def _sub_problems(self, writer: Writer, page: str, rendering: Rendering) -> Iterator[tuple[Capture, Problem]]:
        """Sub-requests that were not let out, or got no answer: once a run for each host and reason."""
        told = [(one.url, one.reason, "was not let out") for one in rendering.refused]
        told += [(one.url, one.reason, "failed") for one in rendering.failed]
        number = 0
        for url, reason, what in told:
            # The host alone: what a script puts behind it may name a reader ("/u/jane", "?email=").
            host = _host(url)
            if (host, reason) in self._told or number >= MOST_SUB_PROBLEMS:
                continue
            self._told.add((host, reason))
            number += 1
            message = f"{page}: a request to {host} {what}: {reason}"
            capture = writer.write_failure(
                url=page, method="GET", request_body=b"", reason="sub-request", message=message, at=datetime.now(UTC)
            )
            yield capture, Problem(kind="sub-request", message=message, url=capture.url)


def _host(url: str) -> str:
    """Host and port of an address, or of what is given as "host:port"."""
    try:
        return (
            urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[2][:253] or "an address without a host"
        )
    except ValueError:
        return "an address without a host"
