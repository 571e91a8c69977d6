"""Files of an archive beside its WARC files and its database that may hold what was purged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archive.backup.published import FOLDER as PUBLISHED
from archive.db import DATABASE
from archive.warc.repair import TORN_SUFFIX
from pipelines.rewriting.journal import is_within

LOG = "log"
OUTSIDE = "backups and other copies still hold it: `clinic-archive takedown purge --in DIR` for each of them"


def copies_within(archive: Path, clinics: Iterable[str]) -> list[str]:
    """Return the files that a purge at these clinics removes, by their paths in the archive. Raises OSError.

    Earlier databases, the published copy, torn ends of WARC files, and logs. Nothing can be taken out of them; all but
    the published copy are of no use once the archive is sound, and that one is published again. What lies behind a link
    is not the archive's, and stays.
    """
    patterns = {
        archive: ("archive-before-*.db", "archive-before-*.db-*"),
        archive / PUBLISHED: (f"{DATABASE}*",),
        archive / LOG: ("crawl.log", "crawl.log.*"),  # others put files of theirs there, too
        **{archive / "warc" / clinic_id: (f"*{TORN_SUFFIX}",) for clinic_id in clinics},
    }
    found = [path for folder, names in patterns.items() for name in names for path in folder.glob(name)]
    names = {path.relative_to(archive).as_posix() for path in found if path.is_file() and not path.is_symlink()}
    return sorted(name for name in names if is_within(archive, name))
