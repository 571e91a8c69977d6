"""`clinic-archive schedule`: the lines with which cron or systemd crawls this archive every day."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import click

from pipelines.commands._options import Duration, clinics_file_option, examples
from pipelines.commands._output import fail
from pipelines.commands._ping import VARIABLE
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo

UNIT_PREFIX = "clinic-archive"  # names of the units begin with it
USER = "clinic-archive"  # the user that runs the jobs where root runs this command: root must not crawl
MAKE_USER = "Where there is no such user yet: useradd --system --create-home {user}"
SPREAD = 900  # seconds within which a run begins at random, so that no site is visited exactly on the hour
# Seconds that the end of a run takes at most: a request in flight has 60, and waits for its turn where several clinics
# share a host (60); then the last rows are moved (30), and a watcher is notified (21).
STOPPING = 180


class Schedule(NamedTuple):
    """The commands to schedule for one archive, and as which user and at which minute they run."""

    crawl: list[str]
    status: list[str]
    verify: list[str]
    backup: list[str]  # in a comment: its folder is not known
    user: str
    minute: int
    archive: Path


@click.command(
    short_help="Print the lines for cron or systemd.",
    epilog=examples(
        "clinic-archive schedule --archive ~/clinics",
        "clinic-archive schedule --systemd --archive /srv/clinics --time-limit 4h",
    ),
)
@click.option("--cron", is_flag=True, help="Print lines of a crontab (the default).")
@click.option("--systemd", is_flag=True, help="Print services and timers.")
@click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the archive; default: var, which is refused inside a git checkout.",
)
@clinics_file_option
@click.option(
    "--time-limit", type=Duration(least=0.001), default="6h", show_default=True, help="Time limit of each crawl."
)
def command(cron: bool, systemd: bool, archive: Path | None, clinics_file: Path, time_limit: float) -> None:
    """Print what to install for a daily crawl, a daily `status` and a weekly `verify`. Nothing is installed.

    Paths are absolute. The minute depends on the archive, and each run begins up to 15 minutes after it, at random. It
    is no failure when another run holds the archive (75) or a time limit ends the crawl (130). The jobs must not run as
    root. Where there is no clinics file: exit 4.
    """
    if cron and systemd:
        raise click.UsageError("give --cron or --systemd, not both")
    folder = (archive or Path("var")).absolute()
    if archive is None and (checkout := _checkout_of(folder)) is not None:
        fail(
            f"{folder} lies in the git checkout {checkout}, whose clean-up may remove it: name a folder"
            " outside with --archive DIR (or this one, if that is intended)",
            ExitCode.BAD_CONFIG,
        )
    if not clinics_file.is_file():
        fail(f"{clinics_file}: no such file; name it with --clinics-file", ExitCode.BAD_CONFIG)
    job = _job(folder, clinics_file.absolute(), time_limit)
    echo(_systemd(job) if systemd else _cron(job))


def _job(archive: Path, clinics_file: Path, time_limit: float) -> Schedule:
    program = str(Path(sys.executable).absolute().with_name("clinic-archive"))
    options = ["--archive", str(archive)]
    limits = ["--clinics-file", str(clinics_file), "--time-limit", _duration(time_limit)]
    # Not 15 to 29 nor 45 to 59: east of Greenwich, where 3:30 or 4 o'clock is midnight in UTC, some runs would begin
    # before it and some after, and every other day of `coverage` would have none.
    minute = int(hashlib.sha256(str(archive).encode()).hexdigest(), 16) % 30
    return Schedule(
        crawl=[program, "crawl", *options, *limits],
        status=[program, "status", "-q", *options],
        verify=[program, "verify", *options],
        backup=[program, "backup", "DIR", *options],
        user=USER if os.geteuid() == 0 else getpass.getuser(),
        minute=minute + 15 if minute >= 15 else minute,
        archive=archive,
    )


def _duration(seconds: float) -> str:
    """A length of time in the largest unit that gives a whole number: "6h"."""
    units = ((unit, size) for unit, size in reversed(Duration.UNITS.items()) if seconds % size == 0)
    unit, size = next(units, ("s", 1))
    return f"{seconds / size:.12g}{unit}"


def _checkout_of(folder: Path) -> Path | None:
    """The git checkout that the folder lies in."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def _cron(job: Schedule) -> str:
    # In a crontab an unescaped % ends the command.
    crawl, status, verify, backup = (
        shlex.join(command).replace("%", r"\%") for command in (job.crawl, job.status, job.verify, job.backup)
    )
    # awk is everywhere; shuf is not on macOS, and sh has no $RANDOM.
    pause = f"sleep \"$(awk 'BEGIN {{ srand(); print int(rand() * {SPREAD}) }}')\""
    return f"""\
# Install with: crontab -u {job.user} -e   (the user must own {job.archive}; not root)
# Nothing is mailed when all is well. Problems are mailed, one line each; while one stays, crawl repeats it once a week,
# status and verify each time, and so does a crawl that finds the archive held by another run.
# {MAKE_USER.format(user=job.user)}
# Once: install -d -o {job.user} -m 750 {shlex.quote(str(job.archive))}
# MAILTO: an address that somebody reads; cron needs a mail server (such as msmtp-mta) to reach it.
MAILTO={job.user}
{job.minute} 3 * * * {pause}; {crawl} || case $? in ({ExitCode.LOCKED}|{ExitCode.STOPPED}) true;; (*) false;; esac
{job.minute} 12 * * * {status}
{job.minute} 13 * * 0 {verify}
# To be completed (DIR on another disk): {(job.minute + 40) % 60} 5 * * * {backup}
# A watcher outside notices a machine that is off. To notify one, put above these lines: {VARIABLE}=https://..."""


