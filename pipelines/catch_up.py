"""After a kill: what lies whole in the WARC of a run that never ended, and has no row, is folded in before the next.

A thread of comments that the kill cut in two is stored without its texts (`privacy.masked_thread`): its names were
never recorded, so that no fold of these bytes, now or in a rebuild, could mask them. The next visit reads it whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive import runs
from archive.recovery import recover, whole_until
from archive.warc import BadRecord, Failure, Group, Info, Note, Record, records
from pipelines.fold import Fold, Source
from pipelines.privacy import pseudonymous
from pipelines.reread import extraction_of, reread_post
from pipelines.run import Run


@dataclass(slots=True)
class _Series:
    """The files of one run at one clinic, and what was found in them."""

    clinic_id: str
    paths: list[Path]
    crawl_id: str | None = None
    folded: int = 0
    told: dict[str, Any] = field(default_factory=dict)  # of the run-ended note, where the run came so far


def catch_up(run: Run) -> list[str]:
    """Fold in whole records without a row, tell how the killed runs ended, cut the files back; one line a run.

    In this order, so that a kill in between loses nothing: a run counts as running, and its file as unclosed, until its
    rows are there. Raises OSError and `sqlite3.Error`.
    """
    lines = []
    for series in _unended(run):
        name = series.paths[-1].relative_to(run.archive)
        if not run.db.execute("SELECT 1 FROM clinics WHERE clinic_id = ?", [series.clinic_id]).fetchone():
            lines.append(f"{name}: left as it is: archive.db does not know the clinic; rebuild it from its WARC files")
            continue
        _fold_in(run, series)
        lines.append(f"{name}: an earlier run was killed; {series.folded} recorded answers folded in")
        if series.told and series.crawl_id:
            runs.save_clinic_run(run.db, series.crawl_id, series.clinic_id, series.told)
    for crawl_id, clinic_id in runs.running(run.db):
        runs.save_killed_run(run.db, crawl_id, clinic_id)
    for mended in recover(run.archive):
        if mended.torn is not None:
            lines.append(f"{mended.warc_file}: {mended.cut} bytes of a torn record set aside in {mended.torn.name}")
    return lines


def _unended(run: Run) -> list[_Series]:
    """Runs with an unclosed file, or with a row that says they still run; a long one has several files."""
    folder = run.archive / "warc"
    stems = {_stem(sidecar) for sidecar in folder.rglob("*.warc.gz.open")}
    for crawl_id, clinic_id in runs.running(run.db):
        stems |= {_stem(path) for path in (folder / clinic_id).glob(f"*-{crawl_id[:8]}-*.warc.gz")}
    found = [_Series(stem.parent.name, sorted(stem.parent.glob(f"{stem.name}-*.warc.gz"))) for stem in sorted(stems)]
    return [series for series in found if series.paths]


def _stem(path: Path) -> Path:
    """ "CLINIC-YYYYMMDDhhmmss-CRAWL8" of "CLINIC-YYYYMMDDhhmmss-CRAWL8-00000.warc.gz"."""
    return path.with_name(path.name.rpartition("-")[0])


def _fold_in(run: Run, series: _Series) -> None:
    (privacy,) = run.db.execute("SELECT privacy FROM clinics WHERE clinic_id = ?", [series.clinic_id]).fetchone()
    fold: Fold | None = None
    places: dict[str, tuple[str, int]] = {}  # of records whose rows are not committed yet
    for path in series.paths:
        # The rows about to be committed stand on these bytes, which the killed run may never have made safe.
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        name = path.relative_to(run.archive).as_posix()
        known = {row[0] for row in run.db.execute("SELECT capture_id FROM captures WHERE warc_file = ?", [name])}
        for record in _whole(path, name, run.archive):
            if isinstance(record, Info):
                series.crawl_id = series.crawl_id or _known_crawl(run, record.fields.get("isPartOf"))
            elif isinstance(record, Note) and record.kind == "run-ended":
                series.told = {key: json.loads(text) for key, text in record.fields.items()}
            elif isinstance(record, Group | Failure) and record.capture.capture_id not in known:
                fold = fold or Fold(
                    run.db, series.clinic_id, lambda: None,
                    lambda capture_id: reread_post(run.archive, run.db, capture_id),
                )  # fmt: skip
                places[record.capture.capture_id] = (name, record.capture.warc_offset)
                told = extraction_of(run.archive, run.db, series.clinic_id, record, places)
                fold.add(pseudonymous(told, run.key), Source(series.crawl_id, privacy))
                series.folded += 1
    if fold is not None:
        fold.finish(ended=bool(series.told.get("finished")))


def _whole(path: Path, name: str, archive: Path) -> Iterator[Record]:
    """Records up to the first torn group, where the file is about to end: a response without its request is torn."""
    end = whole_until(path, name)
    for record in records(path, archive=archive):
        if isinstance(record, BadRecord):
            return
        place = record.capture.warc_offset if isinstance(record, Group | Failure) else record.warc_offset
        if place >= end:
            return
        yield record


def _known_crawl(run: Run, crawl_id: str | None) -> str | None:
    row = run.db.execute("SELECT crawl_id FROM crawls WHERE crawl_id = ?", [crawl_id]).fetchone()
    return row[0] if row else None
