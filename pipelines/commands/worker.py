"""`clinic-archive worker`: visit the clinics of a shard's queue, until a signal."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import click

from pipelines.commands._cluster import broker_option, cluster_extra, every_option, redis_errors, whole_frame
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import (
    Duration,
    archive_option,
    clinics_file_option,
    delay_option,
    examples,
    shard_option,
    verbose_option,
)
from pipelines.commands._output import fail
from pipelines.commands._process import crawl_settings
from pipelines.commands._run import refuse_other_key
from pipelines.commands._visits import Limits
from pipelines.exit_codes import ExitCode
from scraper.config.clinics import read_clinics, refuse_placeholder
from scraper.config.shard import Shard


@click.command(
    short_help="Visit the clinics that `enqueue` put into the queue of a shard.",
    epilog=examples(
        "clinic-archive worker --shard 3/8 --archive /srv/shard-3 --broker redis://10.0.0.5:6379/0",
        "clinic-archive worker --shard 3/8 --archive /srv/restored-3 --take-over",
    ),
)
@archive_option
@clinics_file_option
@shard_option
@broker_option
@every_option
@click.option(
    "--time-limit",
    type=Duration(least=0.001),
    default="6h",
    show_default=True,
    help="End a visit cleanly after this time; the clinic's next visit continues.",
)
@click.option("--take-over", is_flag=True, help="This archive replaces that of a host that is lost.")
@delay_option
@verbose_option
def command(
    archive: Path,
    clinics_file: Path,
    shard: Shard | None,
    broker: str,
    every: float,
    time_limit: float,
    take_over: bool,
    delay: float | None,
    verbose: bool,
) -> None:
    """Hold the archive's lock, and visit the clinics of the shard's queue side by side (docs/cluster.md).

    A message is acknowledged when its visit has ended in the archive's log. A second worker of the archive is a
    standby: it waits for the lock, and takes no message before. SIGTERM ends the visits cleanly, and puts their
    messages back: exit code 0. Stop the worker before you run another command that writes to the archive.
    """
    shard = shard or whole_frame()
    with cluster_extra():
        from pipelines.cluster.leases import OtherCopy  # noqa: PLC0415
        from pipelines.cluster.queue import connect_broker  # noqa: PLC0415
        from pipelines.cluster.worker import ShardWorker, work  # noqa: PLC0415
    with exit_on_error(clinics_file):
        listed = read_clinics(clinics_file).of_shard(shard)
        refuse_placeholder(listed.crawler_config, listed, clinics_file)
    refuse_other_key(archive, listed)
    limits = Limits(timedelta(seconds=every), time_limit)
    job = ShardWorker(archive, clinics_file, shard, limits, take_over)
    with exit_on_error(archive, "choose another --archive"), redis_errors(broker):
        try:
            settings = partial(crawl_settings, archive, clinics_file, listed, delay, verbose)
            ended = work(job, connect_broker(broker), settings, listed)
        except OtherCopy as error:
            fail(f"{archive}: {error}", ExitCode.BAD_CONFIG)
    if ended:
        fail(ended, ExitCode.UNEXPECTED)
