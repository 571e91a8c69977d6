"""What older versions of a parser read, carried over when today's parser recreates a clinic's rows.

Somebody may have cited it. A text that today's parser reads differently stays a revision, and today's text of the same
capture is a further revision of kind `extractor`; counters that it reads differently go to `superseded_readings`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from sqlite_utils import Database

from archive.rows.posts.counters import COUNTER_COLUMNS
from archive.rows.posts.fingerprint import content_sha256, domain_of

_REVISION = (
    "capture_id",
    "kind",
    "source",
    "captured_at",
    "content_sha256",
    "title",
    "author",
    "body_text",
    "body_html",
    "word_count",
    "modified_at",
    "extractor_version",
)
_READING = ("capture_id", "source", "extractor_version", "read_at", *COUNTER_COLUMNS)
_STASH = ("old_revisions", "old_links", "old_readings")
_ADDRESS = "(SELECT min(address) FROM {0}.post_addresses AS a WHERE a.post_id = p.post_id)"


def stash(db: Database, clinic_id: str, version: int, schema: str = "main") -> None:
    """Copy what versions before `version` read of a clinic into temporary tables, for `restore_superseded`.

    `schema`: the name of the attached database that has the rows.
    """
    drop_stash(db)
    address = _ADDRESS.format(schema)
    mine = f"FROM {schema}.posts AS p JOIN {schema}.{{0}} AS t USING (post_id) WHERE p.clinic_id = ?"
    values = (clinic_id, version)
    execute = db.conn.execute
    execute(
        f"CREATE TEMP TABLE old_revisions AS SELECT {address} AS address, t.revision_id,"
        f" {', '.join(f't.{name}' for name in _REVISION)} {mine.format('revisions')} AND t.extractor_version < ?",
        values,
    )
    execute(
        "CREATE TEMP TABLE old_links AS SELECT l.* FROM old_revisions JOIN"
        f" {schema}.links AS l ON l.revision_id = old_revisions.revision_id"
    )
    columns = ", ".join(f"t.{name}" for name in _READING)
    execute(
        f"CREATE TEMP TABLE old_readings AS SELECT {address} AS address, {columns} {mine.format('readings')}"
        " AND t.evidence = 'read' AND t.extractor_version < ?",
        values,
    )
    execute(
        f"INSERT INTO old_readings SELECT {address}, {columns} {mine.format('superseded_readings')}"
        " AND t.extractor_version < ?",
        values,
    )


def stash_from(source: Database, target: Database, clinic_id: str, version: int) -> None:
    """Do what `stash` does, with the rows of `source`, for a `restore_superseded` into `target`.

    The rows are those of the open transaction of `source`, which an attached database would not see.
    """
    stash(source, clinic_id, version)
    drop_stash(target)
    for table in _STASH:
        cursor = source.conn.execute(f"SELECT * FROM temp.{table}")
        names = ", ".join(column[0] for column in cursor.description)
        target.conn.execute(f"CREATE TEMP TABLE {table} ({names})")
        values = ", ".join("?" * len(cursor.description))
        target.conn.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", cursor)
    drop_stash(source)


def drop_stash(db: Database) -> None:
    """Drop the temporary tables of `stash`."""
    for table in _STASH:
        db.conn.execute(f"DROP TABLE IF EXISTS temp.{table}")


def restore_superseded(
    db: Database, clinic_id: str, reread: Callable[[str], Mapping[str, Any] | None]
) -> tuple[int, int]:
    """Add the stashed rows to the clinic's new rows where they differ; return the numbers of texts and readings added.

    `reread` gives the post that today's parser reads from a capture; None when its record can no longer be read.
    """
    texts = 0
    for row in _rows(
        db, "SELECT * FROM old_revisions ORDER BY captured_at, capture_id, extractor_version, revision_id"
    ):
        post_id = _post(db, clinic_id, row)
        if post_id is not None:
            texts += _carry_text(db, post_id, row, reread)
    readings = 0
    for row in _rows(db, "SELECT * FROM old_readings ORDER BY read_at, capture_id"):
        post_id = _post(db, clinic_id, row)
        if post_id is not None:
            readings += _carry_reading(db, post_id, row)
    drop_stash(db)
    return texts, readings


def _rows(db: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    cursor: sqlite3.Cursor = db.conn.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _post(db: Database, clinic_id: str, row: Mapping[str, Any]) -> int | None:
    """The post that a stashed row belongs to now; None where its capture, or the post, no longer exists."""
    result = db.conn.execute(
        "SELECT post_id FROM post_addresses WHERE clinic_id = ? AND address = ? AND EXISTS (SELECT 1 FROM captures"
        " WHERE capture_id = ?)",
        (clinic_id, row["address"], row["capture_id"]),
    ).fetchone()
    return result[0] if result else None


def _carry_text(
    db: Database, post_id: int, old: Mapping[str, Any], reread: Callable[[str], Mapping[str, Any] | None]
) -> int:
    """Add an older text; 1 where it was added, else 0."""
    key = (post_id, old["capture_id"], old["source"])
    present = _rows(
        db,
        "SELECT revision_id, kind, content_sha256 FROM revisions WHERE post_id = ? AND capture_id = ? AND source = ?"
        " ORDER BY extractor_version DESC, revision_id DESC",
        *key,
    )
    if any(row["content_sha256"] == old["content_sha256"] for row in present):
        return 0
    if present:
        newest = present[0]
        # The oldest reading of a capture keeps its kind (the first text, an edit); the newer one is `extractor`.
        db.conn.execute(
            "UPDATE revisions SET kind = 'extractor' WHERE revision_id = ? AND kind != 'extractor'",
            (newest["revision_id"],),
        )
        _insert(db, post_id, {**old, "kind": newest["kind"]}, old["revision_id"])
        return 1
    # Today's parser reads the same text as in an earlier capture, so the fold wrote no row for this one.
    now = reread(old["capture_id"])
    if now is None:
        return 0
    links = [link.url for link in now["links"]]
    sha256 = content_sha256(now["title"], now["body_text"], links)
    if sha256 == old["content_sha256"]:
        return 0
    _insert(db, post_id, old, old["revision_id"])
    values = {
        name: now.get(name) for name in ("title", "author", "body_text", "body_html", "word_count", "modified_at")
    }
    find = "SELECT max(extractor_version) FROM revisions WHERE post_id = ?"
    (version,) = db.conn.execute(find, (post_id,)).fetchone()
    row = {**old, **values, "kind": "extractor", "content_sha256": sha256, "extractor_version": version}
    revision_id = _insert(db, post_id, row, None)
    db.conn.executemany(
        "INSERT INTO links (revision_id, position, url, text, domain, rel) VALUES (?,?,?,?,?,?)",
        [
            (revision_id, position, link.url, link.text, domain_of(link.url), link.rel)
            for position, link in enumerate(now["links"], 1)
        ],
    )
    return 1


def _insert(db: Database, post_id: int, row: Mapping[str, Any], links_of: int | None) -> int:
    """A revision, with the links that it had as `links_of`; its new number."""
    cursor = db.conn.execute(
        f"INSERT INTO revisions (post_id, {', '.join(_REVISION)}) VALUES ({', '.join('?' * (len(_REVISION) + 1))})",
        (post_id, *(row[name] for name in _REVISION)),
    )
    revision_id = cursor.lastrowid
    assert revision_id is not None
    if links_of is not None:
        db.conn.execute(
            "INSERT INTO links (revision_id, position, url, text, domain, rel) SELECT ?, position, url, text, domain,"
            " rel FROM old_links WHERE revision_id = ?",
            (revision_id, links_of),
        )
    return revision_id


def _carry_reading(db: Database, post_id: int, old: Mapping[str, Any]) -> int:
    """Add an older reading; 1 where it was added, else 0."""
    (exists,) = db.conn.execute(
        "SELECT EXISTS (SELECT 1 FROM readings WHERE post_id = ? AND capture_id = ? AND source = ? AND"
        f" {' AND '.join(f'{name} IS ?' for name in COUNTER_COLUMNS)})",
        (post_id, old["capture_id"], old["source"], *(old[name] for name in COUNTER_COLUMNS)),
    ).fetchone()
    if exists:
        return 0
    return db.conn.execute(
        f"INSERT OR IGNORE INTO superseded_readings (post_id, {', '.join(_READING)}) VALUES"
        f" ({', '.join('?' * (len(_READING) + 1))})",
        (post_id, *(old[name] for name in _READING)),
    ).rowcount
