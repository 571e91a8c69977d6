"""`clinic-archive kwic`: a word in context, each occurrence a line or a row of a file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from archive.backup.published import FOLDER
from archive.export import Source, write
from archive.listings.concordance import Concordance
from archive.search.matching import BadKeyword, keyword
from pipelines.commands._archive import read_only, refuse_unknown
from pipelines.commands._errors import exit_on_error
from pipelines.commands._listing import form_of, listing_option
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option
from pipelines.commands._output import counted, fail, finish
from pipelines.commands._site import site_address
from pipelines.exit_codes import ExitCode

LEAST_CONTEXT = 20  # characters on each side of the word in a narrow terminal


@click.command(
    short_help="A word in context: every place where a word or phrase occurs.",
    epilog=examples(
        "clinic-archive kwic ketamine --past -o ketamine.csv",
        'clinic-archive kwic "off label" --clinic riverside',
    ),
)
@click.argument("word")
@click.option("--clinic", "clinic_id", metavar="CLINIC", help="Only this clinic.")
@click.option("--past", is_flag=True, help="Earlier texts, too: each occurrence that the next text no longer has.")
@click.option("--prefix", is_flag=True, help="Words that begin with WORD; the same as WORD*.")
@click.option("--comments", is_flag=True, help="Search the comments, too.")
@listing_option
@archive_option
@clinics_file_option
@json_option
def command(
    word: str,
    clinic_id: str | None,
    past: bool,
    prefix: bool,
    comments: bool,
    output: Path | None,
    archive: Path,
    clinics_file: Path,
    as_json: bool,
) -> None:
    """Print every occurrence of WORD, a word or a phrase, with the text before and after it.

    Case and accents make no difference, and punctuation separates words: WORD is no pattern. Titles and texts of posts
    are searched, as they are now. With --past a line is also an occurrence in an earlier text whose sentence was then
    changed or removed.

    Permalinks begin with [site] base_url of clinics.toml; without it they are paths on the archive's site.
    """
    if comments and archive.name == FOLDER and not (archive / "warc").exists():
        fail(f"{archive}: --comments is not for a published copy; name the archive itself", ExitCode.USAGE)
    try:
        wanted = keyword(word, prefix=prefix)
    except BadKeyword as error:
        raise click.UsageError(str(error)) from error
    with exit_on_error(output or archive), closing(read_only(archive)) as db:
        db.execute("BEGIN")  # all rows are of one moment
        refuse_unknown(archive, db, [clinic_id] if clinic_id else [])
        concordance = Concordance(wanted, clinic_id or "", past, comments, site_address(clinics_file) or "")
        summary = {"word": str(wanted), "clinic": clinic_id, "past": past, "comments": comments}
        if output is not None:
            form = form_of(output)
            written = write(output, db.conn, Source("kwic", "", listing=concordance), form)
            line = f"{output}: {counted(written.rows, 'occurrence')}{f' ({written.note})' if written.note else ''}"
            finish({**summary, "file": asdict(written) | {"path": str(output)}}, [line], as_json=as_json, always=True)
        if as_json:
            rows = [dict(zip(concordance.columns, row, strict=True)) for row in concordance.rows(db.conn)]
            finish({**summary, "occurrences": len(rows), "rows": rows}, (), as_json=True)
        finish(summary, _lines(concordance, db.conn), as_json=False, always=True)


def _lines(concordance: Concordance, connection: sqlite3.Connection) -> Iterator[str]:
    """Yield a line an occurrence, the words below each other, then their number."""
    context = max((shutil.get_terminal_size((160, 24)).columns - 70) // 2, LEAST_CONTEXT)
    number = 0
    for row in concordance.rows(connection):
        number += 1
        cells: dict[str, Any] = dict(zip(concordance.columns, row, strict=True))
        left, right = cells["left"][-context:], cells["right"][:context]
        yield (
            f"{left:>{context}} [{cells['keyword']}] {right:<{context}}  {cells['published_on'] or 'no date':10} "
            f" {cells['wording']:4}  {cells['permalink']}"
        )
    where = f" of {concordance.clinic_id}" if concordance.clinic_id else ""
    yield f"{counted(number, 'occurrence')} of {str(concordance.keyword)!r} in the posts{where}"
