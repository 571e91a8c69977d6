"""`clinic-archive schedule`: the lines that make cron or systemd crawl this archive every day."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shlex
import sys
from pathlib import Path

import click

from pipelines.commands._archive import Duration, fail
from pipelines.commands._ping import VARIABLE
from pipelines.exit_codes import ExitCode

CRAWL = "clinic-archive"  # what the names of the units begin with
USER = "clinic-archive"  # where the one who asks is root, who should not crawl
_MAKE_USER = "Where there is no such user yet: useradd --system --create-home {user}"
SPREAD = 900  # seconds within which a run begins at random, so that no site is met on the stroke of the hour
# Seconds that an ending takes at most: an answer that is under way has 60, and waits for its turn where several clinics
# share a host (60); then the last rows are moved (30), and a watcher is told (21).
STOPPING = 180


@click.command(short_help="Print the lines for cron or systemd.")
@click.option("--cron", is_flag=True, help="Lines of a crontab (the default).")
@click.option("--systemd", is_flag=True, help="Services and timers.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path),
              help="A folder outside every git checkout; inside one only where it is named here.")  # fmt: skip
@click.option("--clinics-file", type=click.Path(dir_okay=False, path_type=Path), default=Path("clinics.toml"),
              show_default=True, help="Who is crawled.")  # fmt: skip
@click.option("--time-limit", type=Duration(least=0.001), default="6h", show_default=True,
              help="Of each crawl.")  # fmt: skip
def command(cron: bool, systemd: bool, archive: Path | None, clinics_file: Path, time_limit: float) -> None:
    """Print what to install for a crawl and a `status` a day, and a `verify` a week. Nothing is installed.

    Paths are absolute; the minute is this archive's own, and a run begins up to 15 minutes after it, at random. An
    archive that another run holds (75) is no failure, nor is a crawl that its time limit ended (130). It is to be run
    by a user who is not root. A clinics file that is not there is exit 4.
    """
    if cron and systemd:
        raise click.UsageError("say --cron or --systemd, not both")
    where = (archive or Path("var")).absolute()
    if archive is None and (checkout := _checkout_of(where)) is not None:
        fail(
            f"{where} lies in the git checkout {checkout}, which a later clean-up may take with it: name a folder"
            " outside with --archive DIR (or this one, if that is meant)",
            ExitCode.BAD_CONFIG,
        )
    if not clinics_file.is_file():
        fail(f"{clinics_file}: no such file; name it with --clinics-file", ExitCode.BAD_CONFIG)
    program = Path(sys.executable).absolute().with_name("clinic-archive")
    listed = ["--clinics-file", clinics_file.absolute(), "--time-limit", _words(time_limit)]
    crawl = [str(one) for one in (program, "crawl", "--archive", where, *listed)]
    verify = [str(one) for one in (program, "verify", "--archive", where)]
    status = [str(one) for one in (program, "status", "-q", "--archive", where)]
    user = USER if os.geteuid() == 0 else getpass.getuser()
    # Not 15 to 29 nor 45 to 59: east of Greenwich, where 3:30 or 4 o'clock is midnight in UTC, some runs would begin
    # before it and some after, and every other day of `coverage` be without one.
    minute = int(hashlib.sha256(str(where).encode()).hexdigest(), 16) % 30
    minute += 15 if minute >= 15 else 0
    made = _systemd if systemd else _cron
    click.echo(made(crawl, verify, status, user, minute, where))


def _words(seconds: float) -> str:
    """A length of time in its largest whole unit: "6h"."""
    units = ((unit, size) for unit, size in reversed(Duration.UNITS.items()) if seconds % size == 0)
    unit, size = next(units, ("s", 1))
    return f"{seconds / size:.12g}{unit}"


def _checkout_of(folder: Path) -> Path | None:
    """The git checkout that the folder lies in."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def _cron(crawl: list[str], verify: list[str], status: list[str], user: str, minute: int, archive: Path) -> str:
    # In a crontab an unescaped % ends the command.
    first, second, third = (shlex.join(command).replace("%", r"\%") for command in (crawl, verify, status))
    backup = shlex.join([crawl[0], "backup", "DIR", "--archive", str(archive)]).replace("%", r"\%")
    # awk is everywhere; shuf is not on macOS, and sh has no $RANDOM.
    pause = f"sleep \"$(awk 'BEGIN {{ srand(); print int(rand() * {SPREAD}) }}')\""
    return f"""\
# Install with: crontab -u {user} -e   (the user must own {archive}; not root)
# Silent when all is well. What goes wrong is mailed, one line a problem; while it stays, crawl says it once a week,
# status and verify each time, and so does a crawl that finds the archive held by another run.
# {_MAKE_USER.format(user=user)}
# Once: install -d -o {user} -m 750 {shlex.quote(str(archive))}
# MAILTO: an address that somebody reads; cron wants a mail server (such as msmtp-mta) to reach it.
MAILTO={user}
{minute} 3 * * * {pause}; {first} || case $? in ({ExitCode.LOCKED}|{ExitCode.STOPPED}) true;; (*) false;; esac
{minute} 12 * * * {third}
{minute} 13 * * 0 {second}
# To be completed (DIR on another disk): {(minute + 40) % 60} 5 * * * {backup}
# A watcher outside notices a machine that is off. A line above these tells it: {VARIABLE}=https://..."""


