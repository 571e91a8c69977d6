"""What every verb on an archive does first: open it, to write or to read; or end the process with a reason."""

from __future__ import annotations

import errno
import re
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
from sqlite_utils import Database

from archive.db import DATABASE, ArchiveError, LostDatabase, NewerSchema, NotAnArchive, OlderSchema, open_archive
from pipelines.exit_codes import ExitCode
from pipelines.recover import recover
from pipelines.run.key import BadKey
from pipelines.run.notices import emit, notices_of
from pipelines.run.run import Locked, Run
from scraper.config.clinics import Clinic


def open_for_writing(archive: Path, listed: Iterable[Clinic] = (), existing: bool = False) -> Run:
    """The archive, held for writing, with what a killed run left folded in; else the process ends.

    `listed`: the clinics of clinics.toml, of which the closed ones are entered. `existing`: none is made where there
    is none; the process ends as it does for those that read.
    """
    if existing and not (archive / DATABASE).exists():
        read_only(archive).close()
    try:
        run = Run(archive)
    except Locked as error:
        fail(str(error), ExitCode.LOCKED)
    except (LostDatabase, NewerSchema, BadKey) as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except NotAnArchive as error:
        fail(str(error), ExitCode.INTEGRITY)
    except ArchiveError as error:
        fail(str(error), ExitCode.UNEXPECTED)
    except OSError as error:
        room = " or free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        fail(f"{archive}: {error.strerror or error}; choose another --archive{room}", ExitCode.UNEXPECTED)
    try:
        run.recovered = recover(run)
        emit(archive, notices_of(run.recovered))
        run.register_closed(listed)
    except (OSError, sqlite3.Error) as error:
        run.release()
        fail(f"{archive}: {error}; what a killed run left could not be folded in, nothing done", ExitCode.UNEXPECTED)
    return run


def close(run: Run, code: int, told: dict[str, Any]) -> None:
    """The run is over, with this exit code and summary; where its end cannot be written, so is the process."""
    try:
        run.close(code, told)
    except ArchiveError as error:
        fail(str(error), ExitCode.UNEXPECTED)


def refuse_unknown(run: Run, clinics: Iterable[str]) -> None:
    """End the process, the archive given back, where a clinic is named that the archive does not know."""
    known = {row[0] for row in run.db.execute("SELECT clinic_id FROM clinics").fetchall()}
    unknown = [one for one in clinics if one not in known]
    if unknown:
        run.release()
        names = ", ".join(sorted(known)) or "none"
        fail(f"{run.archive}: no clinic {', '.join(unknown)} in this archive; it has {names}", ExitCode.BAD_CONFIG)


def read_only(archive: Path) -> Database:
    """The archive, to be read; else the process ends."""
    try:
        return open_archive(archive, "read")
    except (LostDatabase, NewerSchema, OlderSchema, FileNotFoundError) as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except NotAnArchive as error:
        fail(str(error), ExitCode.INTEGRITY)
    except ArchiveError as error:
        fail(str(error), ExitCode.UNEXPECTED)


class Duration(click.ParamType[float]):
    """A length of time: "90m", "6h", "2d", "45s"; seconds, as a float."""

    name = "duration"
    UNITS: ClassVar[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86400}

    def __init__(self, least: float = 0.0) -> None:
        """`least`: in seconds; what is shorter is a usage error."""
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; a usage error names what is wrong."""
        # "1.5h": a number, and s, m, h or d
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no length of time; write 90m, 6h or 2d", param, ctx)
        seconds = float(match[1]) * self.UNITS[match[2]]
        if seconds < self.least:
            self.fail(f"{value!r} leaves no time; write 90m, 6h or 2d", param, ctx)
        return seconds


def fail(message: str, code: int) -> NoReturn:
    """Say why in one line, and end the process; the line is a note of the SystemExit."""
    click.echo(message, err=True)
    sys.stderr.flush()
    ending = SystemExit(code)
    ending.add_note(message)
    raise ending
