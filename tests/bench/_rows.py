"""Extractions made in memory, the archives they are folded into, and plain writers of the same rows to compare with.

The product's side is its real path: `Fold`, which joins what each capture says to what the archive knows, or the last
part of it alone, `Batch`, which writes rows that are decided on. The other side writes the rows that the fold left,
ready made and in one table after another, into an archive of the same schema and indexes: it looks nothing up, hashes
nothing and decides nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlite_utils import Database

from archive.db import open_archive
from archive.rows import clinics
from archive.rows.batch import STATEMENTS, Batch
from archive.warc import Capture
from pipelines.events import Captured, ClinicVisit
from pipelines.fold.fold import BATCH, Fold
from scraper.items import Comment, Extraction, Item, Link, Post, Reading, Related, Sighting, Site
from tests.bench._figure import cpu

SITE = "https://clinic.example"
CLINIC, CRAWL = "clinic", "crawl"
POSTS, COMMENTS, READINGS = 1000, 5, 20  # posts; comments and readings of each
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = [
    f"{one}{two}" for one in ("keta", "infu", "sess", "ther", "ques", "wait") for two in ("mine", "sion", "apy", "tion")
]

Rows = dict[str, list[dict[str, Any]]]
Work = Callable[[], None]
SHOWN = "posts revision"  # the revision of each post, beside the tables


def posts(views: int = 100, day: int = 0) -> list[Extraction]:
    """Each post as its page shows it: 250 words, two links, labels, three cards, and its counters."""
    return [_page(number, views, day) for number in range(POSTS)]


def comments() -> list[Extraction]:
    """A thread a post, all of it in one answer."""
    return [_extraction(number, 1, tuple(_comment(number, one) for one in range(COMMENTS))) for number in range(POSTS)]


def readings() -> list[Extraction]:
    """Counters of all posts, a hundred an answer, again and again."""
    return [
        _extraction(
            first, 2 + day, tuple(_reading(number, day) for number in range(first, min(first + 100, POSTS)))
        )
        for day in range(READINGS)
        for first in range(0, POSTS, 100)
    ]  # fmt: skip


def not_modified(first: Extraction) -> Extraction:
    """The server's word, ninety days later, that the page of `first` is as it was."""
    original = first.capture
    assert isinstance(original, Capture)
    later = original.fetched_at + timedelta(days=90)
    serial = original.warc_offset + 90_000_000_000
    capture = replace(
        original, capture_id=str(UUID(int=serial)), fetched_at=later, warc_offset=serial, payload_length=0,
        record_type="revisit", http_status=304, refers_to=original.capture_id,
    )  # fmt: skip
    return Extraction(clinic_id=CLINIC, capture=capture, extractor_version=1)


def _extraction(number: int, day: int, items: tuple[Item, ...]) -> Extraction:
    serial = day * 1_000_000 + number
    capture = Capture(
        capture_id=str(UUID(int=serial)), fetched_at=START + timedelta(days=day, seconds=number),
        warc_file=f"warc/{CLINIC}/{CLINIC}.warc.gz", warc_offset=serial * 1000, warc_length=1000,
        payload_sha256=f"{serial:064x}", payload_length=90_000, record_type="response",
        url=_url(number) if day in (0, 90) else f"{SITE}/_api/{day}/{number}", method="GET", http_status=200,
        mime="text/html", content_encoding="gzip", etag=f'W/"{serial}"', last_modified=None, refers_to=None,
        request_sha256=None, ip="127.0.0.1",
    )  # fmt: skip
    return Extraction(clinic_id=CLINIC, capture=capture, items=items, extractor_version=1)


def _url(number: int) -> str:
    return f"{SITE}/post/post-number-{number}"


def _addresses(number: int) -> tuple[str, ...]:
    return _url(number), f"wix:{UUID(int=number)}"


