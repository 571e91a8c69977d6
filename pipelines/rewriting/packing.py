"""Joins the WARC files of a clinic into one: a file at a time, all of it or nothing, whenever the process is killed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from sqlite_utils import Database

from archive.warc.joining import join
from pipelines.rewriting import journal as journals
from pipelines.rewriting.choosing import PackGroup
from pipelines.rewriting.journal import PACKING, SOFTWARE, Journal

_PLACE = re.compile(r"(?P<file>warc/[^/\s]+/[^/\s]+\.warc\.gz): byte (?P<offset>\d+)")


def pack(archive: Path, db: Database, clinic_id: str, group: PackGroup) -> str:
    """Join the files of a group into one, and return its path in the archive; the caller holds the archive's lock.

    The old files are removed when the new one is on the disk and the rows that name its records are committed. Raises
    `BadJournal`, OSError, `sqlite3.Error`: nothing is done then, or it was decided, and the next start of any command
    that writes does the rest.
    """
    pack_id = uuid4().hex
    new = f"warc/{clinic_id}/{clinic_id}-{group.stamp}-{pack_id[:8]}-00000.warc.gz"
    draft = journals.draft_of(new, 0)
    journals.begin(archive, [draft], PACKING)
    try:
        name = Path(new).name
        shifts = join(group.paths, archive / draft, name=name, pack_id=pack_id, clinic_id=clinic_id, software=SOFTWARE)
        files = {path.relative_to(archive).as_posix(): shift for path, shift in shifts.items()}
        journal = Journal({}, {new: draft}, (), (), (), {new: files})
        journals.decide(archive, journal)
    except BaseException:
        if journals.decided(archive) is None:
            journals.remove_journal(archive)
        raise
    finish_pack(archive, db, journal)
    return new


def finish_pack(archive: Path, db: Database, journal: Journal) -> None:
    """Do what is decided; a second call does what a first one left. Raises `BadJournal`, OSError, `sqlite3.Error`."""
    journals.place(archive, journal)
    with db.atomic():
        for new, files in journal.joined.items():
            _move_rows(db, new, files)
    journals.remove(archive, journal)
    journals.remove_journal(archive)


def _move_rows(db: Database, new: str, files: Mapping[str, int]) -> None:
    """Write the new places of captures, also in messages that name one."""
    move = "UPDATE captures SET warc_file = ?, warc_offset = warc_offset + ? WHERE warc_file = ?"
    db.conn.executemany(move, [(new, shift, old) for old, shift in files.items()])

    def placed(match: re.Match[str]) -> str:
        shift = files.get(match["file"])
        return match[0] if shift is None else f"{new}: byte {int(match['offset']) + shift}"

    find = "SELECT problem_id, message FROM problems WHERE clinic_id = ? AND instr(message, ?)"
    clinic_id = Path(new).parent.name
    for problem_id, message in db.execute(find, [clinic_id, f"warc/{clinic_id}/"]).fetchall():
        if (text := _PLACE.sub(placed, message)) != message:
            db.execute("UPDATE problems SET message = ? WHERE problem_id = ?", [text, problem_id])
