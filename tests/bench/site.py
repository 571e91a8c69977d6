"""D and F: pages, files and search of 100,000 posts, 500,000 comments and 1,000,000 readings."""

from __future__ import annotations

import atexit
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache

import httpx

from archive.db import DATABASE, open_archive
from archive.search.index import Query, search
from archive.site.pages.search_results import results
from tests.bench._archive import RARE, made
from tests.bench._figure import ROUNDS, cpu, figure, ratio
from tests.bench._served import Served, serving

POSTS, MANY = 100_000, 1_000_000
ROW = "/archive/posts/77"
POST = "/clinic-76/p76"


@cache
def _open() -> tuple[Served, Served]:
    """The archive served by us and by Datasette alone, both until this process ends."""
    folder, stack = made(POSTS), ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(serving(folder)), stack.enter_context(serving(folder, stock=True))


def _against_a_row(*paths: str) -> float:
    """The slowest of some pages of ours, as times a stock row page; both servers answer in the same run."""
    ours, stock = _open()
    (row,) = stock.median(ROW)
    slowest = max(ours.median(*paths))
    (again,) = stock.median(ROW)
    return slowest / ((row + again) / 2)


@figure("D1", "times a row page: a table page of ours, 50 of 100,000 posts", most=6)
def table_page() -> float:
    """The same server, one visitor: /archive/posts against /archive/posts/77."""
    ours, _ = _open()
    row, table = ours.median(ROW, "/archive/posts")
    return table / row


@figure("D1", "times a row page: with a facet, and with a search by Datasette's own box", most=8)
def facet_and_search() -> float:
    """The same server, one visitor; the word is in one post of two hundred."""
    ours, _ = _open()
    row, facet, found = ours.median(ROW, "/archive/posts?_facet=language", "/archive/posts?_search=w777", times=15)
    return max(facet, found) / row


@figure("D2", "95 of 100 visits by ten visitors at once, as times the median of one: post pages", most=20)
def ten_visitors() -> float:
    """Post pages of ours."""
    ours, _ = _open()
    (alone,) = ours.median(POST)
    crowd, failed = ours.crowd(POST, 10)
    assert not failed, f"{failed} answers were 5xx"
    return crowd / alone


@figure("D2", "answers 5xx to fifty visitors at once: home, clinic, post, table, search", most=0)
def fifty_visitors() -> float:
    """All kinds of pages."""
    ours, _ = _open()
    pages = ("/", "/clinic-76", POST, "/archive/posts", "/-/search?q=common", ROW)
    return float(sum(ours.crowd(path, 50, each=2)[1] for path in pages))


@figure("D3", "of the speed of sqlite3 -csv: the command line's CSV of 100,000 posts' comments, in CPU", least=0.25)
def csv_by_command() -> float:
    """`clinic-archive export comments -o -`, its start included, against sqlite3, both through a pipe."""
    folder = made(POSTS)
    start = [sys.executable, "-c", "from pipelines.commands import main; main()"]
    ours = [*start, "export", "comments", "-o", "-", "--archive", str(folder)]
    others = ["sqlite3", "-csv", "-header", str(folder / DATABASE), "SELECT * FROM comments"]
    return ratio(lambda: _child(others), lambda: _child(ours))


@figure("D3", "of the speed of sqlite3 -csv: the site's CSV of the same, in CPU of the server", least=0.25)
def csv_by_site() -> float:
    """/archive/comments.csv"""
    folder = made(POSTS)
    ours, _ = _open()
    others = ["sqlite3", "-csv", "-header", str(folder / DATABASE), "SELECT * FROM comments"]
    return ratio(lambda: _child(others), lambda: _fetch(ours, "/archive/comments.csv", 500_001))


@figure("D3", "times the speed of Datasette's own _stream=on, the same CSV, in CPU of the servers", least=5)
def csv_against_stock() -> float:
    """20,000 comments: the stock server takes a minute for all of them."""
    ours, stock = _open()
    path = "/archive/comments.csv?_stream=on&comment_id__lte=20000"
    return ratio(lambda: _fetch(stock, path, 20_001), lambda: _fetch(ours, path, 20_001))


