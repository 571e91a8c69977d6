"""Real pages of WordPress blogs against truth read from them independently (`INDEX.tsv` beside them).

They lie beside the checkout in `../shared/real-pages/platforms`; where they do not, the tests say so and are skipped.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest

from scraper.items import Comment, Exchange, Item, Post
from scraper.platforms._dates import iso_date
from scraper.platforms.wordpress.page import read_page

PAGES = Path(__file__).parents[4].parent / "shared" / "real-pages" / "platforms"
INDEX = PAGES / "INDEX.tsv"
# The page prints an eye with 704 and a heart with 0 in the post's own header.
TRUTH_IS_WRONG = {
    ("wordpress-services/lapresse.tn_traf.html", "views"),
    ("wordpress-services/lapresse.tn_traf.html", "likes"),
}

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason=f"no real pages at {PAGES}")


def index() -> list[dict[str, str]]:
    if not INDEX.exists():
        return []
    with INDEX.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in rows if row["platform"].startswith("wordpress")]


@cache
def items_of(file: str, url: str) -> tuple[Item, ...]:
    return tuple(read_page(Exchange(url=url, body=(PAGES / file).read_bytes())))


def words(text: str | None) -> list[str]:
    return re.findall(r"\w+", (text or "").casefold())


@pytest.mark.parametrize("row", index(), ids=lambda row: row["file"])
def test_a_real_page_gives_what_it_prints(row: dict[str, str]) -> None:
    items = items_of(row["file"], row["url"])
    post = next(item for item in items if isinstance(item, Post))
    comments = [item for item in items if isinstance(item, Comment)]
    assert words(post.title) in [words(title) for title in row["title"].split("||")]
    assert words(post.author) in [words(author) for author in row["author"].split("||")]
    days = {(iso_date(stamp) or "")[:10] for stamp in row["published"].split("||")} | {row["published"][:10]}
    assert (post.published_at or "")[:10] in days
    for field in ("comments_count", "views", "likes"):
        if (row["file"], field) not in TRUTH_IS_WRONG:
            assert str(getattr(post, field) if getattr(post, field) is not None else "") == row[field], field
    assert len(comments) == int(row["comment_ids_in_html"])
    assert sum(comment.parent_id is not None for comment in comments) == int(row["threads"])
    assert sum(comment.type != "comment" for comment in comments) == int(row["pingbacks"])


@pytest.mark.parametrize("row", index(), ids=lambda row: row["file"])
def test_no_comment_of_a_real_page_is_in_its_text(row: dict[str, str]) -> None:
    items = items_of(row["file"], row["url"])
    post = next(item for item in items if isinstance(item, Post))
    for comment in items:
        for line in (comment.body_text or "").splitlines() if isinstance(comment, Comment) else ():
            if len(line) > 60:
                assert line not in (post.body_text or "")
    assert "gravatar.com/avatar" not in f"{post.body_html}{post.links}{post.images}"
