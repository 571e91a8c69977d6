"""`clinic-archive crawl`: visit clinics and bring the archive up to date."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import (
    Duration,
    allow_private_option,
    archive_option,
    clinics_file_option,
    delay_option,
    examples,
    json_option,
    shard_option,
    verbose_option,
)
from pipelines.commands._output import counted, finish
from pipelines.commands._ping import VARIABLE, PingNotifier, PingUrl, watched
from pipelines.commands._process import crawl_settings, visit
from pipelines.commands._run import close_run, open_for_writing, refuse_other_key
from pipelines.derive import derive_after_run
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo, is_terminal
from pipelines.run import report
from pipelines.run.notices import emit
from pipelines.run.outcome.judgement import resolved
from pipelines.run.run import Run
from scraper.addresses import is_private_host, post_key
from scraper.config.clinics import Clinic, Clinics, clinic_from_url, read_clinics, refuse_placeholder
from scraper.config.shard import Shard
from scraper.config.toml_file import ConfigError

logger = logging.getLogger(__name__)


@click.command(
    short_help="Visit clinics and bring the archive up to date.",
    epilog=examples(
        "clinic-archive crawl --archive ~/clinics --time-limit 6h --workers 2",
        "clinic-archive crawl --url https://www.example.com --limit 5",
    ),
)
@click.argument("clinics", nargs=-1, metavar="[CLINIC]...")
@click.option("--url", help="Visit this blog, listed or not, e.g. https://www.example.com")
@archive_option
@clinics_file_option
@shard_option
@click.option("--limit", type=click.IntRange(1), help="Request only the N newest posts of each clinic.")
@click.option("--all", "everything", is_flag=True, help="Request every post, due or not, and ignore the day's budget.")
@click.option(
    "--time-limit",
    type=Duration(least=0.001),
    help="End cleanly after this time, e.g. 90m or 6h; the next run continues.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Visit clinics in N processes, for machines with more cores.",
)
@delay_option
@allow_private_option
@click.option(
    "--ping-url",
    type=PingUrl(),
    envvar=VARIABLE,
    show_envvar=True,
    help="Notify a watcher: POST to URL/start, then to URL or URL/fail.",
)
@verbose_option
@json_option
@watched
def command(
    clinics: tuple[str, ...],
    url: str | None,
    archive: Path,
    clinics_file: Path,
    shard: Shard | None,
    limit: int | None,
    everything: bool,
    time_limit: float | None,
    workers: int,
    delay: float | None,
    allow_private: bool,
    verbose: bool,
    as_json: bool,
    watcher: PingNotifier,
) -> None:
    """Visit the named clinics, or all of clinics.toml, and bring the archive up to date.

    Posts that are due are requested; every answer is recorded in the archive's WARC files before it is read.
    """
    with exit_on_error(clinics_file):
        if shard is not None and (url or clinics):
            raise click.UsageError("name clinics, or give --url or --shard")
        listed = _listed(clinics_file, optional=url is not None)
        chosen = _choose(listed, clinics, url, allow_private, clinics_file)
        if shard is not None:
            listed = listed.of_shard(shard)
            chosen = [clinic for clinic in chosen if shard.has(clinic.slug)]
        refuse_placeholder(listed.crawler_config, chosen, clinics_file)
    refuse_other_key(archive, listed)
    run = open_for_writing(archive, listed)
    run.failed_share = listed.failed_share
    watcher.begin()
    settings = crawl_settings(archive, clinics_file, listed, delay, verbose)
    visit(run, settings, chosen, time_limit=time_limit, workers=workers, limit=limit, everything=everything)
    watcher.lines = _report_problems(run)
    code, summary = close_run(run)
    if not run.broken and (code != ExitCode.STOPPED or run.out_of_time):
        derive_after_run(archive, run.started_at)
    lines = _lines(summary) if chosen else ["no clinic was visited: all are closed, or the shard has none"]
    finish(summary, lines, as_json=as_json, code=code)


def _listed(clinics_file: Path, optional: bool) -> Clinics:
    """The clinics of the file; none where it may be absent, and is. Raises ConfigError."""
    if clinics_file.exists():
        return read_clinics(clinics_file)
    if optional:
        return Clinics()
    raise ConfigError(f"{clinics_file}: no such file; copy the clinics.toml of the project, or give --url")


def _report_problems(run: Run) -> list[str]:
    """Log every problem, print the new ones to stderr (`pipelines.run.notices`), return the lines for the watcher."""
    not_begun, notices = report.not_begun(run), report.problem_notices(run)
    for line in [*run.recovered, *not_begun, *(notice.line for notice in notices)]:
        logger.warning("%s", line)
    for line in not_begun:  # in every run: the clinics differ each time
        echo(line, err=True)
    emit(run.archive, notices, unrequested=resolved(run))
    return [*run.recovered, *report.brief(run)]


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """A line a clinic for a person at a terminal."""
    for clinic_id, numbers in summary["clinics"].items():
        if numbers["status"] == "done" or not is_terminal(err=True):  # else stderr shows the status, and why
            yield sentence(clinic_id, numbers)


def _choose(
    listed: Clinics, slugs: Iterable[str], url: str | None, allow_private: bool, clinics_file: Path
) -> list[Clinic]:
    """Return the clinics to visit, none where all are closed; with `--url` one that need not be listed.

    Raises ConfigError, or a usage error.
    """
    slugs = list(slugs)
    if url and slugs:
        raise click.UsageError("name clinics or give --url, not both")
    if url:
        chosen = [_clinic_at(url, listed, allow_private)]
    else:
        chosen = listed.to_visit(slugs)
        if not list(listed):
            raise ConfigError(f"no clinic to visit: add a stanza to {clinics_file}, or give --url")
    return [replace(clinic, allow_private=True) for clinic in chosen] if allow_private else chosen


def _clinic_at(url: str, listed: Clinics, allow_private: bool) -> Clinic:
    """The clinic whose blog has this address, listed or not. Raises ConfigError."""
    given = clinic_from_url(url)
    # A blog that has a stanza is that clinic, whatever its address is: one blog, one history.
    clinic = next((clinic for clinic in listed if post_key(clinic.url) == post_key(given.url)), given)
    private = is_private_host(urlsplit(clinic.url).hostname or "")
    if private and not (allow_private or clinic.allow_private):
        raise ConfigError(f"--url {url} is on a private address: add --allow-private if that is intended")
    return clinic


def sentence(clinic_id: str, numbers: dict[str, Any]) -> str:
    """Return the line about one clinic."""
    if numbers["status"] != "done":
        return f"{clinic_id}: {numbers['status']}"
    return (
        f"{clinic_id}: {counted(numbers['fetched'], 'post')} ({numbers['new_posts']} new, {numbers['new_revisions']}"
        f" edited, {numbers['unchanged']} not modified), {numbers['not_due']} not due;"
        f" {counted(numbers['readings'], 'reading')}, {counted(numbers['comments'], 'comment')},"
        f" {counted(numbers['rendered'], 'page')} in a browser, {counted(numbers['requests'], 'request')},"
        f" {numbers['warc_bytes'] / 1e6:.1f} MB recorded"
    )
