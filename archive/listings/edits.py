"""Edits of posts with the words that went and came, the newest first: what the page of edits and its files show.

An edit is a row of `cache_edits` (`archive.derived`). Pages continue where the page before ended, so that the number
of edits makes no difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from archive.search.index import terms
from archive.site.pages._rows import Row, row
from archive.site.pages.permalinks import post_path, stamp

INDEXES = ("cache_edits_fts", "cache_edits_folded_fts")
# Where the words of a topic are looked for: columns of the index.
PLACES = {"text": "{old_text new_text}", "changed": "{removed added}", "removed": "removed", "added": "added"}
KINDS = {
    "wording": "words changed",
    "title": "only the title changed",
    "order": "the same words in another order",
    "punctuation": "only punctuation or case changed",
    "space": "only white space changed",
    "links": "only links changed",
}
# Of a number the bits above these are minutes since 1970, as `archive.derived.store` makes it, whose import takes long.
REVISION_BITS = 27
_EPOCH = date(1970, 1, 1).toordinal()
LAST = 1 << 62  # above the number of any edit
_COLUMNS = {
    "clinic_id": "Short name of the clinic",
    "title": "Title of the post now",
    "kind": "What changed: wording, title, order, punctuation, space or links",
    "old_last_seen_at": "Date of the last capture of the old text, after which the edit was made (ISO 8601 UTC)",
    "new_first_seen_at": "Date of the first capture of the new text, before which it was made (ISO 8601 UTC)",
    "removed": "Words that went, passages separated by …; NULL: none",
    "added": "Words that came, passages separated by …; NULL: none",
    "words_removed": "Number of words that went",
    "words_added": "Number of words that came",
    "comparison": "Permanent address of the comparison of both wordings",
    "old_permalink": "Permanent address of the old wording",
    "new_permalink": "Permanent address of the new wording",
    "url": "Address of the post",
    "source": "The source of both texts",
    "old_title": "Title in the old wording",
    "new_title": "Title in the new wording",
    "old_text": "The old text",
    "new_text": "The new text",
    "post_id": "Key of the post in this archive file",
    "old_revision_id": "Key of the old wording in this archive file",
    "revision_id": "Key of the new wording in this archive file",
}
_DETAILS = """
SELECT e.edit_id, e.clinic_id, c.name AS clinic, p.title, p.slug, p.platform_post_id, p.url, e.kind, e.kind AS changed,
  e.old_last_seen_at, e.new_first_seen_at, e.removed, e.added, e.words_removed, e.words_added, e.source,
  o.title AS old_title, n.title AS new_title, o.captured_at AS old_at, o.content_sha256 AS old_sha256,
  n.captured_at AS new_at, n.content_sha256 AS new_sha256, {texts} e.post_id, e.old_revision_id, e.revision_id
