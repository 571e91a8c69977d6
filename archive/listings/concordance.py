"""A word in context: each place where a word, the beginning of a word, or a phrase occurs, with the text around it.

A row is an occurrence in the title or text that a post has now. With `past` there are also occurrences in earlier texts
of the same source, as long as they stood: an occurrence whose sentence is also in the next later text is no row, since
that text, or one after it, has the row. So each row names the newest text in which the occurrence stood.

The full-text index finds the texts. Their order is that of the index, the newest first: posts by publication, past
texts by their first capture, comments by the time of posting.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple

from archive.search.index import scoped
from archive.search.matching import Keyword
from archive.search.ranking import COMMENT, PAST, POST
from archive.search.tables import TOKENIZERS
from archive.site.pages.permalinks import post_path, stamp

WIDTH = 80  # characters of context on each side
# Characters in a text that are looked through for a page, and in all its texts; a file looks through all.
MAX_TEXT_CHARACTERS, MAX_PAGE_CHARACTERS = 500_000, 2_000_000
MAX_PAGE_TEXTS = 500  # texts that a page looks through: in past ones all occurrences may be in unchanged sentences
# A line, or up to a mark that ends a sentence and what closes after it: 'He said "no." Then'; "。" needs no space.
# A run of marks is read once, from its first on: it may be as long as a text.
_END = re.compile("""(?<![.!?…])[.!?…]++["'”’»)\\]]*+\\s+|[。！？]+|\n""")
WORDINGS = {POST: "now", PAST: "past", COMMENT: "comment"}
_COLUMNS = {
    "left": f"Text before the word, at most {WIDTH} characters; line breaks and tabs are spaces",
    "keyword": "The word or phrase as it stands in the text",
    "right": f"Text after the word, at most {WIDTH} characters; line breaks and tabs are spaces",
    "clinic_id": "Short name of the clinic",
    "title": "Title of the post in this wording",
    "published_on": "Day of publication as posts.published_on, else in UTC; of a comment the day of posting (UTC)",
    "wording": "now: the text that the post has now; past: an earlier text; comment",
    "part": "title or text",
    "position": "Where the word begins: number of Unicode code points of that title or text before it",
    "first_seen_at": "Date of the first capture of this wording (ISO 8601 UTC)",
    "last_seen_at": "Date of the last capture that showed the post in this wording; now: that showed the post",
    "permalink": "Permanent address of the wording",
    "url": "Address of the post",
    "post_id": "Key of the post in this archive file",
    "revision_id": "Key of the wording in this archive file",
}
_POST = "p.clinic_id, p.slug, p.platform_post_id, p.url, p.post_id"
_DAY = "coalesce(p.published_on, substr(p.published_at, 1, 10)) AS day"
_SELECT = {
    POST: f"SELECT p.body_text, p.title, {_POST}, {_DAY}, r.captured_at, r.content_sha256,"
    " p.last_seen_at, p.revision_id FROM posts AS p LEFT JOIN revisions AS r USING (revision_id) WHERE p.post_id = ?",
    PAST: f"SELECT r.body_text, r.title, {_POST}, {_DAY}, r.captured_at, r.content_sha256, NULL,"
    " r.revision_id FROM revisions AS r JOIN posts AS p USING (post_id) WHERE r.revision_id = ?",
    COMMENT: f"SELECT m.body_text, p.title, {_POST}, substr(m.posted_at, 1, 10), m.first_seen_at, NULL,"
    " m.last_seen_at, m.comment_id FROM comments AS m JOIN posts AS p USING (post_id) WHERE m.comment_id = ?",
}
_NEXT_REVISION_SQL = (
    "SELECT n.title, n.body_text, n.captured_at FROM revisions AS r JOIN revisions AS n ON n.post_id = r.post_id AND"
    " n.source = r.source AND (n.captured_at, n.revision_id) > (r.captured_at, r.revision_id) WHERE r.revision_id = ?"
    " ORDER BY n.captured_at, n.revision_id LIMIT 1"
)
_LAST_SEEN = (
    "SELECT s.seen_at FROM revisions AS this CROSS JOIN sightings AS s ON s.post_id = this.post_id JOIN revisions AS r"
    " ON r.revision_id = s.revision_id AND r.source = this.source WHERE this.revision_id = ? AND s.seen_at < ? ORDER BY"
    " s.seen_at DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class _Document:
    """A document of the index: its title and text, what all its rows have in common, and the sentences that stayed.

    `before` and `after` are the values beside part and position; `later` is None except for a past text.
    """

    parts: tuple[tuple[str, str], ...]
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    later: Counter[str] | None
    is_plain: bool


class ConcordancePage(NamedTuple):
    """Rows, where the next page begins (None: there are no more), and whether a text was not looked through to its end.

    `following` is a row number of the index, and how many rows of that text are on the pages before.
    """

    rows: list[tuple[Any, ...]]
    following: tuple[int, int] | None
    is_cut: bool


@dataclass(frozen=True)
class Concordance:
    """What is looked for and where. `base`: what permalinks begin with, "" or an address without a slash at the end."""

    keyword: Keyword
    clinic_id: str = ""
    past: bool = False
    comments: bool = False
    base: str = ""
    columns: ClassVar[dict[str, str]] = _COLUMNS

    def rows(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        """Yield all rows, with the values of `columns`. Raises `sqlite3.Error`."""
        for doc, is_plain in self._documents(connection, None):
            document = self._read(connection, doc, is_plain, None)
            if document is not None:
                yield from self._rows_of(document)

    def page(self, connection: sqlite3.Connection, most: int, before: tuple[int, int] | None = None) -> ConcordancePage:
        """Return at most `most` rows. `before` is `following` of the page before this. Raises `sqlite3.Error`."""
        found: list[tuple[Any, ...]] = []
        characters, is_cut = 0, False
        first, skipped = before or (None, 0)
        for number, (doc, is_plain) in enumerate(self._documents(connection, first)):
            if number == MAX_PAGE_TEXTS or characters > MAX_PAGE_CHARACTERS:
                return ConcordancePage(found, (doc, 0), is_cut)
            document = self._read(connection, doc, is_plain, MAX_TEXT_CHARACTERS)
            if document is None:
                continue
            skip = skipped if doc == first else 0
            rows = list(islice(self._rows_of(document), skip, skip + most - len(found) + 1))
            if len(found) + len(rows) > most:
                taken = most - len(found)
                return ConcordancePage(found + rows[:taken], (doc, skip + taken), is_cut)
            found += rows
            characters += sum(len(text) for _, text in document.parts)
            is_cut = is_cut or len(document.parts[-1][1]) == MAX_TEXT_CHARACTERS
        return ConcordancePage(found, None, is_cut)

    def number_of_texts(self, connection: sqlite3.Connection, most: int) -> int:
        """Return how many texts have the word, counted up to `most`. Raises `sqlite3.Error`."""
        both = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE {self._where(table)}" for table in TOKENIZERS)
        (number,) = connection.execute(
            f"SELECT count(*) FROM ({both} LIMIT :most)", {**self._values, "most": most}
        ).fetchone()
        return int(number)

    @property
    def _values(self) -> dict[str, Any]:
        return {"match": scoped(self.keyword.match, self.clinic_id)}

    def _where(self, table: str) -> str:
        kinds = [POST, *([PAST] if self.past else []), *([COMMENT] if self.comments else [])]
        return f"{table} MATCH :match AND {table}.rowid & 3 IN ({', '.join(map(str, kinds))})"

    def _documents(self, connection: sqlite3.Connection, first: int | None) -> Iterator[tuple[int, bool]]:
        """Yield row numbers of the index, the newest first, each with whether folding does not change its text."""
        until = " AND rowid <= :first" if first is not None else ""
        both = " UNION ALL ".join(
            f"SELECT rowid AS doc, {table == 'search_fts':d} AS plain FROM {table} WHERE {self._where(table)}{until}"
            for table in TOKENIZERS
        )
        found = connection.execute(f"{both} ORDER BY doc DESC", {**self._values, "first": first})
        return ((doc, bool(is_plain)) for doc, is_plain in map(tuple, found))

    def _read(self, connection: sqlite3.Connection, doc: int, is_plain: bool, longest: int | None) -> _Document | None:
        """Return a document; None if a writer has just removed it. `longest`: characters of its text that are read."""
        kind, key = doc & 3, (doc & ((1 << 30) - 1)) >> 2
        found = connection.execute(_SELECT[kind], (key,)).fetchone()
        if found is None:
            return None
        body, title, clinic_id, slug, platform_id, url, post_id, day, first_seen, sha256, last_seen, revision_id = found
        path = post_path(clinic_id, slug, platform_id)
        later: Counter[str] | None = None
        if kind == PAST:
            later, last_seen = _later(connection, key)
        if kind == COMMENT:
            path = f"{path}?comment={key}#comment-{key}"
            parts: tuple[tuple[str, str], ...] = (("text", body or ""),)
        else:
            path = f"{path}/{stamp(first_seen, sha256)}" if sha256 is not None else path
            parts = (("title", title or ""), ("text", (body or "")[:longest]))
        before = (clinic_id, title, day, WORDINGS[kind])
        after = (first_seen, last_seen, f"{self.base}{path}", url, post_id, None if kind == COMMENT else revision_id)
        return _Document(parts, before, after, later, is_plain)

    def _rows_of(self, document: _Document) -> Iterator[tuple[Any, ...]]:
        before, after, later = document.before, document.after, document.later
        for part, text in document.parts:
            places = self.keyword.places(text, is_plain=document.is_plain)
            flat = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
            for start, end in places if later is None else _changed(text, places, later):
                left = flat[start - WIDTH if start > WIDTH else 0 : start]
                yield (left, flat[start:end], flat[end : end + WIDTH], *before, part, start, *after)


def _later(connection: sqlite3.Connection, revision_id: int) -> tuple[Counter[str], str | None]:
    """Return the sentences of the next later text of the same source, and when the text before was last seen."""
    found = connection.execute(_NEXT_REVISION_SQL, (revision_id,)).fetchone()
    if found is None:
        return Counter(), None
    title, body, captured_at = found
    seen = connection.execute(_LAST_SEEN, (revision_id, captured_at)).fetchone()
    sentences = Counter(sentence for _, _, sentence in _sentences(body or ""))
    sentences[_normal(title or "")] += 1
    return sentences, seen[0] if seen else None


def _changed(text: str, places: Iterator[tuple[int, int]], later: Counter[str]) -> Iterator[tuple[int, int]]:
    """Yield those places whose sentence the later text lacks. A sentence that stands twice must be there twice."""
    sentences = _sentences(text)
    end, is_there = 0, False
    for start, last in places:
        while start >= end:
            _, end, sentence = next(sentences)
            is_there = later[sentence] > 0
            if is_there:
                later[sentence] -= 1
        if not is_there:
            yield start, last


def _sentences(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and words of each sentence of a text; white space is of the sentence before it."""
    start = 0
    for match in _END.finditer(text):
        yield start, match.end(), _normal(text[start : match.end()])
        start = match.end()
    if start < len(text):
        yield start, len(text), _normal(text[start:])


def _normal(sentence: str) -> str:
    return " ".join(sentence.split())
