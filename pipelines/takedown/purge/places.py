"""The new places of captures in rewritten WARC files, where no other row depends on what was removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from archive.warc import RecordGroup, read_record
from pipelines.fold.sanitise import storable
from pipelines.privacy.held import holds_comments
from pipelines.privacy.pseudonyms import pseudonymous
from pipelines.replay.stored import choose_stored, extraction_of, in_database
from pipelines.run.capture_row import quality_of
from pipelines.run.policies import stored_policy
from pipelines.run.run import Run
from pipelines.takedown.withheld import Withheld, withheld_at
from scraper.items import Names, ThreadPage


class MoreChanges(Exception):
    """Other columns change than the places: the clinic is folded again."""


class NewFile(NamedTuple):
    """A new WARC file: what it replaces, the new offset of each record by its old one, the old ones that changed."""

    old: str
    new: str
    places: Mapping[int, int]
    changed: Collection[int]


def update_locations(run: Run, clinic_id: str, files: Iterable[NewFile]) -> None:
    """Write the new places of a clinic's captures, and the facts of the records with another body.

    Called inside a transaction. Raises `MoreChanges`, `BadRecord`, OSError, `sqlite3.Error`.
    """
    policy = stored_policy(run.db, clinic_id)
    if policy is not None and policy.comments != "threads":
        raise MoreChanges
    changed: list[str] = []
    find = "SELECT capture_id, warc_offset FROM captures WHERE clinic_id = ? AND warc_file = ?"
    move = "UPDATE captures SET warc_file = ?, warc_offset = ? WHERE capture_id = ?"
    for file in files:
        rows = run.db.execute(find, [clinic_id, file.old]).fetchall()
        if not file.new.startswith("warc/") or any(offset not in file.places for _, offset in rows):
            raise MoreChanges
        run.db.conn.executemany(move, [(file.new, file.places[offset], capture_id) for capture_id, offset in rows])
        changed += [capture_id for capture_id, offset in rows if offset in file.changed]
    find = "SELECT capture_id FROM captures WHERE refers_to = ?"  # they show what their originals do
    revisits = [row[0] for capture_id in changed for row in run.db.execute(find, [capture_id]).fetchall()]
    withheld = withheld_at(run.db, run.archive, clinic_id, run.key)
    for capture_id in dict.fromkeys([*changed, *revisits]):
        values = _facts(run, clinic_id, capture_id, withheld)
        columns = ", ".join(f"{name} = ?" for name in values)
        run.db.execute(f"UPDATE captures SET {columns} WHERE capture_id = ?", [*values.values(), capture_id])


def _facts(run: Run, clinic_id: str, capture_id: str, withheld: Withheld | None) -> dict[str, Any]:
    """Return the columns of a capture that depend on its body, or on that of its original."""
    file, offset, kind, platform, own = run.db.execute(
        "SELECT warc_file, warc_offset, coalesce(crawls.kind, 'crawl'), clinic_runs.platform, clinics.platform FROM"
        " captures JOIN clinics USING (clinic_id) LEFT JOIN crawls USING (crawl_id) LEFT JOIN clinic_runs ON"
        " clinic_runs.crawl_id = captures.crawl_id AND clinic_runs.clinic_id = captures.clinic_id WHERE capture_id = ?",
        [capture_id],
    ).fetchone()
    record = read_record(run.archive, file, offset)
    if not isinstance(record, RecordGroup) or kind != "crawl" or withheld is None:
        raise MoreChanges
    found = extraction_of(run.archive, clinic_id, record, choose_stored(kind, platform, own), in_database(run.db))
    left = withheld.left_of(storable(pseudonymous(found, run.key)))
    items = left.extraction.items
    # The fold stores neither names nor pages of threads.
    stored = [item for item in items if not isinstance(item, Names | ThreadPage)]
    capture = record.capture
    holds = holds_comments(left.extraction, stored)
    if holds != holds_comments(left.extraction, items):
        raise MoreChanges
    return {
        "payload_sha256": capture.payload_sha256 or None,
        "payload_length": capture.payload_length,
        "warc_length": capture.warc_length,
        "etag": capture.etag,
        "last_modified": capture.last_modified,
        "holds_comments": holds,
        "quality": quality_of(stored),
        "withdrawn": int(left.holds_withdrawn),
    }
