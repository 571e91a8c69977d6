"""`clinic-archive`: one verb a file in this folder, found by import walk."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import click

from pipelines.run.run import tighten_umask
from scraper.config.clinics import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="clinic-archive")
def main() -> None:
    """An archive of health-clinic blogs: posts, counts and comments over time, with the bytes that prove them.

    Exit codes: 0 done, 1 unexpected (or a file that is no post), 2 usage, 3 some clinics failed, 4 bad configuration,
    5 a field is told no more, 6 integrity failure, 7 a clinic was not observed of late, 75 another run holds the
    archive, 130 ended early.
    """
    tighten_umask()


for _verb in pkgutil.iter_modules(__path__):
    if _verb.name.startswith("_"):
        continue
    main.add_command(import_module(f"{__name__}.{_verb.name}").command, _verb.name.rstrip("_"))
