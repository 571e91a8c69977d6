"""`clinic-archive handover`: all that a successor needs, in one folder; `handover verify` checks it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click
from sqlite_utils import Database

from archive.backup import handover
from archive.backup.snapshots import BackupDamaged, BackupRefused
from archive.release import Register
from archive.release.bag import digest
from archive.study.folder import STUDY
from pipelines.commands._archive import lock_or_exit, read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._group import WithDefault
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option
from pipelines.commands._output import counted, fail, finish, print_problems
from pipelines.commands.release import release_key
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import IMPORTS
from pipelines.rewriting.journal import interrupted
from pipelines.run.key import KEY_FILE, has_pseudonyms, read_key
from scraper.config.clinics import PRODUCT, VERSION

WARNING = (
    f"{KEY_FILE} is in it, beside the WARC files that hold the names of commenters: whoever has this folder can say who"
    " is behind each pseudonym. Encrypt it, and give it to your successor alone"
)
_ABOUT = """# An archive of clinic blogs, handed over

Made by {software}. It holds {clinics}, {captures} and {posts}.

**The key leaves with it.** {warning}.

| in `data/` | what it is |
|---|---|
| `archive.db` | all rows; also what earlier versions of the parsers read, which the WARC files cannot give again |
| `warc/` | each recorded exchange; `warc/_runs/` has the runs and the ledger of takedowns |
| `imports/` | files of others, where any were imported |
| `study/` | samples, code books, codings, lexicons; the key and the register of releases |
| `{key}` | the key of the pseudonyms and of the takedowns |
| `clinics.toml` | the clinics, with your predecessor's contact |

## Go on

1. Check it: `clinic-archive handover verify .` in this folder names each file that is damaged, missing or additional.
   Any program for BagIt (RFC 8493) checks it, too. The digest that it prints must be the one that you were given.
2. Copy it: `cp -a data /srv/clinics`. Work with the copy; this folder then stays as it is.
3. Compare rows and bytes: `clinic-archive verify --archive /srv/clinics`.
4. Set your own `contact` in `/srv/clinics/clinics.toml`, and crawl with
   `--archive /srv/clinics --clinics-file /srv/clinics/clinics.toml`.

## What you take over

- {takedowns}: `clinic-archive takedown list --archive /srv/clinics`. Every crawl and rebuild obeys them.
- {releases}: `clinic-archive release list --archive /srv/clinics`.
- What was published, exported, logged and backed up is not in this folder. Ask your predecessor to destroy it.
"""


@click.group(
    cls=WithDefault,
    short_help="Hand the archive over to a successor: all of it, with the key.",
    epilog=examples("clinic-archive handover make ~/handover", "clinic-archive handover verify ~/handover"),
)
def command() -> None:
    """Hand the archive over to a successor: `handover DIR` copies all that is needed to carry it on."""


@command.command(
    "make",
    short_help="Copy all that a successor needs to a new folder.",
    epilog=examples("clinic-archive handover make ~/handover --archive ~/clinics --clinics-file clinics.toml"),
)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@archive_option
@clinics_file_option
@json_option
def make(folder: Path, archive: Path, clinics_file: Path, as_json: bool) -> None:
    """Copy the database, WARC files, imports, studies, the list of clinics and the key to the new folder DIR.

    The key of the pseudonyms leaves with it. DIR gets its name when each copy was read back and compared; after a kill
    the same command goes on. No crawl may run meanwhile.
    """
    with exit_on_error(folder):
        handover.check_target(archive, folder)
        if not clinics_file.is_file():
            raise BackupRefused(f"{clinics_file}: not there; give the list of the clinics with --clinics-file")
    read_only(archive).close()
    part = handover.part_of(folder.absolute())
    lock = lock_or_exit(archive, advice="nothing handed over")
    try:
        with exit_on_error(
            folder, f"no handover was made; {part} has what was copied, and the same command goes on from there"
        ):
            handover.check_target(archive, folder)
            if (found := interrupted(archive)) is not None:
                raise BackupRefused(
                    f"{archive}: {found.what} was interrupted: {found.finishing}; nothing handed over, run this again"
                    " then"
                )
            with closing(read_only(archive)) as db:
                about = _about(archive, db)
            try:
                made = handover.hand_over(
                    archive, folder.absolute(), parts=(IMPORTS, STUDY, KEY_FILE), config=clinics_file, about=about,
                    software=f"{PRODUCT}/{VERSION}",
                )  # fmt: skip
            except BackupDamaged as error:
                print_problems(error.lines, about=archive)
                fail(f"{archive}: {counted(len(error.lines), 'fault')}; no handover was made", ExitCode.INTEGRITY)
    finally:
        lock.release()
    lines = [
        f"{folder}: {counted(made.files, 'file')} ({made.bytes / 1e6:.1f} MB), sha256 {made.digest}",
        f"{folder}: {WARNING}" if (folder / "data" / KEY_FILE).exists() else f"{folder}: the archive has no {KEY_FILE}",
    ]
    finish({"archive": str(archive), "handover": str(folder), **asdict(made)}, lines, as_json=as_json, always=True)


def _about(archive: Path, db: Database) -> str:
    """Return the text of HANDOVER.md. Raises `BadKey` where a key is lost, `ReleaseRefused`, OSError."""
    entries = Register(archive).entries()
    if (archive / KEY_FILE).exists() or has_pseudonyms(db):
        read_key(archive, wanted=True)
    if entries:
        release_key(archive, entries)
    numbers = {
        name: int(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
        for name in ("clinics", "captures", "posts", "withdrawals")
    }
    words = {name: counted(numbers[name], name.removesuffix("s")) for name in ("clinics", "captures", "posts")}
    return _ABOUT.format(
        software=f"{PRODUCT}/{VERSION}", warning=WARNING, key=KEY_FILE, **words,
        takedowns=counted(numbers["withdrawals"], "takedown"), releases=counted(len(entries), "release"),
    )  # fmt: skip


@command.command("verify", short_help="Check a handover.", epilog=examples("clinic-archive handover verify ~/handover"))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@json_option
def check(folder: Path, as_json: bool) -> None:
    """Compare every file of a handover with its hash. Exit 6 and a line for each damaged, missing or additional one."""
    with exit_on_error(folder):
        faults = handover.verify(folder)
        if faults:
            print_problems([f"{folder}: {fault}" for fault in faults], about=folder, noun="fault")
            finish({"faults": faults}, [], as_json=as_json, code=ExitCode.INTEGRITY)
        sha256 = digest(folder)
    summary = {"digest": sha256, "faults": faults}
    finish(summary, [f"{folder}: whole, sha256 {sha256}"], as_json=as_json, always=True)
