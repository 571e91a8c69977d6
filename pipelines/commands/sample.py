"""`clinic-archive sample`: posts drawn by a seed, frozen in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from archive.study.draw import BadCondition, draw_sample
from archive.study.folder import plain
from archive.study.sample import LARGEST_SEED, Sample
from archive.study.tables import take_sample
from pipelines.commands._options import archive_option, examples, json_option
from pipelines.commands._output import counted, fail, finish
from pipelines.commands._study import opened_study
from pipelines.exit_codes import ExitCode


@click.command(
    short_help="Draw a random sample of posts, for a study.",
    epilog=examples(
        "clinic-archive sample --n 20 --seed 7",
        "clinic-archive sample --n 60 --seed 7 --by clinic --where \"published_on >= '2025-01-01'\"",
    ),
)
@click.option("--n", "number", type=click.IntRange(1, 100_000), required=True, help="Number of posts to draw.")
@click.option(
    "--seed", type=click.IntRange(0, LARGEST_SEED), required=True, help="Any number; it draws the same posts again."
)
@click.option("--where", metavar="SQL", help="A condition on the columns of the table posts; default: every post.")
@click.option(
    "--by", metavar="clinic|ATTRIBUTE", help="Draw in strata: by clinic, or by the value of an attribute of clinics."
)
@click.option("--name", help="What the sample is called; default: its number and seed, such as n20-seed7.")
@archive_option
@json_option
def command(
    number: int, seed: int, where: str | None, by: str | None, name: str | None, archive: Path, as_json: bool
) -> None:
    """Draw posts at random, without replacement, and freeze the list in a file below study/.

    The posts are drawn from the frame: every post that has a text, removed ones included (--where "removed_at IS NULL"
    leaves them out). With --by, the number is shared out among the strata in proportion to their sizes, at least one
    post each.

    The file lists the drawn posts by permalinks, which are paths on the archive's site. It also has the frame's size,
    the condition, the seed, the date of the last capture, the strata with their inclusion probabilities, and digests of
    the frame's list and of the drawn one. The same call gives the same file, also after a rebuild.
    """
    with opened_study(archive) as (db, study):
        try:
            data = draw_sample(archive, db, n=number, seed=seed, where=where, by=by)
        except BadCondition as error:
            fail(f"{archive}: no sample drawn: {error}", ExitCode.USAGE)
        sample = take_sample(archive, study, name or f"n{number}-seed{seed}{f'-by-{by}' if by else ''}", data)
    lines = _lines(archive, sample, number)
    if name is not None and plain(name) != sample.name:
        lines.append(f"the same sample is stored already, and stays {sample.name}: nothing is called {plain(name)}")
    finish(_summary(archive, sample), lines, as_json=as_json, always=True)


def _summary(archive: Path, sample: Sample) -> dict[str, Any]:
    return {
        "archive": str(archive),
        "sample": sample.digest,
        "name": sample.name,
        "file": sample.file,
        "frame": sample.frame,
        "drawn": len(sample.units),
        "as_of": sample.as_of,
        "seed": sample.seed,
        "strata": {
            unit.stratum or "all": {"frame": unit.stratum_frame, "drawn": unit.stratum_drawn} for unit in sample.units
        },
    }


def _lines(archive: Path, sample: Sample, number: int) -> list[str]:
    drawn = f"{counted(len(sample.units), 'post')} of {sample.frame:,} drawn"
    if number > sample.frame:
        drawn = f"{sample.frame:,} of {counted(number, 'post')}: the frame has only {sample.frame:,}"
    return [
        f"{archive / sample.file}: {drawn}, as of {sample.as_of[:10]}; sample {sample.name} ({sample.digest})",
    ]
