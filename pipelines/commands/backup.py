"""`clinic-archive backup`: a snapshot of the archive in another folder, also during a crawl."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import click

from archive.backup.backup import BackedUp, back_up, check_place
from archive.backup.identity import is_of_another
from archive.backup.snapshots import BackupRefused, make_folder
from archive.db import ArchiveError, LostDatabase, open_archive
from archive.lock import LOCK_FILE
from archive.study.folder import STUDY
from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import IMPORTS
from pipelines.rewriting.journal import interrupted
from pipelines.run.key import KEY_FILE, BadKey, key_in
from pipelines.run.recorded_runs import replaced_files, runs_of
from scraper.config.clinics import PRODUCT, VERSION


@click.command(
    short_help="Copy the archive to another folder, also during a crawl.",
    epilog=examples(
        "clinic-archive backup /mnt/disk/clinics --archive ~/clinics",
        "clinic-archive backup /mnt/disk/clinics --keep 7",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Number of snapshots of archive.db that stay in DIR, the newest.",
)
@archive_option
@json_option
def command(folder: Path, keep: int, archive: Path, as_json: bool) -> None:
    """Copy a snapshot of archive.db to DIR, and the files that belong to it: WARC files, imports, studies, the key of
    the pseudonyms.

    Files that DIR already holds are not copied again, and no WARC file is ever deleted, but those that a purge replaced
    (`takedown purge`), with the snapshots that have them, and those that `pack` joined, once no snapshot has them. A
    snapshot counts only after its database was opened and checked, and all of its files are there. Damaged files are
    named: exit 6.
    """
    began = time.monotonic()
    result = make_backup(archive, folder, keep)
    seconds = time.monotonic() - began
    print_problems(result.problems, about=archive)
    finish(
        {"archive": str(archive), "backup": str(folder), **asdict(result), "seconds": round(seconds, 2)},
        [_line(result, folder)] if result.snapshot else [],
        as_json=as_json,
        code=ExitCode.INTEGRITY if result.problems else ExitCode.DONE,
    )


def make_backup(archive: Path, folder: Path, keep: int) -> BackedUp:
    """Make a snapshot of the archive in a folder; end the process where that fails."""
    with exit_on_error(folder, "choose another folder"):
        _check(archive, folder)
        make_folder(folder.absolute())
    lock = lock_or_exit(
        folder, busy=f"{folder}: another backup is being made there; nothing done", advice="choose another folder"
    )
    try:
        with exit_on_error(folder, "backup not finished; earlier snapshots are unchanged"):
            _check(archive, folder)  # it may have become another archive's just before the lock was taken
            return back_up(
                archive,
                folder,
                parts=(IMPORTS, STUDY, KEY_FILE),
                keep=keep,
                software=f"{PRODUCT}/{VERSION}",
                replaced=replaced_files(runs_of(archive)).keys(),
                is_rewriting=lambda: interrupted(archive) is not None,
            )
    finally:
        lock.release()


def _check(archive: Path, folder: Path) -> None:
    """Check that the folder may hold backups of this archive. Raises `BackupRefused`, `BadKey`, OSError."""
    if (found := interrupted(archive)) is not None:
        raise BackupRefused(
            f"{archive}: {found.what} is running, or was interrupted: {found.finishing}; then run this again"
        )
    try:
        open_archive(archive, "read").close()
    except (LostDatabase, FileNotFoundError) as error:
        raise BackupRefused(str(error)) from error
    except ArchiveError:
        pass  # `back_up` reports it
    if not folder.absolute().parent.is_dir():  # a disk that is not mounted, or a slip: no backup for years
        raise BackupRefused(f"{folder.absolute().parent}: not there; mount it or make it, and run this again")
    check_place(archive, folder, lock=LOCK_FILE)
    key, copy = archive / KEY_FILE, folder / KEY_FILE
    if not copy.exists():
        return
    if not key.exists():
        raise BadKey(f"{key}: gone, and {copy} is there: restore it if it is this archive's, or name another DIR")
    if key_in(key) != key_in(copy):
        raise BackupRefused(f"{folder}: holds another archive, whose pseudonyms have another key; name another folder")
    if is_of_another(archive, folder):
        raise BackupRefused(f"{folder}: holds another archive, which has no run of this one; name another folder")


def _line(result: BackedUp, folder: Path) -> str:
    purged = f" {result.purged} of what was purged deleted;" if result.purged else ""
    purged += f" {result.packed} of what was packed deleted;" if result.packed else ""
    return (
        f"{folder}: snapshot {result.snapshot}: archive.db ({result.database_bytes / 1e6:.1f} MB) and"
        f" {result.files_copied} files ({result.bytes_copied / 1e6:.1f} MB) copied, {result.files_kept} were there;"
        f"{purged} DIR holds {counted(result.snapshots, 'snapshot')}"
    )
