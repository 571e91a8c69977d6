"""A group of subcommands of which one needs no name."""

from __future__ import annotations

import click


class WithDefault(click.Group):
    """A group in which `release NAME` means `release make NAME`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand and its arguments; a first word that is none is an argument of `make`."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().resolve_command(ctx, args)
