"""Mementos: answers of a web archive, stored under the clinic's address and the date of the original capture."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from archive.warc import Capture, RecordGroup
from archive.warc._build import header as header_in
from archive.warc._build import warc_url
from scraper.http import redirect_target
from scraper.items import Exchange
from scraper.web_archive.memento import Header, Memento, memento_of


def header_of(group: RecordGroup) -> Header:
    """Return a function that finds a response header of the record by its name."""
    return lambda name: header_in(group.response_headers, name.lower().encode("latin-1"))


def memento_in(group: RecordGroup, base: str) -> Memento | None:
    """Return the memento that a recorded answer of the web archive at `base` is, or None; its body is not read."""
    location = header_in(group.response_headers, b"location")
    exchange = Exchange(
        url=group.capture.url,
        body=b"",
        status=group.capture.http_status or 0,
        fetched_at=group.capture.fetched_at,
        location=redirect_target(group.capture.url, location.encode("latin-1") if location else None),
    )
    return memento_of(exchange, header_of(group), base)


def capture_of(capture: Capture, memento: Memento, base: str) -> Capture:
    """Return the capture under the clinic's address and the memento's date, with place and time of its retrieval."""
    return replace(
        capture,
        url=warc_url(memento.url),
        fetched_at=memento.at,
        origin=urlsplit(base).netloc,
        retrieved_at=capture.fetched_at,
        retrieved_from=capture.url,
        etag=None,
        last_modified=None,
    )
