"""The journal of a purge, or of a pack: what it does, written before anything is changed, so that a kill leaves no
state in between.

    purging/drafts.json                 where the new WARC files are while they are written
    warc/CLINIC/NAME.part, imports/purging-0.part, study/purging-1.part
                                        the new files, on the disks of the files that they replace
    purging/journal.json                what they replace, and what else is removed
    packing/drafts.json, packing/journal.json       the same of a pack

Until `journal.json` has its name, nothing of the archive is changed: the next start removes the folder and the drafts.
From then on the purge or pack is decided: the next start does the rest, whatever of it was done before.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import uuid4

from archive.backup.snapshots import PART, write_text
from archive.times import utc
from archive.warc import Writer
from archive.warc._file import sync_folder
from archive.warc.joining import head_of
from pipelines.events import Purged, Withdrawn, as_json
from pipelines.run.recorded_runs import RUNS, is_there, purges, replaced_files, runs_of
from scraper.config.clinics import PRODUCT, VERSION

FOLDER, PACKING = "purging", "packing"
_FOLDERS = {  # of what they are, and how it is finished
    FOLDER: ("a purge", "`clinic-archive takedown purge` finishes it"),
    PACKING: ("a pack", "`clinic-archive pack` finishes it"),
}
SOFTWARE = f"{PRODUCT}/{VERSION}"
_DRAFTS, _JOURNAL = "drafts.json", "journal.json"
# What a pack joins, and the file that it makes of it: "warc/riverside/a-00000.warc.gz"
_JOINED = re.compile(r"warc/[^/]+/[^/]+\.warc\.gz", re.DOTALL)
# A new file that is being written: "warc/riverside/a-00000.warc.gz.part", "imports/purging-0.part"
_DRAFT = re.compile(r"warc/.+\.part|(imports|study)/purging-\d+\.part", re.DOTALL)
# What a purge replaces: "warc/riverside/a-00000.warc.gz", "imports/one.warc.gz", "study/samples/a-0123.json"
_REPLACED = re.compile(r"(warc|imports|study/(codebooks|samples|codings|lexicons))/.+", re.DOTALL)
# What else it removes: "archive-before-x.db", "published/archive.db", "log/crawl.log", "warc/x/a.torn"
_REMOVED = re.compile(
    r"(?s)archive-before[-.][^/]+|(published/|log/crawl\.log)[^/]*|warc/.+\.torn|(imports/[^/]+\.part|rebuilding)(/.+)?"
)
_ADVICE = "nothing done; restore the archive from a backup"


class BadJournal(Exception):
    """A journal is damaged, or names what is no part of the archive; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A purge or a pack that is decided."""

    moves: dict[str, str]  # path of each new file in the archive -> of the file that it replaces
    drafts: dict[str, str]  # path of each new file in the archive -> where it is until then
    removed: tuple[str, ...]  # further files of the archive, by their paths
    purged: tuple[Purged, ...]  # one for each clinic
    extended: tuple[Withdrawn, ...]  # takedowns that got further marks
    # Of a pack: path of each new file -> paths of the files joined in it, with the bytes by which their records moved.
    joined: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder of the journal in the archive."""
        return PACKING if self.joined else FOLDER

    @property
    def replaced(self) -> list[str]:
        """The paths of the WARC files in whose place there are new ones."""
        return [*self.moves.values(), *(old for files in self.joined.values() for old in files)]


def decided(archive: Path) -> Journal | None:
    """Return the purge or pack that was decided and is not finished, or None. Raises `BadJournal`, OSError."""
    _refuse_link(archive)
    for folder in _FOLDERS:
        path = archive / folder / _JOURNAL
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        try:
            journal = _of_json(json.loads(data))
            if journal.folder != folder:
                raise ValueError
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise BadJournal(f"{path}: damaged, or no journal of {_FOLDERS[folder][0]}; {_ADVICE}") from error
        check_paths(archive, journal)
        return journal
    return None


