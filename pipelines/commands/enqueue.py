"""`clinic-archive enqueue`: put the clinics of a shard that are due into its queue."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from archive.db import DATABASE, ArchiveError, NewerSchema, NotAnArchive, open_archive
from archive.lock import LOCK_FILE
from archive.reports.shards import SEEN_FILE
from archive.rows.due import Due, due_clinics
from archive.rows.withdrawals import blocked_clinics
from pipelines.commands._cluster import broker_option, cluster_extra, every_option, redis_errors, whole_frame
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option, shard_option
from pipelines.commands._output import counted, fail, finish
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from pipelines.run.key import KEY_FILE
from pipelines.run.notices import MEMORY_FILE
from scraper.config.clinics import read_clinics
from scraper.config.shard import Shard

PATIENCE = 5.0  # seconds
LOG = "log"
# One of these is in the folder of each archive, also before its first visit: `enqueue` itself writes into log/. Other
# folders have a log/, too (/var), so that only a file of this program in it counts.
_OF_ARCHIVES = {DATABASE, KEY_FILE, LOCK_FILE, "warc"}
_OF_LOGS = {"crawl.log", SEEN_FILE.name, MEMORY_FILE.name}


@click.command(
    short_help="Put the clinics that are due into the queue of their shard.",
    epilog=examples(
        "clinic-archive enqueue --shard 3/8 --archive /srv/shard-3 --broker redis://10.0.0.5:6379/0",
        "clinic-archive enqueue --every 7d --json",
    ),
)
@archive_option
@clinics_file_option
@shard_option
@broker_option
@every_option
@json_option
def command(archive: Path, clinics_file: Path, shard: Shard | None, broker: str, every: float, as_json: bool) -> None:
    """Put each clinic of the shard into the queue that is due and not in it: a worker visits it (docs/cluster.md).

    A clinic is due when its last visit began longer ago than --every. The archive is only read; its folder must be
    there, also before the first worker makes the archive in it. Run it every few minutes, as by a timer: run again, it
    adds nothing that is there; what a lost queue held comes back.
    """
    shard = shard or whole_frame()
    with cluster_extra():
        from pipelines.cluster.leases import save_shards  # noqa: PLC0415
        from pipelines.cluster.queue import connect_broker, enqueue, queue_of  # noqa: PLC0415
    now = datetime.now(UTC)
    with exit_on_error(clinics_file):
        clinics = [clinic.slug for clinic in read_clinics(clinics_file).of_shard(shard).to_visit([])]
    with exit_on_error(archive), redis_errors(broker):
        _refuse_other_folder(archive)
        found = _due(archive, clinics, timedelta(seconds=every), now)
        queue = connect_broker(broker)
        added = enqueue(queue, queue_of(shard), found)
        others = save_shards(queue.client, archive, shard.total, now)
    for line in others:
        echo(line, err=True)
    summary = {"archive": str(archive), "queue": queue_of(shard), "due": len(found), "added": added}
    line = "another process does the same now" if added is None else f"{counted(added, 'clinic')} added"
    finish(summary, [f"{queue_of(shard)}: {len(found):,} due, {line}"], as_json=as_json)


def _refuse_other_folder(archive: Path) -> None:
    """End the process where the folder is missing, or holds other things than an archive.

    A folder that is wrongly named would have every clinic due, although another one has their visits.
    """
    advice = "correct --archive, or make the archive with `clinic-archive shard init`, or start its worker first"
    if not archive.is_dir():
        fail(f"{archive}: no such folder, nothing enqueued; {advice}", ExitCode.BAD_CONFIG)
    with exit_on_error(archive, "nothing enqueued"):
        names = {path.name for path in archive.iterdir()} - {"lost+found"}
        log = {path.name for path in (archive / LOG).iterdir()} if (archive / LOG).is_dir() else {LOG}
    if not log:  # a worker that starts makes it first
        names -= {LOG}
    if names and not names & _OF_ARCHIVES and not log & _OF_LOGS:
        fail(f"{archive}: other files and no archive in it, nothing enqueued; {advice}", ExitCode.BAD_CONFIG)


def _due(archive: Path, clinics: Sequence[str], every: timedelta, now: datetime) -> list[Due]:
    """Return the clinics that are due; all where the first worker has not made the archive yet.

    In the moment in which a worker makes or migrates archive.db it cannot be read: it is tried for some seconds. Raises
    as `open_archive`.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(open_archive(archive, "read")) as db:
                blocked = blocked_clinics(db)
                return due_clinics(db.conn, [slug for slug in clinics if slug not in blocked], every, now)
        except FileNotFoundError:
            return due_clinics(None, clinics, every, now)
        except (NewerSchema, NotAnArchive):
            raise
        except (ArchiveError, sqlite3.OperationalError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
