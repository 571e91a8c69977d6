"""Whether derived rows are what the stored texts give: all offsets by their digest, a sample of posts as a whole."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from archive.derived.posts import EditRow, derive_post
from archive.derived.sentences import Sentence, sentences_digest
from archive.derived.store import SITE_WIDE, due_posts, edit_number, read_whole_post
from archive.derived.tables import INDEXES, SITE_EDITS

SAMPLE = 50  # posts that are derived again, edited ones first
MAX_FAULTS = 200  # that are reported
_REMEDY = "`clinic-archive derive --again` makes the derived rows again"
# What identifies a row of a table among those of a post; the rows are chosen by post, or by its revisions.
_KEYS = {
    "cache_derived": ("revision_id",),
    "cache_sentences": ("revision_id", "position"),
    "cache_edits": ("revision_id",),
    "cache_sentence_fates": ("source", "revision_id", "position"),
}
_OF_REVISIONS = "revision_id IN (SELECT revision_id FROM revisions WHERE post_id = ?)"
# Rows of nothing: (message, SQL).
_STRAY = (
    (
        "cache_derived: revision {0} is not there",
        "SELECT revision_id FROM cache_derived EXCEPT SELECT revision_id FROM revisions",
    ),
    (
        "cache_sentences: revision {0} is not derived",
        "SELECT DISTINCT revision_id FROM cache_sentences EXCEPT SELECT revision_id FROM cache_derived",
    ),
    (
        "cache_edits: revision {0} is no edit of its post",
        "SELECT e.revision_id FROM cache_edits AS e LEFT JOIN revisions AS r ON r.revision_id = e.revision_id AND"
        " r.post_id = e.post_id AND r.kind = 'content' WHERE r.revision_id IS NULL",
    ),
    (
        "cache_sentence_fates: revision {0} is not of its post",
        "SELECT f.revision_id FROM cache_sentence_fates AS f LEFT JOIN revisions AS r ON r.revision_id ="
        " f.revision_id AND r.post_id = f.post_id WHERE r.revision_id IS NULL",
    ),
)


def faults(connection: sqlite3.Connection, sample: int = SAMPLE, seed: int = 0) -> Iterator[str]:
    """Yield a line for each fault of the derived rows. What is not derived yet is none. Raises `sqlite3.Error`.

    `sample`: posts that are derived again, half of them edited ones; `seed`: of their choice.
    """
    for message, sql in _STRAY:
        for row in connection.execute(f"{sql} LIMIT {MAX_FAULTS}"):
            yield f"{message.format(*row)}; {_REMEDY}"
    yield from _digests(connection)
    for post_id in _sample(connection, sample, seed):
        yield from _post(connection, post_id)
    yield from _site_edits(connection)


def index_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with the full-text index of edits. Called in a write transaction, but writes nothing."""
    for name in INDEXES:
        try:
            connection.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            yield f"{name}: damaged ({error}); {_REMEDY}"
    both = " UNION ALL ".join(f"SELECT id FROM {name}_docsize" for name in INDEXES)
    (missing,) = connection.execute(f"SELECT count(*) FROM cache_edits WHERE edit_id NOT IN ({both})").fetchone()
    (stray,) = connection.execute(
        f"SELECT count(*) FROM ({both}) WHERE id NOT IN (SELECT edit_id FROM cache_edits)"
    ).fetchone()
    if missing or stray:
        yield f"cache_edits_fts: lacks {missing} edits, and has {stray} that are not there; {_REMEDY}"


