"""A database that went missing beside its WARC files: a new one would pass for the archive, and hold none of it.

What a killed first run leaves looks nearly the same and is no such case: its files are still unclosed, and the next
start makes rows of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from archive.warc._file import OPEN_SUFFIX

OURS = re.compile(r"-\d{14}-[0-9a-f]{8}-\d{5}\.warc\.gz$")  # as our runs name their files


def why_missing(folder: Path) -> str | None:
    """Why no new database may begin in this archive's folder, in one line; None where one may.

    To be asked where archive.db is not there, or knows no clinic.
    """
    file = next(_finished(folder / "warc"), None)
    if file is None:
        return None
    return (
        f"{folder}: archive.db is gone, or empty, while what earlier runs recorded is there"
        f" ({file.relative_to(folder).as_posix()}): `clinic-archive rebuild --archive {folder}` makes it anew from the"
        " WARC files; or `clinic-archive restore` a backup into another folder"
    )


def _finished(warc: Path) -> Iterator[Path]:
    """WARC files of clinics whose run is over, all of whose files are closed.

    Those of runs as a whole (`_runs`) do not count: a run that was killed before it came to a clinic leaves one.
    """
    for file in sorted(warc.glob("[!_]*/*.warc.gz")):
        if not OURS.search(file.name):
            continue
        run = file.name.rpartition("-")[0]
        if not any(file.parent.glob(f"{run}-*.warc.gz{OPEN_SUFFIX}")):
            yield file
