"""The journal of a purge: what it does, written before anything is changed, so that a kill leaves no state in between.

    purging/drafts.json                 where the new WARC files are while they are written
    warc/CLINIC/NAME.part, imports/purging-0.part, study/purging-1.part
                                        the new files, on the disks of the files that they replace
    purging/journal.json                what they replace, and what else is removed

Until `journal.json` has its name, nothing of the archive is changed: the next start removes the folder and the drafts.
From then on the purge is decided: the next start does the rest, whatever of it was done before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from archive.backup.snapshots import PART, write_text
from archive.times import utc
from archive.warc import Writer
from archive.warc._file import sync_folder
from pipelines.events import Purged, Withdrawn, as_json
from pipelines.run.headers import RUNS, purges, replaced_files, runs_of
from scraper.config.clinics import PRODUCT, VERSION

FOLDER = "purging"
SOFTWARE = f"{PRODUCT}/{VERSION}"
_DRAFTS, _JOURNAL = "drafts.json", "journal.json"
# A new file that is being written: "warc/riverside/a-00000.warc.gz.part", "imports/purging-0.part"
_DRAFT = re.compile(r"warc/.+\.part|(imports|study)/purging-\d+\.part", re.DOTALL)
# What a purge replaces: "warc/riverside/a-00000.warc.gz", "imports/one.warc.gz", "study/samples/a-0123.json"
_REPLACED = re.compile(r"(warc|imports|study/(codebooks|samples|codings|lexicons))/.+", re.DOTALL)
# What else it removes: "archive-before-rebuild-20260301.db", "published/archive.db", "log/crawl.log", "warc/x/a.torn",
# and what was killed left in "imports/0123.part" and "rebuilding/archive.db"
_REMOVED = re.compile(
    r"archive-before[-.][^/]+|(published/|log/crawl\.log)[^/]*|warc/.+\.torn|imports/[^/]+\.part(/.+)?|rebuilding/.+",
    re.DOTALL,
)


_ADVICE = "nothing done; restore the archive from a backup"


class BadJournal(Exception):
    """The journal of a purge is damaged, or names what is no part of the archive; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A purge that is decided."""

    moves: dict[str, str]  # path of each new file in the archive -> of the file that it replaces
    drafts: dict[str, str]  # path of each new file in the archive -> where it is until then
    removed: tuple[str, ...]  # further files of the archive, by their paths
    purged: tuple[Purged, ...]  # one for each clinic
    extended: tuple[Withdrawn, ...]  # takedowns that got further marks


def decided(archive: Path) -> Journal | None:
    """Return the purge that was decided and is not finished, or None. Raises `BadJournal`, OSError."""
    path = archive / FOLDER / _JOURNAL
    _refuse_link(archive)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        journal = _of_json(json.loads(data))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadJournal(f"{path}: damaged, or no journal of a purge; {_ADVICE}") from error
    check(archive, journal)
    return journal


def _of_json(fields: Any) -> Journal:
    """Return the journal in parsed JSON. Raises ValueError, LookupError, TypeError or AttributeError for any other."""
    journal = Journal(
        dict(fields["moves"].items()),
        dict(fields["drafts"].items()),
        tuple(fields["removed"]),
        tuple(map(Purged.of_note, fields["purged"])),
        tuple(map(Withdrawn.of_note, fields["extended"])),
    )
    events: tuple[Purged | Withdrawn, ...] = (*journal.purged, *journal.extended)
    texts = [*journal.moves.values(), *journal.drafts.values(), *journal.removed, *(each.clinic_id for each in events)]
    lists = [fields["removed"], *(each["takedowns"] for each in fields["purged"])]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(each, list) for each in lists):
        raise TypeError
    if journal.drafts.keys() != journal.moves.keys():
        raise ValueError
    if any(journal.moves[new] != old for each in journal.purged for old, new in each.files.items()):
        raise ValueError
    return journal


def check(archive: Path, journal: Journal) -> None:
    """Check that a purge touches only files of the archive. Raises `BadJournal`, which names one that is none."""
    moved, drafts = [*journal.moves, *journal.moves.values()], journal.drafts.values()
    wrong = [name for name in moved if not _REPLACED.fullmatch(name)]
    wrong += [name for name in drafts if not _DRAFT.fullmatch(name)]
    wrong += [name for name in journal.removed if not _REMOVED.fullmatch(name)]
    wrong += [name for name in (*moved, *drafts, *journal.removed) if not is_within(archive, name)]
    for name in wrong:
        raise BadJournal(f"{archive / FOLDER / _JOURNAL}: names {name!r}, which no purge touches; {_ADVICE}")


def is_within(archive: Path, name: str) -> bool:
    """Return whether a path, relative to the archive, names a file inside it, without "..", and through no link out."""
    parts = PurePosixPath(name)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\0" in name:
        return False
    return (archive / name).resolve().is_relative_to(archive.resolve())


def _refuse_link(archive: Path) -> None:
    if (archive / FOLDER).is_symlink():
        raise BadJournal(f"{archive / FOLDER}: a link, which no purge makes; nothing done; delete the link")


def is_interrupted(archive: Path) -> bool:
    """Return whether a purge was killed, decided or not."""
    return (archive / FOLDER).exists() or (archive / FOLDER).is_symlink()


def draft_of(new: str, number: int) -> str:
    """Return where a new file is while it is written: on the disk of `new`, under a name that no reader looks at."""
    top = PurePosixPath(new).parts[0]
    return f"{new}{PART}" if top == "warc" else f"{top}/{FOLDER}-{number}{PART}"


def begin(archive: Path, drafts: list[str]) -> None:
    """List the new files that are about to be written; what an undecided purge left is removed.

    Raises `BadJournal` where one would lie outside the archive, OSError.
    """
    forget(archive)
    for draft in drafts:
        if not is_within(archive, draft):
            place = (archive / draft).parent
            raise BadJournal(f"{place}: behind a link out of the archive; nothing done; mount the folder there instead")
        (archive / draft).unlink(missing_ok=True)
    (archive / FOLDER).mkdir(mode=0o700)
    sync_folder(archive)
    write_text(archive / FOLDER / _DRAFTS, json.dumps(drafts))


def write_draft(path: Path, data: bytes) -> None:
    """Write a new file that is no WARC file; it is on the disk when this returns. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def decide(archive: Path, journal: Journal) -> None:
    """Write the journal; the purge is decided when this returns. Raises `BadJournal` as `decided` would, OSError."""
    check(archive, journal)
    _sync({(archive / draft).parent for draft in journal.drafts.values()})
    write_text(archive / FOLDER / _JOURNAL, json.dumps(asdict(journal)))


