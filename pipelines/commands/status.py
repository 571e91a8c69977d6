"""`clinic-archive status`: the state of the archive, and whether every clinic was observed recently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from archive.backup.published import Takedown, overdue_takedowns
from archive.reports.judgement import judgement
from archive.reports.shards import ShardSeen, read_shards
from archive.reports.status import ClinicStatus, Status, read_status
from archive.reports.status_words import age, facts, free_in_words, verified_in_words
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import Duration, archive_option, examples, json_option
from pipelines.commands._output import counted, finish
from pipelines.commands._table import table
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo

HEADER = ("clinic", "standing", "observed", "last visit", "how", "unread", "waiting", "failed", "problems", "doubtful")
NUMBERS = ("observed", "unread", "waiting", "failed", "problems", "doubtful")


@click.command(
    short_help="State of the archive: each clinic's last visit, backlog, disk, last verification.",
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
@archive_option
@json_option
def command(max_age: float, quiet: bool, archive: Path, as_json: bool) -> None:
    """Print how each clinic's last visit ended, when it was last observed and what waits, and the archive's state.

    Exit code 7: a clinic that has a blog and is not closed was not observed within --max-age, that is, no visit to it
    ended well and without a limit; or, for as long, every visit to a clinic was cut short, or none began. Or the disk
    will be full within 30 days at today's growth, or less than 5 % of it is free. Or the day of a takedown has passed
    while the published copy holds what was withdrawn. Or no worker of a shard of the cluster was seen for an hour. Each
    is named on stderr. Exit code 6: the last `verify` found faults. Nothing is changed; a crawl may run at the same
    time.
    """
    with exit_on_error(archive), closing(read_only(archive)) as db:
        db.execute("BEGIN")
        status = read_status(db.conn, archive, datetime.now(UTC))
        overdue = overdue_takedowns(archive, datetime.now(UTC).date())
    lost = [shard for shard in read_shards(archive) if shard.is_lost(datetime.now(UTC))]
    stale = status.stale(max_age)
    late = stale or status.disk.is_short or overdue or lost
    code = ExitCode.INTEGRITY if status.verify_failed else ExitCode.STALE if late else ExitCode.DONE
    if status.verify_failed:
        echo(f"{archive}: verified {verified_in_words(status.verified)}", err=True)
    if status.disk.is_short:
        echo(f"{archive}: its disk is nearly full: {free_in_words(status.disk)}; free some space", err=True)
    for takedown in overdue:
        echo(
            f"{takedown.clinic}: takedown {takedown.takedown_id} was due on {takedown.due}, and the published copy"
            f" still holds it; `clinic-archive publish --archive {archive}`",
            err=True,
        )
    for shard in lost:
        echo(_why_lost(shard), err=True)
    for clinic in stale:
        echo(f"{clinic.clinic_id}: {_why_stale(clinic)}", err=True)
    lines = () if quiet else _lines(status, max_age)
    finish(
        {**_summary(archive, status, max_age, overdue), "lost_shards": [each.shard for each in lost]},
        lines,
        as_json=as_json,
        code=code,
        always=True,
    )


def _why_lost(shard: ShardSeen) -> str:
    """When a worker of the shard was last seen by the hosts of the cluster, and where."""
    when = f"{shard.seen_at:%Y-%m-%d %H:%M}"
    seen = f"seen since {when}, then on {shard.host}" if shard.host else f"ever seen, missed since {when}"
    return f"shard {shard.shard}: no worker was {seen}; start it, or take the shard over from its backup"


def _why_stale(clinic: ClinicStatus) -> str:
    """How long the clinic was not observed, and how its last visit ended."""
    since = f"not observed for {age(clinic.age)}" if clinic.age is not None else "never observed"
    if clinic.visited_at is None:
        return f"{since}; no visit to it was ever begun"
    when = clinic.visited_at[:16].replace("T", " ")
    unread = f"{counted(clinic.failed, 'post')} could not be read" if clinic.failed else None
    why = None if clinic.complete else clinic.note or unread
    doubtful = f"{counted(clinic.doubtful, 'answer')} doubtful" if clinic.doubtful else None
    return ", ".join(filter(None, [f"{since}; last visit {when}: {_status(clinic)}", why, doubtful]))


def _status(clinic: ClinicStatus) -> str:
    """How the last visit ended: "done (limited)"; "-" where there was none."""
    return f"{clinic.status or '-'}{' (limited)' if clinic.limited else ''}"


def _summary(archive: Path, status: Status, max_age: float, overdue: Iterable[Takedown]) -> dict[str, Any]:
    return {
        "archive": str(archive),
        "at": status.at,
        "max_age_seconds": max_age,
        "clinics": {clinic.clinic_id: _as_json(clinic, max_age) for clinic in status.clinics},
        "stale": [clinic.clinic_id for clinic in status.stale(max_age)],
        "held": status.held,
        "running": [visit._asdict() for visit in status.running],
        "disk": {**asdict(status.disk), "is_short": status.disk.is_short},
        "overdue_takedowns": [takedown.takedown_id for takedown in overdue],
        "verified": status.verified if isinstance(status.verified, str | None) else asdict(status.verified),
    }


def _as_json(clinic: ClinicStatus, max_age: float) -> dict[str, Any]:
    values = {name: value for name, value in asdict(clinic).items() if name not in ("clinic_id", "age", "awaited")}
    seconds = None if clinic.age is None else round(clinic.age)
    return {**values, "age_seconds": seconds, "standing": clinic.state(max_age)}


def _lines(status: Status, max_age: float) -> Iterator[str]:
    """A row a clinic, then a line a fact about the archive."""
    rows = [_row(clinic, max_age) for clinic in status.in_order(max_age)]
    if rows:
        yield f"{table(HEADER, rows, numbers=NUMBERS)}\n"
    yield f"{judgement(status.clinics, max_age).words}.\n"
    for name, line in facts(status):
        yield f"{name:<10}{line}"


def _row(clinic: ClinicStatus, max_age: float) -> tuple[str, ...]:
    return (
        clinic.clinic_id,
        clinic.state(max_age),
        "never" if clinic.age is None else f"{age(clinic.age)} ago",
        (clinic.visited_at or "-")[:16].replace("T", " "),
        _status(clinic),
        *map(_number, (clinic.unread, clinic.waiting, clinic.failed, clinic.problems, clinic.doubtful)),
    )


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
