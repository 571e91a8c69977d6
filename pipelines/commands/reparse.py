"""`clinic-archive reparse`: bring rows up to date with today's parsers."""

from __future__ import annotations

import json
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

import click

from archive.warc import BadRecord
from pipelines.commands._archive import fail, open_for_writing, refuse_unknown
from pipelines.exit_codes import ExitCode
from pipelines.reparse import Reparsed, outdated, reparse
from pipelines.run.key import BadKey


@click.command(short_help="Read stored answers again after an upgrade of a parser.")
@click.argument("clinics", nargs=-1, metavar="[CLINIC]...")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(clinics: tuple[str, ...], dry_run: bool, archive: Path, as_json: bool) -> None:
    """Read the named clinics' recorded answers again with today's parsers (by default all that older ones read).

    A text that is read differently becomes a revision of kind `extractor`; what the older parser read stays.
    """
    run = open_for_writing(archive, existing=True)
    refuse_unknown(run, clinics)
    try:
        done = {one: reparse(run, one, dry_run=dry_run) for one in clinics or outdated(run.db)}
    except BadRecord as error:
        fail(f"{error}; nothing was changed", ExitCode.INTEGRITY)
    except BadKey as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except (OSError, sqlite3.Error) as error:
        fail(f"{archive}: {error}; the clinic at hand is as it was", ExitCode.UNEXPECTED)
    finally:
        run.release()
    _tell(done, dry_run, as_json)


def _tell(done: dict[str, Reparsed], dry_run: bool, as_json: bool) -> None:
    code = ExitCode.INTEGRITY if any(one.problems for one in done.values()) else ExitCode.DONE
    for clinic_id, one in done.items():
        for line in one.problems:
            click.echo(f"{clinic_id}: {line}", err=True)
    if as_json:
        told = {clinic_id: {**asdict(one.difference), "texts": one.texts} for clinic_id, one in done.items()}
        click.echo(json.dumps({"dry_run": dry_run, "clinics": told, "exit_code": code}, ensure_ascii=False))
    elif dry_run or sys.stdout.isatty():
        if not done:
            click.echo("every row was read by today's parsers; nothing to do")
        for clinic_id, one in done.items():
            click.echo("\n".join(_lines(clinic_id, one, dry_run)))
    sys.exit(code)


def _lines(clinic_id: str, one: Reparsed, dry_run: bool) -> list[str]:
    found = one.difference
    if not found:
        return [f"{clinic_id}: read the same by today's parser"]
    lines = [f"{clinic_id}: {one.texts} texts {'would be' if dry_run else 'were'} read differently"]
    lines += [f"  {table}: {number} more" for table, number in found.new.items()]
    lines += [f"  {table}: {number} less" for table, number in found.gone.items()]
    for name, number in found.changed.items():
        row, before, after = found.examples[name]
        lines.append(f"  {name}: {number}, e.g. {row}: {before!r} -> {after!r}")
    return lines
