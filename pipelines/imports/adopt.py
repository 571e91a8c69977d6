"""Copies the WARC files of other archives into an archive for a rebuild: whole or not at all, and unchanged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from filecmp import cmp
from itertools import pairwise
from pathlib import Path

from archive.study.folder import STUDY
from archive.warc import Info, records
from archive.warc._file import OPEN_SUFFIX, sync_folder
from pipelines.run.key import KEY_FILE, BadKey, key_in, make_key

IMPORTS = "imports"  # the folder of imported files, unchanged
SPARE = 64 << 20  # bytes that stay free on the disk


class ImportRefused(Exception):
    """A source or file cannot be imported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Copy:
    source: Path
    target: Path
    unclosed: bool


def adopt(sources: Iterable[Path], archive: Path, key_file: Path | None) -> None:
    """Copy the WARC files of other archives, and the key of their pseudonyms, into this archive.

    A source is an archive's folder, a folder of WARC files, or one such file, all written by this program. Raises
    `ImportRefused`, `BadKey`, OSError.
    """
    archive.mkdir(parents=True, exist_ok=True)
    copies: dict[Path, _Copy] = {}
    keys = [key_file] if key_file else []
    for source in sources:
        found = list(_copies(source, archive))
        if not found:
            raise ImportRefused(
                f"{source}: no WARC file written by clinic-archive; import other files with `clinic-archive import`"
            )
        copies |= {copy.target: copy for copy in found}
        keys += [path for path in _beside(source, KEY_FILE) if path.exists()][:1]
    wanted = [copy for copy in copies.values() if not _is_there(copy)]
    _check_space(wanted, archive)
    _take_key(keys, archive)
    for copy in wanted:
        _copy(copy)


def _copies(source: Path, archive: Path) -> Iterator[_Copy]:
    paths = [source] if source.is_file() else sorted(source.rglob("*.warc.gz"))
    # Imported files are copied to their own folder below, even if this program wrote them.
    for path in (path for path in paths if not _is_given(path, source)):
        clinic_id = _clinic_of(path)
        if clinic_id is not None:
            unclosed = path.with_name(path.name + OPEN_SUFFIX).exists()
            yield _Copy(path, archive / "warc" / clinic_id / path.name, unclosed)
    for name in (IMPORTS, STUDY):
        for folder in _beside(source, name):
            if not _is_of(folder.parent, source):
                continue
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    yield _Copy(path, archive / name / path.relative_to(folder), unclosed=False)


def _is_given(path: Path, source: Path) -> bool:
    """Return whether a file is below a folder `imports` or `study` of an archive; clinics may have these slugs."""
    parts = (source.absolute().name, *path.relative_to(source).parts)
    return any(name in (IMPORTS, STUDY) and above != "warc" for above, name in pairwise(parts))


def _is_of(folder: Path, source: Path) -> bool:
    """Return whether a folder is the source, or the archive that it is a part of: not just any folder above it."""
    whole = source.absolute()
    return folder.absolute() == whole or whole.is_relative_to(folder.absolute() / "warc")


def _beside(source: Path, name: str) -> Iterator[Path]:
    """Yield the path of `name` in the source or the nearest of three folders above it: the source may be a part."""
    for folder in [source, *source.absolute().parents[:3]]:
        if (folder / name).exists():
            yield folder / name
            return


def _clinic_of(path: Path) -> str | None:
    """Return the clinic of a file, from its warcinfo; None if this program did not write the file."""
    first = next(iter(records(path)), None)
    if isinstance(first, Info) and "isPartOf" in first.fields:
        clinic_id = first.fields.get("clinic", "")
        return clinic_id if clinic_id and "/" not in clinic_id and not clinic_id.startswith(".") else None
    return None


def _is_there(copy: _Copy) -> bool:
    """Return whether the file is already copied. Raises `ImportRefused` if another file has its path."""
    if not copy.target.exists():
        return False
    if copy.target.samefile(copy.source) or cmp(copy.source, copy.target, shallow=False):
        return True
    if _continues(copy):
        return False
    raise ImportRefused(f"{copy.source}: another file is already at {copy.target}; give another folder with --archive")


def _continues(copy: _Copy) -> bool:
    """Return whether the file was copied while a crawl still wrote it, and one of both is the beginning of the other.

    The source may be the shorter one: a torn end is cut off after a kill.
    """
    if not copy.target.with_name(copy.target.name + OPEN_SUFFIX).exists():
        return False
    with copy.source.open("rb") as source, copy.target.open("rb") as target:
        while (a := source.read(1 << 20)) and (b := target.read(1 << 20)):
            if a[: len(b)] != b[: len(a)]:
                return False
    return True


def _check_space(copies: list[_Copy], archive: Path) -> None:
    needed = sum(copy.source.stat().st_size for copy in copies)
    free = shutil.disk_usage(archive).free
    if copies and needed + SPARE > free:
        raise ImportRefused(
            f"{archive}: {needed / 1e6:.0f} MB to be copied, {free / 1e6:.0f} MB free on this disk; nothing copied"
        )


def _take_key(keys: list[Path], archive: Path) -> None:
    """Copy the key of the pseudonyms. Raises `BadKey` if there are two: a person would get two pseudonyms."""
    target = archive / KEY_FILE
    known = {key_in(path): path for path in [*keys, *([target] if target.exists() else [])]}
    if len(known) > 1:
        names = " and ".join(str(path) for path in known.values())
        raise BadKey(
            f"{names}: two keys for the pseudonyms of one archive; give one source, or another folder with --archive"
        )
    if known and not target.exists():
        make_key(target, next(iter(known)).hex())


def _copy(copy: _Copy) -> None:
    copy.target.parent.mkdir(parents=True, exist_ok=True)
    mark = copy.target.with_name(copy.target.name + OPEN_SUFFIX)
    if copy.unclosed:
        mark.touch(mode=0o600)
    copy_durably(copy.source, copy.target, copy.target.with_name(copy.target.name + ".part"))
    if not copy.unclosed:
        mark.unlink(missing_ok=True)


def copy_durably(source: Path, target: Path, part: Path) -> None:
    """Copy a file to `part`, then rename it: under its name it is always whole and durable. Raises OSError."""
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with source.open("rb") as given, os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(given, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
