"""`clinic-archive`: each module of this folder whose name has no leading underscore is a verb."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import click

from pipelines.commands._options import examples
from pipelines.run.locking import tighten_umask
from scraper.config.clinics import VERSION


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("clinic-archive crawl --url https://www.example.com --limit 5", "clinic-archive serve"),
)
@click.version_option(VERSION, prog_name="clinic-archive")
def main() -> None:
    """Archive the blogs of health clinics: posts, counts and comments over time, with the recorded bytes as proof.

    Exit codes: 0 done, 1 unexpected (or a file that could not be used), 2 usage, 3 some clinics failed, 4 bad
    configuration, 5 posts no longer give a field, 6 integrity failure, 7 a clinic was not observed recently, 75 another
    process holds the archive, 130 ended early.
    """
    tighten_umask()


for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):
        main.add_command(import_module(f"{__name__}.{_module.name}").command, _module.name.rstrip("_"))
