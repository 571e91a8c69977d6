"""`clinic-archive confirm`: what the last runs reported of a clinic is so."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from archive.db import ArchiveError
from archive.rows.evidence import losses
from archive.warc import WarcWriteError
from pipelines.commands._archive import fail, open_for_writing, refuse_unknown
from pipelines.exit_codes import ExitCode
from pipelines.run.run import Run


@click.command(short_help="Say that posts are gone, or a field is told no more, as the last runs reported.")
@click.argument("clinics", nargs=-1, required=True, metavar="CLINIC...")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(clinics: tuple[str, ...], archive: Path, as_json: bool) -> None:
    """Confirm what the runs so far reported of the named clinics. Run this after a look at the blog.

    It says that a reported mass disappearance is real (the posts may now be marked removed, as soon as two visits, 20
    hours apart, found them gone), or that a missing field is gone for good (no more exit 5). It is recorded in the
    WARC, so that a rebuild keeps it. Of a clinic of which nothing was reported there is nothing to confirm.
    """
    run = open_for_writing(archive, existing=True)
    refuse_unknown(run, clinics)
    try:
        done = {clinic_id: _confirm(run, clinic_id) for clinic_id in clinics}
        if any(one["confirmed"] for one in done.values()):
            run.close(ExitCode.DONE, {"confirmed": done})
        else:
            run.release()
    except (sqlite3.Error, OSError, WarcWriteError, ArchiveError) as error:
        run.broken = run.broken or str(error)
        run.release()
        fail(f"{archive}: {error}; not all was confirmed", ExitCode.UNEXPECTED)
    if as_json:
        click.echo(json.dumps({"clinics": done, "exit_code": ExitCode.DONE}, ensure_ascii=False))
        return
    for clinic_id, one in done.items():
        if not one["confirmed"]:
            click.echo(f"{clinic_id}: nothing to confirm")
        elif sys.stdout.isatty():
            click.echo(f"{clinic_id}: {one['removed_posts']} posts marked removed; fields not missed any longer:"
                       f" {', '.join(one['accepted_fields']) or 'none'}")  # fmt: skip


def _confirm(run: Run, clinic_id: str) -> dict[str, Any]:
    """What changed by it: posts that are marked removed now, fields that are missed no longer."""
    removed = "SELECT count(*) FROM posts WHERE clinic_id = ? AND removed_at IS NOT NULL"
    fields = [loss.field for loss in losses(run.db, clinic_id) if not loss.accepted]
    if not fields and not _vanished(run, clinic_id):
        return {"confirmed": False, "removed_posts": 0, "accepted_fields": []}
    (before,) = run.db.execute(removed, [clinic_id]).fetchone()
    run.confirm(clinic_id)
    (after,) = run.db.execute(removed, [clinic_id]).fetchone()
    return {"confirmed": True, "removed_posts": after - before, "accepted_fields": fields}


def _vanished(run: Run, clinic_id: str) -> bool:
    """A run found the clinic moved or gone, and nobody has confirmed that since."""
    sql = (
        "SELECT count(*) FROM clinic_runs WHERE clinic_id = ?1 AND status = 'moved_or_gone' AND ended_at >"
        " (SELECT coalesce(max(confirmed_at), '') FROM confirmations WHERE clinic_id = ?1)"
    )
    (found,) = run.db.execute(sql, [clinic_id]).fetchone()
    return bool(found)
