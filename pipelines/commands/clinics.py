"""`clinic-archive clinics`: the list of clinics: import a sampling frame, show it, check which clinics have a blog."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from archive.db import DATABASE
from archive.rows import runs
from archive.warc._file import sync_folder
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import (
    allow_private_option,
    archive_option,
    archives_option,
    clinics_file_option,
    delay_option,
    distinct_archives,
    examples,
    json_option,
)
from pipelines.commands._output import counted, fail, finish
from pipelines.commands._platform_reads import known_lines, read_by, reads_of
from pipelines.commands._process import crawl_settings, visit
from pipelines.commands._run import close_run, open_for_writing
from pipelines.commands._table import table
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from pipelines.run import report
from pipelines.run.run import Run
from scraper.config.clinics import Clinics, read_clinics, refuse_placeholder, today
from scraper.config.made_slugs import MadeSlugs
from scraper.config.sampling_frame import BadSamplingFrame, appended, new_rows, read_frame
from scraper.config.toml_file import ConfigError
from scraper.spiders.check import CheckSpider


@click.group(
    short_help="Import a list of clinics, show it, check which have a blog.",
    epilog=examples("clinic-archive clinics list"),
)
def command() -> None:
    """Import a sampling frame into clinics.toml, show its clinics, and check which of them have a blog."""


@command.command(
    "import",
    short_help="Add the clinics of a CSV file to clinics.toml.",
    epilog=examples("clinic-archive clinics import frame.csv --dry-run"),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.csv")
@clinics_file_option
@click.option("--make-slugs", is_flag=True, help="Make the slugs from the names, for a file without a column slug.")
@click.option("--dry-run", is_flag=True, help="Print the new stanzas, and write nothing.")
@json_option
def import_(file: Path, clinics_file: Path, make_slugs: bool, dry_run: bool, as_json: bool) -> None:
    """Add a stanza to clinics.toml for each row of a CSV file: columns slug, name, url; any other is an attribute.

    The present text of clinics.toml is not changed. A row that equals its stanza is skipped. If any row is wrong, or
    differs from its stanza, all such rows are reported and nothing is written.
    """
    with exit_on_error(clinics_file, "nothing written"):
        listed = read_clinics(clinics_file)
        try:
            with exit_on_error(file, "nothing written"):
                frame = read_frame(file, MadeSlugs(listed) if make_slugs else None)
            new = new_rows(frame, listed)
            text = appended(clinics_file, listed, new)
        except BadSamplingFrame as error:
            fail("\n".join([*error.lines, f"{file}: nothing written to {clinics_file}"]), ExitCode.BAD_CONFIG)
        if new and not dry_run:
            _replace(clinics_file, text)
    unchanged = len(frame.rows) - len(new)
    added = [row.clinic.slug for row in new]
    summary = {"clinics_file": str(clinics_file), "dry_run": dry_run, "added": added, "unchanged": unchanged}
    lines = [f"{clinics_file}: {len(new)} added, {unchanged} unchanged"]
    if dry_run:
        lines = ["\n".join(row.stanza for row in new).removesuffix("\n")] if new else []
    finish(summary, lines, as_json=as_json, always=True)


def _replace(path: Path, text: str) -> None:
    """Replace the file's text in one step, durably; mode and owner stay. Raises OSError; the file is unchanged then."""
    path = path.resolve()  # where a link leads, not the link
    before = path.stat()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            with contextlib.suppress(PermissionError):  # only root may give a file away
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@command.command(
    "list",
    short_help="Show every clinic and what the archive knows of it.",
    epilog=examples("clinic-archive clinics list --archive ~/clinics"),
)
@archives_option
@clinics_file_option
@json_option
def list_(archives: tuple[Path, ...], clinics_file: Path, as_json: bool) -> None:
    """Show every clinic of clinics.toml and of the archive: what it runs on, which reader reads it, posts, last visit.

    Clinics without a blog are listed too: shares are computed over all clinics. A clinic that moved from one archive to
    another is shown as it is where it was visited last.
    """
    found = [archive for archive in distinct_archives(archives) if len(archives) > 1 or (archive / DATABASE).exists()]
    with exit_on_error(clinics_file):
        listed = read_clinics(clinics_file) if clinics_file.exists() or not found else Clinics()
    visits: dict[str, dict[str, Any]] = {}
    for archive in found:
        with exit_on_error(archive), closing(read_only(archive)) as db:
            for row in runs.last_visits(db):
                slug = row.pop("clinic_id")
                if (row["last_visit_at"] or "") >= (visits.get(slug, {}).get("last_visit_at") or ""):
                    visits[slug] = row
    clinics = [{**clinic, "reads": reads_of(clinic["platform"])} for clinic in merge_visits(listed, visits)]
    counts = Counter(_blog_status(clinic) for clinic in clinics)
    finish(
        {"clinics": clinics, "blog_status": counts},
        _list_lines(clinics, counts, clinics_file),
        as_json=as_json,
        always=True,
    )


