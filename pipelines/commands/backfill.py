"""`clinic-archive backfill`: history from before the first crawl, from a web archive."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from sqlite_utils import Database

from pipelines import run_report
from pipelines.commands._archive import close, fail, open_for_writing
from pipelines.commands.crawl import crawl_settings, visit
from pipelines.exit_codes import ExitCode
from scraper.addresses import is_private_host, is_web_address
from scraper.config.clinics import Clinic, Clinics, read_clinics, refuse_placeholder
from scraper.config.toml_file import ConfigError
from scraper.crawl.backfill import Backfill
from scraper.spiders.wayback import WaybackSpider


class Moment(click.ParamType[str]):
    """A year, month or day, as a web archive's timestamp: "2019", "2019-05", "2019-05-04" gives "20190504"."""

    name = "YYYY[-MM[-DD]]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digits alone."""
        if not re.fullmatch(r"(199\d|2\d{3})(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", str(value)):
            self.fail(f"{value!r} is no year (2019), month (2019-05) or day (2019-05-04)", param, ctx)
        return str(value).replace("-", "")


@click.command(short_help="Bring in what a web archive has of a clinic.")
@click.argument("clinic")
@click.option("--from", "first", type=Moment(), required=True, help="Captures from this year on.")
@click.option("--to", "last", type=Moment(), help="And up to this one.")
@click.option("--web-archive", help="Its address, e.g. https://web.archive.org; else that of clinics.toml.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--clinics-file", type=click.Path(dir_okay=False, path_type=Path), default=Path("clinics.toml"),
              show_default=True)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Only the N oldest captures that are not here yet.")
@click.option("--delay", type=click.FloatRange(0), help="Seconds between requests; robots.txt may ask for more.")
@click.option("--allow-private", is_flag=True, help="Permit loopback and private addresses in this run.")
@click.option("-v", "--verbose", is_flag=True, help="Print the log to stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
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
    """Ask a web archive for every text that it has of a clinic's posts, and fold it in at its own date.

    Post pages are asked for at every capture whose digest differs from the one before. Run it again to go on where it
    stopped: what was had before is not asked for again.
    """
    try:
        listed = read_clinics(clinics_file) if clinics_file.exists() else Clinics()
        base = (web_archive or listed.crawler.web_archive).rstrip("/")
        if not is_web_address(base):
            raise ConfigError(f"--web-archive {base}: not an http or https address")
        if is_private_host(urlsplit(base).hostname or "") and not allow_private:
            raise ConfigError(f"{base} is on a private address: add --allow-private if that is meant")
    except ConfigError as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    run = open_for_writing(archive)
    try:
        chosen = _clinic(run.db, listed, clinic)
        refuse_placeholder(listed.crawler, [replace(chosen, url=base)])
    except ConfigError as error:
        run.release()
        fail(str(error), ExitCode.BAD_CONFIG)
    chosen = replace(chosen, allow_private=chosen.allow_private or allow_private)
    settings = crawl_settings(archive, clinics_file, listed, delay, verbose)
    wanted = Backfill(base=base, site=chosen.url, first=first, last=last, limit=limit)
    visit(run, settings, [chosen], WaybackSpider, wanted=wanted)
    code = run_report.exit_code(run)
    told = {**run_report.summary(run), "backfill": _counts(wanted)}
    for line in run_report.brief(run):
        click.echo(line, err=True)
    close(run, code, told)
    if as_json:
        click.echo(json.dumps({**told, "exit_code": code}, ensure_ascii=False))
    elif sys.stdout.isatty():
        (numbers,) = told["clinics"].values()
        click.echo(
            f"{clinic}: {wanted.listed} captures of posts listed, {wanted.chosen} of them of another text than the one"
            f" before; {wanted.known} were here, {numbers['fetched']} fetched, {wanted.missing} missing,"
            f" {wanted.blocked} blocked, {numbers['failed']} failed"
        )
    sys.exit(code)


def _clinic(db: Database, listed: Clinics, slug: str) -> Clinic:
    """The clinic of that slug, of clinics.toml or else of the archive. Raises ConfigError."""
    known = {one.slug: one for one in listed}
    if slug not in known:
        columns = "name, url, comments_policy, privacy, timezone"
        row = db.execute(f"SELECT {columns} FROM clinics WHERE clinic_id = ?", [slug]).fetchone()
        if row is None:
            raise ConfigError(f"no clinic {slug!r}: neither clinics.toml nor the archive has it; add a stanza for it")
        name, url, comments, privacy, timezone = row
        known[slug] = Clinic(slug=slug, name=name, url=url, comments=comments, privacy=privacy, timezone=timezone)
    return known[slug]


def _counts(wanted: Backfill) -> dict[str, int]:
    return {name: getattr(wanted, name) for name in ("listed", "chosen", "known", "missing", "blocked")}
