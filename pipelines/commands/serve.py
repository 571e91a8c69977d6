"""`clinic-archive serve`: browse and query the archive with Datasette, on this machine only."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

import archive as durable
from archive.backup.published import FOLDER, lacking
from archive.db import DATABASE, ArchiveError, OlderSchema, open_archive
from archive.site.front.about import CONTACT, PROJECT_URL
from archive.site.visitors.door import BASE_URL
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import archive_option, clinics_file_option, examples
from pipelines.commands._output import fail
from pipelines.commands._site import site_address
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from scraper.config.clinics import read_clinics
from scraper.config.site import base_address
from scraper.config.toml_file import ConfigError

SITE = Path(durable.__file__).parent / "site"


@click.command(
    short_help="Browse and query the archive with Datasette.",
    epilog=examples(
        "clinic-archive serve --archive ~/clinics",
        "clinic-archive serve --published --base-url https://archive.example",
    ),
)
@archive_option
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0: any free one.")
@click.option(
    "--base-url",
    metavar="URL",
    help="Public address of the site, for permalinks, feeds and citations; default: [site] base_url of clinics.toml.",
)
@clinics_file_option
@click.option("--published", is_flag=True, help="Serve the last copy made by `clinic-archive publish`.")
@click.option("--with-comment-captures", is_flag=True, help="Serve records that name the authors of comments, too.")
def command(
    archive: Path, port: int, base_url: str | None, clinics_file: Path, published: bool, with_comment_captures: bool
) -> None:
    """Serve the archive read-only at http://127.0.0.1:PORT until Ctrl-C. A crawl may run at the same time.

    The address is printed just before the server starts; it answers within seconds. A proxy that makes the site public
    needs --base-url: requests under any other name than that and this machine's are refused.
    """
    public = _base_url(base_url, clinics_file)
    if published:
        archive = _published(archive)
    else:
        read_only(archive).close()
    if port and not is_free(port):
        fail(
            f"127.0.0.1:{port}: another process listens there; stop it, or name another --port (0: any free one)",
            ExitCode.UNEXPECTED,
        )
    port = port or free_port()
    echo(f"http://127.0.0.1:{port}/")
    for name, value in (
        ("CLINIC_ARCHIVE_WITH_COMMENT_CAPTURES", "1" if with_comment_captures else None),
        (BASE_URL, public),
        *_contact(clinics_file),
    ):
        os.environ.pop(name, None)
        if value:
            os.environ[name] = value
    # Datasette replaces this process: signals reach it directly, and this program's memory is freed.
    os.execv(sys.executable, [sys.executable, "-m", "datasette", "serve", *arguments(archive, port)])  # noqa: S606


def _base_url(given: str | None, clinics_file: Path) -> str | None:
    """Return the public address from the option or clinics.toml; end the process for an address that is none."""
    if given is None:
        return site_address(clinics_file)
    try:
        return base_address(given)
    except ValueError as error:
        fail(f"--base-url {error}", ExitCode.USAGE)


def _contact(clinics_file: Path) -> list[tuple[str, str | None]]:
    """Return whom the page about the archive names, from clinics.toml; nobody while that has placeholders."""
    try:
        crawler = read_clinics(clinics_file).crawler_config if clinics_file.exists() else None
    except ConfigError:  # as for a public address that is given: the archive is served all the same
        crawler = None
    if crawler is None or crawler.is_placeholder:
        return [(CONTACT, None), (PROJECT_URL, None)]
    return [(CONTACT, crawler.contact), (PROJECT_URL, crawler.project_url)]


def _published(archive: Path) -> Path:
    """Return the folder of the published copy; end the process where there is none."""
    folder = archive / FOLDER
    try:
        open_archive(folder, "read").close()
    except (FileNotFoundError, OlderSchema):
        why = f"{archive}: nothing is published, or by an older version; `clinic-archive publish --archive {archive}`"
        fail(why, ExitCode.BAD_CONFIG)
    except ArchiveError:
        read_only(folder)  # reports it
    with exit_on_error(archive):
        if lacking(archive):
            why = "something was withdrawn after it was published"
            fail(f"{folder}: {why}; `clinic-archive publish --archive {archive}`", ExitCode.BAD_CONFIG)
    return folder


def arguments(archive: Path, port: int) -> list[str]:
    """Return Datasette's arguments: the live file, never as immutable, which shows a live WAL database empty."""
    return [
        str(archive / DATABASE),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--metadata",
        str(SITE / "metadata.yaml"),
        "--plugins-dir",
        str(SITE / "plugins"),
        "--template-dir",
        str(SITE / "templates"),
        "--static",
        f"site:{SITE / 'static'}",
        "--setting",
        "suggest_facets",
        "off",
        "--setting",
        "sql_time_limit_ms",
        "10000",
        "--setting",
        "default_page_size",
        "50",
        "--setting",
        "facet_time_limit_ms",
        "1000",
        "--setting",
        "max_csv_mb",
        "0",
        # A row's own page shows its texts in full.
        "--setting",
        "truncate_cells_html",
        "120",
    ]


def is_free(port: int) -> bool:
    """No process listens on this port of the loopback interface."""
    with socket.socket() as probe:
        # The server sets it as well: a port that only waits for its last packets is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of the loopback interface on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