def _list_lines(clinics: list[dict[str, Any]], counts: Counter[str], clinics_file: Path) -> Iterator[str]:
    header = ("clinic", "name", "runs on", "read by", "blog", "posts", "last visit", "went")
    rows = [
        (
            clinic["slug"] if clinic["listed"] else f"{clinic['slug']} *",
            clinic["name"],
            clinic["maker"] or "-",
            read_by(clinic["platform"]),
            _blog_status(clinic),
            str(clinic["posts"]),
            (clinic["last_visit_at"] or "-")[:10],
            clinic["last_status"] or "-",
        )
        for clinic in clinics
    ]
    yield table(header, rows, narrowed="name", numbers=("posts",))
    if not all(clinic["listed"] for clinic in clinics):
        yield f"* in the archive, not in {clinics_file}"
    yield from known_lines(clinic["platform"] for clinic in clinics)
    by_status = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    yield f"{counted(len(clinics), 'clinic')}{f': {by_status}' if by_status else ''}"


def merge_visits(listed: Clinics, visits: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return every clinic once: those of clinics.toml in its order, then those that only the archive knows.

    `visits`: rows of `runs.last_visits` by slug.
    """
    unvisited = {
        "platform": None,
        "maker": None,
        "blog_status": "unknown",
        "posts": 0,
        "last_visit_at": None,
        "last_status": None,
        "last_note": None,
    }
    clinics: list[dict[str, Any]] = []
    for clinic in listed:
        row = {**unvisited, **visits.get(clinic.slug, {}), "name": clinic.name, "url": clinic.url}
        if clinic.is_closed(today()):
            row["blog_status"] = "closed"
        clinics.append({"slug": clinic.slug, "listed": True, "archived": clinic.slug in visits, **row})
    slugs = {clinic.slug for clinic in listed}
    unlisted = [(slug, row) for slug, row in visits.items() if slug not in slugs]
    return [*clinics, *({"slug": slug, "listed": False, "archived": True, **row} for slug, row in unlisted)]


def _blog_status(clinic: Mapping[str, Any]) -> str:
    """Whether the clinic has a blog, for a person."""
    if clinic["blog_status"] == "unknown" and clinic["last_visit_at"] is None:
        return "not visited yet"
    return str(clinic["blog_status"]).replace("_", " ")


@command.command(
    short_help="Check whether clinics can be reached, on which platform, and whether they have a blog.",
    epilog=examples("clinic-archive clinics check riverside --archive ~/clinics"),
)
@click.argument("slugs", nargs=-1, metavar="[CLINIC]...")
@archive_option
@clinics_file_option
@delay_option
@allow_private_option
@json_option
def check(
    slugs: tuple[str, ...],
    archive: Path,
    clinics_file: Path,
    delay: float | None,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Check the named clinics, or all that are not closed: does the site answer, on which platform, with a blog?

    The check is a visit like that of `crawl --limit 1`, with the same delays, and is recorded in the archive with the
    newest post. "No blog" is a result (exit 0), unless the archive holds posts of the clinic; that fails, as does a
    site that could not be read (exit 3).
    """
    with exit_on_error(clinics_file):
        listed = read_clinics(clinics_file)
        chosen = listed.to_visit(slugs)
        if not list(listed):
            raise ConfigError(f"no clinic to check: add a stanza to {clinics_file}, or `clinics import` a list")
        refuse_placeholder(listed.crawler_config, chosen, clinics_file)
    if allow_private:
        chosen = [replace(clinic, allow_private=True) for clinic in chosen]
    run = open_for_writing(archive, listed)
    settings = crawl_settings(archive, clinics_file, listed, delay, False)
    visit(run, settings, chosen, CheckSpider)
    problems = report.brief(run)
    code, summary = close_run(run)
    results = {slug: {**summary["clinics"][slug], **result} for slug, result in _results(run).items()}
    if not as_json:  # the table shows why a clinic failed
        failures = tuple(f"failed: {result['why']}" for result in results.values() if result["why"])
        problems = [line for line in problems if not line.endswith(failures)]
    for line in problems:
        echo(line, err=True)
    lines = _check_lines(results) if chosen else ["every clinic is closed: none was asked"]
    finish({**summary, "clinics": results}, lines, as_json=as_json, code=code, always=True)


def _results(run: Run) -> dict[str, dict[str, Any]]:
    """Each clinic's url, whether its first page was read (None: the visit ended before), whether it has a blog, and
    the reason where the visit did not succeed."""
    results: dict[str, dict[str, Any]] = {}
    for slug, outcome in run.outcomes.items():
        status = outcome.visit.blog_status
        reached = None if status == "unknown" else status != "unreachable"
        why = outcome.visit.failure or next(iter((*outcome.visit.failure_lines, *outcome.visit.notes)), None)
        results[slug] = {"url": outcome.clinic.url, "reached": reached, "blog_status": status, "why": why}
        results[slug]["reads"] = reads_of(outcome.visit.platform)
    return results


def _check_lines(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    header = ("clinic", "site", "runs on", "read by", "blog", "posts named", "named in, or why")
    rows = [_check_row(slug, result) for slug, result in sorted(results.items())]
    return [table(header, rows, numbers=("posts named",)), *known_lines(each["platform"] for each in results.values())]


def _check_row(slug: str, result: Mapping[str, Any]) -> tuple[str, ...]:
    site = {True: "up", False: "not reached", None: "not known"}[result["reached"]]
    sources = ", ".join(f"{source} {number}" for source, number in result["found_in"].items())
    status = result["blog_status"]
    blog = "-" if status in ("unknown", "unreachable") else status.replace("_", " ")
    posts = str(result["discovered"]) if status == "blog" else "-"
    why = (result["why"] if result["status"] == "failed" else sources or result["why"]) or "-"
    return slug, site, result["maker"] or "-", read_by(result["platform"]), blog, posts, why
