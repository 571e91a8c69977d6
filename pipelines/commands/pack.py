"""`clinic-archive pack`: many small WARC files become few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from archive.backup.published import FOLDER as PUBLISHED
from archive.db import DATABASE
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.exit_codes import ExitCode
from pipelines.rewriting.choosing import Choice, choose, linked
from pipelines.rewriting.dropping import drop_copies, dropped_lines
from pipelines.rewriting.packing import pack


@click.command(
    short_help="Join the small WARC files of each clinic.",
    epilog=examples(
        "clinic-archive pack --before 2026-03 --dry-run",
        "clinic-archive pack --before 2026-03 --archive ~/clinics",
    ),
)
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m"]),
    required=True,
    metavar="MONTH",
    help="Only files of runs that ended before this month (UTC), 2026-03.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be joined, and change nothing.")
@archive_option
@json_option
def command(before: datetime, dry_run: bool, archive: Path, as_json: bool) -> None:
    """Join the WARC files of past visits: one file a clinic, or a few of at most 1 GB, in place of one for each visit.

    The files of runs as wholes (warc/_runs) are joined, too; those of imports and backfills stay as they are. No byte
    of a record changes, and archive.db names each at its new place. A file that an earlier pack made is joined again
    once the newer ones are as large together. Files that came back though a packed file has their records, as by a
    merge, are removed.

    Only files that are to be joined are checked, not those that were packed before (`verify` does that). A damaged one
    stays as it is and is named: exit 6. So is a folder behind a symbolic link, without an exit code.

    A pack that is killed leaves each file as it was, or joined; the next command that writes removes what is left of
    the one that was being written.
    """
    done: list[Choice] = []
    dropped: list[str] = []
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "what was packed before is whole; give the command again"), unlock_on_error(run):
        if not dry_run:
            dropped = drop_copies(archive, run.db)
        for choice in choose(archive, run.db, f"{before:%Y-%m}-01"):
            if not dry_run:
                for group in choice.groups:
                    pack(archive, run.db, choice.clinic_id, group)
            done.append(choice)
        run.release()
    damaged = [name for choice in done for name in choice.damaged]
    why = "damaged, so it stays as it is; `clinic-archive verify` names the records"
    behind = [
        f"{name}: a symbolic link, so its files stay as they are; mount the folder there" for name in linked(archive)
    ]
    print_problems([*(f"{name}: {why}" for name in damaged), *behind], about=archive)
    lines = list(_lines(done, "would become" if dry_run else "joined into"))
    if lines and not dry_run and (archive / PUBLISHED / DATABASE).exists():
        lines.append(f"{PUBLISHED}/{DATABASE}: names the records at their former places; publish again")
    lines += dropped_lines(dropped)
    finish(
        {**_summary(archive, done, dry_run=dry_run), "dropped": dropped},
        lines or [f"{archive}: no files to join"],
        as_json=as_json,
        code=ExitCode.INTEGRITY if damaged else ExitCode.DONE,
        always=True,
    )


def _summary(archive: Path, done: Sequence[Choice], *, dry_run: bool) -> dict[str, Any]:
    clinics = {
        each.clinic_id: {"files_before": each.files, "files_after": len(each.groups), "bytes": each.size}
        for each in done
        if each.groups
    }
    damaged = [name for each in done for name in each.damaged]
    return {"archive": str(archive), "packed": not dry_run, "clinics": clinics, "damaged": damaged}


def _lines(done: Sequence[Choice], how: str) -> Iterator[str]:
    for each in done:
        if each.groups:
            files = f"{counted(each.files, 'WARC file')} ({each.size / 1e6:.1f} MB)"
            yield f"{each.clinic_id}: {files} {how} {len(each.groups)}"
