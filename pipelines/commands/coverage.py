"""`clinic-archive coverage`: how continuously the clinics were observed, and a paragraph that says so."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click

from archive.reports.coverage import Coverage, Covered, Gap, read_coverage
from archive.reports.methods import paragraph
from pipelines.commands._archive import fail, read_only
from pipelines.commands._table import table
from pipelines.exit_codes import ExitCode

MOST_GAPS = 10  # that are told one by one; --json has all
HEADER = ("clinic", "from", "to", "days", "observed", "%", "partial", "failed", "refused", "not visited", "longest gap")


class Day(click.ParamType[date]):
    """A day of the calendar: "2026-03-01"."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day; a usage error names what is wrong."""
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no day; write 2026-03-01", param, ctx)


@click.command(short_help="How continuously clinics were observed: days, gaps, a paragraph for a paper.")
@click.argument("clinics", nargs=-1, metavar="[CLINIC...]")
@click.option("--from", "first", type=Day(), metavar="DAY", help="First day of the period; default: the first visit.")
@click.option("--to", "last", type=Day(), metavar="DAY", help="Last day of the period; default: the archive's last.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one object to stdout, with every gap.")
def command(clinics: tuple[str, ...], first: date | None, last: date | None, archive: Path, as_json: bool) -> None:
    """Count each clinic's days (UTC) by what was observed on them, name the gaps, and print a paragraph for a paper.

    A day is observed when a visit that began on it was complete, else partial, failed, refused (robots.txt) or without
    a visit: the view `coverage` has them all. Only visits count, not what others captured.
    """
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}")
    try:
        with closing(read_only(archive)) as db:
            db.execute("BEGIN")
            known = [row[0] for row in db.execute("SELECT clinic_id FROM clinics ORDER BY clinic_id").fetchall()]
            unknown = [one for one in clinics if one not in known]
            if unknown:
                names = ", ".join(known) or "none"
                fail(f"{archive}: no clinic {', '.join(unknown)} in this archive; it has {names}", ExitCode.BAD_CONFIG)
            told = read_coverage(db.conn, tuple(dict.fromkeys(clinics)), first, last)
    except sqlite3.Error as error:
        fail(f"{archive}: {error}", ExitCode.UNEXPECTED)
    if as_json:
        click.echo(json.dumps({"archive": str(archive), **_as_json(told), "exit_code": ExitCode.DONE}))
        return
    if told.clinics:
        _show(told)
    click.echo(paragraph(told))


def _show(told: Coverage) -> None:
    rows = [
        (
            one.clinic_id, one.first, one.last, f"{one.days:,}", f"{one.states['observed']:,}", _percent(one),
            *(f"{one.states[state]:,}" for state in ("partial", "failed", "refused", "not-attempted")),
            f"{one.gaps[0].days} d from {one.gaps[0].first}" if one.gaps else "-",
        )
        for one in told.clinics
    ]  # fmt: skip
    click.echo(table(HEADER, rows, numbers=HEADER[3:-1]))
    gaps = told.gaps
    click.echo(f"\n{len(gaps):,} gap{'' if len(gaps) == 1 else 's'} without an observed day{':' if gaps else ''}")
    if gaps:
        click.echo(table(("days", "from", "to", "clinic"), [_row(gap) for gap in gaps[:MOST_GAPS]], numbers=("days",)))
    if len(gaps) > MOST_GAPS:
        click.echo(f"and {len(gaps) - MOST_GAPS:,} shorter ones; --json has them all")
    click.echo()


def _row(gap: Gap) -> tuple[str, ...]:
    return f"{gap.days:,}", gap.first, gap.last, gap.clinic_id


def _percent(one: Covered) -> str:
    return f"{100 * one.states['observed'] / one.days:.1f}" if one.days else "-"


def _as_json(told: Coverage) -> dict[str, Any]:
    """A share is of clinic-days on which there was something to observe."""
    return {
        "from": told.first, "to": told.last, "clinic_days": told.days, "states": told.states,
        "observed_share": round(told.states["observed"] / told.days, 4) if told.days else None,
        "visits": told.visits, "complete_visits": told.complete_visits, "posts": told.posts, "edits": told.edits,
        "readings": told.readings, "not_due": told.not_due, "software": list(told.software),
        "clinics": {
            one.clinic_id: {
                "blog": one.blog, "from": one.first, "to": one.last, "days": one.days, "states": one.states,
                "visits": one.visits, "complete_visits": one.complete_visits,
                "gaps": [{"from": gap.first, "to": gap.last, "days": gap.days} for gap in one.gaps],
            }
            for one in told.clinics
        },
        "paragraph": paragraph(told),
    }  # fmt: skip
