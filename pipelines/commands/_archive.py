"""What a verb on an archive does first: open the archive for reading, or lock its folder."""

from __future__ import annotations

from collections.abc import Iterable
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
    known = [clinic_id for (clinic_id,) in db.execute("SELECT clinic_id FROM clinics ORDER BY clinic_id").fetchall()]
    unknown = [clinic_id for clinic_id in clinics if clinic_id not in known]
    if unknown:
        names = ", ".join(known) or "none"
        fail(f"{archive}: no clinic {', '.join(unknown)} in this archive; it has {names}", ExitCode.BAD_CONFIG)
