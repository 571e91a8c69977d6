"""What a verb on an archive does first: open the archive for reading, or lock its folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import filelock
from sqlite_utils import Database

from archive.db import open_archive
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from pipelines.run.locking import Locked, lock_archive


def read_only(archive: Path) -> Database:
    """Open the archive for reading; end the process where that fails."""
    with exit_on_error(archive):
        try:
            return open_archive(archive, "read")
        except FileNotFoundError as error:
            fail(str(error), ExitCode.BAD_CONFIG)


def lock_or_exit(
    folder: Path, *, busy: str | None = None, advice: str = "choose another --archive"
) -> filelock.BaseFileLock:
    """Lock the folder, making it where there is none; end the process where that fails.

    `busy`: the line where another process holds the lock. `advice`: what to do where the file system refuses.
    """
    with exit_on_error(folder, advice):
        try:
            return lock_archive(folder)
        except Locked:
            if busy is None:
                raise
            fail(busy, ExitCode.LOCKED)


def refuse_unknown(archive: Path, db: Database, clinics: Iterable[str]) -> None:
    """End the process where a clinic is named that the archive does not know."""
    refuse_unknown_in([(archive, db)], clinics)


def refuse_unknown_in(archives: Sequence[tuple[Path, Database]], clinics: Iterable[str]) -> None:
    """End the process where a clinic is named that none of the archives knows."""
    every = "SELECT clinic_id FROM clinics"
    known = sorted({clinic_id for _, db in archives for (clinic_id,) in db.execute(every).fetchall()})
    unknown = [clinic_id for clinic_id in clinics if clinic_id not in known]
    if unknown:
        where = ", ".join(str(archive) for archive, _ in archives)
        which, has = ("this archive", "it has") if len(archives) == 1 else ("these archives", "they have")
        fail(
            f"{where}: no clinic {', '.join(unknown)} in {which}; {has} {', '.join(known) or 'none'}",
            ExitCode.BAD_CONFIG,
        )
