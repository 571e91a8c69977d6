"""Readings: the counters of a post as one capture printed them."""

from __future__ import annotations

from operator import itemgetter

from archive.rows.context import CaptureContext, Item
from archive.rows.posts.counters import COUNTER_COLUMNS

_counters_of = itemgetter(*COUNTER_COLUMNS)
_EMPTY = (None,) * len(COUNTER_COLUMNS)


def is_empty(item: Item) -> bool:
    """Return whether a reading gives no counter at all, so that it makes no row."""
    return all(item[name] is None for name in COUNTER_COLUMNS)


def save_reading(context: CaptureContext, item: Item, post_id: int) -> None:
    """Write a reading of a post: one row for each capture and source, never changed later; none where it is empty."""
    values = _counters_of(item)
    if values == _EMPTY:
        return
    row = (post_id, context.capture_id, item["source"], context.at, *values, "read", context.extractor_version)
    context.cache.batch.put("readings", row)
