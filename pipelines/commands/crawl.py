"""`clinic-archive crawl`: visit clinics and bring the archive up to date."""

from __future__ import annotations

import gc
import json
import logging
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_from_coro, maybe_deferred_to_future
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore, succeed
from twisted.python.failure import Failure

from archive.rows.queue_order import queue_order
from archive.warc import WarcWriteError
from pipelines import run_report
from pipelines.commands._archive import Duration, close, fail, open_for_writing
from pipelines.commands._ping import VARIABLE, PingUrl, Watcher, watched
from pipelines.exit_codes import ExitCode
from pipelines.run.notices import emit, notices_of
from pipelines.run.progress import Progress
from pipelines.run.run import Run
from scraper.addresses import is_private_host, post_key
from scraper.config.clinics import (
    Clinic,
    Clinics,
    clinic_from_url,
    read_clinics,
    refuse_placeholder,
    user_agent,
)
from scraper.config.toml_file import ConfigError
from scraper.guard import running_reactor
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders.blog import BlogSpider

logger = logging.getLogger(__name__)

# Clinics are independent: so many are visited side by side, each at its own pace.
SIDE_BY_SIDE = 8
LARGEST_LOG, KEPT_LOGS = 5_000_000, 5  # bytes of crawl.log, and how many older ones are kept


@click.command(short_help="Visit clinics and bring the archive up to date.")
@click.argument("clinics", nargs=-1, metavar="[CLINIC]...")
@click.option("--url", help="Visit this blog, listed or not, e.g. https://www.example.com")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--clinics-file", type=click.Path(dir_okay=False, path_type=Path), default=Path("clinics.toml"),
              show_default=True)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Only the N newest posts of each clinic.")
@click.option("--all", "everything", is_flag=True, help="Every post, due or not, whatever the day's budget.")
@click.option("--time-limit", type=Duration(least=0.001),
              help="End cleanly after so long, e.g. 90m or 6h; the next run goes on.")  # fmt: skip
