"""After a kill: what lies whole in a WARC that was never closed, and has no row, is folded in before the next crawl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive.recovery import recover
from archive.warc import BadRecord, Failure, Group, Record, records
from pipelines.privacy import pseudonymous
from pipelines.reread import extraction_of, reread_post
from pipelines.run import Run
from pipelines.store import Fold


def catch_up(run: Run) -> list[str]:
    """Fold in whole records without a row, then cut the files back; one line a file, for stderr.

    In this order, so that a kill in between loses nothing: a file counts as unclosed until its rows are there.
    """
    lines = []
    for sidecar in sorted((run.archive / "warc").rglob("*.warc.gz.open")):
        path = sidecar.with_name(sidecar.name.removesuffix(".open"))
        found = _fold_in(run, path) if path.exists() else 0
        lines.append(f"{path.relative_to(run.archive)}: an earlier run was killed; {found} recorded answers folded in")
    for mended in recover(run.archive):
        if mended.torn is not None:
            lines.append(f"{mended.warc_file}: {mended.cut} bytes of a torn record set aside in {mended.torn.name}")
    return lines


def _fold_in(run: Run, path: Path) -> int:
    clinic_id = path.parent.name
    row = run.db.execute("SELECT privacy FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone()
    if row is None:
        return 0
    crawl_id = None
    known = {
        capture_id
        for (capture_id,) in run.db.execute(
            "SELECT capture_id FROM captures WHERE warc_file = ?", [path.relative_to(run.archive).as_posix()]
        )
    }
    found = 0
    fold: Fold | None = None
    for record in _whole(path, run.archive):
        crawl_id = crawl_id or _crawl_of(run, record)
        if not isinstance(record, Group | Failure) or record.capture.capture_id in known:
            continue
        fold = fold or Fold(
            run.db, clinic_id, crawl_id, row[0], lambda: None, lambda one: reread_post(run.archive, run.db, one)
        )
        fold.add(pseudonymous(extraction_of(run.archive, run.db, clinic_id, record), run.key))
        found += 1
    if fold is not None:
        fold.flush()
    return found


def _whole(path: Path, archive: Path) -> Iterator[Record]:
    """Records up to the first torn one, where the file ends for every reader."""
    for record in records(path, archive=archive):
        if isinstance(record, BadRecord):
            return
        yield record


def _crawl_of(run: Run, record: Record) -> str | None:
    """The crawl whose file this is, by its warcinfo, where the archive knows that crawl."""
    crawl = getattr(record, "fields", {}).get("isPartOf")
    row = run.db.execute("SELECT crawl_id FROM crawls WHERE crawl_id = ?", [crawl]).fetchone()
    return row[0] if row else None
