"""`clinic-archive publish`: a checked copy of the archive for `serve --published`."""

from __future__ import annotations

from pathlib import Path

import click

from archive.backup.published import FOLDER, publish
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import finish


@click.command(
    short_help="Publish a copy of the archive, for `serve --published`.",
    epilog=examples("clinic-archive publish --archive ~/clinics"),
)
@archive_option
@json_option
def command(archive: Path, as_json: bool) -> None:
    """Copy archive.db as it is now to published/archive.db and check the copy. A crawl may run at the same time.

    Samples and codings of studies are left out of the copy.

    `clinic-archive serve --published` shows that copy, and each later one from the next request on.
    """
    read_only(archive).close()
    lock = lock_or_exit(archive / FOLDER, advice="nothing published")
    try:
        with exit_on_error(archive, "nothing published"):
            path = publish(archive)
    finally:
        lock.release()
    size = path.stat().st_size
    finish({"file": str(path), "bytes": size}, [f"{path}: {size / 1e6:.1f} MB"], as_json=as_json)
