"""`clinic-archive import`: captures that others made, from WARC, WACZ, WET and saved pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlite_utils import Database

from archive.warc import BadRecord
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option, utc_moment
from pipelines.commands._output import counted, finish, print_problems
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.derive import derive_after_run
from pipelines.exit_codes import ExitCode
from pipelines.imports.importer import ImportResult, import_files
from pipelines.printing import echo, is_terminal
from pipelines.run.key import BadKey
from scraper.addresses import is_within
from scraper.config.clinics import Clinic, Clinics, clinic_from_url, read_clinics
from scraper.platforms import site_root


@click.command(
    short_help="Import captures made by others.",
    epilog=examples(
        "clinic-archive import crawls/riverside.warc.gz",
        "clinic-archive import sleep.html --url https://www.example.com/post/sleep --date 2024-06-01",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--url", help="Address of a clinic that has no stanza; for a saved page, the page's own address.")
@click.option("--date", metavar="ISO", help="When a saved page was saved; default: the date of its file.")
@archive_option
@clinics_file_option
@json_option
def command(
    paths: tuple[Path, ...], url: str | None, date: str | None, archive: Path, clinics_file: Path, as_json: bool
) -> None:
    """Import captures of the archive's clinics from WARC, WACZ and WET files of other tools, and from saved pages.

    Each capture keeps its own date. The files are copied into the archive unchanged; a capture that the archive already
    holds is not imported again. A file without any usable capture is named on stderr, the others are imported, and the
    exit code is 1. No archive is made where no file could be imported.
    """
    at = utc_moment(date, "--date")
    with exit_on_error(clinics_file):
        listed = read_clinics(clinics_file) if clinics_file.exists() else Clinics()
        site = _site(url) if url else None
    is_new = not archive.exists()
    run = open_for_writing(archive, listed)
    codes = {BadRecord: ExitCode.UNEXPECTED, BadKey: ExitCode.UNEXPECTED}
    with exit_on_error(archive, "complete files are imported at the next start", codes=codes), unlock_on_error(run):
        results = import_files(run, _files(paths), _clinics(run.db, listed, site), url, at)
        code = ExitCode.UNEXPECTED if any(result.refused for result in results) else ExitCode.DONE
        run.close(code, _summary(results))
        if is_new and all(result.refused for result in results):
            shutil.rmtree(archive)  # this command made the folder, and has nothing to keep in it
    derive_after_run(archive, run.started_at)
    for result in results:
        _print_problems(result)
    lines = [_summary_line(result) for result in results if not result.refused]
    if len(lines) > 1 and not is_terminal():
        new = sum(number for result in results for number in result.captures.values())
        lines = [f"{archive}: {counted(new, 'new capture')} from {counted(len(lines), 'file')}"]
    finish(_summary(results), lines, as_json=as_json, code=code, always=True)


def _site(url: str) -> Clinic:
    """The clinic whose site holds the page. Raises ConfigError."""
    clinic = clinic_from_url(url)
    return clinic_from_url(site_root(clinic.url))


def _clinics(db: Database, listed: Clinics, site: Clinic | None) -> dict[str, Clinic]:
    """The clinics whose captures are imported: of clinics.toml, of the archive, and the one of --url."""
    clinics = {clinic.slug: clinic for clinic in listed}
    columns = "clinic_id, name, url, comments_policy, privacy, timezone"
    for slug, name, url, comments, privacy, timezone in db.execute(f"SELECT {columns} FROM clinics").fetchall():
        known = Clinic(slug=slug, name=name, url=url, comments=comments, privacy=privacy, timezone=timezone)
        clinics.setdefault(slug, known)
    if site is not None and not any(is_within(site.url, clinic.url) for clinic in clinics.values()):
        clinics[site.slug] = site
    return clinics


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files that are named, and those in folders that are named."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        files += inside if path.is_dir() else [path]
    return files


def _summary(results: Iterable[ImportResult]) -> dict[str, Any]:
    return {"files": [{**asdict(result), "path": result.path.name} for result in results]}


def _print_problems(result: ImportResult) -> None:
    """Print why a file was not imported, and the records that were left out, each once."""
    if result.refused:
        echo(f"{result.path}: not imported: {result.refused}", err=True)
    lines = [line for line in result.bad if not (result.refused and line.removesuffix("; left out") in result.refused)]
    print_problems([f"{result.path}: {line}" for line in lines], about=result.path, noun="record")


def _summary_line(result: ImportResult) -> str:
    new = ", ".join(f"{number} captures of {clinic_id}" for clinic_id, number in result.captures.items())
    parts = [
        new or "nothing new",
        f"{result.known} already in the archive" if result.known else "",
        f"{result.unread} images, scripts and the like" if result.unread else "",
        f"{result.elsewhere} captures of other sites left out" if result.elsewhere else "",
    ]
    return f"{result.path.name} ({result.origin}): {'; '.join(filter(None, parts))}"
