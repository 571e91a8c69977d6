"""Stored bytes read again by today's parser: the same pure functions as a crawl's, fed from the WARC."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager
from scrapy.statscollectors import StatsCollector
from sqlite_utils import Database

from archive.warc import BadRecord, Failure, Group, read_record
from pipelines.mementos import capture_of, header_of
from pipelines.sanitise import storable
from scraper import settings as house
from scraper.crawl.memento import memento_of, own_answer
from scraper.extract import extract_response, platform_of
from scraper.failures import describe
from scraper.http import exchange_of as fetched
from scraper.items import Exchange, Extraction, Item, Post, Problem

logger = logging.getLogger(__name__)

NOWHERE: Mapping[str, tuple[str, int]] = MappingProxyType({})


def exchange_of(group: Group, body: bytes) -> Exchange:
    """A recorded exchange as parsers see it, decoded by the very code that decodes a live answer.

    What a browser received lies there decoded, and names no coding; a DOM is a page that was there.
    `body`: the payload as recorded, of the original where the record is a revisit. Raises `IgnoreRequest` for one that
    unpacks to more than the limit.
    """
    capture = group.capture
    request = Request(capture.url, method=capture.method, body=group.request_body, meta={"capture": capture})
    headers: dict[bytes, list[bytes]] = {}
    for name, value in group.response_headers:
        headers.setdefault(name, []).append(value)  # as bytes: Scrapy makes UTF-8 of any text
    status = 200 if capture.record_type == "resource" else capture.http_status or 0
    raw = Response(capture.url, status=status, headers=headers, body=body, request=request)
    response = _decoder().process_response(request, raw)
    assert isinstance(response, Response)
    return replace(fetched(response), via=capture.via, page=capture.page)


@cache
def _decoder() -> HttpCompressionMiddleware:
    """Scrapy's own decoder with the house's limits."""
    settings = Settings()
    settings.setmodule(house)
    # Not a whole crawler: to make one sends the log of the run that goes on to stderr.
    crawler = cast(Crawler, SimpleNamespace(settings=settings, signals=SignalManager()))
    crawler.stats = StatsCollector(crawler)
    return HttpCompressionMiddleware.from_crawler(crawler)


def extraction_of(
    archive: Path,
    db: Database | None,
    clinic_id: str,
    record: Group | Failure,
    places: Mapping[str, tuple[str, int]] = NOWHERE,
    web_archive: str | None = None,
) -> Extraction:
    """What a recorded exchange says, exactly as a live crawl would have said it.

    `places`: file and offset of captures by their id, for those that have no row in `db` (a page shows the same answer
    twice in a run, and the second is a revisit of the first), or where there is none. `web_archive`: the address of the
    archive whose answers were recorded.
    """
    if isinstance(record, Failure):
        capture = record.capture
        problem = Problem(kind=record.reason, message=record.message, url=capture.url)
        return Extraction(clinic_id=clinic_id, capture=capture, items=(problem,))
    body = record.body if record.body is not None else b""
    url = record.capture.url
    if record.truncated and record.capture.origin != "crawl":
        message = f"{url}: recorded by another tool, and cut ({record.truncated}); nothing stored of it"
        cut = Problem(kind="cut-short", message=message, url=url)
        return Extraction(clinic_id=clinic_id, capture=record.capture, items=(cut,))
    try:
        if record.profile == "identical-payload-digest":
            body = _original_body(archive, db, record.capture.refers_to, places)
        exchange = exchange_of(record, body)
    except IgnoreRequest as error:
        kind, message = describe(error, url)
        items: tuple[Item, ...] = (Problem(kind=kind, message=message, url=url),)
        return Extraction(clinic_id=clinic_id, capture=record.capture, items=items)
    except (BadRecord, OSError) as error:
        why = str(error) if isinstance(error, BadRecord) else error.strerror or type(error).__name__
        return Extraction(clinic_id=clinic_id, capture=record.capture, items=(missing_original(url, why),))
    capture = record.capture
    if web_archive is not None:
        memento = memento_of(exchange, header_of(record), web_archive)
        if memento is None:
            return Extraction(clinic_id=clinic_id, capture=capture, items=own_answer(exchange, header_of(record)))
        exchange, capture = memento.exchange, capture_of(capture, memento, web_archive)
    platform = platform_of(exchange)
    return Extraction(
        clinic_id=clinic_id,
        capture=capture,
        items=extract_response(exchange, record.capture.content_encoding or "", body),
        extractor_version=platform.extractor_version if platform else 0,
    )


def missing_original(url: str, why: str) -> Problem:
    """A revisit stands on a record that is not there: it says nothing, and that is told."""
    message = f"{url}: said to be unchanged, but what it was cannot be read ({why}); nothing stored of it"
    return Problem(kind="missing-original", message=message, url=url)


def _original_body(
    archive: Path, db: Database | None, capture_id: str | None, places: Mapping[str, tuple[str, int]]
) -> bytes:
    """The payload that a revisit stands on. Raises `BadRecord` where it cannot be read."""
    row = places.get(capture_id or "")
    if row is None and db is not None:
        find = "SELECT warc_file, warc_offset FROM captures WHERE capture_id = ?"
        row = db.conn.execute(find, (capture_id,)).fetchone()
    if row is None:
        raise BadRecord("archive.db", 0, f"no capture {capture_id}, which a revisit refers to")
    original = read_record(archive, row[0], row[1])
    if not isinstance(original, Group) or original.body is None:
        raise BadRecord(row[0], row[1], "a revisit refers to a record without a body")
    return original.body


def reread_post(archive: Path, db: Database, capture_id: str) -> Mapping[str, Any] | None:
    """The post that today's parser reads from a stored capture, as a mapping; None where that is not possible."""
    row = db.conn.execute(
        "SELECT warc_file, warc_offset, clinic_id FROM captures WHERE capture_id = ?", (capture_id,)
    ).fetchone()
    try:
        group = read_record(archive, row[0], row[1])
        if not isinstance(group, Group):
            return None
        items = storable(extraction_of(archive, db, row[2], group)).items
    except (BadRecord, OSError) as error:
        logger.warning("capture %s could not be read again: %s", capture_id, error)
        return None
    post = next((item for item in items if isinstance(item, Post)), None)
    return None if post is None else {field.name: getattr(post, field.name) for field in fields(post)}
