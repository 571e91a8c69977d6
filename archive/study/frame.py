"""The frame of a sample: every post of the archive that has a text, or those of them that a condition in SQL selects.

The condition is a visitor's SQL: it runs read-only, in a process of its own, with the limits of the site on time and
memory.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from archive.db import DATABASE
from archive.export import Source
from archive.site.visitors.door import LONGEST_SQL
from archive.site.visitors.limits import TooLarge
from archive.site.visitors.queries import Worker

SECONDS, FILE_SECONDS = 10.0, 60.0  # to the first post, and for all posts of the frame
NO_VALUE = "(none)"  # the stratum of clinics without the attribute
# What gives something else at every call: "random()", "date('now')", "CURRENT_DATE"
_CHANGING = re.compile(r"\b(random|randomblob|now|current_(?:date|time|timestamp))\b", re.IGNORECASE)
_POSTS = "revision_id IS NOT NULL AND body_text IS NOT NULL"
# Of the captures that gave an address of the post, the first in the order in which they were folded.
_FIRST = (
    "(SELECT a.address FROM post_addresses AS a JOIN captures AS c USING (capture_id) WHERE a.post_id = posts.post_id"
    " ORDER BY c.fetched_at, c.capture_id, a.kind <> 'url', a.address LIMIT 1)"
)


class BadCondition(Exception):
    """The condition, or what it selects, cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A post of a frame."""

    post_id: int  # local to this archive.db: nothing of it enters a sample
    clinic_id: str
    address: str  # the first that it ever had, in the order of captures
    stratum: str | None


def frame(archive: Path, db: Database, where: str | None, by: str | None) -> list[Listed]:
    """Return the posts of the frame, ordered by clinic and first address.

    `by`: "clinic" or the name of an attribute of the clinics, whose value is then the stratum. Raises `BadCondition`,
    `sqlite3.Error`.
    """
    chosen = None if where is None else set(asyncio.run(_selected(archive / DATABASE, _checked(where))))
    stratum, values = _stratum(db, by)
    sql = f"SELECT post_id, clinic_id, {_FIRST} AS address, {stratum} FROM posts WHERE {_POSTS} ORDER BY 2, 3, 1"
    listed = (Listed(*row) for row in db.execute(sql, values).fetchall())
    return [post for post in listed if chosen is None or post.post_id in chosen]


def _stratum(db: Database, by: str | None) -> tuple[str, list[str]]:
    if by is None:
        return "NULL", []
    if by == "clinic":
        return "clinic_id", []
    known = [name for (name,) in db.execute("SELECT DISTINCT name FROM clinic_attributes ORDER BY 1").fetchall()]
    if by not in known:
        raise BadCondition(
            f"no clinic has an attribute {by!r}; strata are made by clinic"
            + (f", or by {', '.join(known)}" if known else "; the archive holds no attributes of clinics")
        )
    value = "SELECT value FROM clinic_attributes AS t WHERE t.clinic_id = posts.clinic_id AND t.name = ?"
    return f"coalesce(({value}), '{NO_VALUE}')", [by]


def _checked(where: str) -> str:
    """The condition, or `BadCondition` where it cannot give the same posts again."""
    if not where.strip():
        raise BadCondition("the condition is empty; write one such as \"published_on >= '2025-01-01'\"")
    if len(where) > LONGEST_SQL:
        raise BadCondition(f"SQL of more than {LONGEST_SQL:,} characters is not run; write a shorter condition")
    if "pragma" in where.lower():
        raise BadCondition("SQL with the word pragma is not run")
    if changing := _CHANGING.search(where):
        raise BadCondition(
            f"{changing[0]!r} gives something else every time, and the sample could not be drawn again; write the value"
        )
    return where


async def _selected(path: Path, where: str) -> list[int]:
    """The numbers of the posts that the condition selects."""
    sql = f"SELECT post_id FROM posts WHERE {_POSTS} AND (\n{where}\n)"
    worker = Worker(typed=True)
    blocks: list[bytes] = []
    try:
        source = Source("frame", sql)
        async for block in worker.file(path, "csv", source, seconds=SECONDS, file_seconds=FILE_SECONDS):
            blocks.append(block)
    except TooLarge as error:
        raise BadCondition(str(error)) from error
    except sqlite3.Error as error:
        raise BadCondition(_words(str(error))) from error
    finally:
        await worker.end()
    return list(_numbers(b"".join(blocks)))


def _words(error: str) -> str:
    if error == "interrupted":
        return f"the condition took more than {SECONDS:.0f} seconds; write one that looks at fewer rows"
    return f"{error}; write a condition on the columns of the table posts, such as \"language = 'en'\""


def _numbers(data: bytes) -> Iterator[int]:
    """The values of the only column, without its head."""
    lines = data.decode("utf-8", "replace").split()
    if lines[:1] != ["post_id"] or not all(line.isascii() and line.isdigit() for line in lines[1:]):
        raise BadCondition("it is more than a condition; write only what would follow WHERE")
    yield from map(int, lines[1:])
