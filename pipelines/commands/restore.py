"""`clinic-archive restore`: an archive made of a backup."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import click

from archive.backup.restore import chosen, restore
from archive.backup.snapshots import PART, BackupDamaged, BackupRefused, is_backup, stamps
from archive.db import DATABASE
from archive.lock import LOCK_FILE
from archive.warc._file import sync_folder
from pipelines.commands._archive import fail
from pipelines.exit_codes import ExitCode
from pipelines.run.run import Locked, lock_archive

MOST_LINES = 20


@click.command(short_help="Make an archive of a backup.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--snapshot", "name", metavar="STAMP", help="Which one; without it, the newest.")
@click.option("--list", "listing", is_flag=True, help="Print the snapshots that DIR holds, oldest first; restore none.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(folder: Path, name: str | None, listing: bool, archive: Path, as_json: bool) -> None:
    """Make an archive, where none is yet, of a snapshot in DIR; each file is compared with its SHA-256 on the way.

    The archive has its name only once it is whole. Where a file of the backup is damaged nothing is made: exit 6.
    """
    began = time.monotonic()
    try:
        if listing:
            _list(folder, as_json)
            return
        snapshot = chosen(folder, name)
        part = _place(archive, folder)
        lock = lock_archive(part)
    except Locked:
        fail(f"{archive}: another process restores it; nothing done", ExitCode.LOCKED)
    except BackupRefused as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except BackupDamaged as error:
        fail(f"{error}; name another with --snapshot", ExitCode.INTEGRITY)
    except OSError as error:
        fail(f"{archive}: {error.strerror or error}; choose another --archive", ExitCode.UNEXPECTED)
    try:
        _clear(part)
        size = restore(folder, snapshot, part)
        part.rename(archive.resolve())
        sync_folder(part.parent)
    except BackupDamaged as error:
        for line in error.lines[:MOST_LINES]:
            click.echo(line, err=True)
        damaged = "is damaged" if len(error.lines) == 1 else "are damaged"
        fail(
            f"{folder}: {len(error.lines)} of {len(snapshot.files) + 1} files of snapshot {snapshot.name} {damaged};"
            f" nothing restored. `clinic-archive rebuild --from {folder}` takes what is whole in its WARC files",
            ExitCode.INTEGRITY,
        )
    except (OSError, sqlite3.Error) as error:
        fail(f"{archive}: not restored: {getattr(error, 'strerror', None) or error}", ExitCode.UNEXPECTED)
    finally:
        if not (archive / DATABASE).exists():
            shutil.rmtree(part, ignore_errors=True)
        lock.release()
    _tell(folder, snapshot.name, archive, len(snapshot.files), size, time.monotonic() - began, as_json)


def _list(folder: Path, as_json: bool) -> None:
    if not is_backup(folder):
        raise BackupRefused(f"{folder}: not a backup made by clinic-archive")
    names = stamps(folder)
    if as_json:
        click.echo(json.dumps({"backup": str(folder), "snapshots": names, "exit_code": ExitCode.DONE}))
    else:
        for name in names:
            click.echo(name)


def _place(archive: Path, folder: Path) -> Path:
    """Where the archive grows until it is whole. Raises `BackupRefused`, OSError."""
    target = archive.resolve()
    if archive.is_symlink() or target.is_mount():
        raise BackupRefused(f"{archive}: a mount point or a link; name a folder inside it")
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{archive}: not empty; name another --archive")
    if folder.resolve() in (target, *target.parents):
        raise BackupRefused(f"{archive}: lies in the backup; name another --archive")
    part = target.with_name(target.name + PART)
    if part.exists() and any(part.iterdir()) and not (part / LOCK_FILE).exists():
        raise BackupRefused(f"{part}: not empty, and in the way; move it, or name another --archive")
    return part


def _clear(part: Path) -> None:
    """What a restore that was killed left."""
    for path in part.iterdir():
        if path.name != LOCK_FILE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _tell(folder: Path, name: str, archive: Path, files: int, size: int, seconds: float, as_json: bool) -> None:
    if as_json:
        told = {
            "archive": str(archive), "backup": str(folder), "snapshot": name, "files": files + 1, "bytes": size,
            "seconds": round(seconds, 2), "exit_code": ExitCode.DONE,
        }  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
    elif sys.stdout.isatty():
        click.echo(f"{archive}: {files + 1} files ({size / 1e6:.1f} MB) restored from snapshot {name}")
