"""`clinic-archive clinics`: who is archived. A sampling frame is taken in, shown, and asked whether it has blogs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from archive.db import DATABASE
from archive.rows import runs
from archive.warc._file import sync_folder
from pipelines import run_report
from pipelines.commands._archive import close, fail, open_for_writing, read_only
from pipelines.commands._table import table
from pipelines.commands.crawl import crawl_settings, visit
from pipelines.exit_codes import ExitCode
from pipelines.run.run import Run
from scraper.config.clinics import Clinics, read_clinics, refuse_placeholder, today
from scraper.config.sampling_frame import BadSamplingFrame, appended, new_rows, read_frame
from scraper.config.toml_file import ConfigError
from scraper.spiders.check import CheckSpider


@click.group(short_help="Take in a list of clinics, show it, ask which of them have a blog.")
def command() -> None:
    """Who is archived: a sampling frame comes in, is shown with what is known of it, and is asked for blogs."""


archive_option = click.option(
    "--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True,
    help="The archive's folder.",
)  # fmt: skip
clinics_file_option = click.option(
    "--clinics-file", type=click.Path(dir_okay=False, path_type=Path), default=Path("clinics.toml"), show_default=True,
    help="Who is archived.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one object to stdout.")


@command.command("import", short_help="Add the clinics of a CSV file to clinics.toml.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.csv")
@clinics_file_option
@click.option("--dry-run", is_flag=True, help="Print the stanzas and write nothing.")
@json_option
def import_(file: Path, clinics_file: Path, dry_run: bool, as_json: bool) -> None:
    """Add a stanza to clinics.toml for each row of a CSV file: columns slug, name, url; any other is an attribute.

    What stands in clinics.toml stays to the byte. A row whose stanza is there and says the same is passed over. If any
    row is wrong, or says otherwise than its stanza, all such rows are told and nothing is written.
    """
    try:
        listed = read_clinics(clinics_file)
        frame = read_frame(file)
        new = new_rows(frame, listed)
        text = appended(clinics_file, listed, new)
        if new and not dry_run:
            _replace(clinics_file, text)
    except ConfigError as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except BadSamplingFrame as error:
        fail("\n".join([*error.lines, f"{file}: nothing written to {clinics_file}"]), ExitCode.BAD_CONFIG)
    except OSError as error:
        fail(f"{error.filename or clinics_file}: {error.strerror or error}; nothing written", ExitCode.UNEXPECTED)
    unchanged = len(frame.rows) - len(new)
    if as_json:
        told = {"clinics_file": str(clinics_file), "dry_run": dry_run, "added": [row.clinic.slug for row in new]}
        click.echo(json.dumps({**told, "unchanged": unchanged, "exit_code": ExitCode.DONE}, ensure_ascii=False))
    elif dry_run:
        click.echo("\n".join(row.stanza for row in new), nl=False)
    elif sys.stdout.isatty():
        click.echo(f"{clinics_file}: {len(new)} added, {unchanged} unchanged")


def _replace(path: Path, text: str) -> None:
    """The file's text in one step: whole and on the disk, or as it was; mode and owner stay. Raises OSError."""
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


@command.command("list", short_help="Show every clinic and what is known of it.")
@archive_option
@clinics_file_option
@json_option
def list_(archive: Path, clinics_file: Path, as_json: bool) -> None:
    """Show every clinic of clinics.toml and of the archive: platform, whether it has a blog, posts, the last visit.

    A clinic without a blog is one of them: shares are taken of all.
    """
    has_archive = (archive / DATABASE).exists()
    try:
        listed = read_clinics(clinics_file) if clinics_file.exists() or not has_archive else Clinics()
    except ConfigError as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    kept: dict[str, dict[str, Any]] = {}
    if has_archive:
        with closing(read_only(archive)) as db:
            kept = {row.pop("clinic_id"): row for row in runs.last_visits(db)}
    clinics = frame_of(listed, kept)
    counts = Counter(_words(one) for one in clinics)
    if as_json:
        click.echo(json.dumps({"clinics": clinics, "blog_status": counts}, ensure_ascii=False))
        return
    header = ("clinic", "name", "platform", "blog", "posts", "last visit", "went")
    rows = [
        (
            one["slug"] if one["listed"] else f"{one['slug']} *", one["name"], one["platform"] or "-", _words(one),
            str(one["posts"]), (one["last_visit_at"] or "-")[:10], one["last_status"] or "-",
        )
        for one in clinics
    ]  # fmt: skip
    click.echo(table(header, rows, narrowed="name", numbers=("posts",)))
    if not all(one["listed"] for one in clinics):
        click.echo(f"* in the archive, not in {clinics_file}")
    told = ", ".join(f"{number} {words}" for words, number in counts.most_common())
    click.echo(f"{len(clinics)} clinic{'' if len(clinics) == 1 else 's'}{f': {told}' if told else ''}")


