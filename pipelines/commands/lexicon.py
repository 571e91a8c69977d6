"""`clinic-archive lexicon`: rules for claims that people give, and those of the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from archive.db import DATABASE
from archive.lexicon.given import Given, checked, copy_lexicon, lexicons_of, read_file
from archive.lexicon.reading import BadLexicon
from archive.lexicon.rules import Lexicon
from archive.lexicon.store import sentences_of
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.commands._study import refuse_unfinished_purge
from pipelines.exit_codes import ExitCode

file_argument = click.argument("file", metavar="FILE", type=click.Path(exists=True, path_type=Path))


@click.group(
    short_help="Rules that find claims in sentences: add, list, test.",
    epilog=examples("clinic-archive lexicon list"),
)
def command() -> None:
    """Rules as data: which words make a claim, with a source and examples. `clinic-archive derive` applies them."""


@command.command(
    "add",
    short_help="Add a lexicon to the archive.",
    epilog=examples("clinic-archive lexicon add dental.toml"),
)
@file_argument
@archive_option
@json_option
def add_file(file: Path, archive: Path, as_json: bool) -> None:
    """Copy a lexicon (TOML) into the archive, if it agrees with its own examples, and no rule of it matches over half
    of a sample of sentences.

    The next `clinic-archive derive` finds its matches. A rule that the archive has already is never replaced: give
    a rule that you changed the next version number.
    """
    sentences = _sentences(archive)
    lock = lock_or_exit(archive)
    try:
        refuse_unfinished_purge(archive)
        with exit_on_error(file, "nothing added"), _named(file, "nothing added"):
            given = copy_lexicon(archive, file.stem, read_file(file), sentences)
    finally:
        lock.release()
    rules = counted(len(given.lexicon.rules), "rule")
    finish(
        {"archive": str(archive), **_entry(given)},
        [f"{given.file}: {rules}; `clinic-archive derive` finds the matches"],
        as_json=as_json,
        always=True,
    )


@command.command(
    "list", short_help="Print the lexicons and their rules.", epilog=examples("clinic-archive lexicon list --json")
)
@archive_option
@json_option
def list_all(archive: Path, as_json: bool) -> None:
    """Print the lexicons of the program and of the archive: each rule with its version, category and source."""
    with exit_on_error(archive):
        lexicons, problems = lexicons_of(archive)
    print_problems(problems, about=archive)
    lines = [line for given in lexicons for line in _lines(given)]
    finish(
        {"archive": str(archive), "lexicons": [_entry(given) for given in lexicons], "problems": problems},
        lines,
        as_json=as_json,
        always=True,
    )


@command.command(
    "test",
    short_help="Run a lexicon on its own examples.",
    epilog=examples("clinic-archive lexicon test dental.toml"),
)
@file_argument
@archive_option
@json_option
def test_file(file: Path, archive: Path, as_json: bool) -> None:
    """Read a lexicon, run it on its own examples, and check that no rule matches over half of a sample of sentences.

    The sample is taken from the archive, if there is one. Nothing is stored. Exit 1: the lexicon has faults.
    """
    with exit_on_error(file), _named(file, ""):
        lexicon = checked(read_file(file), _sentences(archive))
    number = _examples(lexicon)
    finish(
        {"file": str(file), "lexicon": lexicon.id, "rules": len(lexicon.rules), "examples": number},
        [f"{file}: {counted(len(lexicon.rules), 'rule')}, {counted(number, 'example')}, no fault"],
        as_json=as_json,
        always=True,
    )


@contextmanager
def _named(file: Path, outcome: str) -> Iterator[None]:
    """Print the faults of a lexicon, each with the file's name, and end the process."""
    try:
        yield
    except BadLexicon as error:
        end = f"; {outcome}" if outcome else ""
        print_problems([f"{file}: {fault}{end}" for fault in error.faults], about=file, noun="fault")
        raise SystemExit(ExitCode.UNEXPECTED) from error


def _sentences(archive: Path) -> list[str]:
    if not (archive / DATABASE).exists():
        return []
    with closing(read_only(archive)) as db, exit_on_error(archive):
        return sentences_of(db.conn)


def _examples(lexicon: Lexicon) -> int:
    return sum(len(texts) for rule in lexicon.rules for texts in rule.examples.all())


def _entry(given: Given) -> dict[str, object]:
    rules = [
        {"rule": rule.name, "category": rule.category, "meaning": rule.meaning, "source": rule.source}
        for rule in given.lexicon.rules
    ]
    return {"lexicon": given.lexicon.id, "title": given.lexicon.title, "file": given.file, "rules": rules}


def _lines(given: Given) -> Iterator[str]:
    yield f"{given.lexicon.id}: {given.lexicon.title} ({given.file or 'part of the program'})"
    for rule in given.lexicon.rules:
        yield f"  {rule.name:24} {rule.category:24} {rule.meaning}"
