"""`clinic-archive enqueue`: put the clinics of a shard that are due into its queue."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from archive.db import open_archive
from archive.rows.withdrawals import blocked_clinics
from pipelines.commands._cluster import broker_option, cluster_extra, every_option, redis_errors, whole_frame
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, clinics_file_option, examples, json_option, shard_option
from pipelines.commands._output import counted, finish
from pipelines.printing import echo
from scraper.config.clinics import read_clinics
from scraper.config.shard import Shard


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

    A clinic is due when its last visit began longer ago than --every. The archive is only read. Run it every few
    minutes, as by a timer: run again, it adds nothing that is there; what a lost queue held comes back.
    """
    shard = shard or whole_frame()
    with cluster_extra():
        from archive.rows.due import due_clinics  # noqa: PLC0415
        from pipelines.cluster.leases import note_shards  # noqa: PLC0415
        from pipelines.cluster.queue import connect, enqueue, queue_of  # noqa: PLC0415
    now = datetime.now(UTC)
    with exit_on_error(clinics_file):
        clinics = [clinic.slug for clinic in read_clinics(clinics_file).of_shard(shard).to_visit([])]
    with exit_on_error(archive), redis_errors(broker):
        try:
            with closing(open_archive(archive, "read")) as db:
                blocked = blocked_clinics(db)
                open_ = [slug for slug in clinics if slug not in blocked]
                found = due_clinics(db.conn, open_, timedelta(seconds=every), now)
        except FileNotFoundError:  # the first worker makes the archive
            found = due_clinics(None, clinics, timedelta(seconds=every), now)
        queue = connect(broker)
        added = enqueue(queue, queue_of(shard), found)
        others = note_shards(queue.client, archive, shard.total, now)
    for line in others:
        echo(line, err=True)
    summary = {"archive": str(archive), "queue": queue_of(shard), "due": len(found), "added": added}
    line = "another process does the same now" if added is None else f"{counted(added, 'clinic')} added"
    finish(summary, [f"{queue_of(shard)}: {len(found):,} due, {line}"], as_json=as_json)
