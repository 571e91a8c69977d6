"""What an archive's database says of itself, checked: pages, keys, full text, and rows that must agree with each other.

Nothing here reads a WARC file or knows a parser (`pipelines.verify` does).
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
from archive.rows.fingerprint import content_sha256
from archive.search import index

MOST = 200  # of one kind of fault that are told one by one
RESULT = "verified.json"  # beside archive.db: when it was last verified, and with what result

# What must give no row: (what it means, how to find it).
_AGREE = (
    (
        "post {0}: shows another text than its revision {1}",
        "SELECT posts.post_id, revision_id FROM posts JOIN revisions USING (revision_id) WHERE revisions.body_text IS"
        " NOT posts.body_text OR revisions.post_id != posts.post_id",
    ),
    (
        "reading of post {0} in capture {1}: repeats what its original does not say",
        "SELECT r.post_id, r.capture_id FROM readings AS r JOIN captures AS c USING (capture_id) LEFT JOIN readings"
        " AS o ON o.post_id = r.post_id AND o.capture_id = c.refers_to AND o.source = r.source WHERE r.evidence ="
        " 'not-modified' AND (o.capture_id IS NULL OR o.views IS NOT r.views OR o.likes IS NOT r.likes OR"
        " o.comments_count IS NOT r.comments_count)",
    ),
    (
        "capture {0}: a revisit of {1}, which holds no body",
        "SELECT c.capture_id, o.capture_id FROM captures AS c JOIN captures AS o ON o.capture_id = c.refers_to WHERE"
        " c.record_type = 'revisit' AND o.record_type NOT IN ('response', 'resource', 'conversion')",
    ),
    (
        "comment {0}: its parent {1} stands under another post",
        "SELECT c.comment_id, p.comment_id FROM comments AS c JOIN comments AS p ON p.comment_id = c.parent_id WHERE"
        " p.post_id != c.post_id",
    ),
    (
        "post {0}: first seen at {1}, after it was last seen",
        "SELECT post_id, first_seen_at FROM posts WHERE first_seen_at > last_seen_at",
    ),
)


def faults(db: Database) -> Iterator[str]:
    """What is wrong in the database, one line each: SQLite's own checks, keys, hashes of texts, rows that disagree."""
    yield from damage(db.conn, MOST)
    for meaning, sql in _AGREE:
        for row in db.execute(f"{sql} LIMIT {MOST}").fetchall():
            yield meaning.format(*row)
    yield from _texts(db)


def _texts(db: Database) -> Iterator[str]:
    """Revisions whose hash is not that of their text."""
    sql = (
        "SELECT revision_id, content_sha256, title, body_text, (SELECT json_group_array(url) FROM links WHERE"
        " links.revision_id = revisions.revision_id) FROM revisions"
    )
    for revision_id, sha256, title, body_text, links in db.conn.execute(sql):
        if content_sha256(title, body_text, json.loads(links)) != sha256:
            yield f"revision {revision_id}: its text is not the one that its content_sha256 is of"


def full_text_faults(folder: Path) -> tuple[list[str], str | None]:
    """Indexes that do not hold what their tables do; and why they could not be checked, where a writer is at work.

    FTS5 checks by an INSERT that changes nothing: it needs a connection that could write.
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
            return [f"the full-text index cannot be checked: {error}; `clinic-archive rebuild` mends it"], None
        for table in ("posts", "comments"):
            try:
                connection.execute(f"INSERT INTO {table}_fts({table}_fts, rank) VALUES ('integrity-check', 1)")
            except sqlite3.DatabaseError as error:
                found.append(
                    f"{table}_fts: does not hold what {table} does ({error}); `clinic-archive rebuild` mends it"
                )
        found += index.faults(connection)
    finally:
        connection.rollback()
        connection.close()
    return found, None


@dataclass(frozen=True, slots=True)
class Verified:
    """What `clinic-archive verify` last found."""

    at: str
    captures: int
    whole: bool  # every capture, and not a sample
    faults: int


def keep_result(folder: Path, told: Mapping[str, Any]) -> None:
    """Keep a summary as `verify` prints it; where the folder may not be written, it is only told.

    A sample without faults takes none back that a whole verification found.
    """
    before = last_result(folder)
    if not told["whole"] and not told["faults"] and isinstance(before, Verified) and before.whole and before.faults:
        return
    part = folder / f"{RESULT}.part"
    try:
        # Where the archive lies on this machine is nothing for those it is given to.
        part.write_text(json.dumps({**told, "archive": None}, ensure_ascii=False), "utf-8")
        part.replace(folder / RESULT)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def last_result(folder: Path) -> Verified | str | None:
    """What was kept, None where nothing was, and why in words where it cannot be read. Never raises."""
    try:
        told = json.loads((folder / RESULT).read_text("utf-8"))
        return Verified(str(told["verified_at"]), int(told["captures"]), bool(told["whole"]), len(list(told["faults"])))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"not known, {RESULT}: {error.strerror or error}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"not known, {RESULT} is damaged: clinic-archive verify writes it anew"
