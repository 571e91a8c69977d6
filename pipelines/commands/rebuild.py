"""`clinic-archive rebuild`: archive.db recreated from WARC files alone."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted
from pipelines.commands._rebuild import finish_rebuilt, rebuild_from
from pipelines.rebuild import Rebuilt


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
    help="The pseudonym.key of the archive, where it is not in the archive's folder.",
)
@archive_option
@json_option
def command(sources: tuple[Path, ...], key_file: Path | None, archive: Path, as_json: bool) -> None:
    """Read every recorded answer again with today's parsers and recreate archive.db; the network is not used.

    The old archive.db stays beside the new one, as archive-before-rebuild-*.db. Without --from only the archive's own
    WARC files are read.
    """
    began = time.monotonic()
    result = rebuild_from(sources, archive, key_file)
    seconds = time.monotonic() - began
    captures, clinics = sum(result.clinics.values()), counted(len(result.clinics), "clinic")
    more = {
        "seconds": round(seconds, 1),
        "differs": result.differs,
        "kept": str(result.previous) if result.previous else None,
    }
    line = f"{captures} captures of {clinics} in {seconds:.0f} s; {_comparison(result)}"
    finish_rebuilt(result, archive, line, more, as_json=as_json)


def _comparison(result: Rebuilt) -> str:
    """How the new archive.db compares with the old one."""
    if result.differs is None:
        return "a new archive.db" + (
            f"; the file that was there is now {result.previous.name}" if result.previous else ""
        )
    old = f"the old file is {result.previous.name}" if result.previous else "a purge is finished, and the old file gone"
    if not result.differs:
        return f"the same rows as before; {old}"
    return f"different rows in {', '.join(result.differs)}; {old}"
