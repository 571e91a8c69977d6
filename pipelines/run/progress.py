"""Progress bars on a terminal; nothing without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from scrapy import signals
from scrapy.crawler import Crawler, CrawlerProcess

from pipelines.printing import is_terminal
from scraper.spiders._clinic import ClinicSpider


class Progress:
    """One bar per clinic: posts requested, out of those found so far."""

    @staticmethod
    @contextmanager
    def on_terminal(process: CrawlerProcess) -> Iterator[None]:
        """Show the progress of the process's spiders while the block runs, if stderr is a terminal."""
        if not is_terminal(err=True):
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            tasks: dict[str, TaskID] = {}

            def advance(spider: ClinicSpider, **_: object) -> None:
                visit = spider.visit
                name = spider.clinic.slug
                if name not in tasks:
                    tasks[name] = bar.add_task(name, total=None)
                found = max(visit.discovered, visit.attempted) or None
                limit = spider.context.limit
                total = min(found, limit) if found and limit else found
                bar.update(tasks[name], completed=visit.fetched + visit.failed, total=total)

            def fill(spider: ClinicSpider, **_: object) -> None:
                """Posts that are not due are not requested: the bar of a visit that has ended shows what was."""
                if spider.clinic.slug in tasks:
                    read = spider.visit.fetched + spider.visit.failed
                    bar.update(tasks[spider.clinic.slug], completed=read, total=read)

            create_crawler = process.create_crawler

            def create_observed(*args: object, **kwargs: object) -> Crawler:
                crawler = create_crawler(*args, **kwargs)  # type: ignore[arg-type]
                crawler.signals.connect(advance, signals.response_received)
                crawler.signals.connect(fill, signals.spider_closed)
                return crawler

            process.create_crawler = create_observed  # type: ignore[method-assign]
            yield
