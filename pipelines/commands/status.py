"""`clinic-archive status`: how the archive stands now, and whether every clinic was observed of late."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from archive.reports.status import ClinicStatus, Status, age, facts, read_status, verified_in_words
from pipelines.commands._archive import Duration, fail, read_only
from pipelines.commands._table import table
from pipelines.exit_codes import ExitCode

HEADER = ("clinic", "standing", "observed", "last visit", "how", "unread", "waiting", "failed", "problems")
NUMBERS = ("observed", "unread", "waiting", "failed", "problems")


@click.command(short_help="How the archive stands: each clinic's last visits, backlog, disk, last verification.")
@click.option("--max-age", type=Duration(), default="36h", show_default=True,
              help="A clinic that was not observed for longer is stale: 36h, 2d.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what is wrong.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one object to stdout.")
def command(max_age: float, quiet: bool, archive: Path, as_json: bool) -> None:
    """Say how each clinic's last visit went and when it was last observed, what waits, and how the archive stands.

    Exit code 7 where a clinic that has a blog and is not closed was not observed within --max-age: no visit to it ended
    well, under no limit; or where, for as long, every visit to a clinic was cut short, or none begun. Each is named on
    stderr. 6 where the last `verify` found faults. It only reads, also while a
    crawl writes.
    """
    try:
        with closing(read_only(archive)) as db:
            db.execute("BEGIN")
            told = read_status(db.conn, archive, datetime.now(UTC))
    except (OSError, sqlite3.Error) as error:
        fail(f"{archive}: {error}", ExitCode.UNEXPECTED)
    stale = told.stale(max_age)
    code = ExitCode.INTEGRITY if told.verify_failed else ExitCode.STALE if stale else ExitCode.DONE
    if told.verify_failed:
        click.echo(f"{archive}: verified {verified_in_words(told.verified)}", err=True)
    for one in stale:
        click.echo(f"{one.clinic_id}: {_why(one)}", err=True)
    if as_json:
        click.echo(json.dumps(_as_json(archive, told, max_age, code), ensure_ascii=False))
    elif not quiet:
        _show(told, max_age)
    sys.exit(code)


def _why(one: ClinicStatus) -> str:
    """Since when it was not observed, and what the last visit came to."""
    since = f"not observed for {age(one.age)}" if one.age is not None else "never observed"
    if one.visited_at is None:
        return f"{since}; no visit to it was ever begun"
    when = one.visited_at[:16].replace("T", " ")
    unread = f"{one.failed} post{'' if one.failed == 1 else 's'} could not be read" if one.failed else None
    why = None if one.complete else one.note or unread
    return f"{since}; last visit {when}: {one.status}{' (limited)' * one.limited}{f', {why}' if why else ''}"


def _as_json(archive: Path, told: Status, max_age: float, code: int) -> dict[str, Any]:
    clinics = {
        one.clinic_id: {
            **{name: value for name, value in asdict(one).items() if name not in ("clinic_id", "age", "awaited")},
            "age_seconds": None if one.age is None else round(one.age), "standing": one.standing(max_age),
        }
        for one in told.clinics
    }  # fmt: skip
    verified = told.verified if isinstance(told.verified, str | None) else asdict(told.verified)
    return {
        "archive": str(archive), "at": told.at, "max_age_seconds": max_age, "clinics": clinics,
        "stale": [one.clinic_id for one in told.stale(max_age)], "held": told.held,
        "running": [one._asdict() for one in told.running], "disk": asdict(told.disk), "verified": verified,
        "exit_code": code,
    }  # fmt: skip


def _show(told: Status, max_age: float) -> None:
    """A line a clinic, then a line a fact."""
    rows = [
        (
            one.clinic_id, one.standing(max_age), "never" if one.age is None else f"{age(one.age)} ago",
            (one.visited_at or "-")[:16].replace("T", " "), f"{one.status or '-'}{' (limited)' * one.limited}",
            _number(one.unread),
            _number(one.waiting), _number(one.failed), _number(one.problems),
        )
        for one in told.in_order(max_age)
    ]  # fmt: skip
    if rows:
        click.echo(f"{table(HEADER, rows, numbers=NUMBERS)}\n")
    else:
        click.echo("No clinic has been visited yet.\n")
    for name, line in facts(told):
        click.echo(f"{name:<10}{line}")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
