"""`clinic-archive`: each module of this folder whose name has no leading underscore is a verb."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import click

from pipelines.commands._headings import HEADINGS
from pipelines.commands._options import examples
from pipelines.run.locking import tighten_umask
from scraper.config.clinics import VERSION


class Verbs(click.Group):
    """The verbs of this folder. A verb is imported when it is asked for: most need no crawler, which takes a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs, in alphabetical order."""
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name.rstrip("_") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the verb of that name; None if there is none."""
        modules = {module.name.rstrip("_"): module.name for module in pkgutil.iter_modules(__path__)}
        if cmd_name.startswith("_") or cmd_name not in modules:
            return None
        command: click.Command = import_module(f"{__name__}.{modules[cmd_name]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs under their headings, all columns alike; one that is under none comes last."""
        names = self.list_commands(ctx)
        headed = {name for _, _, verbs in HEADINGS for name in verbs}
        others = tuple(name for name in names if name not in headed)
        widest = max(map(len, names))
        for heading, verbs in (*((heading, verbs) for _, heading, verbs in HEADINGS), ("More", others)):
            found = [(name.ljust(widest), self.get_command(ctx, name)) for name in verbs]
            rows = [(name, command.get_short_help_str(limit=formatter.width)) for name, command in found if command]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


@click.group(
    cls=Verbs,
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
