"""`make screenshots`: the README's pictures, of the sample clinic's posts as half a year of weekly visits keeps them.

The posts and comments are those of a real crawl of the sample clinic; the weeks are told to the real fold, with
counters that grow and a few edits between them.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from archive.db import DATABASE, open_archive
from archive.rows import clinics, runs
from archive.warc import Capture
from pipelines.events import Captured, ClinicVisit
from pipelines.fold.fold import Fold
from scraper.browser._provider import find_browser
from scraper.items import Comment, Extraction, Item, Link, Post
from tests.clinic import running
from tests.e2e.browsing import served
from tests.e2e.product import crawl, run
from tests.making import capture

PICTURES = Path(__file__).parent / "screenshots"
CLINIC, SITE = "juniper-lane", "https://www.juniperlane.example"
FIRST, WEEKS = datetime(2026, 5, 20, 6, tzinfo=UTC), 27
# Week and slug of each edit, the words that it takes out and those that it puts in.
EDITS = (
    (9, "what-is-ketamine-therapy", "roughly forty minutes", "about forty minutes"),
    (15, "what-is-ketamine-therapy", "We ", "At Juniper Lane we "),
    (21, "off-label-does-not-mean-off-the-map", "The ", "In our view the "),
    (24, "reading-the-evidence-without-a-degree", " is ", " may be "),
)
SHOTS = (
    ("home", "/", 1060, 860), ("post", f"/{CLINIC}/what-is-ketamine-therapy", 1060, 860),
    ("edits", "/-/edits", 1060, 760),
)  # fmt: skip


def main() -> int:
    """Crawl, tell the weeks, take the pictures."""
    with TemporaryDirectory() as aside:
        folder = Path(aside)
        with running(folder / "clinic") as clinic:
            done = crawl(folder / "crawled", clinic.url)
            assert not done.code, done.err
        with closing(sqlite3.connect(folder / "crawled" / DATABASE)) as crawled:
            crawled.row_factory = sqlite3.Row
            _tell(folder / "told", crawled)
        derived = run("clinic-archive", "derive", "--archive", folder / "told", cwd=folder)
        assert not derived.code, derived.err
        _take(folder / "told")
    return 0


def _tell(folder: Path, crawled: sqlite3.Connection) -> None:
    """Fold what each week's visit would have seen."""
    with closing(open_archive(folder, "write")) as db:
        with db.atomic():
            row = {"clinic_id": CLINIC, "name": "Juniper Lane", "url": SITE, "timezone": "America/Boise"}
            clinics.save_clinic(db, {**row, "comments": "threads", "privacy": "pseudonymous"}, {"state": "ID"})
            db.execute("UPDATE clinics SET platform = 'wix', blog_status = 'blog', language = 'en'")
        posts = [_post(crawled, item) for item in crawled.execute("SELECT * FROM posts")]
        serial = 0
        for week in range(WEEKS):
            at, run = FIRST + timedelta(weeks=week), f"{week:032x}"
            with db.atomic():
                runs.save_crawl(db, run, f"{at:%Y-%m-%dT%H:%M:%S.000000Z}", "clinic-blog-archive", "crawl")
                runs.save_run_start(db, run, CLINIC, f"{at:%Y-%m-%dT%H:%M:%S.000000Z}")
            fold = Fold(db, CLINIC, lambda _: None)
            visit = ClinicVisit(clinic_id=CLINIC, crawl_id=run, stanza={"privacy": "keep"})
            seen = 0
            for number, post in enumerate(posts):
                if post.published_at is None or post.published_at > f"{at:%Y-%m-%dT%H:%M:%SZ}":
                    continue
                seen += 1
                for items in ((_as_of(post, number, week),), tuple(_comments(crawled, post, at))):
                    serial += 1
                    fold.apply(Captured(visit, _extraction(serial, at, items)))
            fold.finish(visit, finished=True)
            ended = f"{at + timedelta(minutes=6):%Y-%m-%dT%H:%M:%S.000000Z}"
            with db.atomic():
                db.execute("UPDATE crawls SET ended_at = ?, exit_code = 0 WHERE crawl_id = ?", [ended, run])
                db.execute(
                    "UPDATE clinic_runs SET ended_at = ?, status = 'done', complete = 1, discovered = ?, fetched = ?,"
                    " failed = 0 WHERE crawl_id = ?",
                    [ended, seen, seen, run],
                )


def _extraction(serial: int, at: datetime, items: tuple[Item, ...]) -> Extraction:
    made: Capture = capture(serial, fetched_at=at + timedelta(milliseconds=serial % 3000 * 100))
    return Extraction(clinic_id=CLINIC, capture=made, items=items, extractor_version=1)


def _post(crawled: sqlite3.Connection, row: sqlite3.Row) -> Post:
    def labels(table: str, key: str) -> tuple[str, ...]:
        sql = f"SELECT label FROM {table} JOIN post_{table} USING ({key}) WHERE post_id = ?"
        return tuple(item[0] for item in crawled.execute(sql, (row["post_id"],)))

    links = crawled.execute(
        "SELECT url, text FROM links WHERE revision_id = ? ORDER BY position", (row["revision_id"],)
    )
    names = (
        "platform", "platform_post_id", "slug", "title", "author", "published_at", "published_raw", "language",
        "excerpt", "minutes_to_read", "body_text", "body_html", "word_count",
    )  # fmt: skip
    url = f"{SITE}/post/{row['slug']}"
    values: dict[str, Any] = {name: row[name] for name in names} | {"url": url, "addresses": (url,)}
    values |= {"categories": labels("categories", "category_id"), "tags": labels("tags", "tag_id")}
    values["links"] = tuple(Link(url=item["url"], text=item["text"]) for item in links)
    return Post(**values, sources={name: "html" for name, value in values.items() if value})


def _as_of(post: Post, number: int, week: int) -> Post:
    text, html = post.body_text or "", post.body_html or ""
    for when, slug, out, into in EDITS:
        if slug == post.slug and week >= when:
            text, html = text.replace(out, into, 1), html.replace(out, into, 1)
    views = 40 + number * 37 % 900 + week * (3 + number * 11 % 23) + (week * (number % 5)) ** 2 // 9
    counts = {"views": views, "likes": number % 17 + week // 6, "comments_count": None}
    sources = {**post.sources, "views": "html", "likes": "html"}
    return replace(post, body_text=text, body_html=html, word_count=len(text.split()), sources=sources, **counts)


def _comments(crawled: sqlite3.Connection, post: Post, at: datetime) -> Iterator[Comment]:
    rows = crawled.execute(
        "SELECT c.* FROM comments AS c JOIN posts USING (post_id) WHERE slug = ? AND posted_at < ? ORDER BY posted_at",
        (post.slug, f"{at:%Y-%m-%dT%H:%M:%SZ}"),
    )
    for row in rows:
        yield Comment(
            post=post.addresses, platform_comment_id=row["platform_comment_id"], author=row["author"],
            parent_id=row["parent_platform_comment_id"], posted_at=row["posted_at"], body_text=row["body_text"],
            body_html=row["body_html"], likes=row["likes"], status=row["status"],
        )  # fmt: skip


def _take(folder: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    with served(folder) as site, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for name, path, width, height in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height})
            answer = page.goto(f"{site}{path}")
            assert answer is not None
            assert answer.status == 200, path
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
