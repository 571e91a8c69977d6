"""Files of an archive beside its WARC files and its database that may hold what was purged."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archive.backup.published import FOLDER as PUBLISHED
from archive.db import DATABASE
from archive.warc.repair import TORN_SUFFIX
from pipelines.run.notices import MEMORY_FILE

LOG = "log"
OUTSIDE = "backups and other copies still hold it: `clinic-archive takedown purge --in DIR` for each of them"


def copies_within(archive: Path, clinics: Iterable[str]) -> list[str]:
    """Return the files that a purge at these clinics removes, by their paths in the archive. Raises OSError.

    Earlier databases, the published copy, torn ends of WARC files, and logs. Nothing can be taken out of them; all but
    the published copy are of no use once the archive is sound, and that one is published again.
    """
    found: list[Path] = []
    for pattern in ("archive-before-*.db", "archive-before-*.db-*"):
        found += archive.glob(pattern)
    found += (archive / PUBLISHED).glob(f"{DATABASE}*")
    for clinic_id in clinics:
        found += (archive / "warc" / clinic_id).glob(f"*{TORN_SUFFIX}")
    found += (path for path in (archive / LOG).glob("*") if path != archive / MEMORY_FILE)
    return sorted(path.relative_to(archive).as_posix() for path in found if path.is_file())
