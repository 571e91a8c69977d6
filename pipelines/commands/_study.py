"""What the verbs of a study do first: lock and open the archive, read the files in `study/`, choose a sample."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from archive.db import DATABASE, open_archive
from archive.study.folder import BadStudyFile
from archive.study.sample import Sample
from archive.study.tables import Study, fold_study, study_of
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from pipelines.rewriting.journal import interrupted


@contextmanager
def opened_study(archive: Path) -> Iterator[tuple[Database, Study]]:
    """Give the archive, locked for writing, and its study; the tables are made again from the files at the end.

    Ends the process where there is no archive, where another process holds it, and for an error of the block, after
    which the tables agree with the files, too. A file in `study/` that cannot be used is named on stderr.
    """
    if not (archive / DATABASE).exists():
        read_only(archive).close()
    lock = lock_or_exit(archive)
    try:
        refuse_unfinished_purge(archive)
        with exit_on_error(archive, "nothing done"), closing(open_archive(archive, "write")) as db:
            study = study_of(archive, db)
            for line in study.problems:
                echo(line, err=True)
            try:
                yield db, study
            finally:
                fold_study(archive, db)
    finally:
        lock.release()


def refuse_unfinished_purge(archive: Path) -> None:
    """End the process where a purge was interrupted, which may be about to replace files in `study/`."""
    found = interrupted(archive)
    if found is not None and found.what == "a purge":
        finishing = "`clinic-archive takedown purge` finishes it; then run this again"
        fail(f"{archive}: a purge was interrupted; nothing done; {finishing}", ExitCode.BAD_CONFIG)


def chosen_sample(study: Study, name: str | None, *, coded: bool = False) -> Sample:
    """Return the sample of that name or digest; without one the only sample, or with `coded` the only coded one.

    Raises `BadStudyFile`.
    """
    known = ", ".join(f"{sample.name} ({sample.digest})" for sample in study.samples.values())
    if not known:
        raise BadStudyFile("no sample in this archive; draw one with `clinic-archive sample --n 20 --seed 7`")
    found = [sample for sample in study.samples.values() if name in (None, sample.name, sample.digest)]
    if coded and name is None:
        of_codings = {coding.sample for codings in study.codings.values() for coding in codings}
        if not of_codings:
            raise BadStudyFile("no codings in this archive yet; `clinic-archive coding import` reads sheets")
        found = [sample for sample in found if sample.digest in of_codings]
    if len(found) != 1:
        wanted = "several samples" if found else f"no sample {name!r}"
        raise BadStudyFile(f"{wanted} in this archive; name one of {known} with --sample")
    return found[0]
