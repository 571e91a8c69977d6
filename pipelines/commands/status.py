"""`clinic-archive status`: the state of the archive, and whether every clinic was observed recently."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from archive.backup.published import overdue_takedowns
from archive.reports.frame import asleep, stand
from archive.reports.shards import ShardSeen, read_shards
from archive.reports.status import ClinicStatus, read_status
from archive.reports.status_words import age, free_in_words, verified_in_words
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import Duration, archives_option, distinct_archives, examples, json_option
from pipelines.commands._output import counted, finish
from pipelines.commands._status import ArchiveReport, StatusReport, how_ended, report_lines, summary
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from pipelines.run.notices import Notice, shortened

# Of the exit codes of several archives the first of these that occurs is the command's own.
WORST_FIRST = (
    ExitCode.INTEGRITY,
    ExitCode.BAD_CONFIG,
    ExitCode.UNEXPECTED,
    ExitCode.USAGE,
    ExitCode.STALE,
    ExitCode.DONE,
)


_NOT_PURGED = "the recorded bytes still hold it", "takedown purge"


@click.command(
    short_help="Each clinic's last visit, the backlog, disk, last verification.",
    epilog=examples("clinic-archive status --archive ~/clinics", "clinic-archive status --quiet --max-age 2d"),
)
@click.option(
    "--max-age",
    type=Duration(),
    default="36h",
    show_default=True,
    help="A clinic is stale when it was not observed for longer than this: 36h, 2d.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what is wrong.")
@archives_option
@json_option
def command(max_age: float, quiet: bool, archives: tuple[Path, ...], as_json: bool) -> None:
    """Print how each clinic's last visit ended, when it was last observed and what waits, and the archive's state.

    Exit code 7: a clinic that has a blog and is not closed was not observed within --max-age, that is, no visit to it
    ended well and without a limit; or, for as long, every visit to a clinic was cut short, or none began. Or the disk
    will be full within 30 days at today's growth, or less than 5 % of it is free. Or the day of a takedown has passed
    while the published copy holds what was withdrawn, or its purge was not performed. Or no worker of a shard of the
    cluster was seen for an hour. Each is named on stderr, of more than 20 clinics three of each kind. Exit code 6: the
    last `verify` found faults. Several archives (the shards of a frame) have one table and one judgement; the worst
    exit code of all holds, and a clinic that moved stands as where it was observed last. Nothing is changed; a crawl
    may run at the same time.
    """
    chosen = distinct_archives(archives)
    codes = {ExitCode.DONE}
    reports = []
    for archive in chosen:
        try:
            reports.append(_read(archive))
        except SystemExit as ending:  # its line is printed
            codes.add(ExitCode(int(ending.code or 0)))
            if len(chosen) == 1:
                raise
    clinics = stand([entry.status for entry in reports])
    for entry in reports:
        codes.add(_warned(entry))
    if _warned_of_stale(clinics, reports, max_age):
        codes.add(ExitCode.STALE)
    report = StatusReport(reports, clinics, max_age, several=len(chosen) > 1)
    lines = () if quiet else report_lines(report)
    finish(summary(report), lines, as_json=as_json, code=min(codes, key=WORST_FIRST.index), always=True)


def _read(archive: Path) -> ArchiveReport:
    """Read an archive; end the process where that fails."""
    with exit_on_error(archive), closing(read_only(archive)) as db:
        db.execute("BEGIN")
        now = datetime.now(UTC)
        lost = [shard for shard in read_shards(archive) if shard.is_silent(now)]
        return ArchiveReport(archive, read_status(db.conn, archive, now), overdue_takedowns(archive, now.date()), lost)


def _warned(entry: ArchiveReport) -> ExitCode:
    """Print what is wrong with an archive as a whole; return the exit code for it."""
    if entry.status.verify_failed:
        echo(f"{entry.archive}: verified {verified_in_words(entry.status.verified)}", err=True)
    if entry.status.disk.is_short:
        echo(f"{entry.archive}: its disk is nearly full: {free_in_words(entry.status.disk)}; free some space", err=True)
    for takedown in entry.overdue:
        why, command = ("the published copy still holds it", "publish") if takedown.copy_lacks_it else _NOT_PURGED
        echo(
            f"{takedown.clinic}: takedown {takedown.takedown_id} was due on {takedown.due}, and {why}; `clinic-archive"
            f" {command} --archive {entry.archive}`",
            err=True,
        )
    for shard in entry.lost:
        echo(_why_lost(shard), err=True)
    if entry.status.verify_failed:
        return ExitCode.INTEGRITY
    return ExitCode.STALE if entry.status.disk.is_short or entry.overdue or entry.lost else ExitCode.DONE


def _why_lost(shard: ShardSeen) -> str:
    """When a worker of the shard was last seen by the hosts of the cluster, and where."""
    when = f"{shard.seen_at:%Y-%m-%d %H:%M}"
    seen = f"seen since {when}, then on {shard.host}" if shard.host else f"ever seen, missed since {when}"
    return f"shard {shard.shard}: no worker was {seen}; start it, or take the shard over from its backup"


def _warned_of_stale(
    clinics: Sequence[tuple[ClinicStatus, int]], reports: Sequence[ArchiveReport], max_age: float
) -> bool:
    """Print each stale clinic, of a shard whose clinics are all stale one line; return whether there are any.

    Of many clinics a line is printed for each way in which their last visits ended (`shortened`).
    """
    gone = asleep(clinics, max_age) if len(reports) > 1 else set()
    stale = [(clinic, place) for clinic, place in clinics if clinic.is_stale(max_age)]
    for place in sorted(gone):
        number = sum(each == place for _, each in stale)
        newest = max((clinic.observed_at or "" for clinic, each in stale if each == place), default="")
        since = f"since {newest[:16].replace('T', ' ')}" if newest else "ever"
        none = f"none of its {number:,} clinics was observed {since}"
        echo(f"{reports[place].archive}: {none}; is its machine up?", err=True)
    lists = shlex.join(
        ["clinic-archive", "status", *(word for entry in reports for word in ("--archive", str(entry.archive)))]
    )
    for line in shortened(_notice(clinic, lists) for clinic, place in stale if place not in gone):
        echo(line, err=True)
    return bool(stale)


def _notice(clinic: ClinicStatus, lists: str) -> Notice:
    last = "no visit ever begun" if clinic.visited_at is None else f"last visit {how_ended(clinic)}"
    line = f"{clinic.clinic_id}: {_why_stale(clinic)}"
    return Notice(clinic.clinic_id, line, f"stale, {last}", lists=lists)


def _why_stale(clinic: ClinicStatus) -> str:
    """How long the clinic was not observed, and how its last visit ended."""
    since = f"not observed for {age(clinic.age)}" if clinic.age is not None else "never observed"
    if clinic.visited_at is None:
        return f"{since}; no visit to it was ever begun"
    when = clinic.visited_at[:16].replace("T", " ")
    unread = f"{counted(clinic.failed, 'post')} could not be read" if clinic.failed else None
    why = None if clinic.complete else clinic.note or unread
    doubtful = f"{counted(clinic.doubtful, 'answer')} doubtful" if clinic.doubtful else None
    return ", ".join(filter(None, [f"{since}; last visit {when}: {how_ended(clinic)}", why, doubtful]))
