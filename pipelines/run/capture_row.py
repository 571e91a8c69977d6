"""The row of a capture, and what it says of something that was left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from archive.times import utc
from archive.warc import Capture
from pipelines.events import ClinicVisit
from pipelines.privacy.held import holds_comments
from scraper.items import Extraction, Item, Problem
from scraper.quality import KINDS


class Omissions(NamedTuple):
    """What was left out of a capture."""

    comments: bool = False  # its bytes hold comments, although the extraction has none any more
    withdrawn: bool = False  # its bytes hold something that is withdrawn
    cut: bool = False  # its addresses name what is withdrawn: the row has their hosts


_WHOLE = Omissions()


def capture_row(
    visit: ClinicVisit,
    extraction: Extraction,
    missing: Collection[str] = (),
    left_out: Mapping[str, Omissions] | None = None,
) -> tuple[Any, ...]:
    """Return the row of `captures`; `missing`: ids without a row, which this row cannot refer to."""
    capture = extraction.capture
    assert isinstance(capture, Capture)
    marks = (left_out or {}).get(capture.capture_id, _WHOLE)
    if marks.cut:
        hosts = {name: _host_of(url) for name in ("url", "page", "retrieved_from") if (url := getattr(capture, name))}
        capture = replace(capture, **hosts)  # type: ignore[arg-type]
    return (
        capture.capture_id,
        visit.crawl_id,
        visit.clinic_id,
        capture.url,
        capture.method,
        capture.request_sha256,
        utc(capture.fetched_at),
        capture.http_status,
        capture.mime,
        capture.etag,
        capture.last_modified,
        capture.payload_sha256 or None,
        capture.payload_length,
        capture.record_type,
        None if capture.refers_to in missing else capture.refers_to,
        capture.warc_file,
        capture.warc_offset,
        capture.warc_length,
        capture.origin,
        capture.via,
        capture.page,
        utc(capture.retrieved_at) if capture.retrieved_at else None,
        capture.retrieved_from,
        int(marks.comments) or holds_comments(extraction, extraction.items),
        quality_of(extraction.items),
        int(marks.withdrawn),
        extraction.robots_header,
        extraction.robots_meta,
    )


def quality_of(items: Iterable[Item]) -> str | None:
    """Return what stood in place of the page, one of `scraper.quality.KINDS`; None where nothing is doubtful."""
    kinds = (item.kind for item in items if isinstance(item, Problem))
    return next((kind for kind in kinds if kind in KINDS), None)


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
