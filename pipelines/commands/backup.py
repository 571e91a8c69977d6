"""`clinic-archive backup`: a snapshot of the archive in another folder, also while a crawl goes on."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from archive.backup.backup import BackedUp, back_up, check_place
from archive.backup.snapshots import BackupRefused, make_folder
from archive.db import ArchiveError, LostDatabase, NotAnArchive, open_archive
from archive.lock import LOCK_FILE
from pipelines.commands._archive import fail
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import IMPORTS
from pipelines.run.key import KEY_FILE, BadKey, key_in
from pipelines.run.run import Locked, lock_archive
from scraper.config.clinics import PRODUCT, VERSION

MOST_LINES = 20


@click.command(short_help="Copy the archive to another folder, also during a crawl.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--keep", type=click.IntRange(1), default=30, show_default=True,
              help="So many snapshots of archive.db are kept, the newest.")  # fmt: skip
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(folder: Path, keep: int, archive: Path, as_json: bool) -> None:
    """Put a snapshot of archive.db into DIR, and what it stands on: WARC files, imports, the key of the pseudonyms.

    Files that are there already are not copied again, and none is ever deleted. A snapshot counts only once its
    database was opened and checked, and all that it stands on is there. What is damaged is named: exit 6.
    """
    began = time.monotonic()
    try:
        _check(archive, folder)
        make_folder(folder.absolute())
        lock = lock_archive(folder)
    except Locked:
        fail(f"{folder}: another backup is being made there; nothing done", ExitCode.LOCKED)
    except (BackupRefused, BadKey) as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except OSError as error:
        fail(f"{folder}: {error.strerror or error}; choose another folder", ExitCode.UNEXPECTED)
    try:
        _check(archive, folder)  # it may have become another archive's just before the lock was taken
        done = back_up(archive, folder, parts=(IMPORTS, KEY_FILE), keep=keep, software=f"{PRODUCT}/{VERSION}")
    except NotAnArchive as error:
        fail(str(error), ExitCode.INTEGRITY)
    except (BackupRefused, BadKey) as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        fail(f"{folder}: not finished: {why}; the snapshots that were there are as they were", ExitCode.UNEXPECTED)
    finally:
        lock.release()
    _tell(done, archive, folder, as_json, time.monotonic() - began)


def _check(archive: Path, folder: Path) -> None:
    """The folder is for backups of this archive. Raises `BackupRefused`, `BadKey`, OSError."""
    try:
        open_archive(archive, "read").close()
    except (LostDatabase, FileNotFoundError) as error:
        raise BackupRefused(str(error)) from error
    except ArchiveError:
        pass  # told where it is copied
    if not folder.absolute().parent.is_dir():  # a disk that is not mounted, or a slip: no backup for years
        raise BackupRefused(f"{folder.absolute().parent}: not there; mount it or make it, and run this again")
    check_place(archive, folder, lock=LOCK_FILE)
    ours, theirs = archive / KEY_FILE, folder / KEY_FILE
    if not theirs.exists():
        return
    if not ours.exists():
        raise BadKey(f"{ours}: gone, and {theirs} is there: put it back if that is this archive's, or name another DIR")
    if key_in(ours) != key_in(theirs):
        raise BackupRefused(f"{folder}: holds another archive, whose pseudonyms have another key; name another folder")


def _tell(done: BackedUp, archive: Path, folder: Path, as_json: bool, seconds: float) -> None:
    code = ExitCode.INTEGRITY if done.problems else ExitCode.DONE
    for line in done.problems[:MOST_LINES]:
        click.echo(line, err=True)
    if len(done.problems) > MOST_LINES:
        click.echo(f"{archive}: and {len(done.problems) - MOST_LINES} problems more; --json has them all", err=True)
    if as_json:
        told = {"archive": str(archive), "backup": str(folder), **asdict(done), "seconds": round(seconds, 2)}
        click.echo(json.dumps({**told, "exit_code": code}, ensure_ascii=False))
    elif sys.stdout.isatty() and done.snapshot:
        click.echo(
            f"{folder}: snapshot {done.snapshot}: archive.db ({done.database_bytes / 1e6:.1f} MB) and"
            f" {done.files_copied} files ({done.bytes_copied / 1e6:.1f} MB) copied, {done.files_kept} were there;"
            f" {done.snapshots} snapshot{'' if done.snapshots == 1 else 's'} kept"
        )
    sys.exit(code)
