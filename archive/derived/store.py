"""Reads what is to be derived from the rows of an archive, and writes what was derived, each post as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from archive.derived.posts import Derived, EditRow, PostToDerive, RevisionText
from archive.derived.sentences import SEGMENTER
from archive.derived.tables import INDEX, INDEXED, INDEXES, SITE_EDITS, TABLES
from archive.search.folding import folded

# Bits of an edit's number that its revision takes; the minutes since 1970 take those above. A number is below 2**53,
# which every reader of JSON holds exactly.
REVISION_BITS = 27

_NOT_CUT = "NOT EXISTS (SELECT 1 FROM cache_derived AS d WHERE d.revision_id = r.revision_id AND d.segmenter = ?)"
_REVISIONS = (
    "SELECT revision_id, capture_id, captured_at, kind, source, extractor_version, title, coalesce(body_text, '') FROM"
    " revisions AS r WHERE post_id = ?"
)
_SEEN = (
    "SELECT s.seen_at, s.capture_id FROM sightings AS s JOIN revisions AS seen ON seen.revision_id = s.revision_id"
    " WHERE s.post_id = ? AND seen.source = ? AND s.seen_at < ? ORDER BY s.seen_at DESC LIMIT 1"
)


class Progress(NamedTuple):
    """How much of an archive is derived. `up_to`: the first moment of which a text is not; None where all is."""

    revisions: int
    derived: int
    up_to: str | None


def progress(connection: sqlite3.Connection) -> Progress:
    """Return how many revisions are derived. Raises `sqlite3.Error`."""
    (revisions,) = connection.execute("SELECT count(*) FROM revisions").fetchone()
    # The index over posts, sources and dates has all that this needs: the texts are not read.
    missing, up_to = connection.execute(
        f"SELECT count(*), min(captured_at) FROM revisions AS r WHERE {_NOT_CUT}", (SEGMENTER,)
    ).fetchone()
    return Progress(revisions, revisions - missing, up_to)


def due_posts(connection: sqlite3.Connection) -> list[int]:
    """Return the posts with a revision that is not derived, those with the oldest such text first."""
    return [
        post_id
        for (post_id,) in connection.execute(
            f"SELECT post_id FROM revisions AS r WHERE {_NOT_CUT} GROUP BY post_id ORDER BY min(captured_at), post_id",
            (SEGMENTER,),
        )
    ]


def read_post(connection: sqlite3.Connection, post_id: int) -> PostToDerive:
    """Return a post's revisions that are not derived; all, if one of them is an edit or the post was edited before."""
    (edited,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM revisions WHERE post_id = ? AND kind = 'content')", (post_id,)
    ).fetchone()
    if not edited:
        found = [RevisionText(*row) for row in connection.execute(f"{_REVISIONS} AND {_NOT_CUT}", (post_id, SEGMENTER))]
        return PostToDerive(post_id, found, frozenset(each.revision_id for each in found))
    numbers = connection.execute(
        f"SELECT revision_id FROM revisions AS r WHERE post_id = ? AND {_NOT_CUT}", (post_id, SEGMENTER)
    )
    return read_whole_post(connection, post_id)._replace(due=frozenset(number for (number,) in numbers))


def read_whole_post(connection: sqlite3.Connection, post_id: int) -> PostToDerive:
    """Return all revisions of a post, as if none was derived."""
    found = []
    for row in connection.execute(_REVISIONS, (post_id,)):
        each = RevisionText(*row)
        if each.kind == "content":
            seen = connection.execute(_SEEN, (post_id, each.source, each.captured_at)).fetchone()
            each = each._replace(last_seen_at=seen[0], last_capture_id=seen[1]) if seen else each
        found.append(each)
    return PostToDerive(post_id, found, frozenset(each.revision_id for each in found))


