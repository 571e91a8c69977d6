"""`clinic-archive handover`: all that a successor needs, in one folder; `handover verify` checks it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import click
from sqlite_utils import Database

from archive.backup import handover
from archive.backup.snapshots import BackupDamaged, BackupRefused
from archive.release import Register
from archive.release.bag import bag_digest
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
from scraper.addresses import is_private_host
from scraper.config.clinics import PRODUCT, VERSION
from scraper.config.sampling_frame import format_stanza

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
_UNLISTED = """
## Clinics without a stanza

No crawl of `clinics.toml` visits these clinics: your predecessor gave them with `crawl --url`, or removed their stanza.
To go on with one, add its stanza to `/srv/clinics/clinics.toml`, under the same slug:

```toml
{stanzas}```
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
    part = handover.unfinished_folder(folder.absolute())
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
                unlisted = _without_stanza(db, clinics_file)
                about = _about(archive, db, [clinic.stanza for clinic in unlisted])
            try:
                made = handover.hand_over(
                    archive,
                    folder.absolute(),
                    parts=(IMPORTS, STUDY, KEY_FILE),
                    config=clinics_file,
                    about=about,
                    software=f"{PRODUCT}/{VERSION}",
                )
            except BackupDamaged as error:
                print_problems(error.lines, about=archive)
                fail(f"{archive}: {counted(len(error.lines), 'fault')}; no handover was made", ExitCode.INTEGRITY)
    finally:
        lock.release()
    lines = [
        f"{folder}: {counted(made.files, 'file')} ({made.bytes / 1e6:.1f} MB), sha256 {made.digest}",
        f"{folder}: {WARNING}" if (folder / "data" / KEY_FILE).exists() else f"{folder}: the archive has no {KEY_FILE}",
    ]
    if unlisted:
        lines.append(f"{folder}: {_unlisted_line(unlisted)}")
    summary = {"archive": str(archive), "handover": str(folder), **asdict(made)}
    without = [{"clinic_id": clinic.slug, "url": clinic.url} for clinic in unlisted]
    finish({**summary, "without_stanza": without}, lines, as_json=as_json, always=True)


class _Unlisted(NamedTuple):
    """A clinic of the archive that the list of clinics does not name, and the stanza that it would have."""

    slug: str
    url: str
    stanza: str


def _without_stanza(db: Database, clinics_file: Path) -> list[_Unlisted]:
    """Return the clinics without a stanza, by slug. A list of clinics that cannot be read names none."""
    listed: object = None
    with suppress(tomllib.TOMLDecodeError, UnicodeDecodeError):
        listed = tomllib.loads(clinics_file.read_text("utf-8")).get("clinics")
    listed = listed if isinstance(listed, dict) else {}
    columns = "clinic_id, name, url, comments_policy, privacy, timezone, closed_on"
    found = []
    for slug, name, url, comments, privacy, timezone, closed_on in db.execute(
        f"SELECT {columns} FROM clinics ORDER BY clinic_id"
    ).fetchall():
        if slug not in listed:
            rows = db.execute("SELECT name, value FROM clinic_attributes WHERE clinic_id = ? ORDER BY name", [slug])
            head, whole = format_stanza(slug, name, url), format_stanza(slug, name, url, dict(rows.fetchall()))
            settings = [f'comments = "{comments}"', f'privacy = "{privacy}"']
            if timezone in available_timezones():  # one that a page names may be anything
                settings.append(f'timezone = "{timezone}"')
            if closed_on is not None:
                settings.append(f"closed = {closed_on}")
            if is_private_host(urlsplit(url).hostname or ""):
                settings.append("allow_private = true")
            found.append(_Unlisted(slug, url, "".join([head, *(f"{line}\n" for line in settings), whole[len(head) :]])))
    return found


def _unlisted_line(unlisted: Sequence[_Unlisted]) -> str:
    named = ", ".join(f"{clinic.slug} ({clinic.url})" for clinic in unlisted[:3])
    more = f" and {len(unlisted) - 3:,} more" if len(unlisted) > 3 else ""
    have, them = ("has", "it") if len(unlisted) == 1 else ("have", "them")
    return (
        f"{counted(len(unlisted), 'clinic')} {have} no stanza in clinics.toml, so that no crawl of that list visits"
        f" {them}: {named}{more}; data/HANDOVER.md has what to add"
    )


def _about(archive: Path, db: Database, stanzas: Sequence[str]) -> str:
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
    about = _ABOUT.format(
        software=f"{PRODUCT}/{VERSION}",
        warning=WARNING,
        key=KEY_FILE,
        **words,
        takedowns=counted(numbers["withdrawals"], "takedown"),
        releases=counted(len(entries), "release"),
    )
    return about + (_UNLISTED.format(stanzas="\n".join(stanzas)) if stanzas else "")


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
        sha256 = bag_digest(folder)
    summary = {"digest": sha256, "faults": faults}
    finish(summary, [f"{folder}: whole, sha256 {sha256}"], as_json=as_json, always=True)
