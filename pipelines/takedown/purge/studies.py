"""Which files of `study/` hold what a purge removes, and what takes the place of each.

Coding sheets have the texts of posts, samples their addresses; code books, lexicons and notes of coders may quote. Of a
sheet the codings of other posts stay, of a sample the other posts, of a code book all but the words, of a lexicon
nothing: no rule of it can be told from what it was made of.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from archive.study.answers import Coding
from archive.study.cells import check_package
from archive.study.folder import CODEBOOKS, CODINGS, LEXICONS, SAMPLES, STUDY, BadStudyFile, StudyFile, paths
from archive.study.purged.files import made, without_codings, without_units, without_words
from archive.study.sample import SamplingUnit
from archive.study.tables import Study, study_of
from pipelines.run.run import Run
from pipelines.takedown.marks import WITHDRAWN
from pipelines.takedown.phrases import Phrases, plain
from pipelines.takedown.purge.planning import ClinicPlan
from pipelines.takedown.withheld import Withheld

# An address in a file: "https://clinic.example/post/sleep"
_ADDRESS = re.compile(r"https?://[^\s<>\"'()\[\],;]+")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Purging:
    """What is purged at a clinic, as files of studies may name it."""

    clinic_id: str
    withheld: Withheld
    phrases: Phrases

    def is_unit(self, unit: SamplingUnit) -> bool:
        """Return whether a unit of a sample is a post that is purged."""
        return unit.clinic_id == self.clinic_id and (
            self.withheld.is_whole or self.withheld.is_withdrawn_address(unit.address)
        )

    def is_in(self, text: str) -> bool:
        """Return whether a text has an address or words of what is purged."""
        addresses = (found.rstrip(".:!?") for found in _ADDRESS.findall(text))
        return any(map(self.withheld.is_withdrawn_address, addresses)) or self.phrases.are_in(text)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file of a study that is replaced: what takes its place, and the clinics whose purge does it."""

    file: StudyFile
    clinics: frozenset[str]


class Studies:
    """The files of `study/` as a purge finds them."""

    def __init__(self, run: Run, plans: Iterable[ClinicPlan]) -> None:
        """Raises `BadKey`, OSError, `sqlite3.Error`."""
        self._archive = run.archive
        self._purging = [Purging(each.clinic_id, each.withheld, each.phrases) for each in plans if each.withheld]
        self._study: Study = study_of(run.archive, run.db)
        self._gone = {
            each.clinic_id: {u.unit for sample in self._study.samples.values() for u in sample.units if each.is_unit(u)}
            for each in self._purging
        }

    def replaced(self) -> dict[str, Replaced]:
        """Return what takes the place of each file that holds what is purged, by their paths. Raises OSError."""
        found: dict[str, Replaced] = {}
        for kind in (CODEBOOKS, SAMPLES, CODINGS, LEXICONS):
            for path in paths(self._archive, kind):
                file = StudyFile(path.relative_to(self._archive).as_posix(), path.read_bytes())
                text = legible(file)
                mine = [each for each in self._purging if self._is_in(each, text)]
                if mine:
                    clinics = frozenset(each.clinic_id for each in mine)
                    found[file.name] = Replaced(self._without(kind, file, mine), clinics)
        return found

    def others(self) -> Iterator[str]:
        """Yield the further files below `study/` that hold what is purged, by their paths. Raises OSError."""
        known = {path for kind in (CODEBOOKS, SAMPLES, CODINGS, LEXICONS) for path in paths(self._archive, kind)}
        for path in sorted((self._archive / STUDY).rglob("*")):
            if path.is_file() and not path.is_symlink() and path not in known:
                text = legible(StudyFile(path.relative_to(self._archive).as_posix(), path.read_bytes()))
                if any(self._is_in(each, text) for each in self._purging):
                    yield path.relative_to(self._archive).as_posix()

    def _is_in(self, purging: Purging, text: str) -> bool:
        return any(unit in text for unit in self._gone[purging.clinic_id]) or purging.is_in(text)

    def _without(self, kind: str, file: StudyFile, mine: list[Purging]) -> StudyFile:
        """Return what takes the place of a file; nothing is left of one that cannot be read."""
        study = self._study
        if kind == CODINGS and file.name in study.codings:
            gone = set[str]().union(*(self._gone[each.clinic_id] for each in mine))
            left = (coding for coding in study.codings[file.name] if coding.unit not in gone)
            return made(file, without_codings(_without_notes(each, mine) for each in left))
        sample = next((each for each in study.samples.values() if each.file == file.name), None)
        if kind == SAMPLES and sample is not None:
            units = [unit for unit in sample.units if any(each.is_unit(unit) for each in mine)]
            return made(file, without_units(file, units, _left(sample.condition, mine)))
        codebook = next((each for each in study.codebooks.values() if each.file == file.name), None)
        if kind == CODEBOOKS and codebook is not None:
            codes = [
                replace(code, label=_left(code.label, mine), description=_left(code.description, mine))
                for code in codebook.codes
            ]
            return made(file, without_words(codes, _left(codebook.name, mine) or WITHDRAWN))
        return made(file, None if kind == LEXICONS else [])


def _without_notes(coding: Coding, mine: Iterable[Purging]) -> Coding:
    return replace(coding, note=_left(coding.note, mine))


def _left(text: str | None, mine: Iterable[Purging]) -> str | None:
    return WITHDRAWN if text and any(each.is_in(text) for each in mine) else text


def legible(file: StudyFile) -> str:
    """Return the words of a file, whichever program wrote it; of a package of XML those of all its parts."""
    if file.suffix == ".xlsx":
        try:
            check_package(file)
            with zipfile.ZipFile(BytesIO(file.data)) as package:
                return "\n".join(plain(package.read(name)) for name in package.namelist())
        except (BadStudyFile, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError):
            pass  # damaged: what can be read of it is what its bytes say
    data = file.data.decode("utf-16", "replace").encode() if file.data.startswith(_UTF16) else file.data
    return plain(data)


def of_study(name: str) -> bool:
    """Return whether a path in the archive is that of a file of a study."""
    return name.startswith(f"{STUDY}/")


def write_draft(path: Path, data: bytes) -> None:
    """Write a new file that is no WARC file; it is on the disk when this returns. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
