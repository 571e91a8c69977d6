"""`clinic-archive publish`: a checked copy of the archive for `serve --published`."""

from __future__ import annotations

from pathlib import Path

import click

from archive.backup.published import FOLDER, Public, publish
from archive.public import Comments, keyed
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import finish
from pipelines.run.key import KEY_FILE, key_in


@click.command(
    short_help="Publish a copy of the archive, for `serve --published`.",
    epilog=examples("clinic-archive publish --archive ~/clinics"),
)
@archive_option
@click.option(
    "--comments",
    type=click.Choice(["counts", "text"]),
    default="counts",
    show_default=True,
    help="counts: only how many comments there are; text: also texts, threads and other pseudonyms.",
)
@click.option("--full", is_flag=True, help="Copy the whole database, for readers who may see all of it.")
@json_option
def command(archive: Path, comments: Comments, full: bool, as_json: bool) -> None:
    """Write what is public of archive.db to published/archive.db and check it. A crawl may run at the same time.

    Samples and codings of studies, and rules that people wrote, are left out of the copy.

    `clinic-archive serve --published` shows that copy, and each later one from the next request on.
    docs/publishing.md says what is in the copy and what is not.
    """
    if full and comments == "text":
        raise click.UsageError("--full already copies the texts of comments; leave out --comments")
    read_only(archive).close()
    lock = lock_or_exit(archive / FOLDER, advice="nothing published")
    try:
        with exit_on_error(archive, "nothing published"):
            path = publish(archive, _public(archive, comments), full=full)
    finally:
        lock.release()
    size = path.stat().st_size
    finish({"file": str(path), "bytes": size}, [f"{path}: {size / 1e6:.1f} MB"], as_json=as_json)


def _public(archive: Path, comments: Comments) -> Public:
    """What is public, with a key made from the archive's own one: pseudonyms are the same in the next copy."""
    path = archive / KEY_FILE
    if not path.exists():
        return Public(comments)
    return Public(comments, bytes.fromhex(2 * keyed(key_in(path), "published")))
