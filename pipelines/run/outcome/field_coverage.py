"""Degraded extraction: a field that a clinic's posts used to give, and that most of them no longer give.

When a theme changes, a field can disappear from every page at once, and nothing fails. So each run compares the posts
that it read with their own past: of the posts that ever gave a field, how many gave it today.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlite_utils import Database

from archive.rows.evidence import Measured
from archive.rows.posts.counters import COUNTERS
from archive.warc import Capture
from scraper.items import Extraction, Post

PROMISED = ("title", "author", "published_at", "body_text")
FEWEST = 3  # posts that prove a loss, where the clinic has that many
LAST_READINGS = 20  # one of which must have given a counter that counts as missing today


@dataclass(slots=True)
class FieldCoverage:
    """The fields that the posts of one visit gave, by an address of the post."""

    _given: dict[str, set[str]] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)  # addresses of services that did not answer, or with 5xx

    def take(self, extraction: Extraction) -> None:
        """Record the fields of the posts in an answer; several answers about one post count together."""
        capture = extraction.capture
        if isinstance(capture, Capture) and extraction.from_api:
            failing = capture.http_status is None or capture.http_status >= 500
            (self._failing.add if failing else self._failing.discard)(capture.url)
        for item in extraction.items:
            if isinstance(item, Post) and item.addresses:
                given = {name for name in PROMISED if getattr(item, name) is not None}
                self._given.setdefault(item.addresses[0], set()).update(given)

    def measured(
        self, db: Database, crawl_id: str, clinic_id: str, started_at: str, counting: Iterable[str]
    ) -> list[Measured]:
        """Return the measure of each field that could be missing in this run, whose rows are written.

        `counting`: an address of each post whose counters were requested. They are not measured where a service did
        not answer, or with 5xx: that is reported as a failure, and is no evidence about counters.
        """
        where = "SELECT address, post_id FROM post_addresses WHERE clinic_id = ? AND post_id IS NOT NULL"
        post_of = dict(db.conn.execute(where, (clinic_id,)).fetchall())
        given: dict[int, set[str]] = {}
        for address, names in self._given.items():
            if address in post_of:
                given.setdefault(post_of[address], set()).update(names)
        ever = {
            post_id: set(json.loads(sources))
            for post_id, sources in db.conn.execute(
                "SELECT post_id, sources FROM posts WHERE clinic_id = ? AND first_seen_at < ?", (clinic_id, started_at)
            )
        }
        fewest = max(min(FEWEST, len(ever)), 1)
        fields = []
        for name in PROMISED:
            expected = [post_id for post_id in given if name in ever.get(post_id, ())]
            fields.append(Measured(name, len(expected), sum(name in given[post_id] for post_id in expected)))
        counted = () if self._failing else counting
        requested = {post_of[address] for address in counted if address in post_of} & ever.keys()
        fields += _counters(db, crawl_id, clinic_id, started_at, requested)
        return [measured for measured in fields if measured.expected >= fewest]


def _counters(
    db: Database, crawl_id: str, clinic_id: str, started_at: str, requested: Iterable[int]
) -> Iterable[Measured]:
    present = ", ".join(f"max({name} IS NOT NULL)" for name in COUNTERS)
    now = {
        post_id: counters
        for post_id, *counters in db.conn.execute(
            f"SELECT post_id, {present} FROM readings JOIN captures USING (capture_id) WHERE crawl_id = ? AND"
            " clinic_id = ? AND evidence = 'read' GROUP BY post_id",
            (crawl_id, clinic_id),
        )
    }
    before = (
        f"SELECT {present} FROM (SELECT * FROM readings WHERE post_id = ? AND read_at < ? AND evidence = 'read'"
        f" ORDER BY read_at DESC LIMIT {LAST_READINGS})"
    )
    past = {post_id: db.conn.execute(before, (post_id, started_at)).fetchone() for post_id in requested}
    for number, name in enumerate(COUNTERS):
        given = {post_id for post_id in past if post_id in now and now[post_id][number]}
        # Posts that give it today are expected to, too: after a long gap no other post shows that the theme was fixed.
        expected = given.union(post_id for post_id, counters in past.items() if counters[number])
        yield Measured(name, len(expected), len(given))
