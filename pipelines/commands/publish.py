"""`clinic-archive publish`: a copy of the archive for `serve --published`, whole and of one moment."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import click

from archive.backup.published import FOLDER, NotWhole, publish
from archive.db import ArchiveError
from pipelines.commands._archive import fail, read_only
from pipelines.exit_codes import ExitCode
from pipelines.run.run import Locked, lock_archive


@click.command(short_help="Publish a copy of the archive, for `serve --published`.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(archive: Path, as_json: bool) -> None:
    """Copy archive.db as it is now to published/archive.db, whole and checked; a crawl may go on meanwhile.

    `clinic-archive serve --published` shows that copy, and the next one as soon as it is there.
    """
    read_only(archive).close()
    try:
        lock = lock_archive(archive / FOLDER)
    except Locked as error:
        fail(str(error), ExitCode.LOCKED)
    try:
        path = publish(archive)
    except NotWhole as error:
        fail(str(error), ExitCode.INTEGRITY)
    except (ArchiveError, sqlite3.Error, OSError) as error:
        fail(f"{archive}: {error}; nothing published", ExitCode.UNEXPECTED)
    finally:
        lock.release()
    size = path.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(path), "bytes": size, "exit_code": ExitCode.DONE}))
    elif sys.stdout.isatty():
        click.echo(f"{path}: {size / 1e6:.1f} MB")