FROM cache_edits AS e JOIN posts AS p USING (post_id) JOIN clinics AS c ON c.clinic_id = e.clinic_id
JOIN revisions AS o ON o.revision_id = e.old_revision_id JOIN revisions AS n ON n.revision_id = e.revision_id
WHERE e.edit_id = ?
"""
_TEXTS = "o.body_text AS old_text, n.body_text AS new_text,"


@dataclass(frozen=True)
class Edits:
    """Which edits; each filter is "" for all. `since` and `until` are days of the new wording
    (ISO 8601, UTC), both included.

    `place` is one of `PLACES`, where the words of `topic` are looked for; `attribute` is "name=value" of clinics.
    `base`: what permalinks begin with, "" or an address without a slash at the end.
    """

    topic: str = ""
    place: str = "changed"
    clinic_id: str = ""
    attribute: str = ""
    since: str = ""
    until: str = ""
    kind: str = ""
    base: str = ""
    columns: ClassVar[dict[str, str]] = _COLUMNS

    def rows(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        """Yield all edits, with the values of `columns`. Raises `sqlite3.Error`."""
        for number in self._numbers(connection, None, None):
            edit = self._edit(connection, number, with_texts=True)
            if edit is not None:
                yield tuple(edit[name] for name in self.columns)

    def page(
        self, connection: sqlite3.Connection, most: int, before: int | None = None
    ) -> tuple[list[Row], int | None]:
        """Return at most `most` edits without their texts, and what the next page begins after; None: no more.

        `before` is what the page before this returned. Raises `sqlite3.Error`.
        """
        numbers = list(self._numbers(connection, before, most + 1))
        edits = (self._edit(connection, number, with_texts=False) for number in numbers[:most])
        return [edit for edit in edits if edit is not None], numbers[most - 1] if len(numbers) > most else None

    def number(self, connection: sqlite3.Connection, most: int) -> int:
        """Return how many edits there are, counted up to `most`. Raises `sqlite3.Error`."""
        return sum(1 for _ in self._numbers(connection, None, most))

    def _edit(self, connection: sqlite3.Connection, number: int, *, with_texts: bool) -> Row | None:
        edit = row(connection, _DETAILS.format(texts=_TEXTS if with_texts else ""), (number,))
        if edit is None:
            return None
        path = post_path(edit["clinic_id"], edit["slug"], edit["platform_post_id"])
        old, new = stamp(edit["old_at"], edit["old_sha256"]), stamp(edit["new_at"], edit["new_sha256"])
        return edit | {
            "comparison": f"{self.base}{path}/compare?from={old}&to={new}",
            "old_permalink": f"{self.base}{path}/{old}",
            "new_permalink": f"{self.base}{path}/{new}",
        }

    def _numbers(self, connection: sqlite3.Connection, before: int | None, most: int | None) -> Iterator[int]:
        """Yield the numbers (`edit_id`) of the edits. A later edit has a higher one."""
        conditions, values = self._conditions()
        match = self._match()
        if match is None and self.topic.strip():
            return
        limit = f" LIMIT {most}" if most is not None else ""
        if match is None:
            parts = [
                "SELECT e.edit_id AS number FROM cache_edits AS e WHERE e.edit_id >= :first AND e.edit_id < :before"
            ]
        else:
            # SQLite merges the two, each of which reads its newest edits first.
            parts = [
                f"SELECT {name}.rowid AS number FROM {name} CROSS JOIN cache_edits AS e ON e.edit_id = {name}.rowid"
                f" WHERE {name} MATCH :match AND {name}.rowid >= :first AND {name}.rowid < :before"
                for name in INDEXES
            ]
        sql = " UNION ALL ".join("".join([part, *(f" AND {condition}" for condition in conditions)]) for part in parts)
        last = min(before or LAST, _number(self.until, days=1) if self.until else LAST)
        values |= {"match": match, "first": _number(self.since) if self.since else 0, "before": last}
        found = connection.execute(f"{sql} ORDER BY number DESC{limit}", values)
        yield from (number for (number,) in map(tuple, found))

    def _match(self) -> str | None:
        strings = terms(self.topic)
        return f"{PLACES.get(self.place, PLACES['changed'])} : ({' AND '.join(strings)})" if strings else None

    def _conditions(self) -> tuple[list[str], dict[str, Any]]:
        name, _, value = self.attribute.partition("=")
        given: dict[str, tuple[object, str]] = {
            "clinic": (self.clinic_id, "e.clinic_id = :clinic"),
            "kind": (self.kind, "e.kind = :kind"),
            "name": (
                name,
                "e.clinic_id IN (SELECT clinic_id FROM clinic_attributes WHERE name = :name AND value = :value)",
            ),
        }
        used = {parameter: (given_value, sql) for parameter, (given_value, sql) in given.items() if given_value}
        conditions = [sql for _, sql in used.values()]
        values: dict[str, Any] = {parameter: given_value for parameter, (given_value, _) in used.items()}
        if name:
            values["value"] = value
        return conditions, values


def _number(day: str, *, days: int = 0) -> int:
    """Return the number that an edit first seen at the beginning of a day, or so many days later, has at least."""
    minutes = (date.fromisoformat(day).toordinal() - _EPOCH + days) * 24 * 60
    return max(minutes, 0) << REVISION_BITS
