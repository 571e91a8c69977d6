"""Progress bars on a terminal; nothing without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from scrapy import signals
from scrapy.crawler import Crawler, CrawlerProcess

from pipelines.printing import is_terminal
from scraper.spiders._clinic import ClinicSpider

# Takes a clinic's slug, the number of posts that were read, and of those found so far (None: not known yet).
Show = Callable[[str, int, int | None], None]


@contextmanager
def bars() -> Iterator[Show | None]:
    """Give what shows a bar per clinic while the block runs; None where stderr is no terminal."""
    if not is_terminal(err=True):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, read: int, found: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            bar.update(tasks[name], completed=read, total=found)

        yield show


def observe(process: CrawlerProcess, show: Show | None) -> None:
    """Call `show` as the visits of the process's crawlers, which are made from now on, go on."""
    if show is None:
        return

    def advance(spider: ClinicSpider, **_: object) -> None:
        visit, limit = spider.visit, spider.context.limit
        found = max(visit.discovered, visit.attempted) or None
        show(spider.clinic.slug, visit.fetched + visit.failed, min(found, limit) if found and limit else found)

    def fill(spider: ClinicSpider, **_: object) -> None:
        """Posts that are not due are not requested: the bar of a visit that has ended shows what was."""
        read = spider.visit.fetched + spider.visit.failed
        show(spider.clinic.slug, read, read)

    create_crawler = process.create_crawler

    def create_observed(*args: object, **kwargs: object) -> Crawler:
        crawler = create_crawler(*args, **kwargs)  # type: ignore[arg-type]
        crawler.signals.connect(advance, signals.response_received, weak=False)
        crawler.signals.connect(fill, signals.spider_closed, weak=False)
        return crawler

    process.create_crawler = create_observed  # type: ignore[method-assign]
