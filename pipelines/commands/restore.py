"""`clinic-archive restore`: an archive from a snapshot in a backup."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NoReturn

import click

from archive.backup.restore import chosen, restore
from archive.backup.snapshots import PART, BackupDamaged, BackupRefused, Snapshot, is_backup, stamps
from archive.db import DATABASE
from archive.lock import LOCK_FILE
from archive.warc._file import sync_folder
from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import MAX_LINES, fail, finish, print_problems
from pipelines.exit_codes import ExitCode


@click.command(
    short_help="Make an archive from a backup.",
    epilog=examples(
        "clinic-archive restore /mnt/disk/clinics --list",
        "clinic-archive restore /mnt/disk/clinics --archive ~/clinics",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--snapshot", "name", metavar="STAMP", help="The snapshot to restore; default: the newest.")
@click.option("--list", "listing", is_flag=True, help="Print the snapshots in DIR, oldest first; restore none.")
@archive_option
@json_option
def command(folder: Path, name: str | None, listing: bool, archive: Path, as_json: bool) -> None:
    """Make an archive from a snapshot in DIR, where no archive is yet; the SHA-256 of each file is checked.

    The archive gets its name only when it is complete. Where a file of the backup is damaged nothing is restored:
    exit 6.
    """
    if listing:
        _list(folder, as_json)
    began = time.monotonic()
    with exit_on_error(archive, "choose another --archive"):
        try:
            snapshot = chosen(folder, name)
        except BackupDamaged as error:
            fail(f"{error}; name another with --snapshot", ExitCode.INTEGRITY)
        part = _part_of(archive, folder)
    lock = lock_or_exit(part, busy=f"{archive}: another process restores it; nothing done")
    try:
        with exit_on_error(archive, "not restored"):
            _clear(part)
            try:
                size = restore(folder, snapshot, part)
            except BackupDamaged as error:
                _fail_damaged(error, folder, snapshot)
            part.rename(archive.resolve())
            sync_folder(part.parent)
    finally:
        if not (archive / DATABASE).exists():
            shutil.rmtree(part, ignore_errors=True)
        lock.release()
    number = len(snapshot.files) + 1  # and archive.db
    finish(
        {
            "archive": str(archive),
            "backup": str(folder),
            "snapshot": snapshot.name,
            "files": number,
            "bytes": size,
            "seconds": round(time.monotonic() - began, 2),
        },
        [f"{archive}: {number} files ({size / 1e6:.1f} MB) restored from snapshot {snapshot.name}"],
        as_json=as_json,
        always=True,
    )


def _list(folder: Path, as_json: bool) -> NoReturn:
    """Print the snapshots of a backup, and end the process."""
    with exit_on_error(folder):
        if not is_backup(folder):
            raise BackupRefused(f"{folder}: not a backup made by clinic-archive")
        names = stamps(folder)
    finish({"backup": str(folder), "snapshots": names}, names, as_json=as_json, always=True)


def _part_of(archive: Path, folder: Path) -> Path:
    """The folder in which the archive grows until it is complete. Raises `BackupRefused`, OSError."""
    target = archive.resolve()
    if archive.is_symlink() or target.is_mount():
        raise BackupRefused(f"{archive}: a mount point or a link; name a folder inside it")
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{archive}: not empty; name another --archive")
    if folder.resolve() in (target, *target.parents):
        raise BackupRefused(f"{archive}: lies in the backup; name another --archive")
    part = target.with_name(target.name + PART)
    if part.exists() and any(part.iterdir()) and not (part / LOCK_FILE).exists():
        raise BackupRefused(f"{part}: not empty; move it, or name another --archive")
    return part


def _clear(part: Path) -> None:
    """Remove what a killed restore left."""
    for path in part.iterdir():
        if path.name != LOCK_FILE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _fail_damaged(error: BackupDamaged, folder: Path, snapshot: Snapshot) -> NoReturn:
    """Name the damaged files, and end the process."""
    print_problems(error.lines[:MAX_LINES])
    damaged = "is damaged" if len(error.lines) == 1 else "are damaged"
    fail(
        f"{folder}: {len(error.lines)} of {len(snapshot.files) + 1} files of snapshot {snapshot.name} {damaged};"
        f" nothing restored. `clinic-archive rebuild --from {folder}` reads whatever is undamaged in its WARC files",
        ExitCode.INTEGRITY,
    )
