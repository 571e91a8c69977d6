"""Handover: a folder with all that a successor needs to carry an archive on, and the hashes of its files.

    data/                   as in the archive: archive.db, warc/, imports/, study/, pseudonym.key; and clinics.toml
    data/HANDOVER.md        what it is, and how to go on
    bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt    BagIt (RFC 8493), as a release has them

It grows in a folder beside, which goes on where a call before was killed. It gets its name when every copy was read
back and has the hash of its original. Its files are copied by the steps of a backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.backup.backup import copy_database
from archive.backup.files import WARC, SnapshotFiles, names_of, sidecar
from archive.backup.snapshots import (
    PART,
    BackupDamaged,
    BackupRefused,
    SnapshotFile,
    copy_through,
    make_folder,
    write_text,
)
from archive.db import DATABASE
from archive.release import bag
from archive.warc._file import sync_folder

CONFIG, README = "clinics.toml", "HANDOVER.md"
JOURNAL = "copied.jsonl"  # of the growing folder: a line for each file that is copied
_MARK = "Clinic-Archive-Handover"  # entry of bag-info.txt, by which a release is no handover
_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A handover that was made."""

    digest: str
    """SHA-256 (hex) of the list that names all hashes."""
    files: int
    bytes: int
    files_kept: int
    """Files that a call before had copied; the name is a key of printed JSON."""


def unfinished_folder(target: Path) -> Path:
    """Return the folder in which a handover grows."""
    return target.with_name(f".{target.name}{PART}")


def check_target(archive: Path, target: Path) -> None:
    """Check that a handover of the archive can be made at `target`; nothing is changed. Raises `BackupRefused`."""
    here, there = archive.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise BackupRefused(f"{target}: one of it and the archive is inside the other; name a separate folder")
    if target.exists() or target.is_symlink():
        raise BackupRefused(f"{target}: exists; a handover is never replaced: name another folder")
    if not there.parent.is_dir():
        raise BackupRefused(f"{there.parent}: not there; mount it or make it, and run this again")
    part = unfinished_folder(target)
    if part.exists() or part.is_symlink():
        _check_part(part)


def hand_over(
    archive: Path, target: Path, *, parts: Sequence[str], config: Path, about: str, software: str
) -> HandedOver:
    """Make a handover at `target`, whole or not at all. The caller holds the archive's lock, and checked `target`.

    `parts`: names of the archive's other folders and files, copied after `warc`. `config`: the list of clinics.
    `about`: the text of HANDOVER.md. Raises `BackupRefused`, `BackupDamaged` with a line for each file that cannot be
    copied whole, `NotAnArchive`, other OSErrors and `sqlite3.Error`.
    """
    part = unfinished_folder(target)
    data = part / bag.DATA
    names = [name for top in (WARC, *parts) for name in names_of(archive, top)]
    if odd := [name for name in names if not name.isprintable()]:
        raise BackupRefused(f"{archive}: {odd[0]!r}: a name that no list of files can hold; rename that file")
    _claim(part)
    known = _go_on(archive, part)
    make_folder(data)
    database = copy_database(archive / DATABASE, data / DATABASE)
    copies = SnapshotFiles(archive, data, known, lambda _: False)
    with (part / JOURNAL).open("a", encoding="utf-8") as journal:
        for name in names:
            copies.take(name)
            if name in copies.files and name not in known:
                journal.write(json.dumps([name, asdict(copies.files[name])]) + "\n")
                journal.flush()
    faults = [*database.faults, *copies.problems, *copies.faults(database.ends)]
    if faults:
        raise BackupDamaged(*(line.replace("the backup", "the handover") for line in faults))
    hashes = {DATABASE: database.file.sha256} | {name: file.sha256 for name, file in copies.files.items()}
    for name, file in copies.files.items():
        if file.unclosed:  # as after a kill: the next crawl folds in what has no row
            sidecar(data / name).touch(mode=0o600)
            hashes[sidecar(data / name).relative_to(data).as_posix()] = _OF_NOTHING
    hashes[CONFIG] = copy_through(config, data / CONFIG).sha256
    write_text(data / README, about)
    hashes[README] = hashlib.sha256(about.encode()).hexdigest()
    digest = bag.seal(
        part, {"Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}", "Bag-Software-Agent": software, _MARK: "1"}
    )
    _compare(part, hashes)
    for path in (*part.glob("*.txt"), *_folders(part)):
        _sync(path)
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    (part / JOURNAL).unlink()
    part.rename(target)
    sync_folder(target.parent)
    return HandedOver(digest, len(hashes), size, copies.files_unchanged)


