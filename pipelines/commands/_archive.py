"""What a verb on an archive does first: open the archive, for reading or for writing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
from sqlite_utils import Database

from archive.db import DATABASE, open_archive
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from pipelines.recover import recover
from pipelines.run import report
from pipelines.run.judgement import exit_code
from pipelines.run.locking import Locked, lock_archive
from pipelines.run.notices import emit, notices_of
from pipelines.run.run import Run
from scraper.config.clinics import Clinic


def open_for_writing(archive: Path, listed: Iterable[Clinic] = (), existing: bool = False) -> Run:
    """Lock and open the archive, and fold in what a killed run left; end the process where that fails.

    `listed`: the clinics of clinics.toml; the closed ones are entered. `existing`: do not make an archive where there
    is none, but end the process as `read_only` does.
    """
    if existing and not (archive / DATABASE).exists():
        read_only(archive).close()
    with exit_on_error(archive, "choose another --archive"):
        run = Run(archive)
    outcome = "the records of a killed run could not be folded in, nothing done"
    with exit_on_error(archive, outcome), releasing(run):
        run.recovered = recover(run)
        emit(archive, notices_of(run.recovered))
        run.register_closed(listed)
    return run


def close_run(run: Run, **more: Any) -> tuple[ExitCode, dict[str, Any]]:
    """Record the end of the run; return its exit code and its summary, with `more` in it.

    Ends the process where the end cannot be recorded.
    """
    code, summary = exit_code(run), {**report.summary(run), **more}
    with exit_on_error(run.archive):
        run.close(code, summary)
    return code, summary


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


@contextmanager
def releasing(run: Run) -> Iterator[None]:
    """Release the archive when the block raises.

    An error marks the run as broken; the end of the process, as by `fail`, does not.
    """
    try:
        yield
    except Exception as error:
        run.broken = run.broken or str(error)
        run.release()
        raise
    except SystemExit:
        run.release()
        raise


def refuse_unknown(archive: Path, db: Database, clinics: Iterable[str]) -> None:
    """End the process where a clinic is named that the archive does not know."""
    known = [clinic_id for (clinic_id,) in db.execute("SELECT clinic_id FROM clinics ORDER BY clinic_id").fetchall()]
    unknown = [clinic_id for clinic_id in clinics if clinic_id not in known]
    if unknown:
        names = ", ".join(known) or "none"
        fail(f"{archive}: no clinic {', '.join(unknown)} in this archive; it has {names}", ExitCode.BAD_CONFIG)
