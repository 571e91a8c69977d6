"""C: whole crawls over HTTP, each in a process of its own, of a blog that another process serves from memory.

CPU seconds are those of the crawling process from the start of the crawl's engine to the very end; importing modules
and setting components up (about half a second each) is left out on all sides.
"""

from __future__ import annotations

import statistics
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench._crawler import EVERY
from tests.bench._figure import ROUNDS, figure, in_a_process
from tests.bench._pages import SMALL
from tests.bench._server import serving

PAGES, MANY = 400, 3000
MODES = ("bare", "full", "unstored")


@cache
def rounds() -> tuple[dict[str, float], ...]:
    """CPU seconds of a crawl in each mode, round after round."""
    with serving(PAGES, SMALL) as url:
        return tuple({mode: crawl(mode, url, PAGES)["cpu"] for mode in MODES} for _ in range(ROUNDS))


def crawl(mode: str, url: str, posts: int) -> dict[str, Any]:
    """One crawl; every post was fetched, and in `full` stored, or the figure is worth nothing."""
    with TemporaryDirectory() as folder:
        found = in_a_process("_crawler", mode, url, posts, folder)
    assert found["got"] == posts, f"{mode}: {found['got']} of {posts} posts"
    return found


@figure("C1", "of the speed of bare Scrapy: fetch, WARC, parse, SQLite with full text, one process", least=0.5)
def full_pipeline() -> float:
    """What `clinic-archive crawl` does to a blog of 405 KB pages, against Scrapy with its default settings and a spider
    whose callback does nothing, on the same pages. The product also asks for robots.txt, sitemaps and listings, and
    asks one at a time where Scrapy keeps 8 requests under way; delays are 0, and only CPU is counted.
    """
    return statistics.median(item["bare"] / item["full"] for item in rounds())


@figure("C4", "times the CPU of fetching and parsing, with WARC and SQLite", most=1.25)
def storage() -> float:
    """The product's crawl against the same spider and settings less every component that records, stores or asks the
    archive (`_crawler.STORING`): it fetches and parses the same pages and forgets them.
    """
    return statistics.median(item["full"] / item["unstored"] for item in rounds())


@figure("C5", "times the memory after 300 pages, after 3,000", most=1.15)
def flat_memory() -> float:
    """Resident size of one process that crawls 3,000 pages of 405 KB as the product does, read as pages come in: the
    median of the readings from page 300 to 400, and of the last hundred pages.
    """
    with serving(MANY, SMALL) as url:
        sizes = {int(page): size for page, size in crawl("full", url, MANY)["rss"].items()}
    early = [sizes[page] for page in range(300, 401, EVERY)]
    late = [sizes[page] for page in range(MANY - 100, MANY + 1, EVERY)]
    return float(statistics.median(late) / statistics.median(early))