def _of_json(fields: Any) -> Journal:
    """Return the journal in parsed JSON. Raises ValueError, LookupError, TypeError or AttributeError for any other."""
    journal = Journal(
        dict(fields["moves"].items()),
        dict(fields["drafts"].items()),
        tuple(fields["removed"]),
        tuple(map(Purged.of_note, fields["purged"])),
        tuple(map(Withdrawn.of_note, fields["extended"])),
        {new: dict(files.items()) for new, files in fields.get("joined", {}).items()},
    )
    events: tuple[Purged | Withdrawn, ...] = (*journal.purged, *journal.extended)
    texts = [*journal.replaced, *journal.drafts.values(), *journal.removed, *(each.clinic_id for each in events)]
    lists = [fields["removed"], *(each["takedowns"] for each in fields["purged"])]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(each, list) for each in lists):
        raise TypeError
    if journal.drafts.keys() != journal.moves.keys() | journal.joined.keys():
        raise ValueError
    if not journal.drafts.keys().isdisjoint(journal.replaced):
        raise ValueError
    if any(new not in journal.moves for each in journal.purged for new in each.files.values()):
        raise ValueError
    if journal.joined and (journal.moves or journal.removed or events):
        raise ValueError
    if not all(type(shift) is int for files in journal.joined.values() for shift in files.values()):
        raise TypeError
    return journal


def check_paths(archive: Path, journal: Journal) -> None:
    """Check that only files of the archive are touched. Raises `BadJournal`, which names one that is none."""
    moved, drafts = [*journal.drafts, *journal.replaced], journal.drafts.values()
    form = _JOINED if journal.joined else _REPLACED
    wrong = [name for name in moved if not form.fullmatch(name)]
    wrong += [name for name in drafts if not _DRAFT.fullmatch(name)]
    wrong += [name for name in journal.removed if not _REMOVED.fullmatch(name)]
    wrong += [name for name in (*moved, *drafts, *journal.removed) if not is_inside(archive, name)]
    for name in wrong:
        path, (what, _) = archive / journal.folder / _JOURNAL, _FOLDERS[journal.folder]
        raise BadJournal(f"{path}: names {name!r}, which is nothing that {what} touches; {_ADVICE}")


def is_inside(archive: Path, name: str) -> bool:
    """Return whether a path, relative to the archive, names a file inside it, without "..", and through no link out."""
    parts = PurePosixPath(name)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\0" in name:
        return False
    return (archive / name).resolve().is_relative_to(archive.resolve())


def _refuse_link(archive: Path) -> None:
    for folder, (what, _) in _FOLDERS.items():
        if (archive / folder).is_symlink():
            raise BadJournal(f"{archive / folder}: a link, but {what} makes none; nothing done; delete the link")


class Interrupted(NamedTuple):
    """What is running, or was killed."""

    what: str  # "a purge"
    finishing: str  # "`clinic-archive takedown purge` finishes it"


def interrupted(archive: Path) -> Interrupted | None:
    """Return what is running or was killed, decided or not: a purge or a pack; None where neither."""
    for folder, words in _FOLDERS.items():
        if (archive / folder).exists() or (archive / folder).is_symlink():
            return Interrupted(*words)
    return None


def draft_of(new: str, number: int) -> str:
    """Return where a new file is while it is written: on the disk of `new`, under a name that no reader looks at."""
    top = PurePosixPath(new).parts[0]
    return f"{new}{PART}" if top == "warc" else f"{top}/{FOLDER}-{number}{PART}"


def begin(archive: Path, drafts: list[str], folder: str = FOLDER) -> None:
    """List the new files that are about to be written; what an undecided purge or pack left is removed.

    Raises `BadJournal` where one would lie outside the archive, OSError.
    """
    remove_journal(archive)
    for draft in drafts:
        if not is_inside(archive, draft):
            place = (archive / draft).parent
            raise BadJournal(f"{place}: behind a link out of the archive; nothing done; mount the folder there instead")
        (archive / draft).unlink(missing_ok=True)
    (archive / folder).mkdir(mode=0o700)
    sync_folder(archive)
    write_text(archive / folder / _DRAFTS, json.dumps(drafts))


