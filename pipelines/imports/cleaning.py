"""Removes what is purged from a file before it is imported: an import does not bring it back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from archive.warc.rewrite import rewrite
from pipelines.run.run import Run
from pipelines.takedown.purge.blanking import Blanking
from pipelines.takedown.purge.planning import blanked_in_foreign
from pipelines.takedown.withheld import PURGE, withheld_at
from scraper.config.clinics import Clinic


def cleaned(run: Run, file: Path, clinics: Mapping[str, Clinic], folder: Path) -> Path:
    """Return a copy of a WARC file below `folder` without what is purged at the clinics; the file if it has none of it.

    The same file always gives the same copy. Raises `BadKey`, OSError.
    """
    bodies: dict[int, bytes] = {}
    for clinic_id, clinic in clinics.items():
        held = withheld_at(run.db, run.archive, clinic_id, run.key, (PURGE,))
        if held is not None and held.is_any:
            site = clinic.url if held.is_whole else None
            found = blanked_in_foreign(file, Blanking(clinic_id, run.key, held), site)
            bodies |= {offset: blanked.body for offset, blanked in found}
    if not bodies:
        return file
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{uuid4().hex}.part"
    rewrite(file, copy, name=file.name, bodies=bodies)
    return copy
