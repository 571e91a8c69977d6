"""`clinic-archive shard`: archives that share a sampling frame, each on a machine of its own."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import fail, finish
from pipelines.exit_codes import ExitCode
from pipelines.run.key import KEY_FILE, key_id, key_in, make_key


@click.group(
    "shard",
    short_help="Prepare archives that share one sampling frame.",
    epilog=examples("clinic-archive shard init --key pseudonym.key --archive /srv/shard-3"),
)
def command() -> None:
    """Divide a sampling frame among machines: each has an archive of its own and crawls with --shard K/N."""


@command.command(
    short_help="Give an archive the frame's key of pseudonyms.",
    epilog=examples("clinic-archive shard init --key pseudonym.key --archive /srv/shard-3"),
)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The pseudonym.key of the frame's first archive.",
)
@archive_option
@json_option
def init(key_file: Path, archive: Path, as_json: bool) -> None:
    """Copy the key of the frame's pseudonyms into an archive, so that a commenter has one pseudonym in all shards.

    Prints the key's id, which belongs in clinics.toml as `key_id` under [shards]: a crawl with another key is refused.
    """
    lock = lock_or_exit(archive)
    try:
        with exit_on_error(archive):
            key, target = key_in(key_file), archive / KEY_FILE
            if target.exists() and key_in(target) != key:
                fail(f"{target}: the archive has another key already; choose a new folder", ExitCode.BAD_CONFIG)
            if not target.exists():
                make_key(target, key.hex())
    finally:
        lock.release()
    lines = [f"{archive}: has the key {key_id(key)}; add to clinics.toml:", "[shards]", f'key_id = "{key_id(key)}"']
    finish({"archive": str(archive), "key_id": key_id(key)}, lines, as_json=as_json, always=True)
