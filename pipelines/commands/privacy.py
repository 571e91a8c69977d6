"""`clinic-archive privacy`: apply changed stanzas to what is already stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from archive.wal import WriteAheadLog
from pipelines.commands._archive import refuse_unknown
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option
from pipelines.commands._output import counted, fail, finish
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.derive import derive_after_run
from pipelines.exit_codes import ExitCode
from pipelines.privacy.applying import Applied, apply_policy, stale_copies
from pipelines.privacy.reasons import fault_of
from scraper.config.clinics import read_clinics


@click.group(
    short_help="Apply changed privacy settings to what is already stored.",
    epilog=examples("clinic-archive privacy apply"),
)
def command() -> None:
    """Apply changed settings for comments and their authors to what is already stored."""


@command.command(
    short_help="Apply the privacy settings of clinics.toml to all rows.",
    epilog=examples(
        "clinic-archive privacy apply",
        'clinic-archive privacy apply --loosen riverside --reason "Approved by the review board, protocol 12"',
    ),
)
@archive_option
@clinics_file_option
@click.option(
    "--loosen", metavar="CLINIC", help="Also apply the looser settings of this clinic to what was captured before."
)
@click.option("--reason", metavar="TEXT", help="Why --loosen is right; recorded. It must not name anybody.")
@json_option
def apply(archive: Path, clinics_file: Path, loosen: str | None, reason: str | None, as_json: bool) -> None:
    """Apply `comments` and `privacy` of clinics.toml to all rows and the full text.

    For each capture the strictest settings since it was made are in force. Settings that became looser hold only for
    later captures, unless --loosen applies them to the past. Records of WARC files are not changed; those that hold
    comments which are no longer wanted are counted, and the commands that remove these are printed.
    """
    if (loosen is None) != (reason is None):
        raise click.UsageError("--loosen and --reason belong together")
    if reason is not None and (fault := fault_of(reason)):
        fail(f"--reason {fault}; it is recorded for good and must not name anybody", ExitCode.USAGE)
    with exit_on_error(clinics_file, "nothing applied"):
        listed = {clinic.slug: clinic for clinic in read_clinics(clinics_file)}
        if loosen is not None and loosen not in listed:
            fail(f"{clinics_file}: no clinic {loosen}; nothing applied", ExitCode.BAD_CONFIG)
    run = open_for_writing(archive, existing=True)
    with exit_on_error(archive, "not every clinic has its new settings; give the command again"), unlock_on_error(run):
        refuse_unknown(archive, run.db, filter(None, [loosen]))
        results = {
            slug: applied
            for slug, clinic in listed.items()
            if (applied := apply_policy(run, clinic, reason if slug == loosen else None)) is not None
        }
        if any(applied.changed for applied in results.values()):
            WriteAheadLog(run.db).truncate()
            run.close(ExitCode.DONE, {"policies": {slug: asdict(applied) for slug, applied in results.items()}})
        else:
            run.release()
    changed = any(applied.changed for applied in results.values())
    if changed:
        derive_after_run(archive)
    copies = stale_copies(archive) if changed else []
    summary = {"clinics": {slug: asdict(applied) for slug, applied in results.items()}, "copies": copies}
    finish(summary, _lines(results, copies), as_json=as_json, always=True)


def _lines(results: dict[str, Applied], copies: list[str]) -> Iterator[str]:
    for slug, applied in results.items():
        if applied.changed:
            yield f"{slug}: {applied.policy} applied; {counted(applied.comments, 'comment')} stored now"
        elif applied.looser:
            yield f"{slug}: looser than before: holds from the next crawl on; --loosen {slug} applies it to the past"
        if applied.unwanted:
            command = f"clinic-archive takedown add {slug} --comments --grade purge --reason TEXT --yes"
            yield (
                f"{slug}: {counted(applied.unwanted, 'record')} in WARC files hold comments that are no longer wanted;"
                f" to remove them for good: `{command}`, then `clinic-archive takedown purge`"
            )
    if not any(applied.changed or applied.looser for applied in results.values()):
        yield "every row is as the settings want it; nothing to do"
    for copy in copies:
        yield f"{copy}: made before; it still holds the earlier rows: publish again, or delete it"
