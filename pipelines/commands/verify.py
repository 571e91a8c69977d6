"""`clinic-archive verify`: every row against the bytes that it stands on."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from archive.reports.integrity import faults, full_text_faults, keep_result
from archive.times import utc
from pipelines.commands._archive import fail, read_only
from pipelines.exit_codes import ExitCode
from pipelines.orphans import closed_files
from pipelines.verify import Verification, verify

MOST_LINES = 40


@click.command(short_help="Check every row against the recorded bytes.")
@click.option("--sample", type=click.IntRange(1), help="Only so many captures, chosen at random.")
@click.option("--seed", type=int, help="Of the choice, to make the same one again.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(sample: int | None, seed: int | None, archive: Path, as_json: bool) -> None:
    """Read each capture's record again, check its digests, and compare what the parsers read with the stored rows.

    Keys, hashes, the full-text index and SQLite's own pages are checked too. It only reads, also while a crawl writes.
    """
    seed = seed if seed is not None else random.SystemRandom().randrange(2**31)
    began = time.monotonic()
    try:
        with closing(read_only(archive)) as db:
            closed = closed_files(archive)
            db.execute("BEGIN")  # what is committed from here on is not looked at
            found = list(faults(db))
            done = verify(archive, db, sample=sample, seed=seed, closed=closed)
    except sqlite3.DatabaseError as error:
        why = f"the database is damaged: {error}; `clinic-archive rebuild` makes it anew"
        broken_off = Verification(faults=[why])
        keep_result(archive, _summary(archive, broken_off, time.monotonic() - began, sample, seed))
        fail(f"{archive}: {why}", ExitCode.INTEGRITY)
    except OSError as error:
        fail(str(error), ExitCode.UNEXPECTED)
    broken, unchecked = full_text_faults(archive)
    done.faults = [*found, *broken, *done.faults]
    done.notes += [unchecked] if unchecked else []
    told = _summary(archive, done, time.monotonic() - began, sample, seed)
    keep_result(archive, told)
    _tell(done, told, as_json)


def _summary(archive: Path, done: Verification, seconds: float, sample: int | None, seed: int) -> dict[str, Any]:
    return {
        "archive": str(archive), "verified_at": utc(datetime.now(UTC)), "captures": done.captures,
        "whole": sample is None, "seed": None if sample is None else seed, "bytes": done.stored_bytes,
        "seconds": round(seconds, 2), "outdated": done.outdated, "faults": done.faults, "notes": done.notes,
        "exit_code": ExitCode.INTEGRITY if done.faults else ExitCode.DONE,
    }  # fmt: skip


def _tell(done: Verification, told: dict[str, Any], as_json: bool) -> None:
    for line in done.faults[:MOST_LINES]:
        click.echo(line, err=True)
    if len(done.faults) > MOST_LINES:
        click.echo(f"and {len(done.faults) - MOST_LINES} faults more; --json has them all", err=True)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    elif sys.stdout.isatty():
        rate = done.captures / max(told["seconds"], 0.01)
        old = (
            f"; {done.outdated} captures were read by an older parser: run `clinic-archive reparse`"
            if done.outdated
            else ""
        )
        click.echo(
            f"{done.captures} captures, {done.stored_bytes / 1e6:.0f} MB, {rate:.0f} captures a second: "
            + (f"{len(done.faults)} faults" if done.faults else "all as stored")
            + old
        )
        for line in done.notes:
            click.echo(line)
    sys.exit(told["exit_code"])
