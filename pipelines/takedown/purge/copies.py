"""Files of an archive beside its WARC files and its database that may hold what was purged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archive.backup.published import FOLDER as PUBLISHED
from archive.backup.snapshots import PART
from archive.db import DATABASE
from archive.lock import LOCK_FILE
from archive.study.folder import STUDY
from archive.warc.repair import TORN_SUFFIX
from pipelines.imports.adopt import IMPORTS
from pipelines.rebuild import SCRATCH
from pipelines.rewriting.journal import FOLDER, PACKING, is_inside
from pipelines.run.key import KEY_FILE
from pipelines.run.locking import WORKERS_FILE
from pipelines.run.recorded_runs import RUNS

LOG = "log"
OUTSIDE = "backups and other copies still hold it: `clinic-archive takedown purge --in DIR` for each of them"


def copies_within(archive: Path, clinics: Iterable[str]) -> list[str]:
    """Return the files that a purge at these clinics removes, by their paths in the archive. Raises OSError.

    Earlier databases, the published copy, torn ends of WARC files, logs, and what a rebuild or an import left that was
    killed. Nothing can be taken out of them; all but the published copy are of no use once the archive is sound, and
    that one is published again. What lies behind a link is not the archive's, and stays.
    """
    patterns = {
        archive: ("archive-before-*.db", "archive-before-*.db-*", "archive-before.db.part", f"{SCRATCH}/**/*"),
        archive / PUBLISHED: (f"{DATABASE}*",),
        archive / LOG: ("crawl.log", "crawl.log.*"),  # others put files of theirs there, too
        archive / IMPORTS: (f"*{PART}", f"*{PART}/**/*"),
        **{archive / "warc" / name: (f"*{TORN_SUFFIX}",) for name in (*clinics, RUNS)},
    }
    found = [path for folder, names in patterns.items() for name in names for path in folder.glob(name)]
    names = {path.relative_to(archive).as_posix() for path in found if path.is_file() and not path.is_symlink()}
    return sorted(name for name in names if is_inside(archive, name) and not name.startswith(f"{IMPORTS}/{FOLDER}-"))


def others_within(archive: Path) -> list[str]:
    """Return what others put into the archive's folder: a purge does not know what is in it. Raises OSError."""
    ours = {f"{DATABASE}{end}" for end in ("", "-wal", "-shm")}
    ours |= {KEY_FILE, LOCK_FILE, WORKERS_FILE, FOLDER, PACKING, SCRATCH, "warc", IMPORTS, STUDY, PUBLISHED, LOG}
    mine = (path for path in archive.iterdir() if path.name not in ours)
    others = (path for path in mine if not path.name.startswith("archive-before"))
    return sorted(f"{path.name}/" if path.is_dir() else path.name for path in others)
