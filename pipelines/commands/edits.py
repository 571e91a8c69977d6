"""`clinic-archive edits`: what clinics changed, each edit two lines or a row of a file with both texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from archive.derived.store import progress
from archive.export import Source, known_values, write
from archive.listings.edits import KINDS, PLACES, Edits
from archive.questions import BadValue, Parameter, Question, check_value, nearest
from archive.search.index import terms
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._listing import form_of, listing_option
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option
from pipelines.commands._output import counted, finish
from pipelines.commands._site import site_address

LONGEST_PASSAGE = 200  # characters of what was removed, or added, in a line
_FIELDS = (
    Parameter("clinic", "clinic", "", "a clinic, empty for all"),
    Parameter("from", "date", "", "first day, empty for all"),
    Parameter("to", "date", "", "last day, empty for all"),
)
_FILTERS = Question("edits", "Edits", "", "", fields=_FIELDS)


@click.command(
    short_help="What clinics changed: the words removed and added.",
    epilog=examples(
        "clinic-archive edits ketamine -o edits.csv",
        "clinic-archive edits --clinic riverside --in removed --since 2026-01-01",
    ),
)
@click.argument("topic", required=False, default="")
@click.option(
    "--in",
    "place",
    type=click.Choice(list(PLACES)),
    default="changed",
    help="Where TOPIC is looked for: the words removed or added, one of them, or the old and new text.",
    show_default=True,
)
@click.option("--clinic", "clinic_id", metavar="CLINIC", default="", help="Only this clinic.")
@click.option("--attribute", metavar="NAME=VALUE", default="", help="Only clinics with this attribute.")
@click.option("--from", "--since", "since", metavar="DAY", default="", help="First day of the new text (2026-03-01).")
@click.option("--to", "--until", "until", metavar="DAY", default="", help="Last day of the new text.")
@click.option("--kind", type=click.Choice(list(KINDS)), help="What changed; the words: wording.")
@listing_option
@archive_option
@clinics_file_option
@json_option
def command(
    topic: str,
    place: str,
    clinic_id: str,
    attribute: str,
    since: str,
    until: str,
    kind: str | None,
    output: Path | None,
    archive: Path,
    clinics_file: Path,
    as_json: bool,
) -> None:
    """Print the edits of posts, the newest first: the words that went and came, and the interval of each.

    TOPIC is words, a "phrase" in quotes, or the beginning of a word (ketam*). The filters are those of the page of
    edits on the site, under the same names, and a file has the same rows and columns: both texts, the permalinks of
    both, and of their comparison.

    Permalinks begin with [site] base_url of clinics.toml; without it they are paths on the archive's site.
    """
    if topic and not terms(topic):
        raise click.UsageError(f"TOPIC {topic!r}: a word has a letter or a digit")
    name, sign, _ = attribute.partition("=")
    if attribute and not (name and sign):
        raise click.UsageError(f"--attribute {attribute!r}: write it as NAME=VALUE, such as state=NY")
    values = {"clinic": clinic_id, "attribute": attribute, "from": since, "to": until}
    with exit_on_error(output or archive), closing(read_only(archive)) as db:
        db.execute("BEGIN")  # all rows are of one moment
        try:
            check_value(_FILTERS, values, known := known_values(db.conn))
        except BadValue as error:
            raise click.UsageError(str(error)) from error
        if name and name not in known["attribute"]:
            raise click.UsageError(f"--attribute: no clinic has {name!r}; {nearest(name, known['attribute'])}")
        base = site_address(clinics_file) or ""
        edits = Edits(topic, place, clinic_id, attribute, since, until, kind or "", base)
        state = progress(db.conn)
        summary = {"topic": topic, "in": place, **values, "kind": kind, "derived_up_to": state.up_to}
        waiting = state.revisions - state.derived
        note = f"; {counted(waiting, 'later text')} not derived yet: run `clinic-archive derive`" if waiting else ""
        if output is not None:
            written = write(output, db.conn, Source("edits", "", listing=edits), form_of(output))
            said = f" ({written.note})" if written.note else ""
            line = f"{output}: {counted(written.rows, 'edit')}{said}{note}"
            finish({**summary, "file": asdict(written) | {"path": str(output)}}, [line], as_json=as_json, always=True)
        if as_json:
            rows = [dict(zip(edits.columns, row, strict=True)) for row in edits.rows(db.conn)]
            finish({**summary, "edits": len(rows), "rows": rows}, (), as_json=True)
        finish(summary, _lines(edits, db.conn, note), as_json=False, always=True)


def _lines(edits: Edits, connection: sqlite3.Connection, note: str) -> Iterator[str]:
    """Yield the lines of each edit, then their number."""
    number = 0
    for row in edits.rows(connection):
        number += 1
        cells: dict[str, Any] = dict(zip(edits.columns, row, strict=True))
        yield (
            f"{cells['new_first_seen_at'][:10]} {cells['clinic_id']}: {cells['title'] or '(no title)'}"
            f" ({KINDS.get(cells['kind'], cells['kind'])}) {cells['comparison']}"
        )
        for sign, name in (("-", "removed"), ("+", "added")):
            if cells[name]:
                passage = cells[name].replace("\n", " ")
                yield f"  {sign} {passage[:LONGEST_PASSAGE]}{'…' if len(passage) > LONGEST_PASSAGE else ''}"
    about = f" about {edits.topic!r}" if edits.topic else ""
    yield f"{counted(number, 'edit')}{about}{note}"
