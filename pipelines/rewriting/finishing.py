"""The end of a purge or a pack that was killed: it is finished where it was decided, else undone."""

from __future__ import annotations

from pipelines.exit_codes import ExitCode
from pipelines.rewriting import journal as journals
from pipelines.rewriting.packing import finish_pack
from pipelines.run.run import Run
from pipelines.takedown.purge.purge import finish_purge


def finish(run: Run) -> None:
    """Finish what was decided before a kill, or remove what an undecided one left.

    Raises `BadJournal`, OSError, `sqlite3.Error`; of a purge also what `purge` raises.
    """
    journal = journals.decided(run.archive)
    if journal is None:
        journals.remove_journal(run.archive)
    elif journal.joined:
        finish_pack(run.archive, run.db, journal)
    else:
        finish_purge(run, journal)


def finish_first(run: Run) -> Run:
    """Finish a purge or pack that was killed, a purge in a run of its own; return the run to go on with.

    Raises as `finish_purge` and `Run`; the archive is released then.
    """
    if journals.interrupted(run.archive) is None:
        return run
    try:
        finish(run)
        run.close(ExitCode.DONE, {"purge": "finished"})
    except Exception as error:
        run.broken = run.broken or str(error)
        run.release()
        raise
    return Run(run.archive)
