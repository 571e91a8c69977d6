"""What `takedown purge` says of a purge, and how it purges a backup or a copy of the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.backup.identity import are_of_one
from archive.backup.published import FOLDER as PUBLISHED
from archive.backup.snapshots import is_backup
from archive.db import DATABASE
from archive.study.folder import STUDY
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import counted, fail
from pipelines.commands._run import open_for_writing, unlock_on_error
from pipelines.commands.backup import make_backup
from pipelines.exit_codes import ExitCode
from pipelines.rewriting.journal import decided, interrupted
from pipelines.takedown.ledger import adopt_takedowns
from pipelines.takedown.purge.planning import due
from pipelines.takedown.purge.purge import Preview, PurgeResult
from pipelines.takedown.purge.purge import purge as perform

MAX_SNAPSHOTS = 10**6  # none is deleted for its age


def purge_copy(archive: Path, folder: Path) -> Iterator[str]:
    """Purge a backup or a copy of the archive, and yield what was done; end the process where it is neither."""
    with exit_on_error(archive), closing(read_only(archive)) as db:
        if due(archive, db):
            fail(f"{archive}: purge the archive itself first: `clinic-archive takedown purge`", ExitCode.BAD_CONFIG)
    if is_backup(folder):
        result = make_backup(archive, folder, keep=MAX_SNAPSHOTS)
        if result.snapshot:
            yield f"{folder}: snapshot {result.snapshot} made; {result.purged} earlier snapshots and files deleted"
        if result.problems:
            fail("\n".join(result.problems), ExitCode.INTEGRITY)
        return
    if folder.resolve() == archive.resolve() or not (folder / DATABASE).exists():
        fail(f"{folder}: neither a backup nor a copy of the archive; name another", ExitCode.BAD_CONFIG)
    with exit_on_error(folder):
        if not are_of_one(archive / DATABASE, folder / DATABASE):
            why = "it has no run of it, though the key may be the same"
            fail(f"{folder}: no copy of {archive}: {why}; nothing done; name a copy", ExitCode.BAD_CONFIG)
        if decided(folder) is not None and (found := interrupted(folder)) is not None:
            finishing = f"`clinic-archive takedown purge --archive {folder}` finishes it if this copy is your own"
            fail(f"{folder}: {found.what} was interrupted there; nothing done; {finishing}", ExitCode.BAD_CONFIG)
    run = open_for_writing(folder, existing=True)
    with exit_on_error(folder, "the purge is not finished; give the command again"), unlock_on_error(run):
        adopt_takedowns(run, archive)
        done = perform(run)
        run.close(ExitCode.DONE, {"purged": done.takedowns})
    yield from (f"{folder}: {line}" for line in purge_lines(done))


def planned(found: Preview) -> dict[str, Any]:
    """Return what a purge would do, for printed JSON."""
    return {
        "takedowns": [takedown for each in found.plans for takedown in each.takedowns],
        "clinics": {
            each.clinic_id: {"files": sorted(each.bodies), "records": each.records, "emptied": each.emptied}
            for each in found.plans
        },
        "studies": found.studies,
        "removed": found.removed,
        "outside": found.outside,
    }


def plan_lines(found: Preview) -> Iterator[str]:
    """Yield what a purge would do, a line for each clinic and each other file."""
    for each in found.plans:
        yield (
            f"{each.clinic_id}: would rewrite {counted(len(each.bodies), 'WARC file')}:"
            f" {counted(each.records, 'record')} would have another body, {each.emptied} of them none at all"
        )
    yield from (f"{old}: would be replaced by {new}" for old, new in found.studies.items())
    yield from (f"{name}: would be deleted" for name in found.removed)
    yield from outside_lines(found.outside)
    yield "nothing removed" if found.plans else "no takedown of grade purge is due"


def outside_lines(names: Sequence[str]) -> Iterator[str]:
    """Yield a line for each thing in the archive's folder that stays, although it holds or may hold what is purged."""
    for name in names:
        is_known = name.startswith(f"{STUDY}/")
        why = "holds what is purged; delete it by hand" if is_known else "not looked into; what is older may hold it"
        yield f"{name}: stays; {why}"


def purge_lines(done: PurgeResult) -> Iterator[str]:
    """Yield what a purge did."""
    if not done.takedowns:
        yield "no takedown of grade purge is due"
        return
    yield (
        f"{counted(len(done.takedowns), 'takedown')} purged: {counted(done.records, 'record')} in"
        f" {counted(len(done.files), 'WARC file')} changed, {done.emptied} of them emptied"
    )
    if done.damaged:
        yield f"{counted(done.damaged, 'region')} of these files could not be read, and went, too"
    yield from (f"{old}: replaced by {new}, without what was purged" for old, new in done.studies.items())
    yield from outside_lines(done.outside)
    for name in done.removed:
        yield f"{name}: deleted" + ("; publish again" if name.startswith(f"{PUBLISHED}/") else "")
