"""`clinic-archive export`: a table, a view or a ready question as a file; or every table and view."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import click

from archive.export import (
    DOCUMENT_KINDS,
    FORMATS,
    Unknown,
    Written,
    csv_blocks,
    export_all,
    export_documents,
    find_source,
    known_values,
    names,
    purpose,
    write,
)
from archive.questions import BadValue, check_value, questions
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._lake import export_to_lake
from pipelines.commands._options import archives_option, examples, json_option, only_archive
from pipelines.commands._output import counted, fail, finish
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo, is_terminal
from scraper.config.clinics import PRODUCT, VERSION

STDOUT = Path("-")


@click.command(
    short_help="Write tables, views and questions as CSV, XLSX, JSON, Parquet.",
    epilog=examples(
        "clinic-archive export posts -o posts.xlsx",
        "clinic-archive export --lake lake/ --archive shard-1 --archive shard-2",
    ),
)
@click.argument("name", required=False, metavar="[TABLE|VIEW|QUESTION]")
@click.option(
    "--all",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write every table and view (no question) to DIR, with manifest.json and datapackage.json.",
)
@click.option(
    "--derived",
    is_flag=True,
    help="With --all or --lake: also the tables made from the texts by rules (sentences, edits, claims) and the views"
    " of them; else both are left out.",
)
@click.option(
    "--lake",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write every table and view of one archive or several to DIR as Parquet files, partitioned by clinic and year;"
    " only partitions that changed are written.",
)
@click.option("--list", "listing", is_flag=True, help="Print what can be exported and what each is, a line each.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Default: by the suffix of -o, else csv. excel-csv: CSV in which no cell is run as a formula.",
)
@click.option(
    "--documents",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write each post (or with the name revisions, each revision) as a .txt file, with documents.csv about them.",
)
@click.option("--where", metavar="SQL", help="With --documents: a condition, such as \"clinic_id = 'riverside'\".")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write; default: NAME.csv (or .xlsx, ...) in the current folder. -: stdout, for CSV.",
)
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Parameter of a question; may be repeated."
)
@archives_option
@json_option
def command(
    name: str | None,
    folder: Path | None,
    derived: bool,
    lake: Path | None,
    listing: bool,
    form: str | None,
    documents: Path | None,
    where: str | None,
    output: Path | None,
    parameters: tuple[str, ...],
    archives: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Write every row of a table, a view or a ready question to a file, or all tables and views to a folder.

    No row and no value is shortened: what a format cannot hold is refused, or marked and reported on stderr. An
    existing file is replaced in one step. A crawl may run at the same time.
    """
    if lake is not None:
        others = (name, folder, documents, where, output, form, parameters, listing)
        _export_lake(lake, archives, derived, as_json, alone=not any(others))
    archive = only_archive(archives)
    _export_documents(archive, documents, name, where, as_json)
    if (name is None) == (folder is None) and not listing:
        raise click.UsageError("name what to export, or give --all DIR or --lake DIR (--list prints the names)")
    if folder is not None and (output is not None or parameters):
        raise click.UsageError("--all takes neither -o nor --param: names are fixed, and questions are left out")
    form = _form(form, output)
    values = _values(parameters)
    target = output or folder or name
    with closing(read_only(archive)) as db, exit_on_error(target, "not written"), _until_pipe_closes():
        if listing:
            found = _listed(db.conn)
            finish(found, _list(found), as_json=as_json, always=True)
        if folder is not None:
            files = export_all(folder, db.conn, FORMATS[form], f"{PRODUCT}/{VERSION}", derived=derived)
            _finish(files, form, as_json, left_out=len(names(db.conn, with_parameters=False)) - len(files))
        assert name is not None
        try:
            source = find_source(db.conn, name, values)
            if name in questions():
                check_value(questions()[name], values, known_values(db.conn))
        except Unknown as error:
            fail(f"{error} (--list prints all names)", ExitCode.USAGE)
        except BadValue as error:
            fail(f"{name}: {error}; write --param NAME=VALUE", ExitCode.USAGE)
        if output == STDOUT:
            if "csv" not in form:
                raise click.UsageError("only CSV goes to stdout; name a file with -o")
            for block in csv_blocks(db.conn, source, excel=form == "excel-csv"):
                sys.stdout.buffer.write(block)
        else:
            path = output or Path(f"{name}{FORMATS[form].suffix}")
            _finish([write(path, db.conn, source, FORMATS[form])], form, as_json)


def _export_lake(folder: Path, archives: Sequence[Path], derived: bool, as_json: bool, *, alone: bool) -> NoReturn:
    """Write the lake and end the process; a usage error unless --lake stands `alone`."""
    if not alone:
        raise click.UsageError("--lake takes no other option than --archive, --derived and --json")
    export_to_lake(folder, archives, derived=derived, as_json=as_json)


