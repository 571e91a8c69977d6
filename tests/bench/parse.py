"""P: reading a post page, against BeautifulSoup over the whole page, in memory, and as pages grow."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scraper.items import Exchange, Item, Post
from scraper.platforms.wix.page import read_page
from tests.bench._figure import cpu, figure, in_a_process, ratio
from tests.bench._pages import LARGE, SMALL, own_slug, pages, real
from tests.making import extract

BASE = "https://clinic.example"


@figure("P1", f"times as fast as soup of the whole page, equal output, {real()[1]}", least=3)
def parse_against_soup() -> float:
    """`scraper.extract.extract`, all that a crawl does to a page, against the platform's own readers on the whole page
    as BeautifulSoup with lxml makes it: nothing cut, nothing left out. The whole-page side begins where the page is
    known to be a post, so that what `read` spends on finding that out is counted against it. Outputs are compared as
    the tests of the platform do: a line break inside a run of text may stand as `<br>` on one side and as a space on
    the other.
    """
    exchanges, _ = real()
    for exchange in exchanges:
        assert told(extract(exchange)) == told(whole(exchange)), f"{exchange.url}: the two readings differ"

    def souped() -> float:
        return cpu(lambda: [whole(exchange) for exchange in exchanges])

    def cut() -> float:
        return cpu(lambda: [extract(exchange) for exchange in exchanges])

    return ratio(souped, cut)


def whole(exchange: Exchange) -> tuple[Item, ...]:
    """The items of a post page, from one tree of all of it."""
    return tuple(read_page(exchange, whole=True))


def told(items: tuple[Item, ...]) -> list[Item]:
    """The items with soft line breaks of bodies as spaces."""
    posts = [item for item in items if isinstance(item, Post)]
    flat = [replace(each, body_html=" ".join((each.body_html or "").replace("<br>", " ").split())) for each in posts]
    return [*flat, *(item for item in items if not isinstance(item, Post))]


@figure("P3", "MB more than before at the peak of 20 parses of a 1.1 MB page", most=5)
def peak_memory() -> float:
    """Resident size at its highest while a process of its own parses a page 20 times, less its size before: modules
    imported, the page in memory, a smaller page of the same kind parsed once. See `_memory`.
    """
    with TemporaryDirectory() as folder:
        small, large = Path(folder, "small.html"), Path(folder, "large.html")
        small.write_bytes(next(pages(BASE, 1, SMALL)))
        large.write_bytes(next(pages(BASE, 1, LARGE)))
        return float(in_a_process("_memory", small, large)["megabytes"])


@figure("P4", "times the cost of a 405 KB page for 1.1 MB around the same post", most=1.5)
def cost_by_size() -> float:
    """`scraper.extract.extract` of the same posts in pages of two sizes; what differs is style sheets alone."""
    small, large = posts_of(SMALL), posts_of(LARGE)
    assert list(map(extract, small)) == list(map(extract, large)), "padding changes what is read"
    return ratio(
        lambda: cpu(lambda: [extract(exchange) for exchange in large]),
        lambda: cpu(lambda: [extract(exchange) for exchange in small]),
    )


@cache
def posts_of(size: int) -> list[Exchange]:
    """Pages of that size, of the same posts whatever the size."""
    return [
        Exchange(url=f"{BASE}/post/{own_slug(number).decode()}", body=body, content_type="text/html; charset=UTF-8")
        for number, body in enumerate(pages(BASE, 40, size))
    ]