def _page(number: int, views: int, day: int) -> Extraction:
    rng = random.Random(number)
    lines = [" ".join(rng.choices(WORDS, k=25)) for _ in range(10)]
    near = [(number + step) % POSTS for step in (1, 2, 3)]
    post = Post(
        platform="wix", platform_post_id=str(UUID(int=number)), url=_url(number), slug=f"post-number-{number}",
        title=lines[0][:60], author=f"Author {number % 5}", published_at=f"2025-0{number % 9 + 1}-11T15:00:00.000Z",
        published_raw="Mar 11", modified_at="2025-12-11T15:00:00.000Z", language="en", excerpt=lines[1],
        minutes_to_read=2, cover_image_url=f"https://static.wixstatic.com/media/{number}.jpg",
        body_html="".join(f"<p>{line}</p>" for line in lines), body_text="\n".join(lines), word_count=250,
        categories=(f"Category {number % 7}",), tags=(f"tag {number % 11}", f"tag {number % 13} b"),
        links=(Link(url=f"{SITE}/contact", text="us"), Link(url=f"https://example.org/{number}", text="there")),
        views=views + number, views_raw=f"{views + number} views", comments_count=COMMENTS,
        comments_count_raw=f"{COMMENTS} comments", addresses=_addresses(number), comments_key=None,
        related_posts=tuple(
            Related(position=position, title=f"Post {other}", url=_url(other)) for position, other in enumerate(near, 1)
        ),
    )  # fmt: skip
    silent = {"platform", "sources", "addresses", "author_person", "counters_pending", "comments_key", "media_pending"}
    post.sources = {name: "html" for name in Post.__slots__ if name not in silent and getattr(post, name)}
    cards = tuple(Sighting(url=_url(other), source="related", title=f"Post {other}") for other in near)
    return _extraction(number, day, (post, Site(platform="wix", timezone="Europe/London", language="en"), *cards))


def _comment(number: int, one: int) -> Comment:
    return Comment(
        post=_addresses(number), platform_comment_id=str(UUID(int=number * 100 + one)),
        parent_id=str(UUID(int=number * 100)) if one == COMMENTS - 1 else None, author=f"reader-{number}-{one}",
        person=f"reader-{number}-{one}", author_kind="member", posted_at="2025-12-12T15:00:00.000Z",
        posted_at_precision="second", body_text="It helped me to read this before the first session. " * 3,
        likes=one, status="published",
    )  # fmt: skip


def _reading(number: int, day: int) -> Reading:
    return Reading(post=_addresses(number)[1:], views=100 + number + day, likes=day % 7, comments_count=COMMENTS)


# --- archives


@contextmanager
def archive(*, full_text: bool, given: Sequence[Extraction] = ()) -> Iterator[Database]:
    """An archive of its own that holds `given`; without `full_text` the index's triggers are taken away."""
    with TemporaryDirectory() as folder:
        db = open_archive(Path(folder), "write")
        # As the goals were measured: waiting for the disk, at each commit, is no work of any writer's.
        db.execute("PRAGMA synchronous = NORMAL")
        if not full_text:
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
        db.execute(
            "INSERT INTO crawls (crawl_id, started_at, software) VALUES (?,?,'bench')", [CRAWL, START.isoformat()]
        )
        clinics.save_clinic(
            db,
            {
                "clinic_id": CLINIC,
                "name": CLINIC,
                "url": SITE,
                "timezone": None,
                "comments": "threads",
                "privacy": "keep",
            },
            {},
        )
        fold(db, given)
        yield db
        db.close()


def fold(db: Database, extractions: Sequence[Extraction]) -> None:
    """The product's way in, less the bytes: there is no WARC to make durable before a commit."""
    rows, run = (
        Fold(db, CLINIC, lambda _: None),
        ClinicVisit(clinic_id=CLINIC, crawl_id=CRAWL, stanza={"privacy": "keep"}),
    )
    for extraction in extractions:
        rows.apply(Captured(run, extraction))
    rows.finish(run, finished=True)


def rows_of(db: Database) -> Rows:
    """Every row of every table that a fold writes, ready to be written again, in an order that foreign keys allow."""
    order = (
        "authors", "categories", "tags", "captures", "posts", "post_addresses", "revisions", "links", "images",
        "sightings", "readings", "comments", "post_categories", "post_tags", "related_posts", "post_changes",
    )  # fmt: skip
    return {table: list(db.query(f"SELECT * FROM {table}")) for table in order}


