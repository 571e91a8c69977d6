"""`clinic-archive serve`: browse and query the archive with Datasette, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

import archive as durable
from archive.backup.published import FOLDER
from archive.db import DATABASE, ArchiveError, OlderSchema, open_archive
from pipelines.commands._archive import fail, read_only
from pipelines.exit_codes import ExitCode

SITE = Path(durable.__file__).parent / "site"


@click.command(short_help="Browse and query the archive with Datasette.")
@click.option("--archive", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0: any free one.")
@click.option(
    "--published", is_flag=True, help="Show the copy that `clinic-archive publish` made last, not the archive."
)
@click.option("--with-comment-captures", is_flag=True, help="Give out records that name those who comment.")
def command(archive: Path, port: int, published: bool, with_comment_captures: bool) -> None:
    """Serve the archive read-only at http://127.0.0.1:PORT until Ctrl-C. A crawl may write at the same time.

    The address is printed just before it listens: it answers within seconds.
    """
    if published:
        archive = _published(archive)
    else:
        read_only(archive).close()
    if port and not is_free(port):
        fail(
            f"127.0.0.1:{port} is taken; stop what listens there, or name another --port (0: any)",
            ExitCode.UNEXPECTED,
        )
    port = port or free_port()
    click.echo(f"http://127.0.0.1:{port}/")
    sys.stdout.flush()
    if with_comment_captures:
        os.environ["CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES"] = "1"
    else:
        os.environ.pop("CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES", None)
    # A process of its own name: signals reach Datasette directly, and nothing of ours stays in memory.
    os.execv(sys.executable, [sys.executable, "-m", "datasette", "serve", *arguments(archive, port)])  # noqa: S606


def _published(archive: Path) -> Path:
    """The folder of the published copy; else the process ends."""
    try:
        open_archive(archive / FOLDER, "read").close()
    except (FileNotFoundError, OlderSchema):
        why = f"{archive}: nothing is published, or by an older version; `clinic-archive publish --archive {archive}`"
        fail(why, ExitCode.BAD_CONFIG)
    except ArchiveError:
        read_only(archive / FOLDER)  # says it
    return archive / FOLDER


def arguments(archive: Path, port: int) -> list[str]:
    """Datasette's command line: the live file (never immutable: that shows a live WAL database empty)."""
    return [
        str(archive / DATABASE),
        "--host", "127.0.0.1",
        "--port", str(port),
        "--metadata", str(SITE / "metadata.yaml"),
        "--plugins-dir", str(SITE / "plugins"),
        "--template-dir", str(SITE / "templates"),
        "--static", f"site:{SITE / 'static'}",
        "--setting", "suggest_facets", "off",
        "--setting", "sql_time_limit_ms", "10000",
        "--setting", "default_page_size", "50",
        "--setting", "facet_time_limit_ms", "1000",
        "--setting", "max_csv_mb", "0",
        # Texts are told in full on a row's own page.
        "--setting", "truncate_cells_html", "120",
    ]  # fmt: skip


def is_free(port: int) -> bool:
    """Nobody listens on this port of the loopback interface."""
    with socket.socket() as probe:
        # As the server will: a port that only waits for its last packets is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