def _quoted(text: str | Path) -> str:
    """A word of a unit file, as systemd.syntax(7) has it: inside its quotes backslashes and % are doubled."""
    plain = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if set(plain) & set(" \t'\"\\") else plain


def _systemd(job: Schedule) -> str:
    # systemd expands $ in the commands that it starts, too.
    crawl, status, verify = (
        " ".join(map(_quoted, command)).replace("$", "$$") for command in (job.crawl, job.status, job.verify)
    )
    backup = " ".join(map(_quoted, job.backup))
    name = _unit_name(job.archive)
    head = f"# {MAKE_USER.format(user=job.user)}\n# To be completed (DIR on another disk), daily: {backup}\n\n"
    units = (
        SystemdUnit(name, "Crawl the clinics' blogs", crawl, f"*-*-* 03:{job.minute:02}:00", _environment(name)),
        SystemdUnit(f"{name}-status", "Check that the clinics were observed", status, f"*-*-* 12:{job.minute:02}:00"),
        SystemdUnit(f"{name}-verify", "Verify the archive of clinics' blogs", verify, f"Sun 13:{job.minute:02}:00"),
    )
    return head + "\n".join(_unit(unit, job) for unit in units)


class SystemdUnit(NamedTuple):
    """A service and its timer."""

    name: str
    description: str
    command: str
    calendar: str
    environment: str = ""


def _unit_name(archive: Path) -> str:
    """ "clinic-archive-clinics-3f2a": differs for each archive of a machine, also where their folders share a name."""
    folder = re.sub(r"[^A-Za-z0-9]+", "-", archive.name)[:40].strip("-")
    digest = hashlib.sha256(str(archive).encode("utf-8", "surrogateescape")).hexdigest()[:4]
    return "-".join(filter(None, (UNIT_PREFIX, folder, digest)))


def _environment(name: str) -> str:
    # Not Environment=, which `systemctl show` prints for everybody.
    return f"""\
# {VARIABLE}=https://... in this file, readable by root alone, notifies a watcher outside.
EnvironmentFile=-/etc/{name}.env
"""


def _unit(unit: SystemdUnit, job: Schedule) -> str:
    return f"""\
# /etc/systemd/system/{unit.name}.service   ({job.archive} must be there and belong to {job.user})
[Unit]
Description={unit.description}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={job.user}
{unit.environment}ExecStart={unit.command}
SuccessExitStatus={ExitCode.LOCKED} {ExitCode.STOPPED}
UMask=0027
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={_quoted(job.archive)}
PrivateTmp=yes
TimeoutStopSec={STOPPING}

# /etc/systemd/system/{unit.name}.timer   (then: systemctl enable --now {unit.name}.timer)
[Unit]
Description={unit.description}: when

[Timer]
OnCalendar={unit.calendar}
RandomizedDelaySec={SPREAD}
Persistent=yes

[Install]
WantedBy=timers.target
"""
