"""Parse a stored capture with the code that a live crawl uses: digest, revisit, memento, decoding, items."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from scrapy.http import Request, Response
from sqlite_utils import Database

from archive.warc import BadRecord, Failure, RecordGroup, read_record
from pipelines.decoding import decoded
from pipelines.fold.sanitise import storable
from pipelines.replay.mementos import capture_of, header_of
from scraper.extract import extract, extraction_by
from scraper.http import exchange_of
from scraper.items import Exchange, Extraction, Item, Post, Problem
from scraper.platforms import platform_named, recognise_alone
from scraper.platforms._platform import Platform
from scraper.web_archive.memento import memento_of, own_answer

logger = logging.getLogger(__name__)

# Returns the place (file, offset) of a record by its capture_id; None where that is not known.
Locate = Callable[[str], tuple[str, int] | None]
# Returns the platform whose parser reads an exchange.
Choose = Callable[[Exchange], Platform | None]


class Emptied(ValueError):
    """A takedown removed the body of the original of a revisit."""


def extraction_of(
    archive: Path,
    clinic_id: str,
    record: RecordGroup | Failure,
    choose: Choose,
    locate: Locate,
    web_archive: str | None = None,
) -> Extraction:
    """Extract the items of a recorded exchange, exactly as a live crawl does.

    `choose`: returns the platform that reads it; `locate`: returns the place of the original of a revisit;
    `web_archive`: the address of the web archive whose answers were recorded.
    """
    capture, url = record.capture, record.capture.url
    platform = choose(Exchange(url=url, body=b"", method=capture.method))

    def problem(kind: str, message: str) -> Extraction:
        items: tuple[Item, ...] = (Problem(kind=kind, message=message, url=url),)
        return extraction_by(platform, clinic_id, capture, items, url, None)

    if isinstance(record, Failure):
        return problem(record.reason, record.message)
    if record.truncated and capture.origin != "crawl" and not record.is_emptied:
        message = f"{url}: recorded by another tool, and cut ({record.truncated}); nothing stored of it"
        return problem("cut-short", message)
    try:
        body, is_emptied = stored_body(archive, record, locate), record.is_emptied
    except Emptied:
        body, is_emptied = b"", True
    except (BadRecord, OSError) as error:
        why = str(error) if isinstance(error, BadRecord) else error.strerror or type(error).__name__
        return extraction_by(platform, clinic_id, capture, (missing_original(url, why),), url, None)
    exchange = replace(stored_exchange(record, body), is_emptied=is_emptied)
    if web_archive is not None:
        memento = memento_of(exchange, header_of(record), web_archive)
        if memento is None:
            return Extraction(clinic_id=clinic_id, capture=capture, items=own_answer(exchange, header_of(record)))
        exchange, capture = memento.exchange, capture_of(capture, memento, web_archive)
    platform = choose(exchange)
    items = extract(exchange, platform)
    return extraction_by(platform, clinic_id, capture, items, exchange.url, exchange)


def stored_exchange(group: RecordGroup, body: bytes) -> Exchange:
    """Return a recorded exchange as parsers see it, decoded by the code that decodes a live answer.

    Answers that a browser received are recorded decoded, without a Content-Encoding; a DOM counts as status 200.
    `body`: the payload as recorded; of the original where the record is a revisit.
    """
    capture = group.capture
    request = Request(capture.url, method=capture.method, body=group.request_body)
    headers: dict[bytes, list[bytes]] = {}
    for name, value in group.response_headers:
        headers.setdefault(name, []).append(value)  # as bytes: Scrapy encodes str as UTF-8
    status = 200 if capture.record_type == "resource" else capture.http_status or 0
    raw = Response(capture.url, status=status, headers=headers, body=body, request=request)
    response, fault = decoded(raw) if capture.via is None else (raw, None)
    return replace(exchange_of(response, capture.fetched_at), via=capture.via, page=capture.page, fault=fault)


def stored_body(archive: Path, record: RecordGroup, locate: Locate) -> bytes:
    """Return the payload as recorded; of the original where the record is a revisit of an equal payload.

    Raises `BadRecord` where the original cannot be read, `Emptied` where a takedown removed its body, OSError.
    """
    if record.profile != "identical-payload-digest":
        return record.body if record.body is not None else b""
    capture = record.capture
    place = locate(capture.refers_to or "")
    if place is None:
        why = f"capture {capture.refers_to} is missing" if capture.refers_to else "it names no capture that is here"
        raise BadRecord(capture.warc_file, capture.warc_offset, f"a revisit, and {why}")
    original = read_record(archive, *place)
    if not isinstance(original, RecordGroup) or original.body is None:
        raise BadRecord(*place, "a revisit refers to a record without a body")
    if original.is_emptied:
        raise Emptied
    return original.body


def missing_original(url: str, why: str) -> Problem:
    """Return the problem of a revisit whose original cannot be read: no items can be extracted from it."""
    message = f"{url}: said to be unchanged, but what it was cannot be read ({why}); nothing stored of it"
    return Problem(kind="missing-original", message=message, url=url)


def in_database(db: Database) -> Locate:
    """Return a `Locate` that looks up the places of captures in their rows."""

    def locate(capture_id: str) -> tuple[str, int] | None:
        find = "SELECT warc_file, warc_offset FROM captures WHERE capture_id = ?"
        row: tuple[str, int] | None = db.conn.execute(find, (capture_id,)).fetchone()
        return row

    return locate


def choose_stored(kind: str, run_platform: str | None, clinics_own: str | None) -> Choose:
    """Return a `Choose` for a stored capture.

    A crawl's captures are read by the platform that the run recognised; imported captures, and those of a run without
    a platform, are recognised one by one. `kind`: of the run; `run_platform`, `clinics_own`: names of the run's and of
    the clinic's platform, None where not known.
    """
    own = platform_named(clinics_own)
    if kind != "crawl":
        return lambda exchange: recognise_alone(exchange, own)
    platform = platform_named(run_platform)
    if platform is not None:
        return lambda exchange: platform
    return lambda exchange: recognise_alone(exchange, own)  # the run has not ended yet


def reread_post(archive: Path, db: Database, capture_id: str) -> Mapping[str, Any] | None:
    """Return the post that today's parser reads from a stored capture, as a mapping; None if there is none."""
    row = db.conn.execute(
        "SELECT warc_file, warc_offset, captures.clinic_id, coalesce(kind, 'crawl'), clinic_runs.platform,"
        " clinics.platform FROM captures JOIN clinics USING (clinic_id) LEFT JOIN crawls USING (crawl_id) LEFT JOIN"
        " clinic_runs ON clinic_runs.crawl_id = captures.crawl_id AND clinic_runs.clinic_id = captures.clinic_id"
        " WHERE capture_id = ?",
        (capture_id,),
    ).fetchone()
    file, offset, clinic_id, kind, run_platform, clinics_own = row
    try:
        group = read_record(archive, file, offset)
        if not isinstance(group, RecordGroup):
            return None
        choose = choose_stored(kind, run_platform, clinics_own)
        items = storable(extraction_of(archive, clinic_id, group, choose, in_database(db))).items
    except (BadRecord, OSError) as error:
        logger.warning("capture %s could not be read again: %s", capture_id, error)
        return None
    post = next((item for item in items if isinstance(item, Post)), None)
    return None if post is None else {field.name: getattr(post, field.name) for field in fields(post)}
