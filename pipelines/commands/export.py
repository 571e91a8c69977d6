"""`clinic-archive export`: a table, a view or a ready question as a file; or all of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from archive.export import FORMATS, TooManyRows, Unknown, Written, csv_blocks, export_all, find, names, write
from archive.questions import questions
from pipelines.commands._archive import fail, read_only
from pipelines.exit_codes import ExitCode
from scraper.config.clinics import PRODUCT, VERSION


@click.command(short_help="Write tables, views and ready questions to CSV, XLSX, JSON lines or Parquet.")
@click.argument("name", required=False, metavar="[TABLE|VIEW|QUESTION]")
@click.option("--all", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Every table and view (no question) into DIR, with manifest.json.")  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="Print what can be exported.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)),
              help="Without: as -o's suffix says, else csv. excel-csv: formulas made harmless.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where to write it. Without: NAME.csv and so on here; - is stdout, for CSV.")  # fmt: skip
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE",
              help="What a question asks for; may be repeated.")  # fmt: skip
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(
    name: str | None,
    folder: Path | None,
    listing: bool,
    form: str | None,
    output: Path | None,
    parameters: tuple[str, ...],
    archive: Path,
    as_json: bool,
) -> None:
    """Write every row of a table, a view or a ready question to a file, or all tables and views to a folder.

    Nothing is cut: what a format cannot hold is refused, or marked and told on stderr. A file that is there is replaced
    in one step. A crawl may write at the same time.
    """
    if (name is None) == (folder is None) and not listing:
        raise click.UsageError("name what to export, or say --all DIR (--list shows the names)")
    if folder is not None and (output is not None or parameters):
        raise click.UsageError(
            "--all takes neither -o nor --param: names are fixed, and questions that ask are left out"
        )
    form = _form(form, output)
    given = {}
    for one in parameters:
        key, equals, value = one.partition("=")
        if not equals:
            raise click.UsageError(f"--param {one}: write NAME=VALUE")
        given[key] = value
    with closing(read_only(archive)) as db:
        try:
            if listing:
                for known, kind in names(db.conn).items():
                    asked = questions()[known].parameters if kind == "question" else {}
                    told = " ".join(f"--param {one}={default or '...'}" for one, default in asked.items())
                    click.echo(f"{kind:9}{known}  {told}".rstrip())
            elif folder is not None:
                _tell(export_all(folder, db.conn, FORMATS[form], f"{PRODUCT}/{VERSION}"), form, as_json)
            else:
                assert name is not None
                source = find(db.conn, name, given)
                if output == Path("-"):
                    if "csv" not in form:
                        raise click.UsageError("only CSV goes to stdout; name a file with -o")
                    for block in csv_blocks(db.conn, source, excel=form == "excel-csv"):
                        sys.stdout.buffer.write(block)
                    return
                path = output or Path(f"{name}{FORMATS[form].suffix}")
                _tell([write(path, db.conn, source, FORMATS[form])], form, as_json)
        except Unknown as error:
            fail(f"{error} (--list shows all)", ExitCode.USAGE)
        except TooManyRows as error:
            fail(f"{error}; nothing written", ExitCode.UNEXPECTED)
        except ImportError as error:
            fail(str(error), ExitCode.UNEXPECTED)
        except BrokenPipeError:  # `| head` has seen enough
            sys.stderr.close()
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or error
            fail(f"{output or folder or name}: could not be written: {why}", ExitCode.UNEXPECTED)


def _form(form: str | None, output: Path | None) -> str:
    """The format that is asked for by name or by the file's suffix; a usage error where the two contradict."""
    suffix = (output.suffix if output else "").lower()
    meant = [name for name, one in FORMATS.items() if Path(f"_{one.suffix}").suffix == suffix]
    if form is None:
        return meant[0] if meant else "csv"
    if meant and form not in meant:
        raise click.UsageError(f"--format {form} contradicts {output}: leave it out, or name the file otherwise")
    return form


def _tell(files: list[Written], form: str, as_json: bool) -> None:
    """What was written: for a person or a program; what a reader must know of it always."""
    for one in files:
        if one.note:
            click.echo(f"{one.path}: {one.note}", err=True)
    if as_json:
        told = [asdict(one) | {"path": str(one.path)} for one in files]
        click.echo(json.dumps({"format": form, "files": told}, ensure_ascii=False))
    elif sys.stdout.isatty():
        width = max(len(str(one.path)) for one in files)
        narrow = shutil.get_terminal_size().columns < width + 30
        for one in files:
            click.echo(f"{one.path!s:{0 if narrow else width}}  {one.rows:>11,} rows  {one.size / 1e6:>8.2f} MB")
