"""`clinic-archive wacz`: captures as one file that replays in a browser."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from archive.export.wacz import write_wacz
from archive.warc import BadRecord
from pipelines.commands._archive import fail, read_only
from pipelines.exit_codes import ExitCode
from scraper.config.clinics import PRODUCT, VERSION


@click.command(short_help="Write captures to a WACZ, to be replayed in a browser.")
@click.argument("clinic", required=False)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
              help="Where to write it.")  # fmt: skip
@click.option("--with-comment-captures", is_flag=True, help="Also captures that show comments and who wrote them.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(clinic: str | None, output: Path, with_comment_captures: bool, archive: Path, as_json: bool) -> None:
    """Write the captures of a clinic (of all without a name) to a WACZ, with a list of its posts and their texts.

    Captures that hold comments, or may, stay out of it: they name private persons. ReplayWeb.page opens the file.
    """
    try:
        with closing(read_only(archive)) as db:
            db.execute("BEGIN")
            known = [row[0] for row in db.execute("SELECT clinic_id FROM clinics ORDER BY 1").fetchall()]
            if clinic is not None and clinic not in known:
                names = ", ".join(known) or "none"
                fail(f"{archive}: no clinic {clinic!r} in this archive; it has {names}", ExitCode.BAD_CONFIG)
            packed = write_wacz(
                output, archive, db, clinic_id=clinic, with_comments=with_comment_captures,
                software=f"{PRODUCT}/{VERSION}",
            )  # fmt: skip
    except BadRecord as error:
        fail(f"{error}; nothing written, `clinic-archive verify` tells more", ExitCode.INTEGRITY)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        fail(f"{output}: could not be written: {why}", ExitCode.UNEXPECTED)
    if as_json:
        click.echo(json.dumps({"file": str(output), **asdict(packed)}, ensure_ascii=False))
    elif sys.stdout.isatty():
        left = f"; {packed.left_out} that hold comments left out" if packed.left_out else ""
        click.echo(f"{output}: {packed.pages} pages, {packed.captures} captures, {packed.size / 1e6:.1f} MB{left}")
