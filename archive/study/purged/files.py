"""The file that takes the place of one which a purge removed from `study/`: it says so, and has what may stay.

    study/codings/0001-fedcba9876543210-anna.purged    JSON, named after its own SHA-256 as every file there
    {"clinic-archive purged": 1, "was": "0123456789abcdef", "left": ...}

`was` is the digest of the file that people gave: a sample and a code book are still known by it, and the same file is
not taken a second time. `left`: the codings of other posts, the units of a sample with null for each that is gone, a
code book without the words, null of a lexicon.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from archive.study.answers import Coding
from archive.study.codebook import Code, CodeBook, read_codebook
from archive.study.folder import CODINGS, DIGITS, BadStudyFile, StudyFile, digest_of, paths
from archive.study.sample import Sample, SamplingUnit, list_sha256, read_sample

SUFFIX = ".purged"
_MARK, _VERSION = "clinic-archive purged", 1


def is_purged(file: StudyFile) -> bool:
    """Return whether a purge wrote the file."""
    return file.suffix == SUFFIX


def made(file: StudyFile, left: object) -> StudyFile:
    """Return the file that takes the place of `file`, with what is left of it."""
    data = {_MARK: _VERSION, "was": given_as(file), "left": left}
    content = (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")
    path = Path(file.name)
    parts = path.stem.split("-")
    place = 1 if path.parent.name == CODINGS else -1
    if len(parts) < 2:  # a name that no file of this program has
        parts, place = ["0000", "", path.stem], 1
    parts[place] = digest_of(content)
    return StudyFile(path.with_name("-".join(parts) + SUFFIX).as_posix(), content)


def given_as(file: StudyFile) -> str:
    """Return the digest of the file that people gave. Raises `BadStudyFile`."""
    return str(_data(file)["was"]) if is_purged(file) else file.digest


def _data(file: StudyFile) -> Any:
    try:
        data = json.loads(file.data)
        if data[_MARK] != _VERSION or len(str(data["was"])) != DIGITS or "left" not in data:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadStudyFile(f"{file.name}: not what a purge leaves in the place of a file; restore it") from error
    return data


def refuse_purged(archive: Path, kind: str, data: bytes) -> None:
    """Raise `BadStudyFile` for a file that a purge removed from the archive. Raises OSError."""
    for path in paths(archive, kind):
        if path.suffix == SUFFIX:
            file = StudyFile(path.name, path.read_bytes())
            if given_as(file) == digest_of(data):
                raise BadStudyFile(
                    f"{path}: this file was here, and a purge removed it, since it holds what was withdrawn; take those"
                    " words out of it, and give it again"
                )


def codings_left(file: StudyFile) -> list[Coding]:
    """Return the codings that a purge left. Raises `BadStudyFile`."""
    try:
        return [Coding(**fields) for fields in _data(file)["left"]]
    except TypeError as error:
        raise BadStudyFile(f"{file.name}: its codings are damaged ({error}); restore it from a backup") from error


def without_codings(codings: Iterable[Coding]) -> list[dict[str, Any]]:
    """Return `left` of a file of codings: those that stay."""
    return [asdict(coding) for coding in codings]


def sample_in(file: StudyFile, name: str) -> Sample:
    """Return the sample of a file by people, or of what a purge left of it. Raises `BadStudyFile`."""
    if not is_purged(file):
        return read_sample(file, name)
    data = _data(file)
    left = data["left"]
    if not isinstance(left, dict) or not isinstance(left.get("units"), list):
        raise BadStudyFile(f"{file.name}: its sample is damaged; restore it from a backup")
    units = left["units"]
    whole = {**left, "units": [unit for unit in units if unit is not None]}
    sample = read_sample(StudyFile(file.name, json.dumps(whole).encode("utf-8", "surrogatepass")), name)
    gone = frozenset(number for number, unit in enumerate(units, 1) if unit is None)
    return replace(sample, digest=str(data["was"]), gone=gone)


def without_units(file: StudyFile, gone: Iterable[SamplingUnit], condition: str | None) -> dict[str, Any]:
    """Return `left` of a sample without these units; `condition`: by which it was drawn, in words that may stay."""
    data = json.loads(file.data)
    data = data["left"] if is_purged(file) else data
    names = {unit.unit for unit in gone}
    units = [None if unit is None or unit["unit"] in names else unit for unit in data["units"]]
    listed = list_sha256((unit["clinic_id"], unit["address"]) for unit in units if unit is not None)
    return {**data, "units": units, "units_sha256": listed, "where": condition}


def codebook_in(file: StudyFile, name: str) -> CodeBook:
    """Return the code book of a file by people, or of what a purge left of it. Raises `BadStudyFile`."""
    if not is_purged(file):
        return read_codebook(file, name)
    data = _data(file)
    try:
        codes = [Code(**{**fields, "values": tuple(fields["values"])}) for fields in data["left"]["codes"]]
        return CodeBook(str(data["was"]), str(data["left"]["name"]), tuple(codes), file.name)
    except (TypeError, KeyError) as error:
        raise BadStudyFile(f"{file.name}: its codes are damaged ({error}); restore it from a backup") from error


def without_words(codes: Iterable[Code], name: str) -> dict[str, Any]:
    """Return `left` of a code book: its codes as they may stay."""
    return {"name": name, "codes": [asdict(code) for code in codes]}
