"""`clinic-archive coverage`: how continuously the clinics were observed, and a paragraph about it for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import click

from archive.reports.coverage import Coverage, Covered, Gap, read_coverage
from archive.reports.methods import paragraph
from pipelines.commands._archive import read_only, refuse_unknown_in
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archives_option, distinct_archives, examples, json_option
from pipelines.commands._output import counted, finish
from pipelines.commands._table import table

MAX_GAPS = 10  # printed one by one; --json lists all
HEADER = (
    "clinic",
    "blog",
    "from",
    "to",
    "days",
    "observed",
    "%",
    "partial",
    "failed",
    "refused",
    "not visited",
    "doubtful",
    "longest gap",
)
BLOGS = {"blog": "yes", "none": "none", "unread": "not read", "unknown": "not known"}


class Day(click.ParamType[date]):
    """A day of the calendar: "2026-03-01"."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date. Raises a usage error for anything else."""
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no day; write 2026-03-01", param, ctx)


@click.command(
    short_help="On which days clinics were observed; a paragraph for a paper.",
    epilog=examples("clinic-archive coverage", "clinic-archive coverage riverside --from 2026-03-01 --to 2026-08-31"),
)
@click.argument("clinics", nargs=-1, metavar="[CLINIC...]")
@click.option("--from", "first", type=Day(), metavar="DAY", help="First day of the period; default: the first visit.")
@click.option("--to", "last", type=Day(), metavar="DAY", help="Last day of the period; default: the archive's last.")
@archives_option
@json_option
def command(
    clinics: tuple[str, ...], first: date | None, last: date | None, archives: tuple[Path, ...], as_json: bool
) -> None:
    """Count each clinic's days (UTC) by what was observed on them, list the gaps, and print a paragraph for a paper.

    A day is observed when a visit that began on it was complete; otherwise it is partial, failed, refused (robots.txt)
    or without a visit. The view `coverage` lists every day. Only visits count, not imported captures.
    Several archives (the shards of a frame) count as one.
    """
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}")
    chosen = distinct_archives(archives)
    with ExitStack() as stack:
        opened = [(archive, stack.enter_context(closing(read_only(archive)))) for archive in chosen]
        stack.enter_context(exit_on_error(", ".join(map(str, chosen))))
        for _, db in opened:
            db.execute("BEGIN")
        refuse_unknown_in(opened, clinics)
        coverage = read_coverage([db.conn for _, db in opened], tuple(dict.fromkeys(clinics)), first, last)
    where = [str(archive) for archive in chosen]
    named = {"archive": where[0]} if len(where) == 1 else {"archives": where}
    finish({**named, **_summary(coverage)}, _lines(coverage), as_json=as_json, always=True)


def _lines(coverage: Coverage) -> Iterator[str]:
    if coverage.clinics:
        yield table(HEADER, [_row(clinic) for clinic in coverage.clinics], numbers=HEADER[4:-1])
        yield from _gap_lines(coverage.gaps)
        yield ""
    yield paragraph(coverage)


def _row(clinic: Covered) -> tuple[str, ...]:
    states = (f"{clinic.states[state]:,}" for state in ("partial", "failed", "refused", "not-attempted"))
    observed = clinic.states["observed"]
    return (
        clinic.clinic_id,
        BLOGS[clinic.blog],
        clinic.first,
        clinic.last,
        f"{clinic.days:,}",
        f"{observed:,}",
        f"{100 * observed / clinic.days:.1f}" if clinic.days else "-",
        *states,
        f"{clinic.doubtful_days:,}",
        f"{clinic.gaps[0].days} d from {clinic.gaps[0].first}" if clinic.gaps else "-",
    )


def _gap_lines(gaps: Sequence[Gap]) -> Iterator[str]:
    """The longest gaps."""
    yield f"\n{counted(len(gaps), 'gap')} without an observed day{':' if gaps else ''}"
    if gaps:
        rows = [(f"{gap.days:,}", gap.first, gap.last, gap.clinic_id) for gap in gaps[:MAX_GAPS]]
        yield table(("days", "from", "to", "clinic"), rows, numbers=("days",))
    if len(gaps) > MAX_GAPS:
        yield f"and {len(gaps) - MAX_GAPS:,} shorter ones; --json lists them all"


def _summary(coverage: Coverage) -> dict[str, Any]:
    """The whole coverage; the share is of clinic-days on which there was something to observe."""
    share = round(coverage.states["observed"] / coverage.days, 4) if coverage.days else None
    return {
        "from": coverage.first,
        "to": coverage.last,
        "clinic_days": coverage.days,
        "states": coverage.states,
        "observed_share": share,
        "visits": coverage.visits,
        "complete_visits": coverage.complete_visits,
        "posts": coverage.posts,
        "edits": coverage.edits,
        "readings": coverage.readings,
        "not_due": coverage.not_due,
        "doubtful_days": coverage.doubtful_days,
        "doubtful_days_not_observed": coverage.doubtful_missed,
        "software": list(coverage.software),
        "clinics": {clinic.clinic_id: _clinic_summary(clinic) for clinic in coverage.clinics},
        "paragraph": paragraph(coverage),
    }


def _clinic_summary(clinic: Covered) -> dict[str, Any]:
    return {
        "blog": clinic.blog,
        "platform": clinic.platform,
        "from": clinic.first,
        "to": clinic.last,
        "days": clinic.days,
        "states": clinic.states,
        "visits": clinic.visits,
        "complete_visits": clinic.complete_visits,
        "doubtful_days": clinic.doubtful_days,
        "doubtful_days_not_observed": clinic.doubtful_missed,
        "gaps": [{"from": gap.first, "to": gap.last, "days": gap.days} for gap in clinic.gaps],
    }
