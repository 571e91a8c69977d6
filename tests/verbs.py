"""The verbs of `clinic-archive` by name, for tests that walk over all of them."""

from __future__ import annotations

import click

from pipelines.commands import main


def all_verbs() -> dict[str, click.Command]:
    """Return all verbs; each is imported."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def verb_of(group: click.Group, name: str) -> click.Command:
    """Return the verb of that name of a group; an AssertionError if there is none."""
    command = group.get_command(click.Context(group), name)
    assert command is not None, name
    return command
