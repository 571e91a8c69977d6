"""An archive of many posts, comments and readings, written straight into the tables: what D and F are asked of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlite_utils import Database

from archive.db import open_archive
from archive.search import index

CLINICS, WORDS = 200, 250
START = datetime(2016, 1, 1, tzinfo=UTC)
# Words as a language has them: a few everywhere, most of them rare. "common" is in nine posts of ten.
VOCABULARY = [f"w{number}" for number in range(40_000)]
RARE = "zyzzyva"


@cache
def _kept() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def made(posts: int, comments: int = 5, readings: int = 10) -> Path:
    """The folder of an archive of so many posts, with so many comments and readings each; made once a run."""
    folder = Path(_kept().name) / str(posts)
    with closing(open_archive(folder, "write")) as db:
        for pragma in ("synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        dropped = _without_triggers(db)
        with db.atomic():
            _fill(db, posts, comments, readings)
        for table in ("posts", "comments"):
            db.execute(f"INSERT INTO {table}_fts ({table}_fts) VALUES ('rebuild')")
        with db.atomic():
            index.index_all(db)
        for sql in dropped:
            db.execute(sql)
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def _without_triggers(db: Database) -> list[str]:
    found = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in found:
        db.execute(f"DROP TRIGGER [{name}]")
    return [sql for _, sql in found]


def _fill(db: Database, posts: int, comments: int, readings: int) -> None:
    clinics, visits, numbers = [f"clinic-{number}" for number in range(CLINICS)], range(readings), range(posts)
    rows_into(
        db, "clinics", "clinic_id name url platform blog_status comments_policy privacy",
        ((item, item, f"https://{item}.example", "wix", "blog", "threads", "pseudonymous") for item in clinics),
    )  # fmt: skip
    rows_into(
        db, "crawls", "crawl_id started_at ended_at software exit_code kind",
        ((f"run{day}", _at(day * 30), _at(day * 30, 60), "bench", 0, "crawl") for day in visits),
    )  # fmt: skip
    rows_into(
        db, "clinic_runs", "crawl_id clinic_id started_at ended_at status complete fetched failed",
        ((f"run{day}", c, _at(day * 30), _at(day * 30, 60), "done", 1, 500, 0) for day in visits for c in clinics),
    )  # fmt: skip
    rows_into(
        db, "captures", "capture_id crawl_id clinic_id url method fetched_at record_type warc_file warc_offset"
        " warc_length origin holds_comments",
        ((f"c{number}", "run0", _clinic(number), _url(number), "GET", _at(0, number), "response", "warc/x",
          number * 100, 100, "crawl", 0) for number in numbers),
    )  # fmt: skip
    rows_into(
        db, "posts", "post_id clinic_id platform platform_post_id url slug title author published_at published_on"
        " language excerpt body_text body_html word_count revision_id sources first_seen_at last_seen_at"
        " first_seen_origin",
        _posts(posts),
    )  # fmt: skip
    db.execute(
        "INSERT INTO revisions (revision_id, post_id, capture_id, kind, source, captured_at, content_sha256, title,"
        " author, body_text, body_html, word_count, extractor_version) SELECT post_id, post_id, 'c' || (post_id - 1),"
        " 'first', 'html', first_seen_at, printf('%064x', post_id), title, author, body_text, body_html, word_count, 1"
        " FROM posts"
    )
    rows_into(
        db, "sightings", "clinic_id url post_id capture_id revision_id source seen_at",
        ((_clinic(number), _url(number), number + 1, f"c{number}", number + 1, "post", _at(0, number))
         for number in numbers),
    )  # fmt: skip
    rows_into(
        db, "comments", "clinic_id post_id platform_comment_id author author_kind body_text posted_at likes status"
        " source capture_id last_capture_id first_seen_at last_seen_at",
        ((_clinic(number), number + 1, f"m{number}-{item}", f"reader-{number % 997}", "member",
          f"Thank you for this, number {item}: it helped me and {VOCABULARY[(number * 7 + item) % 40_000]}.",
          _at(number % 3600 + item), 0, "published", "api", f"c{number}", f"c{number}", _at(0, number), _at(0, number))
         for number in numbers for item in range(comments)),
    )  # fmt: skip
    rows_into(
        db, "readings", "post_id capture_id source read_at views likes comments_count evidence extractor_version",
        ((number + 1, f"c{(number + day) % posts}", "html", _at(day * 30, number),
          100 + number % 900 + day * (number % 31), 3, comments, "read", 1) for day in visits for number in numbers),
    )  # fmt: skip


def _posts(posts: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(posts)
    for number in range(posts):
        words = [VOCABULARY[min(int(rng.paretovariate(0.55)) - 1, 39_999)] for _ in range(WORDS - 1)]
        words[number % 40] = "common" if number % 10 else "seldom"
        if number == posts // 2:
            words[7] = RARE
        lines = [" ".join(words[start : start + 50]) for start in range(0, WORDS, 50)]
        day = START + timedelta(minutes=(number * 7919) % posts * (5_000_000 / posts))
        title = f"Post {number} about {words[3]} and {words[11]}"
        yield (
            number + 1, _clinic(number), "wix", f"{number:024x}", f"https://{_clinic(number)}.example/post/p{number}",
            f"p{number}", title, f"Author {number % 7}", f"{day:%Y-%m-%dT%H:%M:%SZ}", f"{day:%Y-%m-%d}", "en", lines[0],
            "\n".join(lines), "".join(f"<p>{line}</p>" for line in lines), WORDS, number + 1,
            '{"title": "html", "body_text": "html"}', _at(0, number), _at(270, number), "crawl",
        )  # fmt: skip


def _clinic(number: int) -> str:
    return f"clinic-{number % CLINICS}"


def _url(number: int) -> str:
    return f"https://x.example/{number}"


def _at(days: int, seconds: int = 0) -> str:
    return f"{datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds):%Y-%m-%dT%H:%M:%S.000000Z}"


def rows_into(db: Database, table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    names = columns.split()
    db.conn.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows)
