"""The lexicons of an archive: those of the program, and those that people gave, byte for byte in `study/lexicons/`.

A file is named after its own name and the first 16 digits of its SHA-256: `study/lexicons/mine-0123456789abcdef.toml`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.lexicon.check import example_faults, too_wide
from archive.lexicon.reading import MOST_BYTES, BadLexicon, read_lexicon
from archive.lexicon.rules import Lexicon, Rule
from archive.warc._file import sync_folder

FOLDER = Path("study", "lexicons")
BUILT_IN = Path(__file__).parent / "ketamine"
_NAMED = re.compile(r".+-(?P<sha>[0-9a-f]{16})\.toml")  # mine-0123456789abcdef.toml


@dataclass(frozen=True, slots=True)
class Given:
    """A lexicon and its file, as a path in the archive with slashes; None for one of the program."""

    lexicon: Lexicon
    file: str | None = None


@cache
def built_in() -> Lexicon:
    """Return the lexicon of the program: what clinics say of ketamine."""
    return read_lexicon(path.read_bytes() for path in sorted(BUILT_IN.glob("*.toml")))


def lexicons_of(archive: Path) -> tuple[list[Given], list[str]]:
    """Return the lexicons of an archive, and a line for each file that cannot be used. Raises OSError."""
    found, problems = [Given(built_in())], list[str]()
    folder = archive / FOLDER
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        name = (FOLDER / path.name).as_posix()
        try:
            lexicon = read_lexicon([_named(path)])
            _check_against(lexicon, found)
            found.append(Given(lexicon, name))
        except BadLexicon as error:
            problems += [f"{name}: {fault}" for fault in error.faults]
    return found, problems


def _named(path: Path) -> bytes:
    data, named = read_file(path), _NAMED.fullmatch(path.name)
    if named is None or named["sha"] != _digest(data):
        raise BadLexicon(["its SHA-256 is not the one in its name: put the file back from a backup, or delete it"])
    return data


def read_file(path: Path) -> bytes:
    """Return the bytes of a lexicon. Raises `BadLexicon` for a folder or a huge file, OSError."""
    if path.is_dir():
        raise BadLexicon(["a folder; name the file in it"])
    if (size := path.stat().st_size) > MOST_BYTES:
        raise BadLexicon([f"a file of {size} bytes; at most {MOST_BYTES} are read"])
    return path.read_bytes()


def checked(data: bytes, sentences: Sequence[str] = ()) -> Lexicon:
    """Return the lexicon of a file that agrees with its examples and matches not everything. Raises `BadLexicon`."""
    lexicon = read_lexicon([data])
    if faults := [*example_faults(lexicon), *too_wide(lexicon, sentences)]:
        raise BadLexicon(faults)
    return lexicon


def add(archive: Path, name: str, data: bytes, sentences: Sequence[str] = ()) -> Given:
    """Copy a lexicon into the archive and return it; one that is there already stays.

    `sentences`: a sample of the archive's, of which no rule may match over half. Raises `BadLexicon`, OSError.
    """
    lexicon = checked(data, sentences)
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "lexicon"
    file = (FOLDER / f"{stem}-{_digest(data)}.toml").as_posix()
    present, _ = lexicons_of(archive)
    for other in present:
        if other.file and other.file.endswith(f"-{_digest(data)}.toml"):
            return other
    _check_against(lexicon, present)
    _write(archive / file, data)
    return Given(lexicon, file)


def _check_against(lexicon: Lexicon, others: Sequence[Given]) -> None:
    """Raise `BadLexicon` for a version of a rule that the archive has in another lexicon file."""
    present = {(rule.lexicon, rule.name): given.file for given in others for rule in given.lexicon.rules}
    faults = [
        f"rule {rule.name}: the lexicon {rule.lexicon} has this version already ({file or 'part of the program'}); give"
        " the rule the next version, and leave the others out"
        for rule, file in _shared(lexicon, present)
    ]
    if faults:
        raise BadLexicon(faults)


def _shared(lexicon: Lexicon, present: dict[tuple[str, str], str | None]) -> Iterator[tuple[Rule, str | None]]:
    for rule in lexicon.rules:
        if (rule.lexicon, rule.name) in present:
            yield rule, present[rule.lexicon, rule.name]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _write(path: Path, data: bytes) -> None:
    """Write a file whole and onto the disk, or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        sync_folder(folder)
