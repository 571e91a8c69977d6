"""`clinic-archive wacz`: captures as one file that replays in a browser."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from archive.export.wacz import write_wacz
from pipelines.commands._archive import read_only, refuse_unknown
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import finish
from scraper.config.clinics import PRODUCT, VERSION


@click.command(
    short_help="Write captures to a WACZ file, which replays in a browser.",
    epilog=examples(
        "clinic-archive wacz riverside -o riverside.wacz",
        "clinic-archive wacz -o all.wacz --with-comment-captures",
    ),
)
@click.argument("clinic", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option("--with-comment-captures", is_flag=True, help="Include captures that show comments and their authors.")
@archive_option
@json_option
def command(clinic: str | None, output: Path, with_comment_captures: bool, archive: Path, as_json: bool) -> None:
    """Write the captures of one clinic, or of all, to a WACZ file with a list of the posts and their texts.

    Captures that hold comments, or may hold some, are left out: they name private persons. ReplayWeb.page opens the
    file.
    """
    with exit_on_error(output, "nothing written (see `clinic-archive verify`)"), closing(read_only(archive)) as db:
        db.execute("BEGIN")
        refuse_unknown(archive, db, [clinic] if clinic is not None else [])
        package = write_wacz(
            output,
            archive,
            db,
            clinic_id=clinic,
            with_comments=with_comment_captures,
            software=f"{PRODUCT}/{VERSION}",
        )
    left_out = f"; {package.left_out} that hold comments left out" if package.left_out else ""
    line = f"{output}: {package.pages} pages, {package.captures} captures, {package.size / 1e6:.1f} MB{left_out}"
    finish({"file": str(output), **asdict(package)}, [line], as_json=as_json, always=True)