def _digests(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line for each revision whose sentences are not those that were counted when it was derived."""
    rows = connection.execute(
        "SELECT revision_id, start, end, hash FROM cache_sentences ORDER BY revision_id, position"
    )
    found = {}
    for revision_id, sentences in groupby(rows, key=lambda row: row[0]):
        listed = [Sentence(*row[1:]) for row in sentences]
        found[revision_id] = (len(listed), sentences_digest(listed))
    none = (0, sentences_digest([]))
    for revision_id, number, sha256 in connection.execute("SELECT revision_id, sentences, digest FROM cache_derived"):
        stored = found.get(revision_id, none)
        if stored != (number, sha256):
            what = (
                f"it has {stored[0]} sentences" if stored[0] != number else "offsets or hashes of its sentences differ"
            )
            yield f"cache_sentences: revision {revision_id}: {what}, not as derived; {_REMEDY}"


def _sample(connection: sqlite3.Connection, sample: int, seed: int) -> list[int]:
    """Return posts that are wholly derived, half of them edited, or fewer where there are fewer."""
    due = set(due_posts(connection))
    edited, posts = (
        [post_id for (post_id,) in connection.execute(sql) if post_id not in due]
        for sql in (
            "SELECT DISTINCT post_id FROM cache_edits ORDER BY 1",
            "SELECT DISTINCT post_id FROM revisions ORDER BY 1",
        )
    )
    choice = random.Random(seed)  # noqa: S311  not used for secrets
    chosen = set(choice.sample(edited, min(len(edited), sample // 2)))
    others = [post_id for post_id in posts if post_id not in chosen]
    return sorted(chosen | set(choice.sample(others, min(len(others), sample - len(chosen)))))


def _post(connection: sqlite3.Connection, post_id: int) -> Iterator[str]:
    """Derive a post again, and yield a line for each row that differs."""
    post = read_whole_post(connection, post_id)
    if not post.revisions:
        return
    made = derive_post(post)
    (clinic_id,) = connection.execute("SELECT clinic_id FROM posts WHERE post_id = ?", (post_id,)).fetchone()
    rows: dict[str, Sequence[tuple[Any, ...]]] = {
        "cache_derived": made.cut,
        "cache_sentences": made.sentences,
        "cache_edits": [_edit(connection, clinic_id, post_id, edit) for edit in made.edits],
        "cache_sentence_fates": made.fates,
    }
    for table, expected in rows.items():
        where = _OF_REVISIONS if table in ("cache_derived", "cache_sentences") else "post_id = ?"
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {where}", (post_id,))
        names = [column[0] for column in cursor.description]
        wanted, stored = (
            {
                tuple(row[name] for name in _KEYS[table]): row
                for row in (dict(zip(names, each, strict=True)) for each in rows)
            }
            for rows in (expected, cursor.fetchall())
        )
        for key in wanted.keys() | stored.keys():
            why = _difference(wanted.get(key), stored.get(key))
            if why:
                named = ", ".join(f"{name} {value}" for name, value in zip(_KEYS[table], key, strict=True))
                yield f"{clinic_id}: {table}: post {post_id}, {named}: {why}; {_REMEDY}"


def _edit(connection: sqlite3.Connection, clinic_id: str, post_id: int, edit: EditRow) -> tuple[Any, ...]:
    """Return the whole row of an edit, in the order of its table."""
    row = edit._asdict()
    (crawl_id,) = connection.execute(
        "SELECT (SELECT crawl_id FROM captures WHERE capture_id = ?)", (edit.capture_id,)
    ).fetchone()
    edit_id = edit_number(edit.new_first_seen_at, edit.revision_id)
    row |= {"edit_id": edit_id, "clinic_id": clinic_id, "post_id": post_id, "crawl_id": crawl_id}
    names = [column[1] for column in connection.execute("PRAGMA table_info(cache_edits)")]
    return tuple(row[name] for name in names)


def _difference(wanted: Mapping[str, Any] | None, stored: Mapping[str, Any] | None) -> str | None:
    if wanted is None:
        return "a row that its texts do not give"
    if stored is None:
        return "the row is missing"
    other = next((name for name, value in wanted.items() if stored[name] != value), None)
    return None if other is None else f"{other} is {_short(stored[other])}, its texts give {_short(wanted[other])}"


def _short(value: object) -> str:
    text = "NULL" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}\u2026"


def _site_edits(connection: sqlite3.Connection) -> Iterator[str]:
    """Compare all edits of each clinic again, unless that is due anyway."""
    if connection.execute("SELECT 1 FROM cache_due WHERE what = ?", (SITE_EDITS,)).fetchone():
        return
    wanted, stored = (set(connection.execute(sql)) for sql in (SITE_WIDE, "SELECT * FROM cache_site_edits"))
    for row in sorted(wanted ^ stored, key=str)[:MAX_FAULTS]:
        what = "is missing" if row in wanted else "is stored that no edits give"
        yield f"{row[0]}: cache_site_edits: a row of run {row[1]} {what}; {_REMEDY}"
