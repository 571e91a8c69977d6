"""`clinic-archive rebuild`: archive.db made anew from WARC files alone."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import click

from archive.db import ArchiveError, NewerSchema
from archive.warc import BadRecord
from pipelines.commands._archive import fail
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import Refused, adopt
from pipelines.rebuild import Rebuilt, rebuild
from pipelines.run.key import BadKey
from pipelines.run.run import Locked, lock_archive

MOST_LINES = 20


@click.command(short_help="Make archive.db anew from the WARC files.")
@click.option("--from", "sources", multiple=True, type=click.Path(exists=True, path_type=Path), metavar="DIR_OR_WARC",
              help="Take WARC files from here into the archive first; may be repeated.")  # fmt: skip
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The pseudonym.key that the comments were stored with.")  # fmt: skip
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one summary object to stdout.")
def command(sources: tuple[Path, ...], key_file: Path | None, archive: Path, as_json: bool) -> None:
    """Read every recorded answer again with today's parsers and make archive.db of it; the network is not used.

    The old archive.db is kept beside the new one. Without --from the WARC files are the archive's own.
    """
    began = time.monotonic()
    try:
        lock = lock_archive(archive)
    except Locked as error:
        fail(str(error), ExitCode.LOCKED)
    except OSError as error:
        fail(f"{archive}: {error.strerror or error}; choose another --archive", ExitCode.UNEXPECTED)
    try:
        adopt(sources, archive, key_file)
        if not any((archive / "warc").rglob("*.warc.gz")):
            fail(f"{archive}: no WARC files in its folder warc/; name some with --from", ExitCode.BAD_CONFIG)
        done = rebuild(archive)
    except (Refused, BadKey, NewerSchema) as error:
        fail(str(error), ExitCode.BAD_CONFIG)
    except BadRecord as error:
        fail(f"{error}; archive.db is as it was", ExitCode.INTEGRITY)
    except (ArchiveError, OSError, sqlite3.Error) as error:
        fail(f"{archive}: {error}; archive.db is as it was", ExitCode.UNEXPECTED)
    finally:
        lock.release()
    _tell(done, archive, as_json, time.monotonic() - began)


def _tell(done: Rebuilt, archive: Path, as_json: bool, seconds: float) -> None:
    code = ExitCode.INTEGRITY if done.problems else ExitCode.DONE
    for line in done.notes:
        click.echo(line, err=True)
    for line in done.problems[:MOST_LINES]:
        click.echo(line, err=True)
    if len(done.problems) > MOST_LINES:
        click.echo(f"{archive}: and {len(done.problems) - MOST_LINES} records more; --json has them all", err=True)
    captures = sum(done.clinics.values())
    if as_json:
        told: dict[str, Any] = {
            "archive": str(archive), "clinics": done.clinics, "captures": captures, "seconds": round(seconds, 1),
            "sha256": done.digest, "differs": done.differs, "kept": str(done.kept) if done.kept else None,
            "problems": done.problems, "exit_code": code,
        }  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
    elif sys.stdout.isatty():
        clinics = f"{len(done.clinics)} clinic{'' if len(done.clinics) == 1 else 's'}"
        click.echo(f"{archive}: {captures} captures of {clinics} in {seconds:.0f} s; {_compared(done)}")
    sys.exit(code)


def _compared(done: Rebuilt) -> str:
    if done.differs is None:
        return "a new archive.db" + (f"; what was there is {done.kept.name}" if done.kept else "")
    assert done.kept is not None
    if not done.differs:
        return f"it says the same as before; the old one is {done.kept.name}"
    return f"it differs from before in {', '.join(done.differs)}; the old one is {done.kept.name}"
