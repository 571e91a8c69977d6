"""Rebuild: recreates archive.db from the WARC files, with the same parsers and the same fold as a crawl.

`rebuild` recreates a whole archive, `refold` the rows of one clinic inside archive.db.

The new database is built in a folder of its own and copied into archive.db in one step, with SQLite's backup API. After
a kill at any moment the old database is whole, and the next rebuild starts again. The old database is saved beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from archive.compare import canonical
from archive.compare.superseded import restore_superseded, stash
from archive.db import DATABASE, ArchiveError, open_archive, touch_like
from archive.derived.tables import forget_site_edits
from archive.rows import runs
from archive.search.index import drop_removed
from archive.study.tables import fold_study
from archive.warc.repair import repair
from pipelines.fold.fold import Fold
from pipelines.log import ClinicLog, LoggedCapture, clinics_of, locations, log_of
from pipelines.replay.parsing import ParserPool, parsed
from pipelines.replay.stored import reread_post
from pipelines.rewriting.dropping import drop_copies, dropped_lines
from pipelines.rewriting.journal import remove_journal, remove_reappeared, settle
from pipelines.run.key import KEY_FILE, key_in
from pipelines.run.recorded_runs import runs_of
from pipelines.takedown.summaries import save_ends
from pipelines.takedown.withheld import withheld_at, withheld_from
from scraper.platforms import platform_named

SCRATCH = "rebuilding"


@dataclass(slots=True)
class Rebuilt:
    """The result of a rebuild."""

    clinics: dict[str, int] = field(default_factory=dict)  # number of captures by clinic
    problems: list[str] = field(default_factory=list)  # a line for each record that could not be used
    notes: list[str] = field(default_factory=list)
    digest: str = ""  # of the contents of the new archive.db (`archive.compare.canonical`)
    differs: list[str] | None = None  # tables that changed; None: no old database could be compared
    previous: Path | None = None  # where the old database was saved


def rebuild(archive: Path, key_file: Path | None = None, cores: int | None = None) -> Rebuilt:
    """Recreate archive.db from the WARC files of an archive. The caller holds the lock.

    `key_file`: the key of the pseudonyms, where it is not in the archive's folder. Raises `BadKey` where the key is
    needed and missing, `ArchiveError`, OSError, `sqlite3.Error`; archive.db is unchanged in these cases.
    """
    done = Rebuilt()
    is_purging = settle(archive)
    remove_reappeared(archive)
    done.notes = [
        f"{repaired.warc_file}: {repaired.cut} bytes of a torn record set aside in {repaired.torn.name}"
        for repaired in repair(archive)
        if repaired.torn is not None
    ]
    key_file = key_file or archive / KEY_FILE
    key = key_in(key_file) if key_file.exists() else None
    scratch = archive / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with closing(_opened(scratch)) as db:
            _fold_all(db, archive, key, done, cores)
            before = _compare_and_carry_over(db, archive, key, done)
            done.problems += fold_study(archive, db)
            _enter(db, archive, done, exists=before)
            done.notes += dropped_lines(drop_copies(archive, db))
        if is_purging and done.previous is not None:  # it has rows of what is purged
            done.previous.unlink()
            done.previous = None
        remove_journal(archive)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return done


def _opened(scratch: Path) -> Database:
    scratch.mkdir(mode=0o700)
    db = open_archive(scratch, "write")
    db.execute("PRAGMA synchronous = OFF")  # after a failure it is deleted
    return db


def _fold_all(db: Database, archive: Path, key: bytes | None, done: Rebuilt, cores: int | None) -> None:
    run_files = runs_of(archive)
    for run_file in run_files:
        runs.save_crawl(db, run_file.crawl_id, run_file.started_at, run_file.software, run_file.kind)
    with ParserPool(archive, key, cores) as pool:
        for clinic_id in clinics_of(archive, run_files):
            log = log_of(archive, clinic_id, run_files)
            done.problems += log.problems
            done.clinics[clinic_id] = apply_log(db, log, pool)
    save_ends(db, archive)
    runs.close_unended_crawls(db)


def _compare_and_carry_over(db: Database, archive: Path, key: bytes | None, done: Rebuilt) -> bool:
    """Compare with the old database, and copy from it what older parsers read; return False if there is none."""
    now = canonical.digests(db)
    done.digest = canonical.archive_digest(now)
    if not (archive / DATABASE).exists():
        return False
    try:
        with closing(open_archive(archive, "write")) as old:
            before = canonical.digests(old)
    except (ArchiveError, sqlite3.Error) as error:
        done.notes.append(f"{error}; nothing could be copied from it")
        return True
    done.differs = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    db.execute("ATTACH ? AS old", [str(archive / DATABASE)])
    for (clinic_id,) in db.execute("SELECT clinic_id FROM clinics").fetchall():
        with db.atomic():
            stash(db, clinic_id, newest_version(db, clinic_id), "old")
            restore_superseded(db, clinic_id, partial(reread_post, archive, db))
            if (withheld := withheld_at(db, archive, clinic_id, key)) is not None:
                withheld.scrub(db, clinic_id)
    db.execute("DETACH old")
    return True


def _enter(db: Database, archive: Path, done: Rebuilt, *, exists: bool) -> None:
    """Copy the new database into archive.db; the old one is saved beside it."""
    path = archive / DATABASE
    if exists:
        done.previous = archive / f"archive-before-rebuild-{datetime.now(UTC):%Y%m%d%H%M%S%f}.db"
        if done.differs is not None:
            touch_like(done.previous, path)
            with closing(sqlite3.connect(path)) as old:
                old.execute("VACUUM INTO ?", [str(done.previous)])
        else:  # it cannot be read
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            path.rename(done.previous)
            touch_like(path, done.previous)
    with closing(sqlite3.connect(path, timeout=30)) as live:
        live.execute("PRAGMA journal_mode = WAL")
        live.execute("PRAGMA synchronous = FULL")
        db.conn.backup(live)
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def apply_log(db: Database, log: ClinicLog, pool: ParserPool) -> int:
    """Apply a clinic's whole log to a database without rows of the clinic; return the number of captures.

    Raises `BadKey`, `BadRecord`, OSError, `sqlite3.Error`.
    """
    events = log.events()
    withheld = withheld_from(log.withdrawn, log.clinic_id, pool.key)
    fold = Fold(db, log.clinic_id, partial(reread_post, pool.archive, db), withheld=withheld)
    known = dict(locations(ref for run in log.runs for ref in run.captures))
    for event in parsed(events, pool, known.get):
        fold.apply(event)
    log.extended = withheld.extended() if withheld else []
    return sum(isinstance(event, LoggedCapture) for event in events)


def refold(db: Database, archive: Path, key: bytes | None, clinic_id: str) -> ClinicLog:
    """Recreate a clinic's rows in one transaction. Rows read by older versions of the parser are restored.

    Returns the log that was applied. Raises what `apply_log` does.
    """
    log = log_of(archive, clinic_id, runs_of(archive))
    with ParserPool(archive, key) as pool, db.atomic():
        db.execute("PRAGMA defer_foreign_keys = ON")
        stash(db, clinic_id, newest_version(db, clinic_id))
        delete_clinic_rows(db, clinic_id)
        apply_log(db, log, pool)
        restore_superseded(db, clinic_id, partial(reread_post, archive, db))
        if (withheld := withheld_from(log.withdrawn, clinic_id, key)) is not None:
            withheld.scrub(db, clinic_id)
        if db.execute("SELECT 1 FROM codings WHERE clinic_id = ? LIMIT 1", [clinic_id]).fetchone():
            fold_study(archive, db)  # its texts may have changed under the codings
    return log


def refold_past(db: Database, archive: Path, key: bytes | None, clinic_id: str) -> ClinicLog:
    """Recreate a clinic's rows after a decision that leaves some out; no word of those stays in the full-text index.

    Returns and raises what `refold` does.
    """
    with db.atomic():
        log = refold(db, archive, key, clinic_id)
        fold_study(archive, db)
        forget_site_edits(db, clinic_id)
        save_ends(db, archive)
    drop_removed(db)
    return log


def newest_version(db: Database, clinic_id: str) -> int:
    """Return the extractor version of the clinic's platform; 0 where no platform was recognised yet."""
    row = db.execute("SELECT platform FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone()
    platform = platform_named(row[0]) if row else None
    return platform.extractor_version if platform is not None else 0


def delete_clinic_rows(db: Database, clinic_id: str) -> None:
    """Delete every row of a clinic, inside the caller's transaction."""
    posts = "(SELECT post_id FROM posts WHERE clinic_id = ?)"
    of_posts = (
        "related_posts",
        "images",
        "post_tags",
        "post_categories",
        "post_changes",
        "readings",
        "superseded_readings",
    )
    for table in of_posts:
        db.conn.execute(f"DELETE FROM {table} WHERE post_id IN {posts}", (clinic_id,))
    revisions = f"(SELECT revision_id FROM revisions WHERE post_id IN {posts})"
    db.conn.execute(f"DELETE FROM links WHERE revision_id IN {revisions}", (clinic_id,))
    comments = "(SELECT comment_id FROM comments WHERE clinic_id = ?)"
    db.conn.execute(f"DELETE FROM comment_revisions WHERE comment_id IN {comments}", (clinic_id,))
    for table in ("sightings", "absences", "problems", "unplaced", "post_addresses", "comments"):
        db.conn.execute(f"DELETE FROM {table} WHERE clinic_id = ?", (clinic_id,))
    db.conn.execute(f"DELETE FROM revisions WHERE post_id IN {posts}", (clinic_id,))
    of_clinic = (
        "posts",
        "authors",
        "categories",
        "tags",
        "captures",
        "run_fields",
        "confirmations",
        "clinic_runs",
        "clinic_attributes",
        "clinics",
    )
    for table in of_clinic:
        db.conn.execute(f"DELETE FROM {table} WHERE clinic_id = ?", (clinic_id,))
    for table in ("withdrawn_permalinks", "withdrawals"):
        db.conn.execute(f"DELETE FROM {table} WHERE clinic = ?", (clinic_id,))