def verify(folder: Path) -> list[str]:
    """Return what is wrong with a handover: a line for each damaged, missing or additional file. Raises OSError."""
    if not (folder / bag.TAG_MANIFEST).is_file():
        return [f"no handover ({bag.TAG_MANIFEST} is missing)"]
    faults = bag.verify(folder)
    if not faults and _MARK not in bag.info_of(folder):
        return ["a folder by BagIt, but no handover; `clinic-archive release verify` checks a release"]
    return faults


def _claim(part: Path) -> None:
    """Make the growing folder, for this user alone, or check that it is ours. Raises `BackupRefused`, OSError."""
    try:
        part.mkdir(mode=0o700)
    except FileExistsError:
        _check_part(part)
        part.chmod(0o700)
    else:
        sync_folder(part.parent)
    (part / JOURNAL).touch(mode=0o600)  # it marks the folder as ours, before anything else is in it


def _check_part(part: Path) -> None:
    """Check that no other program or user made the growing folder. Raises `BackupRefused`.

    The key is written into it, and what is not from the archive is removed from it.
    """
    status = part.lstat()
    if not stat.S_ISDIR(status.st_mode):
        why = "no folder, but a handover grows there"
    elif status.st_uid != os.geteuid() or status.st_mode & 0o022:
        why = "a folder that another user made or can write to, but a handover grows there, with the key"
    elif any(part.iterdir()) and not _is_marked(part):
        why = "has files of something else, but a handover grows there"
    else:
        return
    raise BackupRefused(f"{part}: {why}; remove it, or name another folder")


def _is_marked(part: Path) -> bool:
    """Whether a call before made the folder; at its very end bag-info.txt says so, and the journal is gone."""
    journal, info = part / JOURNAL, part / bag.INFO
    if journal.is_symlink() or info.is_symlink():
        return False
    return journal.is_file() or (info.is_file() and _MARK in bag.info_of(part))


def _go_on(archive: Path, part: Path) -> Mapping[str, SnapshotFile]:
    """Return what a call before had copied and the archive still has as it was; delete all else from the folder."""
    for path in [path for path in part.rglob("*") if path.is_symlink()]:
        path.unlink()
    known = {
        name: file
        for name, file in _journal(part / JOURNAL)
        if _is_current(archive / name, file) and _size(part / bag.DATA / name) == file.size
    }
    wanted = {part / JOURNAL, *(part / bag.DATA / name for name in known)}
    for path in part.rglob("*"):
        if not path.is_dir() and path not in wanted:
            path.unlink()
    return known


def _journal(path: Path) -> Iterator[tuple[str, SnapshotFile]]:
    if not path.exists():
        return
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            name, values = json.loads(line)
            yield name, SnapshotFile(**values)
        except (ValueError, TypeError):  # the last line, of a call that was killed
            continue


def _is_current(source: Path, file: SnapshotFile) -> bool:
    try:
        status = source.stat()
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns) and not file.unclosed


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _compare(part: Path, hashes: Mapping[str, str]) -> None:
    """Compare the hashes of the copies, read back, with those of what was copied. Raises `BackupDamaged`."""
    made = bag.payload_hashes(part)
    expected = {f"{bag.DATA}/{name}": sha256 for name, sha256 in hashes.items()}
    wrong = sorted(name for name in made.keys() | expected.keys() if made.get(name) != expected.get(name))
    if wrong:
        (part / JOURNAL).unlink()  # copied anew by the next call
        why = "its copy is not what was read from the archive; check the disk, and run this again"
        raise BackupDamaged(*(f"{part / name}: {why}" for name in wrong))


def _folders(part: Path) -> Iterator[Path]:
    yield part
    yield from (path for path in part.rglob("*") if path.is_dir())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