def _export_documents(archive: Path, folder: Path | None, name: str | None, where: str | None, as_json: bool) -> None:
    """With --documents, write texts as files, and end the process.

    A usage error for another kind of row, for a condition that SQLite refuses, or for one without --documents.
    """
    if folder is None:
        if where is not None:
            raise click.UsageError("--where belongs to --documents; for other files write a query on the site")
        return
    kind = name or DOCUMENT_KINDS[0]
    if kind not in DOCUMENT_KINDS:
        raise click.UsageError(f"--documents writes {' or '.join(DOCUMENT_KINDS)}, not {kind}")
    with closing(read_only(archive)) as db, exit_on_error(folder, "not written"):
        try:
            files = export_documents(folder, db.conn, kind, where or "TRUE")
        except sqlite3.OperationalError as error:
            raise click.UsageError(f"--where {where}: {error}") from error
        _finish(files, "csv", as_json)


def _form(form: str | None, output: Path | None) -> str:
    """The format by name or by the file's suffix; a usage error where the two contradict each other."""
    suffix = (output.suffix if output else "").lower()
    of_suffix = [name for name, known in FORMATS.items() if Path(f"_{known.suffix}").suffix == suffix]
    if suffix and output is not None and not of_suffix and form is None:
        suffixes = ", ".join(Path(f"_{known.suffix}").suffix for name, known in FORMATS.items() if name != "excel-csv")
        raise click.UsageError(f"-o {output}: no format has the ending {suffix}; use {suffixes}, or name a --format")
    if form is None:
        return of_suffix[0] if of_suffix else "csv"
    if of_suffix and form not in of_suffix:
        raise click.UsageError(f"--format {form} contradicts {output}: leave it out, or give the file another name")
    return form


def _values(parameters: Iterable[str]) -> dict[str, str]:
    """The values of --param by name; a usage error for anything but NAME=VALUE."""
    values = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not equals:
            raise click.UsageError(f"--param {parameter}: write NAME=VALUE")
        values[name] = value
    return values


def _listed(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    """What can be exported, by kind: the name of each, what it is, and the parameters of a question."""
    found: dict[str, list[dict[str, Any]]] = {"tables": [], "views": [], "questions": []}
    for name, kind in names(connection).items():
        entry: dict[str, Any] = {"name": name, "what": purpose(name)}
        if kind == "question":
            fields = questions()[name].fields
            entry["parameters"] = [{**asdict(field), "required": field.required} for field in fields]
        found[f"{kind}s"].append(entry)
    return found


def _list(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """A line each, under a heading for each kind; of a question with its parameters."""
    heads = {"tables": "tables:", "views": "\nviews:", "questions": "\nquestions (values: --param NAME=VALUE):"}
    for kind, entries in found.items():
        yield heads[kind]
        for entry in entries:
            fields = questions()[entry["name"]].fields if "parameters" in entry else ()
            options = ", ".join(field.written for field in fields)
            yield f"  {entry['name']:24}  {entry['what']}{f' [{options}]' if options else ''}".rstrip()


@contextmanager
def _until_pipe_closes() -> Iterator[None]:
    """Stop quietly when whatever reads stdout has read enough, as `| head` does."""
    try:
        yield
    except BrokenPipeError:
        sys.stderr.close()


def _finish(files: Sequence[Written], form: str, as_json: bool, left_out: int = 0) -> NoReturn:
    """Report what was written, to stderr what a reader of the files must know.

    `left_out`: number of tables and views that --derived would add.
    """
    for file in files:
        if file.note:
            echo(f"{file.path}: {file.note}", err=True)
    summary: dict[str, Any] = {"format": form, "files": [asdict(file) | {"path": str(file.path)} for file in files]}
    lines: Iterable[str] = _lines(files) if is_terminal() else [_total(files)]
    if left_out:
        summary["left_out"] = left_out
        lines = chain(
            lines, [f"left out: {left_out} tables and views made from the texts by rules; --derived adds them"]
        )
    finish(summary, lines, as_json=as_json, always=True)


def _total(files: Sequence[Written]) -> str:
    """Return the line about all files where nobody watches: a line each would be some seventy."""
    size = sum(file.size for file in files) / 1e6
    rows = counted(sum(file.rows for file in files), "row")
    if len(files) == 1:
        return f"{files[0].path}: {rows}, {size:.2f} MB"
    return f"{files[0].path.parent}: {counted(len(files), 'file')}, {rows}, {size:.2f} MB"


def _lines(files: Sequence[Written]) -> Iterator[str]:
    width = max(len(str(file.path)) for file in files)
    narrow = shutil.get_terminal_size().columns < width + 30
    for file in files:
        yield f"{file.path!s:{0 if narrow else width}}  {file.rows:>11,} rows  {file.size / 1e6:>8.2f} MB"
