"""Rebuild: archive.db made anew from the WARC files, through the same parsers and the same fold as a crawl.

The new database grows in a folder of its own and enters archive.db in one step, through SQLite's backup API: killed at
any moment, the old one is whole, and the next rebuild begins again. The old one is kept beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from archive.compare import canonical
from archive.compare.superseded import restore, stash
from archive.db import DATABASE, ArchiveError, open_archive
from archive.rows import runs
from archive.warc.repair import repair
from pipelines.log import clinics_of, history_of, runs_of
from pipelines.replay import ParserPool, fold_history, newest_version
from pipelines.reread import reread_post
from pipelines.run.key import KEY_FILE, key_in

SCRATCH = "rebuilding"


@dataclass(slots=True)
class Rebuilt:
    """What came of a rebuild."""

    clinics: dict[str, int] = field(default_factory=dict)  # captures of each
    problems: list[str] = field(default_factory=list)  # records that could not be used, in words
    notes: list[str] = field(default_factory=list)
    digest: str = ""  # of all that the new archive.db says (`archive.compare.canonical`)
    differs: list[str] | None = None  # tables that say something else than before; None: there was nothing before
    kept: Path | None = None  # the old database


def rebuild(archive: Path, key_file: Path | None = None, cores: int | None = None) -> Rebuilt:
    """Make archive.db anew from the WARC files of an archive whose lock the caller holds.

    `key_file`: the key of the pseudonyms, where it does not lie in the archive. Raises `BadKey` where it is wanted and
    not there, `ArchiveError`, OSError, `sqlite3.Error`; archive.db is as it was then.
    """
    done = Rebuilt()
    done.notes = [
        f"{mended.warc_file}: {mended.cut} bytes of a torn record set aside in {mended.torn.name}"
        for mended in repair(archive)
        if mended.torn is not None
    ]
    key_file = key_file or archive / KEY_FILE
    key = key_in(key_file) if key_file.exists() else None
    scratch = archive / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with closing(_opened(scratch)) as db:
            _fold_all(db, archive, key, done, cores)
            before = _compare_and_carry_over(db, archive, done)
            _enter(db, archive, done, exists=before)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return done


def _opened(scratch: Path) -> Database:
    db = open_archive(scratch, "write")
    db.execute("PRAGMA synchronous = OFF")  # it is thrown away when anything happens
    return db


def _fold_all(db: Database, archive: Path, key: bytes | None, done: Rebuilt, cores: int | None) -> None:
    told = runs_of(archive)
    for run in told:
        runs.save_crawl(db, run.crawl_id, run.started_at, run.software, run.kind)
    with ParserPool(archive, key, cores) as readers:
        for clinic_id in clinics_of(archive, told):
            history = history_of(archive, clinic_id, told)
            done.problems += history.problems
            done.clinics[clinic_id] = fold_history(db, history, readers)
    for run in told:
        if run.end is not None:
            runs.save_crawl_end(db, run.crawl_id, run.end)
    runs.close_unended_crawls(db)


def _compare_and_carry_over(db: Database, archive: Path, done: Rebuilt) -> bool:
    """Tell what differs from the old database, and take from it what older parsers read; False where there is none."""
    now = canonical.digests(db)
    done.digest = canonical.digest(now)
    if not (archive / DATABASE).exists():
        return False
    try:
        with closing(open_archive(archive, "write")) as old:
            said = canonical.digests(old)
    except (ArchiveError, sqlite3.Error) as error:
        done.notes.append(f"{error}; nothing could be taken from it")
        return True
    done.differs = sorted(name for name in now.keys() | said.keys() if now.get(name) != said.get(name))
    db.execute("ATTACH ? AS old", [str(archive / DATABASE)])
    for (clinic_id,) in db.execute("SELECT clinic_id FROM clinics").fetchall():
        with db.atomic():
            stash(db, clinic_id, newest_version(db, clinic_id), "old")
            restore(db, clinic_id, lambda one: reread_post(archive, db, one))
    db.execute("DETACH old")
    return True


def _enter(db: Database, archive: Path, done: Rebuilt, *, exists: bool) -> None:
    """The new database becomes archive.db; the old one stays beside it."""
    path = archive / DATABASE
    if exists:
        done.kept = archive / f"archive-before-rebuild-{datetime.now(UTC):%Y%m%d%H%M%S%f}.db"
        if done.differs is not None:
            with closing(sqlite3.connect(path)) as old:
                old.execute("VACUUM INTO ?", [str(done.kept)])
        else:  # it cannot even be read
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            path.rename(done.kept)
    with closing(sqlite3.connect(path, timeout=30)) as live:
        live.execute("PRAGMA journal_mode = WAL")
        live.execute("PRAGMA synchronous = FULL")
        db.conn.backup(live)
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
