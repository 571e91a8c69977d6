"""`clinic-archive verify`: every row compared with the recorded bytes."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from archive.derived import checks
from archive.derived.store import progress
from archive.lexicon import store
from archive.lexicon.given import lexicons_of
from archive.reports.integrity import faults, full_text_faults, keep_result
from archive.study.faults import study_faults
from archive.times import utc
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, fail, finish, print_problems
from pipelines.exit_codes import ExitCode
from pipelines.rewriting.journal import decided, interrupted
from pipelines.verify.verify import Verification, closed_files, verify

MAX_FAULTS = 40  # printed one by one
_NO_ROOM = (
    "not verified: no room for the scratch archive in the folder for temporary files; free some space, or name another"
    " folder in TMPDIR"
)


_REWRITTEN = "WARC files were replaced meanwhile, by a purge or a pack; run this again"


@click.command(
    short_help="Compare every row with the recorded bytes.",
    epilog=examples("clinic-archive verify --archive ~/clinics", "clinic-archive verify --sample 1000 --seed 7"),
)
@click.option("--sample", type=click.IntRange(1), help="Check only N captures, chosen at random.")
@click.option("--seed", type=int, help="Seed of that choice, to repeat it.")
@archive_option
@json_option
def command(sample: int | None, seed: int | None, archive: Path, as_json: bool) -> None:
    """Read each capture's record again, check its digests, make all rows again in a temporary archive, and compare
    each value with the stored one.

    Keys, hashes, the full-text index, the files of studies and SQLite's own pages are checked too. Of what `derive`
    computed, all sentences are compared by one digest, and the other rows for a sample of posts. Nothing is changed; a
    crawl may run at the same time. With --sample only the records of N captures are read, and their texts, counters and
    sightings compared.

    The temporary archive holds one clinic's rows at a time, in the folder for temporary files (TMPDIR).
    """
    seed = seed if seed is not None else random.SystemRandom().randrange(2**31)
    began = time.monotonic()
    with exit_on_error(archive):
        if decided(archive) is not None and (found := interrupted(archive)) is not None:
            fail(
                f"{archive}: {found.what} is not finished; {found.finishing}; nothing verified, run this again",
                ExitCode.LOCKED,
            )
        try:
            result = _verification(archive, sample, seed)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:  # only the scratch is written to
                fail(f"{archive}: {_NO_ROOM}", ExitCode.UNEXPECTED)
            fault = f"the database is damaged: {error}; `clinic-archive rebuild` recreates it"
            keep_result(
                archive, _summary(archive, Verification(faults=[fault]), time.monotonic() - began, sample, seed)
            )
            fail(f"{archive}: {fault}", ExitCode.INTEGRITY)
    seconds = time.monotonic() - began
    summary = _summary(archive, result, seconds, sample, seed)
    keep_result(archive, summary)
    print_problems(result.faults, noun="fault", most=MAX_FAULTS)
    finish(summary, _lines(result, seconds), as_json=as_json, code=summary["exit_code"])


def _verification(archive: Path, sample: int | None, seed: int) -> Verification:
    """Check everything. Raises OSError, `sqlite3.Error`; ends the process where there is no archive."""
    with closing(read_only(archive)) as db:
        closed = closed_files(archive)
        db.execute("BEGIN")  # later commits are not seen
        of_derived = checks.faults(db.conn, sample or checks.SAMPLE, seed)
        of_claims = store.faults(db.conn, store.ruleset(db.conn, lexicons_of(archive)[0]), sample or checks.SAMPLE)
        in_database = [*faults(db), *of_derived, *of_claims]
        derived = progress(db.conn)
        result = verify(archive, db, sample=sample, seed=seed, closed=closed)
    if result.faults and not closed <= closed_files(archive):
        fail(f"{archive}: {_REWRITTEN}", ExitCode.LOCKED)
    in_index, unchecked = full_text_faults(archive)
    in_study, of_study = _study_faults(archive)
    result.faults = [*in_database, *in_index, *in_study, *result.faults]
    result.notes += of_study
    result.notes += [unchecked] if unchecked else []
    result.derived_up_to = derived.up_to
    return result


def _study_faults(archive: Path) -> tuple[list[str], list[str]]:
    """Compare the tables of studies with their files, twice where they differ: one may just be being imported."""
    for _ in range(2):
        with closing(read_only(archive)) as db:
            db.execute("BEGIN")
            found, notes = study_faults(archive, db)
        if not found:
            break
    return found, notes


def _summary(archive: Path, result: Verification, seconds: float, sample: int | None, seed: int) -> dict[str, Any]:
    return {
        "archive": str(archive),
        "verified_at": utc(datetime.now(UTC)),
        "captures": result.captures,
        "whole": sample is None,
        "seed": None if sample is None else seed,
        "bytes": result.stored_bytes,
        "seconds": round(seconds, 2),
        "outdated": result.outdated,
        "older": result.older,
        "derived_up_to": result.derived_up_to,
        "faults": result.faults,
        "notes": result.notes,
        "exit_code": ExitCode.INTEGRITY if result.faults else ExitCode.DONE,
    }


def _lines(result: Verification, seconds: float) -> Iterator[str]:
    rate = result.captures / max(seconds, 0.01)
    line = f"{counted(result.captures, 'capture')}, {result.stored_bytes / 1e6:.0f} MB, {rate:.0f} a second: "
    line += counted(len(result.faults), "fault") if result.faults else "all as stored"
    if result.older:
        clinics = counted(len(result.older), "clinic")
        line += f"; rows of {clinics} are as an older version made them: run `clinic-archive reparse`"
    yield line
    if result.derived_up_to is not None:
        yield f"sentences and edits are derived up to {result.derived_up_to}: `clinic-archive derive` does the rest"
    yield from result.notes
