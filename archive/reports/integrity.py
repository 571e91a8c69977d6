"""Checks of an archive's database alone: pages, foreign keys, full-text indexes, hashes, rows that must agree.

Nothing here reads a WARC file or runs a parser; `pipelines.verify.verify` does. The result of the last verification is
stored beside the database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.db import DATABASE, damage
from archive.derived import checks
from archive.rows.posts.fingerprint import content_sha256
from archive.search import index

MAX_FAULTS = 200  # of one kind that are reported
RESULT = "verified.json"  # beside archive.db: the date and result of the last verification

# Queries that must give no row: (message for each row, SQL).
_CONTRADICTIONS = (
    (
        "post {0}: its text differs from that of its revision {1}",
        "SELECT posts.post_id, revision_id FROM posts JOIN revisions USING (revision_id) WHERE revisions.body_text IS"
        " NOT posts.body_text OR revisions.post_id != posts.post_id",
    ),
    (
        "reading of post {0} in capture {1}: differs from the reading of the capture that it repeats",
        "SELECT r.post_id, r.capture_id FROM readings AS r JOIN captures AS c USING (capture_id) LEFT JOIN readings"
        " AS o ON o.post_id = r.post_id AND o.capture_id = c.refers_to AND o.source = r.source WHERE r.evidence ="
        " 'not-modified' AND (o.capture_id IS NULL OR o.views IS NOT r.views OR o.likes IS NOT r.likes OR"
        " o.comments_count IS NOT r.comments_count)",
    ),
    (
        "capture {0}: a revisit of {1}, which has no body",
        "SELECT c.capture_id, o.capture_id FROM captures AS c JOIN captures AS o ON o.capture_id = c.refers_to WHERE"
        " c.record_type = 'revisit' AND o.record_type NOT IN ('response', 'resource', 'conversion')",
    ),
    (
        "comment {0}: its parent {1} belongs to another post",
        "SELECT c.comment_id, p.comment_id FROM comments AS c JOIN comments AS p ON p.comment_id = c.parent_id WHERE"
        " p.post_id != c.post_id",
    ),
    (
        "post {0}: first seen at {1}, after it was last seen",
        "SELECT post_id, first_seen_at FROM posts WHERE first_seen_at > last_seen_at",
    ),
)


def faults(db: Database) -> Iterator[str]:
    """Yield one line for each fault: SQLite's integrity check, foreign keys, contradictory rows, hashes of texts."""
    yield from damage(db.conn, MAX_FAULTS)
    for message, sql in _CONTRADICTIONS:
        for row in db.execute(f"{sql} LIMIT {MAX_FAULTS}").fetchall():
            yield message.format(*row)
    yield from _texts(db)


def _texts(db: Database) -> Iterator[str]:
    """Yield a line for each revision whose stored hash is not the hash of its text."""
    sql = (
        "SELECT revision_id, content_sha256, title, body_text, (SELECT json_group_array(url) FROM links WHERE"
        " links.revision_id = revisions.revision_id) FROM revisions"
    )
    for revision_id, sha256, title, body_text, links in db.conn.execute(sql):
        if content_sha256(title, body_text, json.loads(links)) != sha256:
            yield f"revision {revision_id}: its content_sha256 is not the hash of its text"


def full_text_faults(folder: Path) -> tuple[list[str], str | None]:
    """Return the faults of the full-text indexes, and why they could not be checked (None: they were checked).

    They cannot be checked while a process writes. FTS5's check is an INSERT that changes nothing, and needs a
    connection with write access.
    """
    found: list[str] = []
    try:
        connection = sqlite3.connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=rw", uri=True, timeout=30)
    except sqlite3.Error as error:
        return [], f"the full-text index was not checked: {error}"
    try:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error) or "readonly" in str(error):
                return [], f"the full-text index was not checked: {error}"
            return [f"the full-text index cannot be checked: {error}; run `clinic-archive rebuild`"], None
        for table in ("posts", "comments"):
            try:
                connection.execute(f"INSERT INTO {table}_fts({table}_fts, rank) VALUES ('integrity-check', 1)")
            except sqlite3.DatabaseError as error:
                found.append(f"{table}_fts: does not match the table {table} ({error}); run `clinic-archive rebuild`")
        found += [*index.faults(connection), *checks.index_faults(connection)]
    finally:
        connection.rollback()
        connection.close()
    return found, None


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of the last `clinic-archive verify`."""

    at: str
    captures: int
    whole: bool  # every capture was checked, not a sample
    faults: int


def keep_result(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write the summary that `verify` prints to `RESULT`. Does nothing if the folder is not writable.

    A sample without faults does not replace the result of a whole verification that found some.
    """
    before = last_result(folder)
    clean_sample = not summary["whole"] and not summary["faults"]
    if clean_sample and isinstance(before, Verified) and before.whole and before.faults:
        return
    part = folder / f"{RESULT}.part"
    try:
        # The archive's path on this machine does not concern those who receive a copy of the archive.
        part.write_text(json.dumps({**summary, "archive": None}, ensure_ascii=False), "utf-8")
        part.replace(folder / RESULT)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def last_result(folder: Path) -> Verified | str | None:
    """Return the stored result, None if there is none, or a text that says why it cannot be read. Never raises."""
    try:
        summary = json.loads((folder / RESULT).read_text("utf-8"))
        return Verified(
            at=str(summary["verified_at"]),
            captures=int(summary["captures"]),
            whole=bool(summary["whole"]),
            faults=len(list(summary["faults"])),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"unknown, {RESULT} cannot be read: {error.strerror or error}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"unknown, {RESULT} is damaged: run clinic-archive verify to replace it"