def _child(command: list[str]) -> float:
    """CPU seconds of a command whose output is read to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while process.stdout.read(1 << 20):
            pass
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _fetch(server: Served, path: str, lines: int) -> float:
    """CPU seconds that a server takes for a file."""
    before, found = server.cpu(), 0
    with httpx.stream("GET", f"{server.url}{path}", timeout=600) as answer:
        for block in answer.iter_bytes():
            found += block.count(b"\n")
    assert found == lines, f"{path}: {found} lines"
    return server.cpu() - before


@figure("D4", "times a stock row page: home, clinic and post pages, one visitor, what is kept being kept", most=6)
def pages() -> float:
    """The slowest of the three, charts and all."""
    return _against_a_row("/", "/clinic-76", POST)


@figure("D4", "times a stock row page: a search page, newest first, the commonest word, snippets marked", most=6)
def search_page() -> float:
    """20 hits with their snippets."""
    return _against_a_row("/-/search?q=common")


# --- search ---

KINDS = {
    "rare": RARE, "common": "common", "two words": "common w77", "phrase": '"w0 w1"', "prefix": "comm*",
    "three common words": "common w0 w1",
}  # fmt: skip
WORDS = tuple(kind for kind in KINDS if kind != "prefix")


def slowest(posts: int, *kinds: str, best_first: bool) -> float:
    """Milliseconds of CPU of the slowest kind of search for 20 hits among so many posts; the median of rounds."""
    folder = made(posts) if posts != MANY else made(MANY, 0, 1)
    with closing(open_archive(folder, "read")) as db:
        connection = db.conn
        connection.execute("PRAGMA mmap_size = 4000000000")
        return max(1000 * _one(connection, KINDS[kind], best_first) for kind in kinds or KINDS)


def _one(connection: sqlite3.Connection, words: str, best_first: bool) -> float:
    query = Query(words, best_first=best_first)
    times = 10
    assert search(connection, query), words

    def often() -> None:
        for _ in range(times):
            search(connection, query)

    return sorted(cpu(often) for _ in range(ROUNDS))[ROUNDS // 2] / times


@figure("F1", "times its time among 10,000 posts: the slowest newest-first search among 100,000", most=2)
def newest_first_grows() -> float:
    """Words and phrases; times under 0.05 ms count as that, for they are the statement's own."""
    return slowest(POSTS, *WORDS, best_first=False) / max(slowest(10_000, *WORDS, best_first=False), 0.05)


@figure("F1", "ms: the slowest newest-first search of words or a phrase among 100,000 posts", most=5)
def newest_first() -> float:
    """20 hits."""
    return slowest(POSTS, *WORDS, best_first=False)


@figure("F1", "ms: a newest-first search of the begin* of a word among 100,000 posts", most=50)
def newest_first_prefix() -> float:
    """20 hits."""
    return slowest(POSTS, "prefix", best_first=False)


@figure("F2", "ms: the slowest search by best match among 100,000 posts", most=30)
def best_match() -> float:
    """20 hits."""
    return slowest(POSTS, best_first=True)


@figure("F1", "ms: a page of results with their snippets and their number, the slowest of all", most=30)
def a_page_of_results() -> float:
    """As the site shows them, the rows read and the words marked."""
    with closing(open_archive(made(POSTS), "read")) as db:

        def page(words: str) -> Callable[[], object]:
            return lambda: results(db.conn, Query(words), 1)

        return max(1000 * min(cpu(page(words)) for _ in range(ROUNDS)) for words in KINDS.values())


@cache
def _many() -> int:
    """A million posts, without comments, read once."""
    made(MANY, 0, 1)
    return MANY


@figure("F1", "times its time among 100,000 posts: the slowest newest-first search of words among a million", most=2,
        large=True)  # fmt: skip
def newest_first_of_many() -> float:
    """Words and phrases."""
    return slowest(_many(), *WORDS, best_first=False) / max(slowest(POSTS, *WORDS, best_first=False), 0.05)


@figure("F1", "ms: the slowest newest-first search of words or a phrase among a million posts", most=5, large=True)
def newest_first_million() -> float:
    """20 hits."""
    return slowest(_many(), *WORDS, best_first=False)


@figure("F1", "ms: a newest-first search of the begin* of a word among a million posts", most=50, large=True)
def prefix_million() -> float:
    """20 hits."""
    return slowest(_many(), "prefix", best_first=False)


@figure("F2", "ms: the slowest search by best match among a million posts", most=30, large=True)
def best_match_million() -> float:
    """20 hits; the begin* of a word is the slowest, as FTS5 gathers all that begins so before the first hit."""
    return slowest(_many(), best_first=True)
