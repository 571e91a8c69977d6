"""Which columns of a table or view a page shows first: those to read. The others are a choice in a form."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

# Columns of a page without a choice, beside those that the visitor filters or sorts by.
MAX_COLUMNS = 9
# Proof, raw strings and machine values: body_html, views_raw, payload_sha256, first_capture_id, warc_offset, sources.
_DETAIL = re.compile(
    r".+_(html|raw|sha256|key|version|source|precision|claimed)|.+_capture_id|(.+_)?(crawl|revision|author)_id"
    r"|platform_.+_id|parent_.+_id|(warc|request|retrieved)_.+|sources|path|etag|last_modified|folded_by"
    r"|rel|found_in|wire_bytes|summary|entity_id|comment_(service|thread)|first_seen_origin|holds_comments"
)
# Said by another column: the page of a post is linked by its title.
_WITH_TITLE = re.compile(r"slug|excerpt|(cover_image_|related_)?url|published_at|platform|minutes_to_read")
# In which order columns are given up when there are too many: the last first.
_RANK = (
    re.compile(
        r"(.+_)?title|name|label|views|likes|comments(_count)?|day|started_at|(.+_)?status|kind|state|.*text|sentence"
        r"|platform|author|posted_at|fetched|failed|new_posts|posts"
    ),
    re.compile(
        r"clinic_id|published_on|refers_to|.+_added|words_.+|edits|message|url|field|old|new|removed|added|last_run_at"
    ),
    re.compile(r".*"),
)


def first_columns(names: Sequence[str], keys: Collection[str], wanted: Collection[str] = ()) -> list[str]:
    """Return the columns that a page shows if its visitor chose none, in the order of the table.

    `keys` are the columns of its primary key and `wanted` those by which rows are filtered or sorted: both are shown,
    and so is the capture that a row was read from.
    """
    always = {*keys, *wanted, "capture_id"}
    readable = [name for name in names if name in always or not _DETAIL.fullmatch(name)]
    if any(name == "title" for name in names):
        readable = [name for name in readable if name in always or not _WITH_TITLE.fullmatch(name)]
    readable = readable or list(names)
    order = sorted(readable, key=lambda name: (name not in always, _rank(name), names.index(name)))
    chosen = {*order[: max(MAX_COLUMNS, len(always))]}
    return [name for name in names if name in chosen]


def _rank(name: str) -> int:
    return next(place for place, pattern in enumerate(_RANK) if pattern.fullmatch(name))
