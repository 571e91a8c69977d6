"""`clinic-archive takedown`: withdraw a post, a comment, a person or a clinic; list what is withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from archive.release import Register
from archive.wal import WriteAheadLog
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import fail, finish
from pipelines.commands._purge import plan_lines, planned, purge_copy, purge_lines
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.commands._table import table
from pipelines.derive import derive_after_run
from pipelines.events import Lifted, Withdrawn
from pipelines.exit_codes import ExitCode
from pipelines.privacy.applying import stale_copies
from pipelines.privacy.reasons import fault_of
from pipelines.run.recorded_runs import purges, runs_of
from pipelines.takedown.access_list import access_list
from pipelines.takedown.finding import Subject, comments_of, find_subject
from pipelines.takedown.in_releases import releases_with
from pipelines.takedown.ledger import Dates, all_of, already, by_id, raised, today, withdraw
from pipelines.takedown.ledger import lift as lift_takedown
from pipelines.takedown.purge.copies import OUTSIDE
from pipelines.takedown.purge.purge import preview
from pipelines.takedown.purge.purge import purge as perform
from pipelines.takedown.withheld import GRADES

SUBJECT = "URL|COMMENT|PSEUDONYM|CLINIC"
_DATE = click.DateTime(["%Y-%m-%d"])
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; recorded. It must not name anybody.")


@click.group(
    short_help="Withdraw a post, a comment, a person or a clinic.",
    epilog=examples("clinic-archive takedown list"),
)
def command() -> None:
    """Withdraw what somebody asks to have removed, and list what is withdrawn. See docs/takedown.md."""


@command.command(
    short_help="Withdraw a post, a comment, a person's comments or a clinic.",
    epilog=examples(
        'clinic-archive takedown add https://clinic.example/post/a --grade hide --reason "The clinic wishes it"',
        'clinic-archive takedown add reader-k3v5m7q2x4ab --grade block --reason "Request 2026-14" --yes',
    ),
)
@click.argument("subject", metavar=SUBJECT)
@click.option(
    "--grade",
    type=click.Choice(GRADES),
    required=True,
    help="hide: no row, page or file shows it. block: it is also never requested again. purge: `takedown purge` also"
    " removes its recorded bytes, for good.",
)
@reason_option
@click.option("--received", type=_DATE, metavar="DATE", help="When the request arrived; default: today.")
@click.option("--due", type=_DATE, metavar="DATE", help="Until when it must be done; `status` names an overdue one.")
@click.option("--clinic", metavar="CLINIC", help="Where to look, if several clinics have such a comment or address.")
@click.option("--comments", is_flag=True, help="With CLINIC: withdraw all of its comments, and not the clinic.")
@click.option("--yes", is_flag=True, help="Do it. Without this, what would be withdrawn is printed.")
@archive_option
@json_option
def add(
    subject: str,
    grade: str,
    reason: str,
    received: datetime | None,
    due: datetime | None,
    clinic: str | None,
    comments: bool,
    yes: bool,
    archive: Path,
    as_json: bool,
) -> None:
    """Withdraw a post by its URL or permalink, a comment by its id, a person by pseudonym, or a clinic by its slug.

    No row is made of it any more, by no crawl, import or rebuild. Only keyed hashes of it are recorded.
    """
    _check(reason)
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "nothing withdrawn"), unlock_on_error(run):
        dates = Dates(received.date() if received else today(), due.date() if due else None)
        before = already(run, subject, comments=comments)
        if before is not None:
            found = Subject(before.clinic_id, before.kind)
        else:
            found = comments_of(run.db, subject) if comments else find_subject(run.db, subject, clinic)
        releases = before.releases if before else releases_with(archive, found)
        outside = list(_in_releases(archive, releases))
        if yes:
            takedown = (
                raised(run, before, grade, reason, dates)
                if before
                else withdraw(run, found, grade, reason, dates, releases)
            )
            WriteAheadLog(run.db).truncate()
            run.close(ExitCode.DONE, {"takedown": takedown.takedown_id})
        else:
            run.release()
    summary = {"withdrawn": yes, **_summary(found), "releases": releases}
    if not yes:
        finish(summary, [*outside, *_plan(found, grade)], as_json=as_json, always=True)
    derive_after_run(archive)
    copies = stale_copies(archive)
    summary |= {"takedown_id": takedown.takedown_id, "copies": copies}
    done = f"takedown {takedown.takedown_id}: {found.kind} of {found.clinic_id}, grade {grade}"
    finish(summary, [done, *map(_stale, copies), *outside], as_json=as_json, always=True)


@command.command(
    short_help="Lift a takedown: the rows come back.",
    epilog=examples('clinic-archive takedown lift 0b5e4ad39c0f --reason "Withdrawn in error"'),
)
@click.argument("takedown_id", metavar="ID")
@reason_option
@archive_option
@json_option
def lift(takedown_id: str, reason: str, archive: Path, as_json: bool) -> None:
    """Lift a takedown of grade hide or block. Its rows are made again from the recorded bytes."""
    _check(reason)
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "nothing lifted"), unlock_on_error(run):
        lift_takedown(run, by_id(archive, takedown_id), reason)
        run.close(ExitCode.DONE, {"lifted": takedown_id})
    derive_after_run(archive)
    finish({"lifted": takedown_id}, [f"takedown {takedown_id} lifted"], as_json=as_json, always=True)


@command.command(
    short_help="Remove the recorded bytes of what takedowns of grade purge name.",
    epilog=examples(
        "clinic-archive takedown purge --dry-run",
        "clinic-archive takedown purge --in /mnt/disk/clinics --in ~/copy-of-the-archive",
    ),
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@click.option(
    "--in",
    "folders",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="DIR",
    help="Purge a backup or a copy of the archive instead of the archive itself; may be repeated.",
)
@archive_option
@json_option
def purge(dry_run: bool, folders: tuple[Path, ...], archive: Path, as_json: bool) -> None:
    """Perform the takedowns of grade purge: remove what they name from the recorded bytes. Nothing brings it back.

    Each WARC file that holds it is replaced by a new one, under a new name, and so is a file in study/. Earlier
    databases, logs, torn ends of WARC files and the published copy are deleted. A purge that is killed is finished by
    the next command that writes.

    --in DIR: of a backup, a new snapshot is made, and earlier ones that hold it are deleted. In a copy of the archive,
    its takedowns are recorded and performed. Purge the archive itself first.
    """
    if folders:
        if dry_run:
            raise click.UsageError("--dry-run does not go with --in")
        lines = [line for folder in folders for line in purge_copy(archive, folder)]
        finish({"folders": [str(folder) for folder in folders]}, lines, as_json=as_json, always=True)
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "the purge is not finished; give the command again"), unlock_on_error(run):
        if dry_run:
            found = preview(run)
            run.release()
        else:
            done = perform(run)
            if done.takedowns:
                run.close(ExitCode.DONE, {"purged": done.takedowns})
            else:
                run.release()
    if dry_run:
        finish(planned(found), plan_lines(found), as_json=as_json, always=True)
    if done.takedowns:
        derive_after_run(archive)
    finish(
        asdict(done), [*purge_lines(done), OUTSIDE, *_in_releases(archive, done.releases)], as_json=as_json, always=True
    )


@command.command("list", short_help="List all takedowns.", epilog=examples("clinic-archive takedown list --json"))
@archive_option
@json_option
def list_(archive: Path, as_json: bool) -> None:
    """List all takedowns: when received, until when due, when done, by whom. What they name is not recorded."""
    with exit_on_error(archive):
        read_only(archive).close()
        run_files = runs_of(archive)
    lifted = {
        each.takedown_id: each for run_file in run_files for each in run_file.decisions if isinstance(each, Lifted)
    }
    done = {takedown_id: each.at[:10] for each in purges(run_files) for takedown_id in each.takedowns}
    found = [
        {**_as_json(each, lifted.get(each.takedown_id)), "purged": done.get(each.takedown_id)}
        for each in all_of(run_files)
    ]
    finish({"takedowns": found}, _table(found), as_json=as_json, always=True)


@command.command(
    short_help="Print the withdrawn addresses as an access list for pywb.",
    epilog=examples("clinic-archive takedown export > blocked.aclj"),
)
@archive_option
def export(archive: Path) -> None:
    """Print an .aclj access list for pywb: the records that hold something withdrawn are blocked.

    It names the addresses of what is withdrawn, since pywb knows nothing else: keep it with the WARC files.
    """
    with exit_on_error(archive), closing(read_only(archive)) as db:
        lines = list(access_list(archive, db))
    finish({}, lines, as_json=False, always=True)


def _check(reason: str) -> None:
    if fault := fault_of(reason):
        fail(f"--reason {fault}; it is recorded for good and must not name anybody", ExitCode.USAGE)


def _summary(found: Subject) -> dict[str, Any]:
    return {"clinic": found.clinic_id, "kind": found.kind, "rows": found.rows}


def _plan(found: Subject, grade: str) -> Iterator[str]:
    rows = ", ".join(f"{table} {number:,}" for table, number in found.rows.items()) or "none: withdrawn already"
    yield f"would withdraw a {found.kind} of {found.clinic_id}, grade {grade}; rows: {rows}"
    yield "nothing done; give --yes to do it"


def _stale(copy: str) -> str:
    return f"{copy}: made before; it still holds what is withdrawn: publish again, or delete it"


def _in_releases(archive: Path, names: Collection[str]) -> Iterator[str]:
    held = [each for each in Register(archive).entries() if each.name in names]
    if held:
        listed = ", ".join(f"{each.name} ({each.to or 'for whom is not recorded'})" for each in held)
        yield f"also in releases {listed}: tell those who have them, and make a new one"


def _as_json(takedown: Withdrawn, lifted: Lifted | None) -> dict[str, Any]:
    left_out = ("subjects", "permalinks", "key_check")
    values = {name: value for name, value in asdict(takedown).items() if name not in left_out}
    return {**values, "done": takedown.at[:10], "lifted": lifted.at[:10] if lifted else None}


def _table(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    header = (
        "takedown_id",
        "clinic_id",
        "kind",
        "grade",
        "received",
        "due",
        "done",
        "purged",
        "lifted",
        "by",
        "releases",
        "reason",
    )
    rows = [
        tuple(
            str(value or "-") for value in ({**each, "releases": ", ".join(each["releases"])}[name] for name in header)
        )
        for each in found
    ]
    yield table(header, rows) if rows else "no takedown was ever recorded"
