"""What a verb does first that adds to an archive: lock it, open it, fold in what a killed run left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archive.db import DATABASE
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from pipelines.recover import recover
from pipelines.rewriting.finishing import finish_first
from pipelines.rewriting.journal import remove_reappeared
from pipelines.run import report
from pipelines.run.key import KEY_FILE, key_id, key_in
from pipelines.run.notices import emit, notices_of
from pipelines.run.outcome.judgement import exit_code
from pipelines.run.run import Run
from scraper.config.clinics import Clinic, Clinics


def open_for_writing(archive: Path, listed: Iterable[Clinic] = (), existing: bool = False) -> Run:
    """Lock and open the archive, and fold in what a killed run left; end the process where that fails.

    `listed`: the clinics of clinics.toml; the closed ones are entered. `existing`: do not make an archive where there
    is none, but end the process as `read_only` does.
    """
    if existing and not (archive / DATABASE).exists():
        read_only(archive).close()
    with exit_on_error(archive, "choose another --archive"):
        run = Run(archive)
    with exit_on_error(archive, "what was interrupted could not be finished, nothing done"):
        run = finish_first(run)
    outcome = "the records of a killed run could not be folded in, nothing done"
    with exit_on_error(archive, outcome), unlock_on_error(run):
        fold_in(run)
        run.register_closed(listed)
    return run


def fold_in(run: Run) -> None:
    """Fold in what a killed run left, and report it. Raises as `recover`."""
    remove_reappeared(run.archive)
    run.recovered = recover(run)
    emit(run.archive, notices_of(run.recovered))


def close_run(run: Run, **more: Any) -> tuple[ExitCode, dict[str, Any]]:
    """Record the end of the run; return its exit code and its summary, with `more` in it.

    Ends the process where the end cannot be recorded.
    """
    code, summary = exit_code(run), {**report.summary(run), **more}
    with exit_on_error(run.archive):
        run.close(code, summary)
    return code, summary


def refuse_other_key(archive: Path, listed: Clinics) -> None:
    """End the process where clinics.toml names another key of pseudonyms than the archive has.

    Called before the archive is opened, which gives a new archive a key of its own: `shard init` could not copy the
    frame's key into it any more.
    """
    if listed.key_id is None:
        return
    path = archive / KEY_FILE
    with exit_on_error(archive):
        found = key_id(key_in(path)) if path.exists() else None
    if found != listed.key_id:
        has = f"its id is {found}" if found else "is not there"
        fail(
            f"{path}: {has}, {listed.path} says key_id = {listed.key_id!r}: people would have two pseudonyms; copy the"
            " frame's key into a new archive with `clinic-archive shard init`",
            ExitCode.BAD_CONFIG,
        )


@contextmanager
def unlock_on_error(run: Run) -> Iterator[None]:
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
