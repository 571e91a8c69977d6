"""`clinic-archive derive`: sentences and edits computed from the stored texts."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import click

from archive.db import DATABASE, open_archive
from archive.derived.store import forget_derived
from archive.wal import WriteAheadLog
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import Duration, archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.derive import derive
from pipelines.exit_codes import ExitCode
from pipelines.matching import match_claims


@click.command(
    short_help="Compute sentences, edits and claims from the stored texts.",
    epilog=examples("clinic-archive derive --archive ~/clinics", "clinic-archive derive --time-limit 10m"),
)
@click.option(
    "--time-limit", type=Duration(least=0.001), help="End cleanly after this time; the next derivation continues."
)
@click.option("--again", is_flag=True, help="Delete what was derived, and derive everything again.")
@archive_option
@json_option
def command(time_limit: float | None, again: bool, archive: Path, as_json: bool) -> None:
    """Cut the texts that are new into sentences, compute the words that each edit removed and added, and find the
    sentences that match a rule of a lexicon.

    The views edits, sentence_fates, site_wide_edits and claims read the result. A crawl does this at its end, for a
    small share of its time, and a rebuild does it whole: the command is needed after the first crawls of a large
    archive, and after an upgrade. It can be stopped at any time, and continues where it was.
    """
    if not (archive / DATABASE).exists():
        read_only(archive).close()
    began = time.monotonic()
    lock = lock_or_exit(archive)
    try:
        with exit_on_error(archive, "the next derivation continues"), closing(open_archive(archive, "write")) as db:
            if again:
                with db.atomic():
                    forget_derived(db.conn)
            done = derive(db, go_on=lambda: time_limit is None or time.monotonic() - began < time_limit)
            matched = match_claims(
                db, archive, go_on=lambda: time_limit is None or time.monotonic() - began < time_limit
            )
            WriteAheadLog(db).truncate()
    finally:
        lock.release()
    print_problems(matched.problems, about=archive)
    seconds = time.monotonic() - began
    state = done.progress
    rest = (
        f"; derived up to {state.up_to}: {counted(state.revisions - state.derived, 'text')} to go"
        if state.up_to
        else ""
    )
    finish(
        {
            "archive": str(archive),
            "posts": done.posts,
            "revisions": done.revisions,
            "derived": state.derived,
            "of": state.revisions,
            "derived_up_to": state.up_to,
            "matched": matched.revisions,
            "matches": matched.matches,
            "to_match": matched.due,
            "problems": matched.problems,
            "seconds": round(seconds, 1),
        },
        [f"{counted(done.revisions, 'text')} of {counted(done.posts, 'post')} in {seconds:.0f} s{rest}"]
        + ([f"{counted(matched.due, 'text')} to match with the rules of lexicons"] if matched.due else []),
        as_json=as_json,
        code=ExitCode.STOPPED if state.up_to or matched.due else ExitCode.DONE,
    )
