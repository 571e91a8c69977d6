"""Detection of an archive whose database is missing while its WARC files are there.

A new, empty database would pass for the archive. What a killed first run leaves looks nearly the same, but its WARC
files are still unclosed, and the next run makes rows of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from archive.warc._file import OPEN_SUFFIX

# "riverside-20260301093000-0123abcd-00000.warc.gz": how our runs name their files
OURS = re.compile(r"-\d{14}-[0-9a-f]{8}-\d{5,}\.warc\.gz$")


def why_missing(folder: Path) -> str | None:
    """Return why no new database may be created in this archive's folder, in one line; None where it may.

    To be called where archive.db does not exist, or has no clinic. Raises OSError.
    """
    file = next(_finished(folder / "warc"), None)
    if file is None:
        return None
    return (
        f"{folder}: archive.db is gone, or empty, while what earlier runs recorded is there"
        f" ({file.relative_to(folder).as_posix()}): `clinic-archive rebuild --archive {folder}` recreates it from the"
        " WARC files; or `clinic-archive restore` a backup into another folder"
    )


def _finished(warc: Path) -> Iterator[Path]:
    """WARC files of clinics from runs whose files there are all closed.

    Files of runs as a whole (`_runs`) do not count: a run that was killed before its first visit leaves such a file.
    """
    for file in sorted(warc.glob("[!_]*/*.warc.gz")):
        if not OURS.search(file.name):
            continue
        prefix = file.name.rpartition("-")[0]
        if not any(file.parent.glob(f"{prefix}-*.warc.gz{OPEN_SUFFIX}")):
            yield file
