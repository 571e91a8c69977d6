"""Which captures hold comments or the names of those who wrote them, and what of it a policy permits to be stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from archive.warc import Capture
from pipelines.privacy.policy import Policy
from scraper.items import OF_SCRIPT, Comment, Extraction, Item, Names, Post, Reading, Sighting, Thread, ThreadPage

_OF_PEOPLE = (Comment, Names, Thread, ThreadPage)


def without_people(extraction: Extraction, policy: Policy) -> Extraction:
    """Return the extraction without comments and names if the policy permits none; itself if nothing is left out."""
    if policy.comments == "threads":
        return extraction
    items = tuple(item for item in extraction.items if not isinstance(item, _OF_PEOPLE))
    return extraction if len(items) == len(extraction.items) else replace(extraction, items=items)


def holds_comments(extraction: Extraction, items: Iterable[Item]) -> int:
    """Return 1 if the recorded bytes contain, or may contain, comments or their authors; else 0.

    `items`: those of the extraction that count.

    Such bytes are exported only on request. A page as a browser rendered it always may contain them, and so may an
    answer of a service from which nothing else was read.
    """
    capture, kinds = extraction.capture, {type(item) for item in items}
    assert isinstance(capture, Capture)
    if capture.via == "dom" or extraction.lists_comments or kinds & set(_OF_PEOPLE):
        return 1
    is_unknown = extraction.from_api or capture.via in OF_SCRIPT
    return int(is_unknown and capture.payload_length > 0 and not kinds & {Post, Reading, Sighting})
