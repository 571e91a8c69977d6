"""`clinic-archive confirm`: what the last runs reported about a clinic is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from archive.rows.evidence import losses
from archive.times import utc
from pipelines.commands._archive import refuse_unknown
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import finish
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.events import Confirmed
from pipelines.exit_codes import ExitCode
from pipelines.printing import is_terminal
from pipelines.run.run import Run


@click.command(
    short_help="Confirm what runs reported: posts are gone, a field is missing.",
    epilog=examples("clinic-archive confirm riverside"),
)
@click.argument("clinics", nargs=-1, required=True, metavar="CLINIC...")
@archive_option
@json_option
def command(clinics: tuple[str, ...], archive: Path, as_json: bool) -> None:
    """Confirm what the runs so far reported about the named clinics. Look at the blogs first.

    A run that finds many posts of a clinic gone at once, or a field missing on its pages, reports that and draws no
    conclusion. Confirmed, the posts are marked removed as soon as two visits, 20 hours apart, found them gone; and the
    missing field no longer ends a run with exit 5. The confirmation is recorded in the WARC files, so that a rebuild
    keeps it. Without such a report nothing is changed.
    """
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "not everything was confirmed"), unlock_on_error(run):
        refuse_unknown(archive, run.db, clinics)
        results = {clinic_id: _confirm(run, clinic_id) for clinic_id in clinics}
        if any(result["confirmed"] for result in results.values()):
            run.close(ExitCode.DONE, {"confirmed": results})
        else:
            run.release()
    finish({"clinics": results}, _lines(results), as_json=as_json, always=True)


def _lines(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line a clinic; without a terminal only where there was nothing to confirm."""
    for clinic_id, result in results.items():
        if not result["confirmed"]:
            yield f"{clinic_id}: nothing to confirm"
        elif is_terminal():
            fields = ", ".join(result["accepted_fields"]) or "none"
            yield f"{clinic_id}: {result['removed_posts']} posts marked removed; fields accepted as missing: {fields}"


def _confirm(run: Run, clinic_id: str) -> dict[str, Any]:
    """Confirm a clinic's reports; return the number of posts now marked removed, and the accepted fields."""
    removed = "SELECT count(*) FROM posts WHERE clinic_id = ? AND removed_at IS NOT NULL"
    fields = [loss.field for loss in losses(run.db, clinic_id) if not loss.accepted]
    if not fields and not _has_vanished(run, clinic_id):
        return {"confirmed": False, "removed_posts": 0, "accepted_fields": []}
    (before,) = run.db.execute(removed, [clinic_id]).fetchone()
    run.decide(Confirmed(clinic_id, utc(datetime.now(UTC))), "confirm")
    (after,) = run.db.execute(removed, [clinic_id]).fetchone()
    return {"confirmed": True, "removed_posts": after - before, "accepted_fields": fields}


def _has_vanished(run: Run, clinic_id: str) -> bool:
    """A run found the clinic moved or gone, and nobody has confirmed that since."""
    sql = (
        "SELECT count(*) FROM clinic_runs WHERE clinic_id = ?1 AND status = 'moved_or_gone' AND ended_at >"
        " (SELECT coalesce(max(confirmed_at), '') FROM confirmations WHERE clinic_id = ?1)"
    )
    (number,) = run.db.execute(sql, [clinic_id]).fetchone()
    return bool(number)
