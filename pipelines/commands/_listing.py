"""The file that a listing (words in context, edits) is written to; its ending names the format."""

from __future__ import annotations

from pathlib import Path

import click

from archive.export import LISTING_FORMATS, Format

_BY_ENDING = {form.suffix: form for form in LISTING_FORMATS.values()}


def _known(_: click.Context, __: click.Parameter, output: Path | None) -> Path | None:
    if output is not None and output.suffix.lower() not in _BY_ENDING:
        raise click.UsageError(f"-o {output}: no file of that ending is written here; use {', '.join(_BY_ENDING)}")
    return output


listing_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    callback=_known,
    help="File to write: .csv, .xlsx, .json or .jsonl (JSON lines). Default: a line each to stdout.",
)


def form_of(output: Path) -> Format:
    """Return the format that the ending of the file's name says."""
    return _BY_ENDING[output.suffix.lower()]
