"""`clinic-archive backfill`: history from before the first crawl, from a web archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from sqlite_utils import Database

from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import (
    allow_private_option,
    archive_option,
    clinics_file_option,
    delay_option,
    examples,
    json_option,
    verbose_option,
)
from pipelines.commands._output import finish
from pipelines.commands._process import crawl_settings, visit
from pipelines.commands._run import close_run, open_for_writing, unlock_on_error
from pipelines.derive import derive_after_run
from pipelines.printing import echo
from pipelines.run import report
from scraper.addresses import is_private_host, is_web_address
from scraper.config.clinics import Clinic, Clinics, read_clinics, refuse_placeholder
from scraper.config.toml_file import ConfigError
from scraper.spiders.wayback import WaybackSpider
from scraper.web_archive.backfill import Backfill


class Moment(click.ParamType[str]):
    """A year, month or day, as a web archive's timestamp: "2019", "2019-05", "2019-05-04" gives "20190504"."""

    name = "YYYY[-MM[-DD]]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the digits alone. Raises a usage error for anything else."""
        # "2019-05": a year from 1990 on, a month, a day
        if not re.fullmatch(r"(199\d|2\d{3})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", str(value)):
            self.fail(f"{value!r} is no year (2019), month (2019-05) or day (2019-05-04)", param, ctx)
        return str(value).replace("-", "")


@click.command(
    short_help="Fetch a clinic's history from a web archive.",
    epilog=examples(
        "clinic-archive backfill riverside --from 2015", "clinic-archive backfill riverside --from 2019-05 --to 2020"
    ),
)
@click.argument("clinic")
@click.option(
    "--from", "first", type=Moment(), required=True, help="First year, month or day of the captures: 2019, 2019-05."
)
@click.option("--to", "last", type=Moment(), help="Last year, month or day, included; default: until now.")
@click.option(
    "--web-archive", help="Address of the web archive, e.g. https://web.archive.org; default: the one in clinics.toml."
)
@archive_option
@clinics_file_option
@click.option(
    "--limit", type=click.IntRange(1), help="Request at most N captures, the oldest that the archive does not hold."
)
@delay_option
@allow_private_option
@verbose_option
@json_option
def command(
    clinic: str,
    first: str,
    last: str | None,
    web_archive: str | None,
    archive: Path,
    clinics_file: Path,
    limit: int | None,
    delay: float | None,
    allow_private: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Fetch every text that a web archive holds of a clinic's posts, and store it with its own date.

    The web archive lists its captures of each post's page. One is requested where its content differs from the capture
    before it, as the list's digests say. Run the command again to continue where it stopped: captures that the archive
    already holds are not requested again.
    """
    with exit_on_error(clinics_file):
        listed = read_clinics(clinics_file) if clinics_file.exists() else Clinics()
        base = _base(web_archive or listed.crawler_config.web_archive, allow_private)
    run = open_for_writing(archive)
    with unlock_on_error(run), exit_on_error(archive):
        chosen = _clinic(run.db, listed, clinic)
        refuse_placeholder(listed.crawler_config, [replace(chosen, url=base)])
    chosen = replace(chosen, allow_private=chosen.allow_private or allow_private)
    settings = crawl_settings(archive, clinics_file, listed, delay, verbose)
    backfill = Backfill(base=base, site=chosen.url, first=first, last=last, limit=limit)
    visit(run, settings, [chosen], WaybackSpider, backfill=backfill)
    for line in report.brief(run):
        echo(line, err=True)
    code, summary = close_run(run, backfill=_counts(backfill))
    derive_after_run(archive, run.started_at)
    finish(summary, _lines(clinic, backfill, summary), as_json=as_json, code=code, always=True)


def _lines(clinic: str, backfill: Backfill, summary: Mapping[str, Any]) -> Iterator[str]:
    (numbers,) = summary["clinics"].values()
    yield (
        f"{clinic}: {backfill.listed} captures of posts listed, {backfill.chosen} of them with another text than the"
        f" one before; {backfill.known} already in the archive, {numbers['fetched']} fetched, {backfill.missing}"
        f" missing, {backfill.blocked} blocked, {numbers['failed']} failed"
    )


def _base(address: str, allow_private: bool) -> str:
    """The web archive's address without a slash at its end. Raises ConfigError."""
    base = address.rstrip("/")
    if not is_web_address(base):
        raise ConfigError(f"--web-archive {base}: not an http or https address")
    if is_private_host(urlsplit(base).hostname or "") and not allow_private:
        raise ConfigError(f"{base} is on a private address: add --allow-private if that is intended")
    return base


def _clinic(db: Database, listed: Clinics, slug: str) -> Clinic:
    """The clinic of that slug, from clinics.toml or else from the archive. Raises ConfigError."""
    known = next((clinic for clinic in listed if clinic.slug == slug), None)
    if known is not None:
        return known
    columns = "name, url, comments_policy, privacy, timezone"
    row = db.execute(f"SELECT {columns} FROM clinics WHERE clinic_id = ?", [slug]).fetchone()
    if row is None:
        raise ConfigError(f"no clinic {slug!r}: neither clinics.toml nor the archive has it; add a stanza for it")
    name, url, comments, privacy, timezone = row
    return Clinic(slug=slug, name=name, url=url, comments=comments, privacy=privacy, timezone=timezone)


def _counts(backfill: Backfill) -> dict[str, int]:
    return {name: getattr(backfill, name) for name in ("listed", "chosen", "known", "missing", "blocked")}
