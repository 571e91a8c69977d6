"""`clinic-archive rebuild`: archive.db recreated from WARC files alone."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, fail, finish, print_problems
from pipelines.derive import DERIVED_LATER, derive_whole
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import adopt
from pipelines.rebuild import Rebuilt, rebuild


@click.command(
    short_help="Recreate archive.db from the WARC files.",
    epilog=examples(
        "clinic-archive rebuild --archive ~/clinics",
        "clinic-archive rebuild --archive ~/copy --from /mnt/backup --key pseudonym.key",
    ),
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR_OR_WARC",
    help="Copy WARC files from here into the archive first; may be repeated.",
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The pseudonym.key with which the comments were stored.",
)
@archive_option
@json_option
def command(sources: tuple[Path, ...], key_file: Path | None, archive: Path, as_json: bool) -> None:
    """Read every recorded answer again with today's parsers and recreate archive.db; the network is not used.

    The old archive.db stays beside the new one. Without --from only the archive's own WARC files are read.
    """
    began = time.monotonic()
    lock = lock_or_exit(archive)
    try:
        with exit_on_error(archive, "archive.db is unchanged"):
            adopt(sources, archive, key_file)
            if not any((archive / "warc").rglob("*.warc.gz")):
                fail(f"{archive}: no WARC files in its folder warc/; name some with --from", ExitCode.BAD_CONFIG)
            result = rebuild(archive)
        with exit_on_error(archive, DERIVED_LATER):
            result.notes += derive_whole(archive)
    finally:
        lock.release()
    seconds = time.monotonic() - began
    print_problems(result.notes, about=archive, noun="note", most=len(result.notes))
    print_problems(result.problems, about=archive, noun="record")
    captures = sum(result.clinics.values())
    clinics = counted(len(result.clinics), "clinic")
    finish(
        {
            "archive": str(archive),
            "clinics": result.clinics,
            "captures": captures,
            "seconds": round(seconds, 1),
            "sha256": result.digest,
            "differs": result.differs,
            "kept": str(result.previous) if result.previous else None,
            "problems": result.problems,
        },
        [f"{archive}: {captures} captures of {clinics} in {seconds:.0f} s; {_comparison(result)}"],
        as_json=as_json,
        code=ExitCode.INTEGRITY if result.problems else ExitCode.DONE,
    )


def _comparison(result: Rebuilt) -> str:
    """How the new archive.db compares with the old one."""
    if result.differs is None:
        return "a new archive.db" + (
            f"; the file that was there is now {result.previous.name}" if result.previous else ""
        )
    assert result.previous is not None
    if not result.differs:
        return f"the same rows as before; the old file is {result.previous.name}"
    return f"different rows in {', '.join(result.differs)}; the old file is {result.previous.name}"
