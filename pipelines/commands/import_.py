"""`clinic-archive import`: captures that others made, from WARC, WACZ, WET and saved pages."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from archive.db import ArchiveError
from archive.warc import BadRecord, WarcWriteError
from pipelines.commands._archive import fail, open_for_writing
from pipelines.exit_codes import ExitCode
from pipelines.imports.importer import ImportResult, import_files
from pipelines.run.key import BadKey
from scraper.addresses import is_within
from scraper.config.clinics import Clinic, Clinics, clinic_from_url, read_clinics
from scraper.config.toml_file import ConfigError
from scraper.platforms import site_root

MOST_LINES = 20  # for a file, on stderr


@click.command(short_help="Take in captures made by others.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--url", help="The clinic's address where no stanza tells it; for a saved page the page's own address.")
@click.option("--date", metavar="ISO", help="When a saved page was saved; without it, the date of its file.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--clinics-file", type=click.Path(dir_okay=False, path_type=Path), default=Path("clinics.toml"),
              show_default=True)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(
    paths: tuple[Path, ...], url: str | None, date: str | None, archive: Path, clinics_file: Path, as_json: bool
) -> None:
    """Take captures of the archive's clinics from WARC, WACZ and WET files by other tools, and from saved pages.

    Each keeps its own date; files are copied into the archive unchanged. What was taken before is not taken again. A
    file that gives nothing is named on stderr, the others go in, and the exit code is 1.
    """
    at = _date(date)
    try:
        listed = read_clinics(clinics_file) if clinics_file.exists() else Clinics()
        given = _site(url) if url else None
    except ConfigError as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    run = open_for_writing(archive, listed)
    try:
        told = import_files(run, _files(paths), _clinics(run.db, listed, given), url, at)
        code = ExitCode.UNEXPECTED if any(one.refused for one in told) else ExitCode.DONE
        run.close(code, _summary(told))
    except (OSError, sqlite3.Error, WarcWriteError, BadRecord, BadKey, ArchiveError) as error:
        run.broken = run.broken or str(error)
        run.release()
        fail(f"{archive}: {error}; what is whole goes in at the next start", ExitCode.UNEXPECTED)
    _tell(told, code, as_json)


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO 8601 date", param_hint="--date") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _site(url: str) -> Clinic:
    """The clinic at whose address a page is. Raises ConfigError."""
    clinic = clinic_from_url(url)
    root = site_root(clinic.url)
    return clinic_from_url(root)


def _clinics(db: Database, listed: Clinics, given: Clinic | None) -> dict[str, Clinic]:
    """Whose captures are looked for: clinics of clinics.toml, of the archive, and the one whose address was given."""
    found = {clinic.slug: clinic for clinic in listed}
    columns = "clinic_id, name, url, comments_policy, privacy, timezone"
    for slug, name, url, comments, privacy, timezone in db.execute(f"SELECT {columns} FROM clinics").fetchall():
        known = Clinic(slug=slug, name=name, url=url, comments=comments, privacy=privacy, timezone=timezone)
        found.setdefault(slug, known)
    if given is not None and not any(is_within(given.url, clinic.url) for clinic in found.values()):
        found[given.slug] = given
    return found


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, and those in folders that are."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
        found += inside if path.is_dir() else [path]
    return found


def _summary(told: list[ImportResult]) -> dict[str, Any]:
    return {"files": [{**asdict(one), "path": one.path.name} for one in told]}


def _tell(told: list[ImportResult], code: int, as_json: bool) -> None:
    for one in told:
        if one.refused:
            click.echo(f"{one.path}: nothing taken: {one.refused}", err=True)
        for line in one.bad[:MOST_LINES]:
            if not (one.refused and line.removesuffix("; left out") in one.refused):
                click.echo(f"{one.path}: {line}", err=True)
        if len(one.bad) > MOST_LINES:
            click.echo(f"{one.path}: and {len(one.bad) - MOST_LINES} records more; --json has them all", err=True)
    if as_json:
        click.echo(json.dumps({**_summary(told), "exit_code": code}, ensure_ascii=False))
    elif sys.stdout.isatty():
        for one in told:
            if not one.refused:
                click.echo(_sentence(one))
    sys.exit(code)


def _sentence(one: ImportResult) -> str:
    new = ", ".join(f"{number} captures of {clinic_id}" for clinic_id, number in one.captures.items())
    parts = [new or "nothing new", f"{one.known} known already" if one.known else ""]
    parts += [f"{one.unread} pictures, scripts and the like" if one.unread else ""]
    parts += [f"{one.elsewhere} captures of other sites left out" if one.elsewhere else ""]
    return f"{one.path.name} ({one.origin}): {'; '.join(filter(None, parts))}"