def frame_of(listed: Clinics, kept: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every clinic once, those of clinics.toml in its order, then those that only the archive knows.

    `kept`: rows of `runs.last_visits` by slug.
    """
    nothing = {"platform": None, "blog_status": "unknown", "posts": 0, "last_visit_at": None, "last_status": None}
    found: list[dict[str, Any]] = []
    for clinic in listed:
        told = {**nothing, "last_note": None, **kept.get(clinic.slug, {}), "name": clinic.name, "url": clinic.url}
        if clinic.is_closed(today()):
            told["blog_status"] = "closed"
        found.append({"slug": clinic.slug, "listed": True, "archived": clinic.slug in kept, **told})
    slugs = {clinic.slug for clinic in listed}
    others = [(slug, row) for slug, row in kept.items() if slug not in slugs]
    return [*found, *({"slug": slug, "listed": False, "archived": True, **row} for slug, row in others)]


def _words(one: dict[str, Any]) -> str:
    """Whether the clinic has a blog, for a person."""
    if one["blog_status"] == "unknown" and one["last_visit_at"] is None:
        return "not visited yet"
    return str(one["blog_status"]).replace("_", " ")


@command.command(short_help="Ask clinics whether they are there, on which platform, and with a blog.")
@click.argument("slugs", nargs=-1, metavar="[CLINIC]...")
@archive_option
@clinics_file_option
@click.option("--delay", type=click.FloatRange(0), help="Seconds between requests; robots.txt may ask for more.")
@click.option("--allow-private", is_flag=True, help="Permit loopback and private addresses in this run.")
@json_option
def check(
    slugs: tuple[str, ...],
    archive: Path,
    clinics_file: Path,
    delay: float | None,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Ask the named clinics, or all that are not closed: is the site there, on which platform, is there a blog?

    It is a visit as `crawl --limit 1` makes one: under the same manners, recorded in the archive with the newest post.
    That there is no blog is an answer (exit 0), unless posts of the clinic are known; that fails as a site does that
    could not be read (exit 3).
    """
    try:
        listed = read_clinics(clinics_file)
        chosen = listed.to_visit(slugs)
        if not list(listed):
            raise ConfigError(f"no clinic to check: add a stanza to {clinics_file}, or `clinics import` a list")
        refuse_placeholder(listed.crawler, chosen, clinics_file)
    except ConfigError as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    if allow_private:
        chosen = [replace(clinic, allow_private=True) for clinic in chosen]
    run = open_for_writing(archive, listed)
    settings = crawl_settings(archive, clinics_file, listed, delay, False)
    visit(run, settings, chosen, CheckSpider)
    code = run_report.exit_code(run)
    told = run_report.summary(run)
    lines = run_report.brief(run)
    close(run, code, told)
    answers = {slug: {**told["clinics"][slug], **answer} for slug, answer in _answers(run).items()}
    if as_json:
        click.echo(json.dumps({**told, "clinics": answers, "exit_code": code}, ensure_ascii=False))
    else:
        click.echo(_shown(answers) if chosen else "every clinic is closed: none was asked")
    for line in lines:
        # A failure stands in the table, and is told once.
        if as_json or not any(one["why"] and line.endswith(f"failed: {one['why']}") for one in answers.values()):
            click.echo(line, err=True)
    sys.exit(code)


def _answers(run: Run) -> dict[str, dict[str, Any]]:
    """Of each clinic: its url, whether its first page was read (null: the visit was ended before), whether it has a
    blog, and why, where that is not all that was asked for."""
    found = {}
    for slug, outcome in run.outcomes.items():
        status = outcome.visit.blog_status
        reached = None if status == "unknown" else status != "unreachable"
        why = outcome.visit.failure or next(iter((*outcome.visit.failure_lines, *outcome.visit.notes)), None)
        found[slug] = {"url": outcome.clinic.url, "reached": reached, "blog_status": status, "why": why}
    return found


def _shown(answers: dict[str, dict[str, Any]]) -> str:
    words = {True: "up", False: "not reached", None: "not known"}
    rows = []
    for slug, one in sorted(answers.items()):
        sources = ", ".join(f"{source} {number}" for source, number in one["found_in"].items())
        blog = "-" if one["blog_status"] in ("unknown", "unreachable") else one["blog_status"].replace("_", " ")
        posts = str(one["discovered"]) if one["blog_status"] == "blog" else "-"
        where = (one["why"] if one["status"] == "failed" else sources or one["why"]) or "-"
        rows.append((slug, words[one["reached"]], one["platform"] or "-", blog, posts, where))
    return table(
        ("clinic", "site", "platform", "blog", "posts named", "named in, or why"), rows, numbers=("posts named",)
    )
