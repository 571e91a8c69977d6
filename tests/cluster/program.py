"""Workers with a short heartbeat, for which tests need not wait, forked from a process that has imported all of it."""

from __future__ import annotations

import os
from pathlib import Path

import scrapy.core.downloader.contextfactory
import scrapy.core.engine
import scrapy.core.scraper  # noqa: F401 # Scrapy imports these when a visit begins

import pipelines.commands.worker
import pipelines.components.item_pipelines
import pipelines.components.rendered  # noqa: F401 # these, too
from pipelines.cluster import leases, queue, worker
from pipelines.commands import main

HEARTBEAT = 600  # milliseconds


def work(folder: Path, errors: Path, arguments: list[str]) -> None:
    """Run `clinic-archive worker` in this process, which is a new one; what it prints goes to a file."""
    file = os.open(errors, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.chdir(folder)
    queue.HEARTBEAT_TIMEOUT, queue.MAINTENANCE = HEARTBEAT, 1_000_000
    leases.RENEWED, leases.LEASE = 0.3, 2.0
    worker.SOON = 0.2
    main(["worker", *arguments])
