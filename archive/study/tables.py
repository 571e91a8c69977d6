"""The tables of a study, folded from the files in `study/`: always all of them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows.withdrawals import withdrawn_texts
from archive.study import codebook as books
from archive.study import sample as samples
from archive.study.anchors import anchored
from archive.study.answers import Answers, Coding, codings_of
from archive.study.codebook import CodeBook, read_codebook
from archive.study.folder import (
    CODEBOOKS,
    CODINGS,
    DIGITS,
    SAMPLES,
    TABLES,
    BadStudyFile,
    StudyFile,
    digest_of,
    given,
    paths,
    plain,
    read,
    store,
)
from archive.study.purged.files import codebook_in, codings_left, is_purged, refuse_purged, sample_in
from archive.study.sample import Sample, read_sample
from archive.study.texts import Texts

Key = tuple[str, str, str]  # sample, code book, coder: of these only the last file counts


def key_of(coding: Coding) -> Key:
    """Return what a later file replaces as a whole."""
    return coding.sample, coding.codebook, coding.coder


@dataclass(slots=True)
class Study:
    """What the files of `study/` hold. `problems`: a line for each file that cannot be used."""

    codebooks: dict[str, CodeBook] = field(default_factory=dict)  # by digest
    samples: dict[str, Sample] = field(default_factory=dict)
    codings: dict[str, list[Coding]] = field(default_factory=dict)  # by file, in the order of their import
    problems: list[str] = field(default_factory=list)

    def replaced(self) -> dict[str, dict[Key, str]]:
        """Return for each file the keys whose codings a later file replaces, and that file."""
        last: dict[Key, str] = {}
        found: dict[str, dict[Key, str]] = {}
        for file in reversed(self.codings):
            for key in {key_of(coding) for coding in self.codings[file]}:
                if key in last:
                    found.setdefault(file, {})[key] = last[key]
                last.setdefault(key, file)
        return found


def study_of(archive: Path, db: Database) -> Study:
    """Read all files of `study/`. Raises `sqlite3.Error`, OSError."""
    study = Study()
    for file in _readable(archive, CODEBOOKS, study):
        with _noting(study):
            codebook = codebook_in(file, given_name(file))
            study.codebooks[codebook.digest] = codebook
    for file in _readable(archive, SAMPLES, study):
        with _noting(study):
            sample = sample_in(file, given_name(file))
            study.samples[sample.digest] = sample
    texts = Texts(db)
    for file in _readable(archive, CODINGS, study):
        with _noting(study):
            left = codings_left(file) if is_purged(file) else None
            if left is None:
                left = codings_of(file, study.samples, study.codebooks, texts).codings
            study.codings[file.name] = left
    return study


def given_name(file: StudyFile) -> str:
    """Return the name that people gave: "study/samples/n20-seed7-0123456789abcdef.json" gives "n20-seed7"."""
    return Path(file.name).stem[: -DIGITS - 1]


@contextmanager
def _noting(study: Study) -> Iterator[None]:
    """Add the faults of a file to the problems of the study."""
    try:
        yield
    except BadStudyFile as error:
        study.problems += error.lines


def _readable(archive: Path, kind: str, study: Study) -> Iterator[StudyFile]:
    """The files of a kind that are as they were stored."""
    for path in paths(archive, kind):
        try:
            file = read(archive, path)
        except BadStudyFile as error:
            study.problems += error.lines
        else:
            yield file


def take_codebook(archive: Path, path: Path) -> CodeBook:
    """Copy a code book into `study/` and return it; one that is there already stays. Raises `BadStudyFile`, OSError."""
    data = given(path)
    if path.suffix.lower() not in books.SUFFIXES:
        raise BadStudyFile(f"{path}: a code book is a file {' or '.join(books.SUFFIXES)}")
    refuse_purged(archive, CODEBOOKS, data)
    name = f"{plain(path.stem)}-{digest_of(data)}{path.suffix.lower()}"
    read_codebook(StudyFile(path.name, data), path.stem)  # before anything is stored
    file = store(archive, CODEBOOKS, name, data)
    return read_codebook(file, given_name(file))


def take_sample(archive: Path, study: Study, name: str, data: bytes) -> Sample:
    """Store a sample that was drawn and return it; the same one may be drawn again.

    Raises `BadStudyFile` where the name is another sample's, OSError.
    """
    name = plain(name)
    digest = digest_of(data)
    if digest in study.samples:
        return study.samples[digest]
    if any(sample.name == name for sample in study.samples.values()):
        raise BadStudyFile(
            f"{archive}: a sample {name} is there already, and its list or date is another one; give this one a --name"
        )
    return read_sample(store(archive, SAMPLES, f"{name}-{digest}.json", data), name)


def take_codings(archive: Path, study: Study, texts: Texts, path: Path, *, replace: bool) -> Answers | None:
    """Check a file of codings, copy it into `study/`, and return what it holds; None for a file that is there already.

    Nothing of a file with a fault is stored. `replace`: the codings of a coder who returned some of the same sample
    before are replaced; the earlier file stays. Raises `BadStudyFile` with every fault, `sqlite3.Error`, OSError.
    """
    data = given(path)
    digest = digest_of(data)
    if any(Path(name).name.split("-")[1] == digest for name in study.codings):
        return None
    refuse_purged(archive, CODINGS, data)
    file = StudyFile(path.name, data)
    answers = codings_of(file, study.samples, study.codebooks, texts, is_new=True)
    if not replace:
        before = {key_of(coding): name for name, made in study.codings.items() for coding in made}
        keys = sorted({key_of(coding) for coding in answers.codings})
        faults = [
            f"{file.name}: {coder} returned codings of sample {study.samples[sample].name} already"
            f" ({before[sample, codebook, coder]}); give --replace if these are to take their place"
            for sample, codebook, coder in keys
            if (sample, codebook, coder) in before
        ]
        if faults:
            raise BadStudyFile(*faults)
    number = max((int(path.name.split("-")[0]) for path in _numbered(archive)), default=0) + 1
    name = f"{number:04}-{digest}-{plain(path.stem)}{path.suffix.lower()}"
    study.codings[store(archive, CODINGS, name, data).name] = answers.codings
    return answers


def _numbered(archive: Path) -> Iterator[Path]:
    return (path for path in paths(archive, CODINGS) if path.name.split("-")[0].isdigit())


def table_rows(study: Study, db: Database) -> Mapping[str, Callable[[], Iterable[dict[str, Any]]]]:
    """Return for each table of a study a function that gives its rows; `db` has the texts that codings refer to.

    No row is made of a text that is withdrawn. Raises `sqlite3.Error`.
    """
    is_withdrawn = withdrawn_texts(db)

    def left(rows: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        return (row for row in rows if not is_withdrawn(row["clinic_id"], row["permalink"]))

    return {
        "codebooks": lambda: (row for found in study.codebooks.values() for row in books.rows(found)),
        "samples": lambda: left(row for found in study.samples.values() for row in samples.rows(found)),
        "codings": lambda: left(_coding_rows(study, db)),
    }


def _coding_rows(study: Study, db: Database) -> Iterator[dict[str, Any]]:
    texts, replaced = Texts(db), study.replaced()
    for file, made in study.codings.items():
        for position, coding in enumerate(made, 1):
            unit = study.samples[coding.sample].unit(coding.unit)
            assert unit is not None
            later = replaced.get(file, {}).get(key_of(coding))
            yield {
                "file": file,
                "position": position,
                "sample": coding.sample,
                "codebook": coding.codebook,
                "unit": coding.unit,
                "clinic_id": unit.clinic_id,
                "permalink": unit.permalink,
                "text_sha256": unit.text_sha256,
                "coder": coding.coder,
                "code": coding.code,
                "value": coding.value,
                "text_start": coding.start,
                "text_end": coding.end,
                "quote": coding.quote,
                "text_before": coding.before,
                "text_after": coding.after,
                "note": coding.note,
                "replaced_by": later,
                **anchored(texts, unit, coding),
            }


def fold_study(archive: Path, db: Database) -> list[str]:
    """Make the rows of all files of `study/` again; return a line for each file that cannot be used.

    Raises `sqlite3.Error`, OSError.
    """
    study = study_of(archive, db)
    rows = {table: list(made()) for table, made in table_rows(study, db).items()}
    with db.atomic():
        for table in TABLES:
            db.execute(f"DELETE FROM [{table}]")
            db.table(table).insert_all(rows[table])
    return study.problems