def write_derived(connection: sqlite3.Connection, posts: Iterable[Derived]) -> int:
    """Write the rows of posts in place of those that there are, in the caller's transaction; return their revisions."""
    number = 0
    for post in posts:
        numbers = [(row[0],) for row in post.cut]
        connection.executemany("DELETE FROM cache_sentences WHERE revision_id = ?", numbers)
        connection.executemany("INSERT OR REPLACE INTO cache_derived VALUES (?,?,?,?)", post.cut)
        connection.executemany("INSERT INTO cache_sentences VALUES (?,?,?,?,?)", post.sentences)
        _write_edits(connection, post)
        number += len(numbers)
    return number


def _write_edits(connection: sqlite3.Connection, post: Derived) -> None:
    """Write a post's edits and fates; an edit that is as it was is left alone."""
    columns = ", ".join(EditRow._fields)
    stored = {
        row[0]: EditRow(*row)
        for row in connection.execute(f"SELECT {columns} FROM cache_edits WHERE post_id = ?", (post.post_id,))
    }
    new = {edit.revision_id: edit for edit in post.edits}
    outdated = [number for number, edit in stored.items() if new.get(number) != edit]
    connection.executemany("DELETE FROM cache_edits WHERE revision_id = ?", [(number,) for number in outdated])
    added = [edit for number, edit in new.items() if stored.get(number) != edit]
    for edit in added:
        _add_edit(connection, post.post_id, edit)
    if outdated or added:
        _mark(connection, SITE_EDITS)
    if stored or new:
        connection.execute("DELETE FROM cache_sentence_fates WHERE post_id = ?", (post.post_id,))
    connection.executemany(
        f"INSERT OR REPLACE INTO cache_sentence_fates VALUES ({', '.join('?' * 15)})",
        post.fates,
    )


def _add_edit(connection: sqlite3.Connection, post_id: int, edit: EditRow) -> None:
    edit_id = edit_number(edit.new_first_seen_at, edit.revision_id)
    columns = ", ".join(EditRow._fields)
    connection.execute(
        f"INSERT INTO cache_edits (edit_id, post_id, clinic_id, crawl_id, {columns}) SELECT ?, post_id, clinic_id,"
        f" (SELECT crawl_id FROM captures WHERE capture_id = ?), {', '.join('?' * len(edit))} FROM posts WHERE"
        " post_id = ?",
        (edit_id, edit.capture_id, *edit, post_id),
    )
    _index(connection, edit_id, (edit.removed, edit.added), (edit.old_revision_id, edit.revision_id))


def index_edits(connection: sqlite3.Connection) -> None:
    """Index all edits of a database whose index is empty; in the caller's transaction. Raises `sqlite3.Error`."""
    sql = "SELECT edit_id, removed, added, old_revision_id, revision_id FROM cache_edits WHERE edit_id = ?"
    for (number,) in connection.execute("SELECT edit_id FROM cache_edits ORDER BY edit_id").fetchall():
        edit_id, removed, added, *revisions = connection.execute(sql, (number,)).fetchone()
        _index(connection, edit_id, (removed, added), revisions)


def _index(
    connection: sqlite3.Connection, edit_id: int, words: Iterable[str | None], revision_ids: Iterable[int]
) -> None:
    texts = [*words, *(_text(connection, number) for number in revision_ids)]
    as_indexed = [text if text is None else folded(text) for text in texts]
    plain, other = INDEXES
    name = plain if as_indexed == texts else other
    connection.execute(f"INSERT INTO {name} (rowid, {', '.join(INDEXED)}) VALUES (?,?,?,?,?)", (edit_id, *as_indexed))


def _text(connection: sqlite3.Connection, revision_id: int) -> str | None:
    """Return title and text of a revision, as the trigger that removes them from the index has them."""
    title, body = connection.execute(
        "SELECT title, body_text FROM revisions WHERE revision_id = ?", (revision_id,)
    ).fetchone()
    return (("" if title is None else f"{title}\n") + (body or "")) or None


