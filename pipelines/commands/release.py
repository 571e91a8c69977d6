"""`clinic-archive release`: a frozen, citable folder of what is public; `release verify` checks one."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from archive.db import DATABASE
from archive.public import Comments
from archive.release import KEY_FILE, Content, Entry, Register, build, verify
from archive.release.bag import bag_digest, info_of
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._group import WithDefault
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option
from pipelines.commands._output import counted, fail, finish, print_problems
from pipelines.exit_codes import ExitCode
from pipelines.run.key import BadKey, key_id, key_in, new_key
from scraper.config.clinics import PRODUCT, VERSION, Clinics, read_clinics

FOLDER = "releases"  # inside the archive's folder
MAKERS = "The operators of the archive"


@click.group(
    cls=WithDefault,
    short_help="Freeze what is public as a folder that others can check and cite.",
    epilog=examples("clinic-archive release make 2026-11", "clinic-archive release verify releases/2026-11"),
)
def command() -> None:
    """Freeze what is public of the archive as a folder that others can check and cite: `release NAME`."""


@command.command(
    "make",
    short_help="Make a release.",
    epilog=examples("clinic-archive release make 2026-11 --to 'Zenodo'"),
)
@click.argument("name", metavar="NAME")
@archive_option
@clinics_file_option
@click.option(
    "--comments",
    type=click.Choice(["counts", "text"]),
    default="counts",
    show_default=True,
    help="counts: only how many there are; text: also texts, if `[release] approval` is set.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to make; default: releases/NAME in the archive.",
)
@click.option("--to", metavar="TEXT", help="For whom it is, for the register of releases.")
@json_option
def make(
    name: str,
    archive: Path,
    clinics_file: Path,
    comments: Comments,
    output: Path | None,
    to: str | None,
    as_json: bool,
) -> None:
    """Make the release NAME: SQLite, CSV and Parquet of the public tables, with documents and hashes.

    The same archive gives the same bytes. The folder appears complete or not at all. docs/releasing.md says what is in
    it.
    """
    # "2026-11", "v1.2_final"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) or name.endswith(".part"):
        fail(f"{name}: not a name of a release; use letters, digits, - . _ (at most 64)", ExitCode.USAGE)
    target = output or archive / FOLDER / name
    with exit_on_error(clinics_file):
        clinics = read_clinics(clinics_file) if clinics_file.exists() else Clinics()
    if comments == "text" and not clinics.approval:
        fail(
            f'{clinics_file}: texts of comments need the approval of a review board; set approval = "..." under'
            " [release] there",
            ExitCode.BAD_CONFIG,
        )
    read_only(archive).close()
    lock = lock_or_exit(archive / FOLDER, advice="nothing released")
    try:
        with exit_on_error(target, "nothing released"):
            key = release_key(archive, Register(archive).entries())
            content = Content(
                name,
                comments,
                clinics.approval if comments == "text" else None,
                key,
                key_id(key),
                f"{PRODUCT}/{VERSION}",
                clinics.maker or MAKERS,
                clinics.crawler_config.contact,
            )
            released = build(archive, target, content, to=to)
    finally:
        lock.release()
    number = sum(released.rows.values())
    summary = {**asdict(released), "folder": str(released.folder)}
    lines = [f"{released.folder}: {counted(number, 'row')}, sha256 {released.digest}"]
    finish(summary, lines, as_json=as_json, always=True)


def release_key(archive: Path, entries: list[Entry]) -> bytes:
    """Return the key of the archive's releases; the first release makes it. Raises `BadKey`, OSError."""
    path = archive / KEY_FILE
    if not path.exists():
        if entries:
            raise BadKey(f"{path}: gone, but {entries[-1].name} was released with it; restore it from your backup")
        path.parent.mkdir(parents=True, exist_ok=True)
        new_key(path)
    key = key_in(path)
    if entries and entries[-1].key_id != key_id(key):
        raise BadKey(f"{path}: not the key of {entries[-1].name}; restore that from your backup")
    return key


@command.command(
    "verify",
    short_help="Check a release.",
    epilog=examples("clinic-archive release verify var/releases/2026-11"),
)
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="BUNDLE")
@archive_option
@json_option
def check(bundle: Path, archive: Path, as_json: bool) -> None:
    """Check every file of a release against its hashes, and the release against the register of the archive, if any.

    Also counts what was withdrawn from the archive since.
    """
    with exit_on_error(bundle):
        faults = verify(bundle)
        if faults:
            print_problems([f"{bundle}: {fault}" for fault in faults], noun="fault")
            finish({"faults": faults}, [], as_json=as_json, code=ExitCode.INTEGRITY)
        name, sha256 = info_of(bundle).get("External-Identifier", ""), bag_digest(bundle)
        entry = Register(archive).entry(name)
        if entry is not None and entry.digest != sha256:
            fail(f"{bundle}: whole, but not the release {name} of the register of {archive}", ExitCode.INTEGRITY)
        withdrawn = 0 if entry is None else _withdrawn_since(archive, entry)
    lines = [f"{bundle}: whole, sha256 {sha256}{'' if entry else '; not in the register of this archive'}"]
    if withdrawn:
        lines.append(f"{counted(withdrawn, 'item')} withdrawn since; do not pass it on")
    summary = {"name": name, "digest": sha256, "registered": entry is not None, "withdrawn": withdrawn, "faults": []}
    finish(summary, lines, as_json=as_json, always=True)


def _withdrawn_since(archive: Path, entry: Entry) -> int:
    """Return the number of takedowns since a release was made; 0 for an archive that has no list of them."""
    path = archive / DATABASE
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'withdrawals'").fetchone():
            return 0
        sql = "SELECT count(*) FROM withdrawals WHERE day >= ?"
        return int(connection.execute(sql, [entry.made_at[:10]]).fetchone()[0])


@command.command("list", short_help="List the releases of an archive.", epilog=examples("clinic-archive release list"))
@archive_option
@json_option
def listing(archive: Path, as_json: bool) -> None:
    """Print the register of releases: name, date of the data, when and for whom each was made, digest."""
    with exit_on_error(archive):
        entries = Register(archive).entries()
    lines = [f"{e.name}  {e.date[:10]}  made {e.made_at}  {e.to or '-'}  {e.digest}" for e in entries]
    finish({"releases": [asdict(entry) for entry in entries]}, lines, as_json=as_json, always=True)
