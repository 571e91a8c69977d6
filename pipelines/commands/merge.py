"""`clinic-archive merge`: one archive from the archives of all shards."""

from __future__ import annotations

from pathlib import Path

import click

from archive.db import DATABASE
from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, fail, finish, print_problems
from pipelines.derive import DERIVED_LATER, derive_whole
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import adopt
from pipelines.rebuild import rebuild


@click.command(
    short_help="Make one archive from the archives of all shards.",
    epilog=examples("clinic-archive merge /srv/shard-1 /srv/shard-2 --archive /srv/whole"),
)
@click.argument("shards", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@archive_option
@json_option
def command(shards: tuple[Path, ...], archive: Path, as_json: bool) -> None:
    """Copy the WARC files of the shards into one archive and make its rows, as if one machine had visited all clinics.

    The shards stay as they are. A clinic that moved from one shard to another has one history, in the order of its
    captures. Run again, it adds what the shards recorded since. Shards with different keys of pseudonyms are refused.
    """
    for shard in shards:
        if not (shard / DATABASE).exists():
            fail(f"{shard}: no archive here; name the folders of the shards", ExitCode.BAD_CONFIG)
        if archive.exists() and shard.samefile(archive):
            fail(f"{shard}: is the archive to be made, too; name another with --archive", ExitCode.BAD_CONFIG)
    lock = lock_or_exit(archive)
    try:
        with exit_on_error(archive, "archive.db is unchanged"):
            adopt(shards, archive, None)
            result = rebuild(archive)
        with exit_on_error(archive, DERIVED_LATER):
            result.notes += derive_whole(archive)
    finally:
        lock.release()
    print_problems(result.notes, about=archive, noun="note", most=len(result.notes))
    print_problems(result.problems, about=archive, noun="record")
    captures, clinics = sum(result.clinics.values()), counted(len(result.clinics), "clinic")
    finish(
        {
            "archive": str(archive),
            "shards": [str(shard) for shard in shards],
            "clinics": result.clinics,
            "captures": captures,
            "sha256": result.digest,
            "problems": result.problems,
        },
        [f"{archive}: {captures} captures of {clinics} from {counted(len(shards), 'shard')}"],
        as_json=as_json,
        code=ExitCode.INTEGRITY if result.problems else ExitCode.DONE,
    )
