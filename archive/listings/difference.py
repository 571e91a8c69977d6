"""What differs between two wordings of a post, a row for each piece of text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archive.site.pages.revisions import compare_revisions

_WORDS = {"out": "removed", "in": "added", "same": "same"}


@dataclass(frozen=True)
class RevisionPair:
    """The two revisions, by their keys in this archive file."""

    old_id: int
    new_id: int
    columns: ClassVar[dict[str, str]] = {
        "part": "title, text or links",
        "line": "Number of the line in the comparison, from 1",
        "change": "same, removed or added",
        "text": "A piece of the line; the pieces of a line in their order make it up",
    }

    def rows(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        """Yield the rows. Raises `sqlite3.Error`."""
        found = compare_revisions(connection, self.old_id, self.new_id, whole=True)
        for part, lines in (("title", found["title"]), ("text", found["lines"])):
            for number, line in enumerate(lines, 1):
                for piece in line.pieces:
                    yield part, number, _WORDS[piece.kind], piece.text
        links = [("removed", url) for url in found["links_out"]] + [("added", url) for url in found["links_in"]]
        for number, (change, url) in enumerate(links, 1):
            yield "links", number, change, url
