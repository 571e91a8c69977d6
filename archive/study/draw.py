"""Draws a sample: a frame of posts, and those that a seed selects, in a file that any rebuild gives again.

The frame is every post that has a text, or those of them that a condition in SQL selects. The condition is a visitor's
SQL: it runs read-only, in a process of its own, with the limits of the site on time and memory.

The posts of a stratum are ordered by SHA-256 of seed, clinic and first address, and the first ones are drawn: a simple
random sample without replacement. Nothing depends on the numbers of rows. As-of date is that of the last capture.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlite_utils import Database

from archive.db import DATABASE
from archive.export import Source
from archive.site.visitors.door import LONGEST_SQL
from archive.site.visitors.limits import AnswerTooLarge
from archive.site.visitors.queries import Worker
from archive.study.sample import FORMAT, VERSION, SamplingUnit, list_sha256, order
from archive.study.texts import text_sha256, texts_of

SECONDS, FILE_SECONDS = 10.0, 60.0  # to the first post, and for all posts of the frame
NO_VALUE = "(none)"  # the stratum of clinics without the attribute
# What gives something else at every call: "random()", "date('now')", "date()", "strftime('%Y')", "CURRENT_DATE"; a
# text that is looked for may have the word random.
_CHANGING = re.compile(
    r"""\b(?:random|randomblob)["`\]]?\s*\(|'\s*now\s*'|"\s*now\s*"|\bcurrent_(?:date|time|timestamp)\b"""
    r"""|\b(?:date|time|datetime|julianday|unixepoch)["`\]]?\s*\(\s*\)|\bstrftime["`\]]?\s*\(\s*'[^']*'\s*\)""",
    re.IGNORECASE,
)
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


def draw_sample(archive: Path, db: Database, *, n: int, seed: int, where: str | None, by: str | None) -> bytes:
    """Return the file of a sample of `n` posts, all of the frame where that has fewer.

    Raises `BadCondition` where the condition cannot be used or selects no post, `sqlite3.Error`.
    """
    listed = frame(archive, db, where, by)
    if not listed:
        raise BadCondition("no post with a text" + (" meets the condition" if where else " in this archive"))
    strata: dict[str | None, list[Listed]] = {}
    for post in listed:
        strata.setdefault(post.stratum, []).append(post)
    numbers = allocate({name: len(posts) for name, posts in strata.items()}, n)
    units = [
        _unit(db, post, len(posts), numbers[name])
        for name, posts in strata.items()
        for post in sorted(posts, key=lambda post: order(seed, post.clinic_id, post.address))[: numbers[name]]
    ]
    units.sort(key=lambda unit: order(seed, unit.clinic_id, unit.address))
    (as_of,) = db.execute("SELECT max(fetched_at) FROM captures").fetchone()
    document = {
        FORMAT: VERSION,
        "frame": len(listed),
        "frame_sha256": list_sha256((post.clinic_id, post.address) for post in listed),
        "where": where,
        "by": by,
        "seed": seed,
        "as_of": as_of,
        "order": "SHA-256 of seed, clinic and first address, separated by NUL",
        "strata": [
            {"stratum": name, "frame": len(posts), "drawn": numbers[name], "probability": numbers[name] / len(posts)}
            for name, posts in strata.items()
        ],
        "units_sha256": list_sha256((unit.clinic_id, unit.address) for unit in units),
        "units": [asdict(unit) | {"probability": unit.stratum_drawn / unit.stratum_frame} for unit in units],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n"


def allocate(sizes: dict[str | None, int], n: int) -> dict[str | None, int]:
    """Return how many of `n` are drawn in each stratum: in proportion to its size, by largest remainders.

    Each stratum gets one at least where `n` allows it, and none more than it has.
    """
    total, n = sum(sizes.values()), min(n, sum(sizes.values()))
    least = 1 if n >= len(sizes) else 0
    exact = {name: n * size / total for name, size in sizes.items()}
    drawn = {name: min(max(int(exact[name]), least), size) for name, size in sizes.items()}

    def lacks(name: str | None) -> tuple[float, str]:
        return exact[name] - drawn[name], name or ""

    while sum(drawn.values()) != n:
        if sum(drawn.values()) < n:
            drawn[max((name for name in drawn if drawn[name] < sizes[name]), key=lacks)] += 1
        else:
            drawn[min((name for name in drawn if drawn[name] > least), key=lacks)] -= 1
    return drawn


def _unit(db: Database, post: Listed, stratum_frame: int, drawn: int) -> SamplingUnit:
    (sha256, title, body) = db.execute(
        "SELECT r.content_sha256, r.title, r.body_text FROM posts JOIN revisions AS r ON r.revision_id ="
        " posts.revision_id WHERE posts.post_id = ?",
        [post.post_id],
    ).fetchone()
    text = next(
        text
        for text in reversed(texts_of(db, post.clinic_id, post.address))
        if (text.content_sha256, text.text_sha256) == (sha256, text_sha256(body))
    )
    return SamplingUnit(
        unit=order("unit", post.clinic_id, post.address)[:12],
        clinic_id=post.clinic_id,
        address=post.address,
        permalink=text.permalink,
        title=title,
        text_sha256=text.text_sha256,
        content_sha256=sha256,
        stratum=post.stratum,
        stratum_frame=stratum_frame,
        stratum_drawn=drawn,
    )


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
    except AnswerTooLarge as error:
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
