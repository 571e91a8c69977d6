"""`clinic-archive serve`: browse and query the archive with Datasette, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

from archive.db import DATABASE, ArchiveError, open_archive
from pipelines import report

SITE = Path(__file__).resolve().parents[2] / "archive" / "site"


@click.command(short_help="Browse and query the archive with Datasette.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0: any free one.")
def command(archive: Path, port: int) -> None:
    """Serve the archive read-only at http://127.0.0.1:PORT until Ctrl-C. A crawl may write at the same time."""
    try:
        open_archive(archive, "read").close()
    except (ArchiveError, FileNotFoundError) as error:
        click.echo(str(error), err=True)
        sys.exit(report.INTEGRITY if isinstance(error, ArchiveError) else report.UNEXPECTED)
    port = port or free_port()
    click.echo(f"http://127.0.0.1:{port}/")
    sys.stdout.flush()
    # A process of its own name: signals reach Datasette directly, and nothing of ours stays in memory.
    os.execv(sys.executable, [sys.executable, "-m", "datasette", "serve", *arguments(archive, port)])


def arguments(archive: Path, port: int) -> list[str]:
    """Datasette's command line: the live file (never immutable: that shows a live WAL database empty)."""
    return [
        str(archive / DATABASE),
        "--host", "127.0.0.1",
        "--port", str(port),
        "--metadata", str(SITE / "metadata.yaml"),
        "--setting", "suggest_facets", "off",
        "--setting", "sql_time_limit_ms", "3000",
        "--setting", "default_page_size", "50",
        "--setting", "facet_time_limit_ms", "1000",
        "--setting", "max_csv_mb", "0",
        "--setting", "truncate_cells_html", "300",
    ]  # fmt: skip


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
