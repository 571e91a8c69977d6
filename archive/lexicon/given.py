"""The lexicons of an archive: those of the program, and those that people gave, byte for byte in `study/lexicons/`.

A file is named after its own name and the first 16 digits of its SHA-256: `study/lexicons/mine-0123456789abcdef.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.lexicon.check import example_faults, too_wide
from archive.lexicon.reading import BadLexicon, read_lexicon
from archive.lexicon.rules import Lexicon, Rule
from archive.study import folder
from archive.study.folder import LEXICONS, BadStudyFile
from archive.study.purged.files import is_purged, refuse_purged

BUILT_IN = Path(__file__).parent / "ketamine"


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
    for path in folder.paths(archive, LEXICONS):
        try:
            file = folder.read(archive, path)
            if is_purged(file):
                continue
            lexicon = read_lexicon([file.data])
            _check_against(lexicon, found)
            found.append(Given(lexicon, file.name))
        except BadStudyFile as error:
            problems += error.lines
        except BadLexicon as error:
            problems += [f"{file.name}: {fault}" for fault in error.faults]
    return found, problems


def read_file(path: Path) -> bytes:
    """Return the bytes of a lexicon. Raises `BadLexicon` for a folder or a huge file, OSError."""
    try:
        return folder.given(path)
    except BadStudyFile as error:
        raise BadLexicon([line.removeprefix(f"{path}: ") for line in error.lines]) from error


def checked(data: bytes, sentences: Sequence[str] = ()) -> Lexicon:
    """Return the lexicon of a file that agrees with its examples and matches not everything. Raises `BadLexicon`."""
    lexicon = read_lexicon([data])
    if faults := [*example_faults(lexicon), *too_wide(lexicon, sentences)]:
        raise BadLexicon(faults)
    return lexicon


def copy_lexicon(archive: Path, name: str, data: bytes, sentences: Sequence[str] = ()) -> Given:
    """Copy a lexicon into the archive and return it; one that is there already stays.

    `sentences`: a sample of the archive's, of which no rule may match over half. Raises `BadLexicon`, OSError.
    """
    lexicon = checked(data, sentences)
    try:
        refuse_purged(archive, LEXICONS, data)
    except BadStudyFile as error:
        raise BadLexicon(error.lines) from error
    name = f"{folder.plain(name)}-{folder.digest_of(data)}.toml"
    present, _ = lexicons_of(archive)
    for other in present:
        if other.file and other.file.endswith(f"-{folder.digest_of(data)}.toml"):
            return other
    _check_against(lexicon, present)
    return Given(lexicon, folder.store(archive, LEXICONS, name, data).name)


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
