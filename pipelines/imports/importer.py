"""Import: captures that others made, as good as our own.

The file of others is kept as it came, below `imports/`; a WARC file of ours notes that it was brought in, and for which
clinic. Both are on the disk before any row is made of them, and from both a rebuild reads the same rows again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.times import utc
from archive.warc._file import sync_folder
from pipelines.events import RunEnded
from pipelines.imports.adopt import IMPORTS, SPARE, Refused, copy_whole
from pipelines.imports.foreign import ForeignFile, scan_foreign
from pipelines.imports.unpack import opened
from pipelines.run.run import Run
from scraper.config.clinics import Clinic


@dataclass(slots=True)
class ImportResult:
    """What became of one file of others."""

    path: Path
    sha256: str = ""
    refused: str | None = None  # why nothing was taken
    origin: str = ""
    captures: dict[str, int] = field(default_factory=dict)  # new ones, by clinic
    known: int = 0  # captures that the archive had already
    unread: int = 0  # pictures, scripts and the like
    elsewhere: int = 0  # captures of other sites
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Import:
    """A file that goes in: where it is now, its place in the archive, its name as given, and what it holds."""

    path: Path
    file: str
    name: str
    sha256: str
    held: ForeignFile
    captures: Mapping[str, int]


def import_files(
    run: Run, paths: Iterable[Path], clinics: Mapping[str, Clinic], url: str | None, at: datetime | None
) -> list[ImportResult]:
    """Bring files of others into an archive that is held; what became of each.

    `url`, `at`: address and date of a saved page that tells none itself. A file is taken whole or not at all; nothing
    of it is in the database before all of it is on the disk. Raises OSError, `WarcWriteError`, `sqlite3.Error`,
    `BadKey`.
    """
    now = datetime.now(UTC)
    _sweep(run.archive)
    told, taken = [], list[_Import]()
    for path in paths:
        one = ImportResult(path)
        told.append(one)
        try:
            with opened(path, run.archive / IMPORTS, url=url, at=at) as (files, sha256):
                one.sha256 = sha256
                for file, name in files:
                    found = _look(run, file, name, clinics, one, now)
                    if found is not None:
                        taken.append(_keep(run.archive, found))
        except Refused as error:
            one.refused = str(error)
        except OSError as error:
            one.refused = f"{error.strerror or error}; nothing of it was taken"
        if one.refused is None and not one.captures and not one.known:
            one.refused = _nothing(one, clinics)
    if taken:
        _bring_in(run, taken, clinics, now)
    return told


def _sweep(archive: Path) -> None:
    """What an import that was killed had half copied."""
    for part in (archive / IMPORTS).glob("*.part"):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def _look(
    run: Run, file: Path, name: str, clinics: Mapping[str, Clinic], one: ImportResult, now: datetime
) -> _Import | None:
    """What a file holds that the archive does not have; None where that is nothing."""
    held = scan_foreign(file, name, {slug: clinic.url for slug, clinic in clinics.items()}, now)
    one.origin = held.software
    one.unread += held.unread
    one.elsewhere += held.hosts.total()
    one.bad += [f"{name}: {line}; left out" if name != one.path.name else f"{line}; left out" for line in held.bad]
    new: dict[str, int] = {}
    for clinic_id, entries in held.entries.items():
        for entry in {entry.capture_id: entry for entry in entries}.values():
            row = run.db.execute(
                "SELECT payload_sha256, fetched_at FROM captures WHERE capture_id = ?", [entry.capture_id]
            ).fetchone()
            if row is None:
                new[clinic_id] = new.get(clinic_id, 0) + 1
            elif row == (entry.payload_sha256 or row[0], utc(entry.at)):
                one.known += 1
            else:
                one.bad.append(f"byte {entry.offset}: another capture has its id, {entry.capture_id}; left out")
    for clinic_id, number in new.items():
        one.captures[clinic_id] = one.captures.get(clinic_id, 0) + number
    if not new:
        return None
    sha256 = _sha256(file)
    place = f"{IMPORTS}/{sha256[:16]}/{_plain(name)}"
    return _Import(file, place, one.path.name, sha256, held, new)


def _nothing(one: ImportResult, clinics: Mapping[str, Clinic]) -> str:
    """Why a file that could be read gave nothing."""
    if one.elsewhere:
        known = ", ".join(sorted(clinic.url for clinic in clinics.values())) or "no clinic at all"
        return (
            f"none of its {one.elsewhere} captures is of a clinic of this archive ({known}); add a stanza to"
            " clinics.toml, or give the clinic's address with --url"
        )
    if one.bad:
        return f"no record that can be used ({one.bad[0].removesuffix('; left out')})"
    return "no page in it"


def _plain(name: str) -> str:
    """The name as any file system takes it: "My page (1).warc.gz" gives "My-page-1-.warc.gz"."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".")[-120:] or "file"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(archive: Path, found: _Import) -> _Import:
    """Copy the file to its place, whole and durable, or raise `Refused`."""
    target = archive / found.file
    if target.exists():
        return found
    size, free = found.path.stat().st_size, shutil.disk_usage(archive).free
    if size + SPARE > free:
        raise Refused(f"{size / 1e6:.0f} MB to be copied, {free / 1e6:.0f} MB free on the archive's disk; not taken")
    copy_whole(found.path, target, archive / IMPORTS / f"{found.sha256[:16]}.part")
    sync_folder(target.parent.parent)
    return found


def _bring_in(run: Run, taken: list[_Import], clinics: Mapping[str, Clinic], now: datetime) -> None:
    """Note what was imported, clinic by clinic, and make the clinics' rows again."""
    for clinic_id in sorted({slug for found in taken for slug in found.captures}):
        clinic = clinics[clinic_id]
        imported = [found for found in taken if clinic_id in found.captures]
        at_clinic = run.start(clinic, "import", utc(now), {"software": run.software})
        for found in imported:
            run.writer(clinic_id).write_note("import", _json(_note(found, clinic, now)), now)
        names = "; ".join(
            f"{found.name}: {found.captures[clinic_id]} captures of {found.held.software}" for found in imported
        )
        ended = {
            "ended_at": utc(datetime.now(UTC)),
            "status": "done",
            "complete": 0,
            "note": names,
            "finished": True,
            "fetched": sum(found.captures[clinic_id] for found in imported),
        }
        run.record(RunEnded(at_clinic, ended))


def _note(one: _Import, clinic: Clinic, now: datetime) -> dict[str, Any]:
    return {
        "file": one.file, "name": one.name, "sha256": one.sha256, "origin": one.held.software, "site": clinic.url,
        "at": utc(now),
    }  # fmt: skip


def _json(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value, ensure_ascii=True) for name, value in values.items()}