def _quoted(text: str | Path) -> str:
    """A word of a unit file, as systemd.syntax(7) has it: inside its quotes backslashes and % are doubled."""
    plain = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if set(plain) & set(" \t'\"\\") else plain


def _systemd(crawl: list[str], verify: list[str], status: list[str], user: str, minute: int, archive: Path) -> str:
    # Of what is started, systemd expands $ too.
    first, second, third = (" ".join(map(_quoted, command)).replace("$", "$$") for command in (crawl, verify, status))
    backup = " ".join(map(_quoted, [crawl[0], "backup", "DIR", "--archive", str(archive)]))
    name = _unit_name(archive)
    head = f"# {_MAKE_USER.format(user=user)}\n# To be completed (DIR on another disk), daily: {backup}\n\n"
    return head + "\n".join(
        _unit(unit, words, line, when, user, archive, more)
        for unit, words, line, when, more in (
            (name, "Crawl the clinics' blogs", first, f"*-*-* 03:{minute:02}:00", _watcher(name)),
            (f"{name}-status", "Ask whether the clinics were observed", third, f"*-*-* 12:{minute:02}:00", ""),
            (f"{name}-verify", "Verify the archive of clinics' blogs", second, f"Sun 13:{minute:02}:00", ""),
        )
    )


def _unit_name(archive: Path) -> str:
    """ "clinic-archive-clinics-3f2a": its own for each archive of a machine, also where their folders have one name."""
    folder = re.sub(r"[^A-Za-z0-9]+", "-", archive.name)[:40].strip("-")
    place = hashlib.sha256(str(archive).encode("utf-8", "surrogateescape")).hexdigest()[:4]
    return "-".join(filter(None, (CRAWL, folder, place)))


def _watcher(name: str) -> str:
    # Not Environment=, which `systemctl show` tells everybody.
    return f"""\
# {VARIABLE}=https://... in this file, root's alone, tells a watcher outside.
EnvironmentFile=-/etc/{name}.env
"""


def _unit(name: str, words: str, line: str, when: str, user: str, archive: Path, more: str) -> str:
    return f"""\
# /etc/systemd/system/{name}.service   ({archive} must be there and belong to {user})
[Unit]
Description={words}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={user}
{more}ExecStart={line}
SuccessExitStatus={ExitCode.LOCKED} {ExitCode.STOPPED}
UMask=0027
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={_quoted(archive)}
PrivateTmp=yes
TimeoutStopSec={STOPPING}

# /etc/systemd/system/{name}.timer   (then: systemctl enable --now {name}.timer)
[Unit]
Description={words}: when

[Timer]
OnCalendar={when}
RandomizedDelaySec={SPREAD}
Persistent=yes

[Install]
WantedBy=timers.target
"""