def added(before: Rows, after: Rows) -> Rows:
    """The rows that are in `after` alone, or are others there."""
    return {
        table: [row for row in rows if row not in old] if len(old := before[table]) < 50 else _new(old, rows)
        for table, rows in after.items()
    }


def _new(old: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {tuple(row.values()) for row in old}
    return [row for row in rows if tuple(row.values()) not in known]


def executemany(db: Database, rows: Rows) -> Work:
    """Upsert by the `sqlite3` module's own `executemany`, a thousand rows a transaction."""
    ready = [
        (_upsert(db, table, list(some[0])), [tuple(row.values()) for row in some])
        for table, some in rows.items()
        if some
    ]

    def work() -> None:
        for sql, values in ready:
            for first in range(0, len(values), 1000):
                db.execute("BEGIN")
                db.conn.executemany(sql, values[first : first + 1000])
                db.execute("COMMIT")

    return work


def _upsert(db: Database, table: str, names: list[str]) -> str:
    if table == SHOWN:
        return STATEMENTS[SHOWN]
    keys = db.table(table).pks
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys) or f"{keys[0]} = {keys[0]}"
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    )


def row_by_row(db: Database, rows: Rows) -> Work:
    """sqlite-utils' `upsert` for each row, each its own transaction."""

    def work() -> None:
        for table, some in rows.items():
            if table == SHOWN:
                for row in some:
                    db.table("posts").update(row["post_id"], {"revision_id": row["revision_id"]})
                continue
            own, keys = db.table(table), db.table(table).pks
            for row in some:
                own.upsert(row, pk=keys if len(keys) > 1 else keys[0])

    return work


def by_batch(db: Database, rows: Rows) -> Work:
    """The product's own writer: a table at a time, and of each as many rows a transaction as the product's batches of
    captures have."""
    batch = Batch(db)
    captures = len(rows["captures"])
    ready: list[tuple[str, list[tuple[Any, ...]]]] = []
    for table, some in ((table, some) for table, some in rows.items() if some):
        statement = "addresses" if table == "post_addresses" else table
        inserted = re.findall(r"\w+", STATEMENTS[statement].partition("(")[2].partition(")")[0])
        names = ("revision_id", "post_id") if table == SHOWN else inserted
        ready.append((statement, [tuple(row[name] for name in names) for row in some]))

    def work() -> None:
        for statement, values in ready:
            several = max(1, len(values) * BATCH // captures)
            for first in range(0, len(values), several):
                db.execute("BEGIN")
                for row in values[first : first + several]:
                    batch.put(statement, row)
                batch.write()
                db.execute("COMMIT")

    return work


def ready(given: Sequence[Extraction], more: Sequence[Extraction]) -> Rows:
    """The rows that folding `more` leaves in an archive that holds `given`."""
    with archive(full_text=False, given=given) as db:
        before = rows_of(db)
        fold(db, more)
        rows = added(before, rows_of(db))
    # Posts and revisions refer to each other: a writer of one table after another sets the one column of it last.
    visible = [{"revision_id": post.pop("revision_id"), "post_id": post["post_id"]} for post in rows["posts"]]
    rows[SHOWN] = [row for row in visible if row["revision_id"] is not None]
    return rows


def folding(given: Sequence[Extraction], more: Sequence[Extraction]) -> float:
    """CPU seconds of folding `more` into an archive that holds `given`.

    Full text search is off, as in `writing`: it costs both the same, and would make them look alike.
    """
    with archive(full_text=False, given=given) as db:
        return cpu(lambda: fold(db, more))


def writing(given: Sequence[Extraction], rows: Rows, writer: Callable[[Database, Rows], Work]) -> float:
    """CPU seconds of writing the rows, ready made, into an archive that holds `given`."""
    with archive(full_text=False, given=given) as db:
        return cpu(writer(db, rows))
