"""What a search finds: all rows of a file, and their numbers by clinic, year and platform."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archive.search.index import Query, hits_query, search
from archive.search.ranking import COMMENT, PAST, POST
from archive.search.snippets import Marking
from archive.site.pages._rows import row
from archive.site.pages.permalinks import post_path, stamp

MAX_ROWS = 1_000_000
# So many of the newest results are counted by clinic, year and platform: for each its post is read.
NUMBERED = 2_000
KIND = {POST: "post", PAST: "past revision", COMMENT: "comment"}
_POST = "p.clinic_id, p.platform, p.title, p.slug, p.platform_post_id, p.url, p.post_id"
_SELECT = {
    POST: f"SELECT {_POST}, coalesce(p.published_on, substr(p.published_at, 1, 10)) AS published_on, r.captured_at AS"
    " first_seen_at, r.content_sha256, p.revision_id, p.word_count,"
    " p.title AS found_title, p.body_text AS body FROM posts AS p LEFT JOIN revisions AS r USING"
    " (revision_id) WHERE p.post_id = ?",
    PAST: f"SELECT {_POST}, coalesce(p.published_on, substr(p.published_at, 1, 10)) AS published_on, r.captured_at AS"
    " first_seen_at, r.content_sha256, r.revision_id, r.word_count,"
    " r.title AS found_title, r.body_text AS body FROM revisions AS r JOIN posts AS p USING (post_id)"
    " WHERE r.revision_id = ?",
    COMMENT: f"SELECT {_POST}, substr(m.posted_at, 1, 10) AS published_on, m.first_seen_at, NULL AS content_sha256,"
    " NULL AS revision_id, NULL AS word_count,"
    " NULL AS found_title, m.body_text AS body FROM comments AS m JOIN posts AS p USING (post_id) WHERE m.comment_id ="
    " ?",
}
_KEY = "((doc & 1073741823) >> 2)"
_COUNT_SQL = (
    "SELECT p.clinic_id, p.platform,"
    " iif(doc >> 30, strftime('%Y', ((doc >> 30) - 2147483648) * 60, 'unixepoch'), NULL),"
    f" count(*) FROM ({{hits}} LIMIT {NUMBERED}) JOIN posts AS p ON p.post_id = CASE doc & 3 WHEN {POST} THEN {_KEY}"
    f" WHEN {PAST} THEN (SELECT post_id FROM revisions WHERE revision_id = {_KEY}) ELSE (SELECT post_id FROM comments"
    f" WHERE comment_id = {_KEY}) END GROUP BY 1, 2, 3"
)


@dataclass(frozen=True)
class SearchResults:
    """The results of a search. `base`: what permalinks begin with, "" or an address without a slash at the end."""

    query: Query
    base: str = ""
    columns: ClassVar[dict[str, str]] = {
        "kind": "post (its text now), past revision or comment",
        "clinic_id": "Short name of the clinic",
        "platform": "Platform of the post",
        "title": "Title of the post now",
        "published_on": "Day of publication as posts.published_on, else in UTC; of a comment the day of posting (UTC)",
        "first_seen_at": "Date of the first capture of that text (ISO 8601 UTC)",
        "word_count": "Number of words of that text; NULL for a comment",
        "permalink": "Permanent address of the text; of a comment its place on the page of the post",
        "url": "Address of the post",
        "post_id": "Key of the post in this archive file",
        "revision_id": "Key of the text in this archive file; NULL for a comment",
        "snippet": "The part of the text around the first of the words, about 200 characters; … where it is cut",
    }

    def rows(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        """Yield all results in the order of the search, with the values of `columns`. Raises `sqlite3.Error`."""
        with Marking(self.query.words) as marking:
            yield from self._marked(connection, marking)

    def _marked(self, connection: sqlite3.Connection, marking: Marking) -> Iterator[tuple[Any, ...]]:
        for hit in search(connection, self.query, most=MAX_ROWS):
            result = row(connection, _SELECT[hit.kind], (hit.key,))
            if result is None:  # a writer has just removed it
                continue
            path = post_path(result["clinic_id"], result["slug"], result["platform_post_id"])
            if hit.kind == COMMENT:
                path = f"{path}?comment={hit.key}#comment-{hit.key}"
            elif result["content_sha256"] is not None:
                path = f"{path}/{stamp(result['first_seen_at'], result['content_sha256'])}"
            snippet = marking.snippet(result["found_title"], result["body"]) or None
            result |= {"kind": KIND[hit.kind], "permalink": f"{self.base}{path}", "snippet": snippet}
            yield tuple(result[name] for name in self.columns)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The number of results among the newest `NUMBERED`, by clinic, year (None: no date) and platform."""

    clinics: list[tuple[str, int]]
    years: list[tuple[str | None, int]]
    platforms: list[tuple[str | None, int]]


def count_results(connection: sqlite3.Connection, query: Query) -> Numbers:
    """Count the newest results of a search; the largest numbers come first, of years the latest.

    Raises `sqlite3.Error`.
    """
    clinics: Counter[str] = Counter()
    years: Counter[str | None] = Counter()
    platforms: Counter[str | None] = Counter()
    hits = hits_query(query)
    found = connection.execute(_COUNT_SQL.format(hits=hits[0]), hits[1]) if hits else ()
    for clinic_id, platform, year, number in map(tuple, found):
        clinics[clinic_id] += number
        platforms[platform] += number
        years[year] += number
    by_year = sorted(years.items(), key=lambda item: item[0] or "", reverse=True)
    return Numbers(clinics.most_common(), by_year, platforms.most_common())
