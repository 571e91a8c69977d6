"""Import: adds captures that other programs made, with the same standing as our own.

The imported file is stored unchanged below `imports/`; a WARC file of ours records the import in a note for each
clinic. Both are on the disk before any row is made of them, and a rebuild makes the same rows from both.
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

from sqlite_utils import Database

from archive.times import utc
from archive.warc import derived_id
from archive.warc._file import sync_folder
from pipelines.events import VisitEnded
from pipelines.imports.adopt import IMPORTS, SPARE, ImportRefused, copy_durably
from pipelines.imports.cleaning import cleaned
from pipelines.imports.foreign import ForeignFile, scan_foreign
from pipelines.imports.identity import CaptureRef
from pipelines.imports.unpack import contained_files
from pipelines.run.run import Run
from scraper.config.clinics import Clinic


@dataclass(slots=True)
class ImportResult:
    """The result of importing one file."""

    path: Path
    sha256: str = ""
    refused: str | None = None  # why nothing was imported
    origin: str = ""
    captures: dict[str, int] = field(default_factory=dict)  # new ones, by clinic
    known: int = 0  # captures that the archive already had
    unread: int = 0  # images, scripts and the like
    elsewhere: int = 0  # captures of other sites
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Import:
    """A file to be imported: its current path, its path in the archive, its given name, and its contents."""

    path: Path
    file: str
    name: str
    sha256: str
    contents: ForeignFile
    captures: Mapping[str, int]  # number of new ones, by clinic


def import_files(
    run: Run, paths: Iterable[Path], clinics: Mapping[str, Clinic], url: str | None, at: datetime | None
) -> list[ImportResult]:
    """Import files into the archive of the run; return a result for each.

    `url`, `at`: address and date of a saved page that does not contain them. A file is imported whole or not at all; no
    row is made before the whole file is on the disk. Raises OSError, `WarcWriteError`, `sqlite3.Error`, `BadKey`.
    """
    now = datetime.now(UTC)
    _sweep(run.archive)
    results, imports = [], list[_Import]()
    for path in paths:
        result = ImportResult(path)
        results.append(result)
        try:
            with contained_files(path, run.archive / IMPORTS, url=url, at=at) as (files, sha256):
                result.sha256 = sha256
                for given, name in files:
                    file = cleaned(run, given, clinics, run.archive / IMPORTS)
                    try:
                        found = _new_captures(run, file, name, clinics, result, now)
                        if found is not None:
                            imports.append(_stored(run.archive, found))
                    finally:
                        if file != given:
                            file.unlink(missing_ok=True)
        except ImportRefused as error:
            result.refused = str(error)
        except OSError as error:
            result.refused = f"{error.strerror or error}; nothing of it was taken"
        if result.refused is None and not result.captures and not result.known:
            result.refused = _why_nothing(result, clinics)
    if imports:
        _record(run, imports, clinics, now)
    return results


def _sweep(archive: Path) -> None:
    """Delete the half copies of an import that was killed."""
    for part in (archive / IMPORTS).glob("*.part"):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def _new_captures(
    run: Run, file: Path, name: str, clinics: Mapping[str, Clinic], result: ImportResult, now: datetime
) -> _Import | None:
    """Find the captures of a file that the archive does not have; None if there are none. Counts in `result`."""
    sha256 = _sha256(file)
    place = f"{IMPORTS}/{sha256[:16]}/{_plain(name)}"
    contents = scan_foreign(file, place, {slug: clinic.url for slug, clinic in clinics.items()}, now)
    result.origin = contents.software
    result.unread += contents.unread
    result.elsewhere += contents.hosts.total()
    result.bad += [
        f"{name}: {line}; left out" if name != result.path.name else f"{line}; left out" for line in contents.bad
    ]
    new: dict[str, int] = {}
    for clinic_id, entries in contents.entries.items():
        for entry in {entry.capture_id: entry for entry in entries}.values():
            if _is_known(run.db, entry):
                result.known += 1
            else:
                new[clinic_id] = new.get(clinic_id, 0) + 1
    for clinic_id, number in new.items():
        result.captures[clinic_id] = result.captures.get(clinic_id, 0) + number
    if not new:
        return None
    return _Import(file, place, result.path.name, sha256, contents, new)


def _is_known(db: Database, entry: CaptureRef) -> bool:
    """Return whether the archive has the capture; another one with its id does not count (`foreign.with_own_id`)."""
    # An address that names what is withdrawn is cut to its host.
    url = "CASE withdrawn WHEN 1 THEN ?2 ELSE url END"
    find = f"SELECT payload_sha256, fetched_at, {url} FROM captures WHERE capture_id = ?1"
    row = db.execute(find, [entry.capture_id, entry.url]).fetchone()
    if row is None:
        return False
    if row == (entry.payload_sha256 or row[0], utc(entry.at), entry.url):
        return True
    return db.execute(find, [derived_id(entry.file, entry.offset), entry.url]).fetchone() is not None


def _why_nothing(result: ImportResult, clinics: Mapping[str, Clinic]) -> str:
    """Return why a readable file gave no captures."""
    if result.elsewhere:
        known = ", ".join(sorted(clinic.url for clinic in clinics.values())) or "no clinic at all"
        return (
            f"none of its {result.elsewhere} captures belongs to a clinic of this archive ({known}); add a stanza to"
            " clinics.toml, or give the clinic's address with --url"
        )
    if result.bad:
        return f"no record that can be used ({result.bad[0].removesuffix('; left out')})"
    return "no page in it"


def _plain(name: str) -> str:
    """Return a name that every file system accepts: "My page (1).warc.gz" gives "My-page-1-.warc.gz"."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".")[-120:] or "file"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stored(archive: Path, found: _Import) -> _Import:
    """Copy the file to its path in the archive, whole and durable, or raise `ImportRefused`."""
    target = archive / found.file
    if target.exists():
        return found
    size, free = found.path.stat().st_size, shutil.disk_usage(archive).free
    if size + SPARE > free:
        raise ImportRefused(
            f"{size / 1e6:.0f} MB to be copied, {free / 1e6:.0f} MB free on the archive's disk; not taken"
        )
    copy_durably(found.path, target, archive / IMPORTS / f"{found.sha256[:16]}.part")
    sync_folder(target.parent.parent)
    return found


def _record(run: Run, imports: list[_Import], clinics: Mapping[str, Clinic], now: datetime) -> None:
    """Record the imports, clinic by clinic, and recreate the clinics' rows."""
    for clinic_id in sorted({slug for found in imports for slug in found.captures}):
        clinic = clinics[clinic_id]
        imported = [found for found in imports if clinic_id in found.captures]
        at_clinic = run.start(clinic, "import", utc(now), {"software": run.software})
        for found in imported:
            run.writer(clinic_id).write_note("import", _json(_note(found, clinic, now)), now)
        names = "; ".join(
            f"{found.name}: {found.captures[clinic_id]} captures of {found.contents.software}" for found in imported
        )
        ended = {
            "ended_at": utc(datetime.now(UTC)),
            "status": "done",
            "complete": 0,
            "note": names,
            "finished": True,
            "fetched": sum(found.captures[clinic_id] for found in imported),
        }
        run.record(VisitEnded(at_clinic, ended))


def _note(found: _Import, clinic: Clinic, now: datetime) -> dict[str, Any]:
    return {
        "file": found.file,
        "name": found.name,
        "sha256": found.sha256,
        "origin": found.contents.software,
        "site": clinic.url,
        "at": utc(now),
    }


def _json(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value, ensure_ascii=True) for name, value in values.items()}
