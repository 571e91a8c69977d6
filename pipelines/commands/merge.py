"""`clinic-archive merge`: one archive from the archives of all shards."""

from __future__ import annotations

from pathlib import Path

import click

from archive.db import DATABASE
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, fail
from pipelines.commands._rebuild import finish_rebuilt, rebuild_from
from pipelines.exit_codes import ExitCode


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
    result = rebuild_from(shards, archive)
    captures, clinics = sum(result.clinics.values()), counted(len(result.clinics), "clinic")
    line = f"{captures} captures of {clinics} from {counted(len(shards), 'shard')}"
    finish_rebuilt(result, archive, line, {"shards": [str(shard) for shard in shards]}, as_json=as_json)
