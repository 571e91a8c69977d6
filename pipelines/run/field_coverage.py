"""Degraded extraction: a field that a clinic's posts used to give, and that most of them give no more.

A theme that changes silences a field on every page at once, and nothing fails. So each run compares the posts that it
read with their own past: of those that ever gave a field, how many gave it today.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlite_utils import Database

from archive.rows.evidence import Measured
from archive.warc import Capture
from scraper.items import Extraction, Post

PROMISED = ("title", "author", "published_at", "body_text")
COUNTERS = ("views", "likes", "comments_count")
FEWEST = 3  # posts that prove a loss, where so many were to be had
LAST_READINGS = 20  # in which a counter must have been given, to be missed today


@dataclass(slots=True)
class FieldCoverage:
    """What the posts of one visit gave: names of fields by an address of the post."""

    _told: dict[str, set[str]] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)  # addresses of services that are in trouble today

    def take(self, extraction: Extraction) -> None:
        """Note what an answer says of posts. Several of one post count together."""
        capture = extraction.capture
        if isinstance(capture, Capture) and extraction.from_api:
            troubled = capture.http_status is None or capture.http_status >= 500
            (self._silent.add if troubled else self._silent.discard)(capture.url)
        for item in extraction.items:
            if isinstance(item, Post) and item.addresses:
                given = {name for name in PROMISED if getattr(item, name) is not None}
                self._told.setdefault(item.addresses[0], set()).update(given)

    def measured(
        self, db: Database, crawl_id: str, clinic_id: str, started_at: str, counting: Iterable[str]
    ) -> list[Measured]:
        """Each field that could be missed in this run, whose rows are written.

        `counting`: an address of each post whose counters were sought. Where a service did not answer, or with 5xx, a
        bad day is told as such, and says nothing of counters.
        """
        where = "SELECT address, post_id FROM post_addresses WHERE clinic_id = ? AND post_id IS NOT NULL"
        post_of = dict(db.conn.execute(where, (clinic_id,)).fetchall())
        told: dict[int, set[str]] = {}
        for address, names in self._told.items():
            if address in post_of:
                told.setdefault(post_of[address], set()).update(names)
        ever = {
            post_id: set(json.loads(sources))
            for post_id, sources in db.conn.execute(
                "SELECT post_id, sources FROM posts WHERE clinic_id = ? AND first_seen_at < ?", (clinic_id, started_at)
            )
        }
        fewest = max(min(FEWEST, len(ever)), 1)
        found = []
        for name in PROMISED:
            expected = [post_id for post_id in told if name in ever.get(post_id, ())]
            found.append(Measured(name, len(expected), sum(name in told[post_id] for post_id in expected)))
        counted = () if self._silent else counting
        sought = {post_of[address] for address in counted if address in post_of} & ever.keys()
        found += _counters(db, crawl_id, clinic_id, started_at, sought)
        return [one for one in found if one.expected >= fewest]


def _counters(
    db: Database, crawl_id: str, clinic_id: str, started_at: str, sought: Iterable[int]
) -> Iterable[Measured]:
    present = ", ".join(f"max({name} IS NOT NULL)" for name in COUNTERS)
    now = {
        post_id: given
        for post_id, *given in db.conn.execute(
            f"SELECT post_id, {present} FROM readings JOIN captures USING (capture_id) WHERE crawl_id = ? AND"
            " clinic_id = ? AND evidence = 'read' GROUP BY post_id",
            (crawl_id, clinic_id),
        )
    }
    before = (
        f"SELECT {present} FROM (SELECT * FROM readings WHERE post_id = ? AND read_at < ? AND evidence = 'read'"
        f" ORDER BY read_at DESC LIMIT {LAST_READINGS})"
    )
    past = {post_id: db.conn.execute(before, (post_id, started_at)).fetchone() for post_id in sought}
    for place, name in enumerate(COUNTERS):
        told = {post_id for post_id in past if post_id in now and now[post_id][place]}
        # Who tells it today counts, too: after a long silence nobody else could say that the theme was mended.
        yield Measured(name, len(told.union(post_id for post_id, given in past.items() if given[place])), len(told))