@click.option("--delay", type=click.FloatRange(0), help="Seconds between requests; robots.txt may ask for more.")
@click.option("--allow-private", is_flag=True, help="Permit loopback and private addresses in this run.")
@click.option("--ping-url", type=PingUrl(), envvar=VARIABLE, show_envvar=True,
              help="Tell a watcher: POST to URL/start, then to URL, or to URL/fail.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Print the log to stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
@watched
def command(
    clinics: tuple[str, ...],
    url: str | None,
    archive: Path,
    clinics_file: Path,
    limit: int | None,
    everything: bool,
    time_limit: float | None,
    delay: float | None,
    allow_private: bool,
    verbose: bool,
    as_json: bool,
    watcher: Watcher,
) -> None:
    """Visit the named clinics (all of clinics.toml without a name) and bring the archive up to date."""
    try:
        listed = read_clinics(clinics_file) if clinics_file.exists() or not url else Clinics()
        chosen = _choose(listed, clinics, url, allow_private, clinics_file)
        refuse_placeholder(listed.crawler, chosen, clinics_file)
    except ConfigError as error:
        fail(f"{error}{'' if url or clinics_file.exists() else ', or give --url'}", ExitCode.BAD_CONFIG)
    run = open_for_writing(archive, listed)
    watcher.begin()
    settings = crawl_settings(archive, clinics_file, listed, delay, verbose)
    visit(run, settings, chosen, time_limit=time_limit, limit=limit, everything=everything)
    code = run_report.exit_code(run)
    told = run_report.summary(run)
    watcher.lines = _tell(run)
    close(run, code, told)
    if as_json:
        click.echo(json.dumps({**told, "exit_code": code}, ensure_ascii=False))
    elif sys.stdout.isatty():
        if not chosen:
            click.echo("every clinic is closed: none was visited")
        for clinic_id, numbers in told["clinics"].items():
            if numbers["status"] == "done" or not sys.stderr.isatty():  # else the line above says it, and why
                click.echo(sentence(clinic_id, numbers))
    sys.exit(code)


def _tell(run: Run) -> list[str]:
    """All that went wrong, into the log; to stderr what is new there (`pipelines.run.notices`). Gives the lines."""
    waiting, lines = run_report.not_begun(run), run_report.problem_lines(run)
    for line in [*run.recovered, *waiting, *lines]:
        logger.warning("%s", line)
    for line in waiting:  # each time: those who wait are others each time
        click.echo(line, err=True)
    emit(run.archive, notices_of(lines, run.outcomes), over=run_report.resolved(run))
    return [*run.recovered, *run_report.brief(run)]


def _choose(
    listed: Clinics, slugs: Iterable[str], url: str | None, allow_private: bool, clinics_file: Path
) -> list[Clinic]:
    """The clinics to visit, none where all are closed; with `--url` one that need not be listed."""
    slugs = list(slugs)
    if url and slugs:
        raise click.UsageError("name clinics or give --url, not both")
    if url:
        given = clinic_from_url(url)
        # A blog that has a stanza is that clinic, however it is named: one blog, one history.
        chosen = [one for one in listed if post_key(one.url) == post_key(given.url)][:1] or [given]
        private = is_private_host(urlsplit(chosen[0].url).hostname or "")
        if private and not (allow_private or chosen[0].allow_private):
            raise ConfigError(f"--url {url} is on a private address: add --allow-private if that is meant")
    else:
        chosen = listed.to_visit(slugs)
        if not list(listed):
            raise ConfigError(f"no clinic to visit: add a stanza to {clinics_file}, or give --url")
    return [replace(clinic, allow_private=True) for clinic in chosen] if allow_private else chosen


def crawl_settings(archive: Path, clinics_file: Path, listed: Clinics, delay: float | None, verbose: bool) -> Settings:
    """Scrapy's settings for a run of ours: the house's, with who crawls, and a log file in the archive.

    `listed`: what `clinics_file` says, or would where there is none.
    """
    settings = Settings()
    settings.setmodule("scraper.settings", priority="project")
    log = archive / "log"
    log.mkdir(parents=True, exist_ok=True)
    _rotate(log / "crawl.log")
    settings.update(
        {
            "ARCHIVE": str(archive.absolute()),
            "CLINICS_FILE": str(clinics_file),
            "USER_AGENT": user_agent(listed.crawler),
            "BROWSER_EXECUTABLE": listed.crawler.browser or None,
            "DELAY": delay,
            "LOG_LEVEL": "INFO",
            "LOG_FILE": None if verbose else str(log / "crawl.log"),
            "LOG_FILE_APPEND": True,
        },
        priority="cmdline",
    )
    return settings


def _rotate(log: Path) -> None:
    """A log that has grown large becomes crawl.log.1, and so on; the oldest goes. The caller holds the archive."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        handler = RotatingFileHandler(log, backupCount=KEPT_LOGS, delay=True)
        handler.doRollover()
        handler.close()


class Process(CrawlerProcess):
    """Scrapy's process, which remembers that it was asked to stop: visits that still wait for a place are not begun."""

    stopped = False
    _signalled = False

    def stop(self) -> Deferred[Any]:
        """What Scrapy calls at the first signal, and when its reactor ends: after all visits, or at a second signal."""
        first, self._signalled = not self._signalled, True
        # The time limit has asked before: this signal, too, waits for the pages in flight.
        return self.join() if first and self.stopped else self.end_visits()

    def end_visits(self) -> Deferred[Any]:
        """End the visits that are under way."""
        self.stopped = self.stopped or bool(self.crawlers)
        ends = (
            self._end(one) if one.crawling and not one.engine.running else one.stop_async() for one in self.crawlers
        )
        return DeferredList([deferred_from_coro(one) for one in ends], consumeErrors=True)

    async def _end(self, crawler: Crawler) -> None:
        # Scrapy takes a crawler that is still being set up for stopped: it then runs in full, and its end is never met.
        while crawler in self.crawlers and crawler.crawling and not crawler.engine.running:
            a_moment: Deferred[None] = Deferred()
            running_reactor().callLater(0.01, a_moment.callback, None)
            await maybe_deferred_to_future(a_moment)
        await crawler.stop_async()


def visit(
    run: Run,
    settings: Settings,
    clinics: list[Clinic],
    spider: type[ClinicSpider] = BlogSpider,
    time_limit: float | None = None,
    **arguments: Any,
) -> None:
    """Crawl the clinics side by side, until all are done or the run is ended (Ctrl-C, SIGTERM, the time limit).

    Those that have waited longest come first: where a run cannot come to all, the others are the next run's first.
    `time_limit`: in seconds; what is under way then is finished, as after SIGTERM. `arguments`: what the spider
    takes beside its clinic.
    """
    if not clinics:
        _record_closed(run)
        return
    # Pages are read into trees full of circles, thrown away a page later: counting them out less often costs a little
    # memory and saves a twentieth of the time.
    gc.set_threshold(5_000, 10, 10)
    process = Process(settings)
    logging.getLogger("scrapy.addons").setLevel(logging.WARNING)
    for name in ("scrapy.core.engine", "scrapy.core.scraper"):
        logging.getLogger(name).setLevel(logging.INFO)  # else a line a request is made, and dropped by its level
    places = DeferredSemaphore(SIDE_BY_SIDE)

    def begin(clinic: Clinic) -> Deferred[None]:
        if process.stopped or run.broken:
            return succeed(None)
        return process.crawl(spider, clinic=clinic, **arguments)

    def broke_off(failure: Failure, clinic: Clinic) -> None:
        logger.error("%s: the visit broke off", clinic.slug, exc_info=failure.value)
        run.mark_failed(
            clinic, f"the visit broke off ({type(failure.value).__name__}: {failure.value}); please report it"
        )

    def out_of_time() -> None:
        logger.warning("the time limit of %.0f s is reached; the visits are ended", time_limit)
        run.out_of_time = True
        process.end_visits()

    try:
        if spider.kind == "crawl":
            run.register(clinics)
        now = datetime.now(UTC)
        clinics = sorted(clinics, key=lambda one: queue_order(run.db.conn, one.slug, now))
    except (WarcWriteError, OSError, sqlite3.Error) as error:
        run.halt(f"{run.archive}: the run could not begin: {error}")

    with Progress.on_terminal(process):
        for clinic in clinics:
            places.run(begin, clinic).addErrback(broke_off, clinic)
        if time_limit is not None:
            running_reactor().callLater(time_limit, out_of_time)
        process.start()
    run.not_begun = [clinic.slug for clinic in clinics if clinic.slug not in run.outcomes]
    if process.stopped:
        run.mark_cut_short()


def _record_closed(run: Run) -> None:
    """Where every clinic is closed there is nothing to visit, and nothing wrong: a rebuild is to know it, too."""
    try:
        run.open_run_file("crawl")
    except (WarcWriteError, OSError, sqlite3.Error) as error:
        run.halt(f"{run.archive}: not written: {error}")


def sentence(clinic_id: str, numbers: dict[str, Any]) -> str:
    """One line a clinic for a person at a terminal."""
    if numbers["status"] != "done":
        return f"{clinic_id}: {numbers['status']}"
    posts = "1 post" if numbers["fetched"] == 1 else f"{numbers['fetched']} posts"
    return (
        f"{clinic_id}: {posts} ({numbers['new_posts']} new, {numbers['new_revisions']} edited,"
        f" {numbers['unchanged']} not modified), {numbers['not_due']} not due; {numbers['readings']} readings,"
        f" {numbers['comments']} comments, {numbers['rendered']} pages in a browser, {numbers['requests']} requests,"
        f" {numbers['warc_bytes'] / 1e6:.1f} MB recorded"
    )