def edit_number(at: str, revision_id: int) -> int:
    """Return the number of an edit whose new text was first seen at that moment (ISO 8601): later edits are higher."""
    minutes = max(0, int(datetime.fromisoformat(at).timestamp()) // 60)
    return (minutes << REVISION_BITS) | revision_id


def finish_writing(connection: sqlite3.Connection) -> None:
    """Do what is due after posts were written, or rows deleted; in the caller's transaction."""
    due = {what for (what,) in connection.execute("SELECT what FROM cache_due")}
    if SITE_EDITS in due:
        connection.execute("DELETE FROM cache_site_edits")
        connection.execute(f"INSERT INTO cache_site_edits {SITE_WIDE}")
    if INDEX in due:
        # FTS5 keeps the words of deleted rows until it merges the parts that have them.
        for name in INDEXES:
            connection.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
    connection.execute("DELETE FROM cache_due")


def forget_derived(connection: sqlite3.Connection) -> None:
    """Delete all that is derived, so that all of it is due; in the caller's transaction."""
    plain, other = INDEXES
    connection.execute(f"INSERT INTO {plain} ({plain}) VALUES ('delete-all')")
    connection.execute(f"DELETE FROM {other}")
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")


def _mark(connection: sqlite3.Connection, what: str) -> None:
    connection.execute("INSERT OR IGNORE INTO cache_due (what) VALUES (?)", (what,))


FEWEST_ALIKE = 3  # posts in which a clinic changed the same in a run, from which on it is a site-wide edit
_SENTENCE = (
    "(SELECT substr(r.body_text, s.start + 1, s.end - s.start) FROM cache_sentences AS s JOIN revisions AS r USING"
    " (revision_id) WHERE s.revision_id = {0} AND s.position = {1})"
)
# A sentence that is gone with the one that took its place, and a sentence that came in place of none.
SITE_WIDE = (
    "WITH changed AS ("
    " SELECT e.clinic_id, e.crawl_id, f.hash AS removed_hash, coalesce(n.hash, 0) AS added_hash, f.last_revision_id AS"
    " old_id, f.last_position AS old_at, e.revision_id AS new_id, f.next_position AS new_at, e.post_id,"
    " e.old_last_seen_at, e.new_first_seen_at FROM cache_edits AS e JOIN cache_sentence_fates AS f ON"
    " f.next_revision_id = e.revision_id LEFT JOIN cache_sentences AS n ON n.revision_id = f.next_revision_id AND"
    " n.position = f.next_position"
    " UNION ALL"
    " SELECT e.clinic_id, e.crawl_id, 0, f.hash, NULL, NULL, e.revision_id, f.position, e.post_id, e.old_last_seen_at,"
    " e.new_first_seen_at FROM cache_edits AS e JOIN cache_sentence_fates AS f ON f.revision_id = e.revision_id WHERE"
    " e.kind NOT IN ('space', 'links') AND NOT EXISTS (SELECT 1 FROM cache_sentence_fates AS b WHERE"
    " b.next_revision_id = f.revision_id AND b.next_position = f.position)"
    "), alike AS ("
    " SELECT clinic_id, crawl_id, removed_hash, added_hash, count(DISTINCT post_id) AS posts, max(old_last_seen_at) AS"
    " old_last_seen_at, min(new_first_seen_at) AS new_first_seen_at, min(new_id) AS new_id FROM changed WHERE crawl_id"
    f" IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING posts >= {FEWEST_ALIKE})"
    " SELECT a.clinic_id, a.crawl_id, a.removed_hash, a.added_hash,"
    f" min({_SENTENCE.format('c.old_id', 'c.old_at')}), min({_SENTENCE.format('c.new_id', 'c.new_at')}), a.posts,"
    " a.old_last_seen_at, a.new_first_seen_at, a.new_id FROM alike AS a JOIN changed AS c ON c.new_id = a.new_id AND"
    " c.removed_hash = a.removed_hash AND c.added_hash = a.added_hash GROUP BY 1, 2, 3, 4"  # a post may have it twice
)
