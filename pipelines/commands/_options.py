"""Options, types of values and help texts that several verbs share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import click

from scraper.config.shard import Shard, shard_from


class Duration(click.ParamType[float]):
    """A length of time, "90m", "6h", "2d" or "45s", as seconds."""

    name = "duration"
    UNITS: ClassVar[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400}

    def __init__(self, least: float = 0.0) -> None:
        """`least`: the shortest that is accepted, in seconds."""
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds. Raises a usage error for anything else, and for less than `least`."""
        # "1.5h": a number, and s, m, h or d
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no length of time; write 90m, 6h or 2d", param, ctx)
        seconds = float(match[1]) * self.UNITS[match[2]]
        if seconds < self.least:
            self.fail(f"{value!r} is too short; write 90m, 6h or 2d", param, ctx)
        return seconds


class ShardOption(click.ParamType[Shard]):
    """A part of the sampling frame, "3/8"."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Return the shard. Raises a usage error for anything else."""
        try:
            return shard_from(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Share(click.ParamType[float]):
    """A share such as "20%", as a number from 0 to 1."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share. Raises a usage error for anything else."""
        # A number and a percent sign, such as "20%" or "12.5 %"
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(value).strip())
        if match is None or float(match[1]) > 100:
            self.fail(f"{value!r} is no share; write 20%", param, ctx)
        return float(match[1]) / 100


def utc_moment(text: str | None, option: str) -> datetime | None:
    """Return the moment that an option names in ISO 8601; without a time zone it is UTC. Raises a usage error."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO 8601 date", param_hint=option) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


archive_option = click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Folder of the archive.",
)
archives_option = click.option(
    "--archive",
    "archives",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    default=(Path("var"),),
    help="Folder of the archive (default: var); repeated for the shards of a frame.",
)
clinics_file_option = click.option(
    "--clinics-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("clinics.toml"),
    show_default=True,
    help="List of the clinics.",
)
shard_option = click.option(
    "--shard",
    type=ShardOption(),
    metavar="K/N",
    help="Only the clinics of part K of N; a hash of its slug puts each clinic into a part.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result to stdout as one JSON object.")
delay_option = click.option(
    "--delay", type=click.FloatRange(0), help="Seconds between requests; robots.txt may require more."
)
allow_private_option = click.option(
    "--allow-private", is_flag=True, help="Permit loopback and private addresses in this run."
)
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Print the log to stderr.")


def only_archive(archives: Sequence[Path]) -> Path:
    """Return the archive of a verb that takes several only for some of what it does. Raises a usage error for more."""
    if len(archives) > 1:
        raise click.UsageError("here only one --archive; `clinic-archive merge` makes one archive of several")
    return archives[0]


def distinct_archives(archives: Sequence[Path]) -> list[Path]:
    """Return the archives without those that name a folder again."""
    return list({archive.resolve(): archive for archive in reversed(archives)}.values())[::-1]


def examples(*lines: str) -> str:
    r"""Return the block of examples that ends a verb's help; click does not rewrap it (`\b`)."""
    return "\n  ".join(["\b\nExamples:", *lines])
