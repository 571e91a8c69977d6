"""The folder `study/`: files given by people, byte for byte, each named after a part of its SHA-256.

    study/codebooks/claims-0123456789abcdef.toml
    study/samples/n20-seed7-0123456789abcdef.json
    study/codings/0001-0123456789abcdef-anna.xlsx     in the order in which they were imported
    study/codings/0001-fedcba9876543210-anna.purged   in its place, after a purge (`archive.study.purged`)

A name that does not agree with the bytes is a fault, as is a file that cannot be read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.warc._file import sync_folder

STUDY = "study"
CODEBOOKS, SAMPLES, CODINGS, LEXICONS = "codebooks", "samples", "codings", "lexicons"
TABLES = (CODEBOOKS, SAMPLES, CODINGS)  # the tables have the names of the folders from which they are made
DIGITS = 16  # of the SHA-256 that names and tables carry
PART = ".part"
LARGEST = 50_000_000  # bytes of a file
_MAX_LINES = 20  # faults of one file that are listed
# "claims-0123456789abcdef.toml"
_NAMED = re.compile(r".+-(?P<sha>[0-9a-f]{16})\.[a-z]+")
# "0001-0123456789abcdef-anna.xlsx"
_NUMBERED = re.compile(r"\d{4,}-(?P<sha>[0-9a-f]{16})-.+\.[a-z]+")


class BadStudyFile(Exception):
    """A file cannot be used. `lines`: what is wrong with it and what to do, one fault each."""

    def __init__(self, *lines: str) -> None:
        more = len(lines) - _MAX_LINES
        self.lines = [*lines[:_MAX_LINES], *([f"and {more} more faults"] if more > 0 else [])]
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A file below `study/`: its path in the archive, with slashes, and its bytes."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        """The beginning of the SHA-256 of its bytes, which identifies a code book or a sample."""
        return digest_of(self.data)

    @property
    def suffix(self) -> str:
        """The ending of its name, in lower case: ".toml"."""
        return Path(self.name).suffix.lower()


def digest_of(data: bytes) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256."""
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def files(archive: Path, kind: str) -> Iterator[StudyFile]:
    """Yield the files of a kind by name. Raises `BadStudyFile` at the first that is not what its name says, OSError."""
    for path in paths(archive, kind):
        yield read(archive, path)


def paths(archive: Path, kind: str) -> list[Path]:
    """Return the paths of the files of a kind in the order of their names. Raises OSError."""
    folder = archive / STUDY / kind
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.endswith(PART))


def read(archive: Path, path: Path) -> StudyFile:
    """Return a file below `study/`. Raises `BadStudyFile` where its bytes are not what its name says, OSError."""
    found = StudyFile(path.relative_to(archive).as_posix(), given(path))
    named = (_NUMBERED if path.parent.name == CODINGS else _NAMED).fullmatch(path.name)
    if named is None or named["sha"] != found.digest:
        raise BadStudyFile(
            f"{found.name}: its SHA-256 is not the one in its name: it was changed or renamed; put the file back from a"
            " backup, or delete it"
        )
    return found


def given(path: Path) -> bytes:
    """Return the bytes of a file that a person names. Raises `BadStudyFile` for a folder or a huge file, OSError."""
    if path.is_dir():
        raise BadStudyFile(f"{path}: a folder; name the file in it")
    if (size := path.stat().st_size) > LARGEST:
        raise BadStudyFile(f"{path}: {size / 1e6:.0f} MB are more than the {LARGEST / 1e6:.0f} MB that are read")
    return path.read_bytes()


def store(archive: Path, kind: str, name: str, data: bytes) -> StudyFile:
    """Write a file below `study/`, whole and on the disk, and return it; one that is there stays. Raises OSError."""
    path = archive / STUDY / kind / name
    found = StudyFile(f"{STUDY}/{kind}/{name}", data)
    if path.exists() and path.read_bytes() == data:
        return found
    made = not path.parent.is_dir()
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in (archive / STUDY).glob(f"*{PART}"):  # of a process that was killed
        if not part.name.startswith("purging-"):  # these are of a purge, which is to be finished
            part.unlink()
    part = archive / STUDY / (name + PART)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    for folder in [path.parent, *([path.parent.parent, archive] if made else [])]:
        sync_folder(folder)
    return found


def plain(name: str) -> str:
    """Return a name that every file system accepts: "Anna's sheet (1)" gives "Anna-s-sheet-1"."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "file"
