"""`clinic-archive reparse`: bring rows up to date with today's parsers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.commands._archive import refuse_unknown
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.commands._run import open_for_writing
from pipelines.derive import derive_after_run
from pipelines.exit_codes import ExitCode
from pipelines.printing import is_terminal
from pipelines.reparse import Reparsed, outdated, reparse


@click.command(
    short_help="Read recorded answers again after an upgrade of a parser.",
    epilog=examples("clinic-archive reparse --dry-run", "clinic-archive reparse riverside"),
)
@click.argument("clinics", nargs=-1, metavar="[CLINIC]...")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@archive_option
@json_option
def command(clinics: tuple[str, ...], dry_run: bool, archive: Path, as_json: bool) -> None:
    """Read the recorded answers of the named clinics again with today's parsers.

    Without a name: of every clinic whose rows an older version of the program or of its parser made, which `verify`
    names. A text that is read differently becomes a revision of kind `extractor`; the earlier revision stays.
    """
    run = open_for_writing(archive, existing=True)
    try:
        refuse_unknown(archive, run.db, clinics)
        with exit_on_error(archive, "the clinic that was being read again is unchanged"):
            results = {clinic_id: reparse(run, clinic_id, dry_run=dry_run) for clinic_id in clinics or outdated(run.db)}
    finally:
        run.release()
    if not dry_run:
        derive_after_run(archive, run.started_at)
    for clinic_id, result in results.items():
        print_problems([f"{clinic_id}: {problem}" for problem in result.problems], about=clinic_id, noun="record")
    damaged = any(result.problems for result in results.values())
    watched = dry_run or is_terminal() or not results
    read = [f"{archive}: {counted(len(results), 'clinic')} read again"]
    lines = _lines(results, dry_run) if watched else read
    finish(
        {
            "dry_run": dry_run,
            "clinics": {
                clinic_id: {**asdict(result.difference), "texts": result.texts} for clinic_id, result in results.items()
            },
        },
        lines,
        as_json=as_json,
        code=ExitCode.INTEGRITY if damaged else ExitCode.DONE,
        always=True,
    )


def _lines(results: Mapping[str, Reparsed], dry_run: bool) -> Iterator[str]:
    if not results:
        yield "every row was made by this version; nothing to do"
    for clinic_id, result in results.items():
        yield from clinic_lines(clinic_id, result, dry_run)


def clinic_lines(clinic_id: str, result: Reparsed, dry_run: bool) -> list[str]:
    """What changes at a clinic: a line of the texts, one a table, and one a column with an example."""
    difference = result.difference
    if not difference:
        return [f"{clinic_id}: read the same by today's parser"]
    lines = [f"{clinic_id}: {result.texts} texts {'would be' if dry_run else 'were'} read differently"]
    lines += [f"  {table}: {number} more" for table, number in difference.new.items()]
    lines += [f"  {table}: {number} less" for table, number in difference.gone.items()]
    for column, number in difference.changed.items():
        row, before, after = difference.examples[column]
        lines.append(f"  {column}: {number}, e.g. {row}: {before!r} -> {after!r}")
    return lines