def move(archive: Path, journal: Journal) -> None:
    """Put the new files in the place of the old ones, and remove what else is listed. Raises OSError.

    A second call does what a first one left.
    """
    folders = set[Path]()
    for new, draft in journal.drafts.items():
        source, target = archive / draft, archive / new
        if source.exists():
            source.replace(target)
            folders.add(target.parent)
    _sync(folders)  # the new files have their names before the old ones are gone
    gone = [archive / name for name in (*journal.moves.values(), *journal.removed)]
    # A rebuild that was to finish the purge, and was killed, has saved the old database since.
    gone += [path for path in archive.glob("archive-before-rebuild-*.db") if not path.is_symlink()]
    for path in gone:
        path.unlink(missing_ok=True)
    _sync({path.parent for path in gone})


def settle(archive: Path) -> bool:
    """Finish the files of a purge that was killed, for a rebuild, which makes all rows again; the caller has the lock.

    Returns whether one was decided.

    The journal stays: the caller calls `forget` once the new rows are in archive.db, since until then that names files
    which are gone. A purge that was not decided is undone. Raises `BadJournal`, OSError, `WarcWriteError`.
    """
    journal = decided(archive)
    if journal is None:
        forget(archive)
        return False
    move(archive, journal)
    recorded = {each.purge_id for each in purges(runs_of(archive))}
    if all(each.purge_id in recorded for each in journal.purged):  # by the purge, or by a rebuild that was killed, too
        return True
    at, crawl_id = datetime.now(UTC), uuid4().hex
    with Writer(archive, RUNS, crawl_id, {"software": SOFTWARE, "kind": "takedown"}, last=None) as writer:
        fields = {"crawl": crawl_id, "started_at": utc(at), "software": SOFTWARE, "kind": "takedown"}
        writer.write_note("crawl-started", as_json({**fields, "closed": {}, "listed": {}}), at)
        events: list[Withdrawn | Purged] = [*journal.extended, *journal.purged]
        for event in events:
            writer.write_note(*event.note(), at)
        ended = {"ended_at": utc(at), "exit_code": 0, "summary": '{"purge": "finished"}'}
        writer.write_note("crawl-ended", as_json(ended), at)
    return True


def remove_replaced(archive: Path) -> None:
    """Remove files that a purge replaced and that came back, as from a copy. Raises OSError."""
    for old, new in replaced_files(runs_of(archive)).items():
        if is_within(archive, old) and (archive / old).exists() and (archive / new).exists():
            (archive / old).unlink()


def _sync(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)


def forget(archive: Path) -> None:
    """Remove the folder of a purge that is finished, or was never decided. Raises `BadJournal`, OSError."""
    folder = archive / FOLDER
    _refuse_link(archive)
    if folder.exists():
        drafts = _drafts(archive)
        (folder / _JOURNAL).unlink(missing_ok=True)
        sync_folder(folder)
        for draft in drafts:
            draft.unlink(missing_ok=True)
        shutil.rmtree(folder)
        sync_folder(archive)


def _drafts(archive: Path) -> list[Path]:
    path = archive / FOLDER / _DRAFTS
    try:
        names = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and _DRAFT.fullmatch(name) for name in names):
        raise BadJournal(f"{path}: damaged, or not by a purge; {_ADVICE}")
    if any(not is_within(archive, name) for name in names):
        raise BadJournal(f"{path}: names files outside the archive; {_ADVICE}")
    return [archive / name for name in names]