def decide(archive: Path, journal: Journal) -> None:
    """Write the journal; what it says is decided when this returns. Raises `BadJournal` as `decided` would, OSError."""
    check_paths(archive, journal)
    _sync({(archive / draft).parent for draft in journal.drafts.values()})
    write_text(archive / journal.folder / _JOURNAL, json.dumps(asdict(journal)))


def move(archive: Path, journal: Journal) -> None:
    """Put the new files in the place of the old ones, and remove what else is listed. Raises `BadJournal`, OSError.

    A second call does what a first one left.
    """
    place(archive, journal)
    remove(archive, journal)


def place(archive: Path, journal: Journal) -> None:
    """Give the new files their names, beside the old ones. Raises OSError."""
    folders = set[Path]()
    for new, draft in journal.drafts.items():
        source, target = archive / draft, archive / new
        if source.exists():
            source.replace(target)
            folders.add(target.parent)
    _sync(folders)  # the new files have their names before the old ones are gone


def remove(archive: Path, journal: Journal) -> None:
    """Remove the old files, and what else is listed. Raises `BadJournal`, OSError."""
    for new, files in journal.joined.items():
        head = head_of(archive / new) if (archive / new).exists() else None
        if head is None or not {PurePosixPath(old).name for old in files} <= set(head.files):
            raise BadJournal(f"{archive / new}: does not have what was packed into it; {_ADVICE}")
    gone = [archive / name for name in (*journal.replaced, *journal.removed)]
    if not journal.joined:  # a rebuild that was to finish the purge, and was killed, has saved the old database since
        gone += [path for path in archive.glob("archive-before-rebuild-*.db") if not path.is_symlink()]
    for path in gone:
        path.unlink(missing_ok=True)
    _sync({path.parent for path in gone})


def settle(archive: Path) -> bool:
    """Finish the files of a purge or pack that was killed, for a rebuild, which makes all rows again.

    Returns whether a purge was decided. The caller has the lock. The journal stays: the caller calls `remove_journal`
    once the new rows are in archive.db, since until then that names files which are gone. What was not decided is
    undone. Raises `BadJournal`, OSError, `WarcWriteError`.
    """
    journal = decided(archive)
    if journal is None:
        remove_journal(archive)
        return False
    move(archive, journal)
    recorded = {each.purge_id for each in purges(runs_of(archive))}
    if all(each.purge_id in recorded for each in journal.purged):  # by the purge, or by a rebuild that was killed, too
        return bool(journal.purged)
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


def remove_reappeared(archive: Path) -> None:
    """Remove files that a purge replaced and that came back, as from a copy. Raises OSError."""
    for old, new in replaced_files(runs_of(archive)).items():
        if is_inside(archive, old) and (archive / old).exists() and is_there(archive, new):
            (archive / old).unlink()


def _sync(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)


def remove_journal(archive: Path) -> None:
    """Remove the folder of a purge or pack that is finished, or was never decided. Raises `BadJournal`, OSError."""
    _refuse_link(archive)
    for folder in filter(Path.exists, (archive / name for name in _FOLDERS)):
        drafts = _drafts(archive, folder)
        (folder / _JOURNAL).unlink(missing_ok=True)
        sync_folder(folder)
        for draft in drafts:
            draft.unlink(missing_ok=True)
        shutil.rmtree(folder)
        sync_folder(archive)


def _drafts(archive: Path, folder: Path) -> list[Path]:
    path = folder / _DRAFTS
    try:
        names = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and _DRAFT.fullmatch(name) for name in names):
        raise BadJournal(f"{path}: damaged, or not of this program; {_ADVICE}")
    if any(not is_inside(archive, name) for name in names):
        raise BadJournal(f"{path}: names files outside the archive; {_ADVICE}")
    return [archive / name for name in names]
